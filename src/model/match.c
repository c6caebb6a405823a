// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * See match.h. The patterns, and what each asks of a finding, or of tasks that wait:
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

/* Patterns against any subject. */

/* Whether the classes come in this order when the circle is read from start on. */
static bool match_cycle_from(const struct rule *rule, const struct match_subject *subject, uint32_t start)
{
	uint32_t count = subject->edge_count, i;
	size_t matched = 0;

	for (i = 0; i < count && matched < rule->class_count - 1; i++) {
		if (subject->holds(subject, (start + i) % count, rule->classes[matched]))
			matched++;
	}
	return matched == rule->class_count - 1;
}

/* Only circles have edges of several classes. */
static bool match_cycle(const struct rule *rule, const struct match_subject *subject)
{
	uint32_t start;

	for (start = 0; start < subject->edge_count; start++) {
		if (match_cycle_from(rule, subject, start))
			return true;
	}
	return false;
}

static bool match_pair(const struct match_subject *subject, const char *outer, const char *inner)
{
	uint32_t i;

	if (!strcmp(outer, inner))
		return subject->one_class && subject->holds(subject, 0, outer);
	for (i = 0; i < subject->edge_count; i++) {
		if (subject->takes_under(subject, i, outer, inner))
			return true;
	}
	return false;
}

static bool match_sequence(const struct rule *rule, const struct match_subject *subject)
{
	size_t i;

	if (rule->class_count > 2 && !strcmp(rule->classes[0], rule->classes[rule->class_count - 1]))
		return match_cycle(rule, subject);
	for (i = 0; i + 1 < rule->class_count; i++) {
		if (!match_pair(subject, rule->classes[i], rule->classes[i + 1]))
			return false;
	}
	return true;
}

static bool match_function(const struct match_subject *subject, const char *function)
{
	uint32_t i;

	for (i = 0; i < subject->edge_count; i++) {
		if (subject->is_in(subject, i, function))
			return true;
	}
	return false;
}

static bool match_rule(const struct rule *rule, const struct match_subject *subject)
{
	if (rule->is_call)
		return subject->is_call && subject->is_call(subject, rule->function, rule->classes[0]);
	return match_sequence(rule, subject) && (!rule->function || match_function(subject, rule->function));
}

const struct rule *match_subject(const struct rules *rules, enum rule_kind kind,
				 const struct match_subject *subject)
{
	const struct rule *rule;
	size_t at = 0;

	while ((rule = judge_next(rules, kind, &at))) {
		if (match_rule(rule, subject))
			return rule;
	}
	return NULL;
}

/* A finding as a subject. */

struct finding_subject {
	struct match_subject subject; /* first */
	const struct finding *finding;
	const struct symbol_source *symbols;
};

static const struct finding *finding_of(const struct match_subject *subject)
{
	return ((const struct finding_subject *)subject)->finding;
}

static bool finding_holds(const struct match_subject *subject, uint32_t edge, const char *class)
{
	return class_has_name(finding_of(subject)->edges[edge].from, class);
}

static bool finding_takes_under(const struct match_subject *subject, uint32_t index, const char *outer,
				const char *inner)
{
	const struct finding_edge *edge = &finding_of(subject)->edges[index];
	uint32_t i;

	if (!edge->to || !class_has_name(edge->to, inner))
		return false;
	for (i = 0; i < edge->sighting->held_count; i++) {
		if (class_has_name(edge->sighting->locks[i]->class, outer))
			return true;
	}
	return false;
}

static bool finding_is_in(const struct match_subject *subject, uint32_t edge, const char *function)
{
	return sighting_is_in(finding_of(subject)->edges[edge].sighting,
			      ((const struct finding_subject *)subject)->symbols, function);
}

static bool finding_is_call(const struct match_subject *subject, const char *function, const char *class)
{
	const struct finding *finding = finding_of(subject);

	return finding->kind == FINDING_FORBIDDEN_CALL && !strcmp(finding->function, function) &&
	       class_has_name(finding->edges[0].from, class);
}

const struct rule *match_finding(const struct model_options *options, const struct finding *finding,
				 enum rule_kind kind)
{
	const struct finding_subject subject = {
		.subject = { .edge_count = finding->edge_count,
			     .one_class = finding->kind == FINDING_RECURSIVE,
			     .holds = finding_holds,
			     .takes_under = finding_takes_under,
			     .is_in = finding_is_in,
			     .is_call = finding_is_call },
		.finding = finding,
		.symbols = &options->symbols,
	};

	return match_subject(options->rules, kind, &subject.subject);
}
