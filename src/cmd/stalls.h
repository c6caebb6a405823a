/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * "watch --stall": waits for a lock that last too long, and why. The kernel side says which lock each task
 * that it follows asked for last; one that still sleeps for it, without having run, waits. When that has
 * lasted, the looks of "hang" say what holds it up. A wait that began before the watch is not seen.
 */
#ifndef LOCKTRACE_CMD_STALLS_H
#define LOCKTRACE_CMD_STALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/rule_set.h"
#include "kernel/tracer.h"
#include "kernel/vm_names.h"
#include "model/model.h"
#include "report/hang.h"

struct stalls_options {
	uint32_t seconds; /* a wait that lasts longer is told; 0: none is looked for */
	struct tracer *tracer;
	struct model *model;
	struct kallsyms *symbols;
	struct rule_set *rules;
	struct vm_names *vms;
	const struct report_context *report; /* kernel, taint, ...: how all that is told is told */
	/* Whether the watch is to end: then it does not wait for an answer. */
	bool (*is_over)(const void *context);
	/* Tells one. The graph is valid during the call. */
	void (*tell)(void *context, const struct hang_report *report, const struct hang_stall *stall);
	void *context;
};

struct stalls;

/* NULL: none is looked for, or out of memory. The options are copied, what they point to must outlive it. */
struct stalls *stalls_new(const struct stalls_options *options);
void stalls_free(struct stalls *stalls);

/*
 * Some times a second. Mostly nothing; once a second a look at the tasks that the tracer follows, and only
 * when one of them waits for too long the looks of "hang", which take about half a second: meanwhile the
 * tracer's records are taken in. Each deadlock and each that holds up others is told once. NULL: nothing.
 */
void stalls_look(struct stalls *stalls);

#endif
