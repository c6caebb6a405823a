// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * See match_wait.h. Edge i is the task i of the circle: it holds the lock that the task before it waits for,
 * and wants its own.
 */
#include "model/match_wait.h"

#include <string.h>

#include "model/match.h"

#define CLASS_NAME_LEN 256

struct wait_subject {
	struct match_subject subject; /* first */
	const struct wait_cycle *cycle;
	const struct match_names *names;
};

static const struct wait_subject *wait_of(const struct match_subject *subject)
{
	return (const struct wait_subject *)subject;
}

static const struct wait_lock *wanted(const struct wait_subject *w, size_t task)
{
	return w->cycle->nodes[task]->waits_for;
}

static const struct wait_lock *held(const struct wait_subject *w, size_t task)
{
	return wanted(w, (task ? task : w->cycle->count) - 1);
}

static bool is_of_class(const struct wait_subject *w, const struct wait_lock *lock, const char *class)
{
	char name[CLASS_NAME_LEN];

	return w->names->lock && w->names->lock(w->names->context, lock->addr, name, sizeof(name)) &&
	       !strcmp(name, class);
}

static bool holds(const struct match_subject *subject, uint32_t edge, const char *class)
{
	return is_of_class(wait_of(subject), held(wait_of(subject), edge), class);
}

static bool takes_under(const struct match_subject *subject, uint32_t edge, const char *outer,
			const char *inner)
{
	return holds(subject, edge, outer) &&
	       is_of_class(wait_of(subject), wanted(wait_of(subject), edge), inner);
}

static bool is_in(const struct match_subject *subject, uint32_t edge, const char *function)
{
	const struct wait_task *task = wait_of(subject)->cycle->nodes[edge]->task;
	const struct symbol_source *symbols = &wait_of(subject)->names->symbols;
	struct symbol symbol;

	for (uint32_t i = 0; symbols->find && i < task->stack_count && i < LT_STACK_MAX; i++)
		if (!symbols->find(symbols->context, task->stack[i], &symbol) &&
		    symbol_is_of(&symbol, function))
			return true;
	return false;
}

/* Whether all the locks are of the first one's class, or are that one. */
static bool is_one_class(const struct wait_subject *w)
{
	char name[CLASS_NAME_LEN];

	if (w->cycle->count == 1)
		return true;
	if (!w->names->lock || !w->names->lock(w->names->context, held(w, 0)->addr, name, sizeof(name)))
		return false;
	for (size_t i = 1; i < w->cycle->count; i++)
		if (!is_of_class(w, held(w, i), name))
			return false;
	return true;
}

const struct rule *match_wait_cycle(const struct rules *rules, const struct wait_cycle *cycle,
				    const struct match_names *names)
{
	struct wait_subject w = { .subject = { .edge_count = (uint32_t)cycle->count,
					       .holds = holds,
					       .takes_under = takes_under,
					       .is_in = is_in },
				  .cycle = cycle,
				  .names = names };

	w.subject.one_class = is_one_class(&w);
	return match_subject(rules, RULE_KNOWN, &w.subject);
}
