/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* --max-overhead at work: measures the tracer now and then, and says when it takes too much. */
#ifndef LOCKTRACE_CMD_BOUND_H
#define LOCKTRACE_CMD_BOUND_H

#include "kernel/overhead.h"
#include "kernel/tracer.h"

struct bound {
	struct tracer *tracer;
	struct overhead overhead;
	char why[160]; /* why it ended, a sentence; "" as long as it did not */
};

/* percent: of the time of all CPUs; 0: no bound. 0, or negative errno after an error message. */
int bound_open(struct bound *bound, struct tracer *tracer, double percent);

/* Whether there is something to measure now: bound_exceeded() should be called soon. */
bool bound_is_due(const struct bound *bound);

/* Measures when it is time to. True, once and for all: the tracer takes too much. */
bool bound_exceeded(struct bound *bound);

#endif
