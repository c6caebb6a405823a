/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Whether a circle of tasks that wait for each other is a bug that the catalogue knows. Pure. */
#ifndef LOCKTRACE_MODEL_MATCH_WAIT_H
#define LOCKTRACE_MODEL_MATCH_WAIT_H

#include "model/rules.h"
#include "model/symbols.h"
#include "model/wait_graph.h"

/* How the locks and the functions on the stacks are called. */
struct match_names {
	/* Writes the class of a lock, cut to size; returns out. NULL: not known, so no pattern fits it. */
	const char *(*lock)(void *context, uint64_t addr, char *out, size_t size);
	void *context;
	struct symbol_source symbols; /* find may be NULL: then no pattern with "in" fits */
};

/*
 * The first "known" rule in force whose pattern fits; NULL: none. Each task of the circle owns the lock that
 * the one before it waits for: these are the dependencies that are sure. What else the tasks hold is not
 * known, nor what was called under which lock: patterns with "call" never fit.
 */
const struct rule *match_wait_cycle(const struct rules *rules, const struct wait_cycle *cycle,
				    const struct match_names *names);

#endif
