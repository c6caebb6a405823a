/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * --max-overhead: when to measure what the tracer's programs take of the CPUs' time, and whether that is too
 * much. Asking all programs costs too, so it is done for a moment now and then; one sample above the bound
 * may be chance, a second one right after it is not. Pure: the caller has the clock and the counters.
 */
#ifndef LOCKTRACE_KERNEL_OVERHEAD_H
#define LOCKTRACE_KERNEL_OVERHEAD_H

#include <stdbool.h>
#include <stdint.h>

struct overhead {
	double bound;      /* per cent of the time of all CPUs */
	unsigned int cpus; /* online */
	double percent;    /* the last sample */
	/* Its own. Zero at the start: the first sample begins at once. */
	bool sampling, suspect;
	uint64_t next_ns, began_ns, began_spent_ns;
};

enum overhead_step {
	OVERHEAD_WAIT,
	OVERHEAD_BEGIN, /* call overhead_begin() */
	OVERHEAD_END,   /* call overhead_end() */
};

/* What is to be done now. */
enum overhead_step overhead_next(const struct overhead *o, uint64_t now_ns);

/* spent_ns: what the programs have taken so far, counted from anywhere. */
void overhead_begin(struct overhead *o, uint64_t now_ns, uint64_t spent_ns);

/* What the sample says. */
enum overhead_verdict {
	OVERHEAD_FINE,     /* until the next sample */
	OVERHEAD_SUSPECT,  /* above the bound: the next sample has begun */
	OVERHEAD_TOO_MUCH, /* above it for the second time */
};
enum overhead_verdict overhead_end(struct overhead *o, uint64_t now_ns, uint64_t spent_ns);

#endif
