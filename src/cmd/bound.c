/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See bound.h. The clock, the CPUs and the counters for kernel/overhead.h. */
#include "cmd/bound.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int bound_open(struct bound *bound, struct tracer *tracer, double percent)
{
	int err;

	*bound = (struct bound){ .tracer = tracer, .overhead.bound = percent };
	if (percent <= 0)
		return 0;
	err = tracer_measure(tracer);
	if (err)
		message_error("--max-overhead: the kernel does not measure BPF programs for us "
			      "(BPF_ENABLE_STATS: %s). It takes CAP_SYS_ADMIN.",
			      strerror(-err));
	return err;
}

bool bound_is_due(const struct bound *bound)
{
	return bound->overhead.bound > 0 && overhead_next(&bound->overhead, now_ns()) != OVERHEAD_WAIT;
}

static void begin(struct bound *bound)
{
	/* CPUs come and go. */
	bound->overhead.cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	overhead_begin(&bound->overhead, now_ns(), tracer_run_time(bound->tracer));
}

static void end(struct bound *bound)
{
	struct overhead *o = &bound->overhead;
	enum overhead_verdict verdict = overhead_end(o, now_ns(), tracer_run_time(bound->tracer));

	message_note("the tracer's programs take %.3f %% of the time of %u CPUs", o->percent, o->cpus);
	if (verdict == OVERHEAD_SUSPECT)
		return;
	if (verdict == OVERHEAD_TOO_MUCH)
		snprintf(
			bound->why, sizeof(bound->why),
			"The tracer's programs took %.3g %% of the time of all %u CPUs, more than the %.3g %% "
			"of --max-overhead: all of them were detached.",
			o->percent, o->cpus, o->bound);
}

bool bound_exceeded(struct bound *bound)
{
	if (!*bound->why && bound_is_due(bound)) {
		if (overhead_next(&bound->overhead, now_ns()) == OVERHEAD_BEGIN)
			begin(bound);
		else
			end(bound);
	}
	return *bound->why;
}
