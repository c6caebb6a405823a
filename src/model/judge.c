// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* See judge.h. */
#include "model/judge.h"

#include <string.h>

#include "locktrace/object_functions.h"

const struct rule *judge_next(const struct rules *rules, enum rule_kind kind, size_t *at)
{
	size_t count = rules ? rules_count(rules) : 0;

	while (*at < count) {
		const struct rule *rule = rules_get(rules, (*at)++);

		if (rule->kind == kind && rule->state == RULE_IN_FORCE)
			return rule;
	}
	return NULL;
}

/* Whether a lock of a named class was held outside of an entry. The place of a seeded one is not known. */
static bool held_outside(const struct shared_sighting *sighting, uint32_t index, const char *name)
{
	const struct sighting *seen = &sighting->public;
	uint32_t i;

	for (i = 0; i < seen->held_count; i++) {
		bool may_be_outside = i < index || (i > index && (seen->held[i].flags & LT_HELD_SEEDED));

		if (may_be_outside && class_has_name(seen->locks[i]->class, name))
			return true;
	}
	return false;
}

static bool nesting_is_allowed(const struct model_options *options, const struct shared_sighting *sighting,
			       uint32_t index)
{
	const struct lock_class *class = sighting->public.locks[index]->class;
	const struct rule *rule;
	size_t at = 0;

	while ((rule = judge_next(options->rules, RULE_NEST, &at))) {
		if (!class_has_name(class, rule->classes[0]))
			continue;
		if (rule->function ? sighting_is_in(&sighting->public, &options->symbols, rule->function)
				   : held_outside(sighting, index, rule->classes[1]))
			return true;
	}
	return false;
}

enum nesting judge_nesting(const struct model_options *options, const struct shared_sighting *sighting,
			   uint32_t index)
{
	const struct sighting *seen = &sighting->public;
	const struct lt_held *held = &seen->held[index], *taken = &seen->held[seen->held_count];
	const struct lock_class *class = seen->locks[index]->class;

	if (class != seen->locks[seen->held_count]->class || held->addr == taken->addr ||
	    (held->count > 1 && held->last_addr == taken->addr))
		return NESTING_NONE;
	if (nesting_is_allowed(options, sighting, index))
		return NESTING_ALLOWED;
	/* Held for reading, too: a reader that waits behind a waiting writer waits for other readers. */
	if (!options->rules || class->declared == LT_CLASS_FOREIGN ||
	    class->declared >= LT_CLASS_DECLARED_END)
		return NESTING_UNRULED;
	return NESTING_WRONG;
}

bool judge_class_nests(const struct rules *rules, const struct class *class)
{
	const struct rule *rule;
	size_t at = 0;

	while ((rule = judge_next(rules, RULE_NEST, &at))) {
		if (class_has_name(&class->public, rule->classes[0]))
			return true;
	}
	return false;
}

/* A rule may use either name that a class can have. */
static size_t find_order(const struct rules *rules, const struct class *outer, const struct class *inner,
			 const struct rule **path)
{
	const char *outer_names[] = { outer->short_name, outer->long_name };
	const char *inner_names[] = { inner->short_name, inner->long_name };
	size_t count, i;

	for (i = 0; i < 4; i++) {
		const char *a = outer_names[i / 2], *b = inner_names[i % 2];

		count = a && b ? rules_find_order(rules, a, b, path, FINDING_RULES_MAX) : 0;
		if (count)
			return count < FINDING_RULES_MAX ? count : FINDING_RULES_MAX;
	}
	return 0;
}

static bool class_is_further_out(const struct shared_sighting *sighting, uint32_t index)
{
	const struct class *class = sighting_lock(sighting, index)->class;

	while (index-- > 0) {
		if (sighting_lock(sighting, index)->class == class)
			return true;
	}
	return false;
}

int judge_orders(struct search *search, struct shared_sighting *sighting)
{
	const struct rules *rules = search->findings->options->rules;
	struct class *taken = sighting_lock(sighting, sighting->public.held_count)->class;
	uint32_t i;
	int error = 0;

	for (i = 0; rules && i < sighting->public.held_count && !error; i++) {
		struct class *held = sighting_lock(sighting, i)->class;
		const struct rule *path[FINDING_RULES_MAX];
		struct finding_sight sight = {
			.identity = { .kind = FINDING_ORDER, .count = 2, .classes = { held, taken } },
			.witness = { sighting, i },
			.grade = GRADE_POSSIBLE,
			.rules = path,
		};

		if (held == taken || class_is_further_out(sighting, i))
			continue;
		sight.rule_count = (uint32_t)find_order(rules, taken, held, path);
		if (sight.rule_count)
			error = search_sight(search, &sight);
	}
	return error;
}

/* The outermost entry whose class a rule names, or held_count. */
static uint32_t sighting_find_class(const struct shared_sighting *sighting, const char *name)
{
	const struct sighting *seen = &sighting->public;
	uint32_t i;

	for (i = 0; i < seen->held_count && !class_has_name(seen->locks[i]->class, name); i++)
		;
	return i;
}

/* Whether the first rule of a kind that fits is there; with all others of it for the same lock. */
static bool judge_call_by(const struct rules *rules, enum rule_kind kind,
			  const struct shared_sighting *sighting, const char *function,
			  struct call_judgement *out)
{
	const struct rule *rule;
	size_t at = 0;

	while ((rule = judge_next(rules, kind, &at)) && out->rule_count < FINDING_RULES_MAX) {
		if (strcmp(rule->function, function))
			continue;
		if (!out->rule_count)
			out->index = sighting_find_class(sighting, rule->classes[0]);
		if (out->index < sighting->public.held_count &&
		    class_has_name(sighting->public.locks[out->index]->class, rule->classes[0]))
			out->rules[out->rule_count++] = rule;
	}
	return out->rule_count;
}

void judge_call(const struct rules *rules, const struct shared_sighting *sighting, const char *function,
		struct call_judgement *out)
{
	*out = (struct call_judgement){ 0 };
	if (judge_call_by(rules, RULE_FORBID, sighting, function, out))
		out->grade = GRADE_DANGER;
	else if (judge_call_by(rules, RULE_NOTE, sighting, function, out))
		out->grade = GRADE_INFORMATION;
}

/* Whether the last put of a reference calls a function: by the table of puts. */
static bool put_ends_in(const char *put, const char *function)
{
#define COMPARE_PUT(module, name, type, member, last, inlined) \
	if (!strcmp(put, #name))                               \
		return !strcmp(function, #last) || !strcmp(function, #inlined);
	LT_PUTS(COMPARE_PUT)
#undef COMPARE_PUT
	return false;
}

/* The first rule of a kind that names, for what the last put calls, a class that is held. */
static const struct rule *judge_put_by(const struct rules *rules, enum rule_kind kind,
				       const struct shared_sighting *sighting, const char *put)
{
	const struct rule *rule;
	size_t at = 0;

	while ((rule = judge_next(rules, kind, &at))) {
		if (put_ends_in(put, rule->function) &&
		    sighting_find_class(sighting, rule->classes[0]) < sighting->public.held_count)
			return rule;
	}
	return NULL;
}

struct class *judge_put(const struct rules *rules, const struct shared_sighting *sighting, const char *put)
{
	const struct rule *rule = judge_put_by(rules, RULE_FORBID, sighting, put);

	if (!rule)
		rule = judge_put_by(rules, RULE_NOTE, sighting, put);
	if (!rule)
		return NULL;
	return sighting_lock(sighting, sighting_find_class(sighting, rule->classes[0]))->class;
}
