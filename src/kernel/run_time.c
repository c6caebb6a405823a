/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * What our programs take of the CPUs' time. The kernel measures a program's own run while
 * somebody holds a descriptor of BPF_ENABLE_STATS (d46edd671a14, 5.8); what it
 * costs to get there and back is not in that, and is estimated. See tracer.h.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>

#include "kernel/tracer_internal.h"

/*
 * Nanoseconds of one entry to a program and back. An fentry trampoline was measured on an AMD EPYC with
 * the SRSO mitigation, where it is dearest (47 ns; 8 without); the others are that in the
 * proportion of the instructions counted for each (132, 261, 357).
 */
#define FENTRY_ENTRY_NS 47
#define KPROBE_MULTI_ENTRY_NS 93
#define KPROBE_ENTRY_NS 127

static uint64_t entry_ns(const struct bpf_program *program)
{
	if (bpf_program__type(program) != BPF_PROG_TYPE_KPROBE)
		return FENTRY_ENTRY_NS;
	return bpf_program__expected_attach_type(program) == BPF_TRACE_KPROBE_MULTI ? KPROBE_MULTI_ENTRY_NS
										    : KPROBE_ENTRY_NS;
}

int tracer_measure(struct tracer *tracer)
{
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	if (fd < 0)
		return -errno;
	tracer->stats_fd = fd;
	tracer->measuring = true;
	return 0;
}

uint64_t tracer_run_time(const struct tracer *tracer)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < tracer->instance_count; i++) {
		struct bpf_program *program;

		bpf_object__for_each_program (program, tracer->instances[i].object->obj) {
			struct bpf_prog_info info = { 0 };
			uint32_t size = sizeof(info);

			if (bpf_program__fd(program) >= 0 &&
			    !bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
				sum += info.run_time_ns + info.run_cnt * entry_ns(program);
		}
	}
	return sum;
}
