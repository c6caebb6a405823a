// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * See match.h. The patterns, and what each asks of a finding:
 *
 *   call F under C       a forbidden call of F, found under C
 *   A > A                one of locks of class A alone: one lock twice, or two
 *   A > B, A > B > C     for each pair an edge that takes the second while the first is held
 *   A > B > ... > A      a circle in which the classes stand in this order, wherever one begins
 *                        to read it; others may stand between
 *   ... in F             besides, F is on the stack of one of its edges
 */
#include "model/match.h"

#include <string.h>

#include "model/class.h"
#include "model/judge.h"
#include "model/sighting.h"

static bool match_call(const struct rule *rule, const struct finding *finding)
{
	return finding->kind == FINDING_FORBIDDEN_CALL && !strcmp(finding->function, rule->function) &&
	       class_has_name(finding->edges[0].from, rule->classes[0]);
}

/* Whether the classes come in this order when the circle is read from start on. */
static bool match_cycle_from(const struct rule *rule, const struct finding *finding, uint32_t start)
{
	uint32_t count = finding->edge_count, i;
	size_t matched = 0;

	for (i = 0; i < count && matched < rule->class_count - 1; i++) {
		const struct lock_class *class = finding->edges[(start + i) % count].from;

		if (class_has_name(class, rule->classes[matched]))
			matched++;
	}
	return matched == rule->class_count - 1;
}

/* Only circular findings have edges of several classes. */
static bool match_cycle(const struct rule *rule, const struct finding *finding)
{
	uint32_t start;

	for (start = 0; start < finding->edge_count; start++) {
		if (match_cycle_from(rule, finding, start))
			return true;
	}
	return false;
}

static bool edge_takes_under(const struct finding_edge *edge, const char *outer, const char *inner)
{
	uint32_t i;

	if (!edge->to || !class_has_name(edge->to, inner))
		return false;
	for (i = 0; i < edge->sighting->held_count; i++) {
		if (class_has_name(edge->sighting->locks[i]->class, outer))
			return true;
	}
	return false;
}

static bool match_pair(const struct finding *finding, const char *outer, const char *inner)
{
	uint32_t i;

	if (!strcmp(outer, inner))
		return finding->kind == FINDING_RECURSIVE && class_has_name(finding->edges[0].from, outer);
	for (i = 0; i < finding->edge_count; i++) {
		if (edge_takes_under(&finding->edges[i], outer, inner))
			return true;
	}
	return false;
}

static bool match_sequence(const struct rule *rule, const struct finding *finding)
{
	size_t i;

	if (rule->class_count > 2 && !strcmp(rule->classes[0], rule->classes[rule->class_count - 1]))
		return match_cycle(rule, finding);
	for (i = 0; i + 1 < rule->class_count; i++) {
		if (!match_pair(finding, rule->classes[i], rule->classes[i + 1]))
			return false;
	}
	return true;
}

static bool match_function(const struct model_options *options, const struct finding *finding,
			   const char *function)
{
	uint32_t i;

	for (i = 0; i < finding->edge_count; i++) {
		if (sighting_is_in(finding->edges[i].sighting, &options->symbols, function))
			return true;
	}
	return false;
}

static bool match_rule(const struct model_options *options, const struct rule *rule,
		       const struct finding *finding)
{
	if (rule->is_call)
		return match_call(rule, finding);
	return match_sequence(rule, finding) &&
	       (!rule->function || match_function(options, finding, rule->function));
}

const struct rule *match_finding(const struct model_options *options, const struct finding *finding,
				 enum rule_kind kind)
{
	const struct rule *rule;
	size_t at = 0;

	while ((rule = judge_next(options->rules, kind, &at))) {
		if (match_rule(options, rule, finding))
			return rule;
	}
	return NULL;
}
