/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Is a cycle that was found happening now? Looks, some times a second, at the very
 * locks of each circular finding and at the tasks that own them.
 */
#ifndef LOCKTRACE_CMD_DEADLOCKS_H
#define LOCKTRACE_CMD_DEADLOCKS_H

#include "kernel/tracer.h"
#include "model/model.h"
#include "model/wait_graph.h"

/* Findings that are looked at; later ones are not. */
#define DEADLOCKS_MAX 256

struct deadlocks {
	/* Context switches of the tasks of each finding at the last look that fitted, summed; 0: none. */
	uint64_t switches[DEADLOCKS_MAX];
};

/*
 * One look. A finding whose owners own and wait round the circle, and did so at
 * the last look too without having run in between, is confirmed to the model.
 */
void deadlocks_look(struct deadlocks *deadlocks, struct tracer *tracer, struct model *model);

/* Whether a circle of tasks is told already: by a finding of these tasks, graded as a deadlock. */
bool deadlocks_told(const struct model *model, const struct wait_cycle *cycle);

/* Context switches of a thread that sleeps now; 0 when it runs or is gone. */
uint64_t deadlocks_switches(uint32_t tid);

#endif
