// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * The rule set; see rules.h. The classes of "order" statements are a graph: each
 * class knows its places in the statements, and what stands behind a place in its
 * statement is reached by that one rule.
 */
#include "model/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/hash.h"
#include "model/list.h"
#include "model/rules_internal.h"

#define RULES_FIRST_SIZE 16

struct memory {
	struct memory *next;
	max_align_t bytes[];
};

struct order_class;

/* One class in one "order" statement; those behind it in the statement follow it in memory. */
struct place {
	struct order_class *class;
	const struct rule *rule;
	size_t behind;      /* how many follow */
	struct place *next; /* the class's next one, in the order they were read */
};

struct order_class {
	struct hash_node node;
	const char *name;
	struct place *first, **end;
	struct order_class *next; /* in the set */
	/* What a search knows of it; each search begins by clearing this. */
	struct {
		enum { CLASS_NEW, CLASS_OPEN, CLASS_DONE } mark;
		struct order_class *from; /* it was reached from this one */
		const struct rule *by;    /* by this rule */
		struct order_class *queued;
		const struct place *at;
	} search;
};

struct rules {
	struct memory *memory;
	struct rule **list;
	size_t count, size;
	struct hash class_names;
	struct order_class *classes, **classes_end;
};

static const char *const kind_names[RULE_KINDS] = {
	[RULE_ORDER] = "order", [RULE_NEST] = "nest",     [RULE_FORBID] = "forbid", [RULE_NOTE] = "note",
	[RULE_WATCH] = "watch", [RULE_IGNORE] = "ignore", [RULE_KNOWN] = "known",
};

const char *rule_kind_name(enum rule_kind kind)
{
	return kind_names[kind];
}

struct rules *rules_new(void)
{
	struct rules *rules = calloc(1, sizeof(*rules));

	if (!rules)
		return NULL;
	hash_init(&rules->class_names);
	rules->classes_end = &rules->classes;
	return rules;
}

void rules_free(struct rules *rules)
{
	struct memory *memory;

	if (!rules)
		return;
	while ((memory = rules->memory)) {
		rules->memory = memory->next;
		free(memory);
	}
	hash_release(&rules->class_names);
	free(rules->list);
	free(rules);
}

void *rules_allocate(struct rules *rules, size_t size)
{
	struct memory *memory = calloc(1, sizeof(*memory) + size);

	if (!memory)
		return NULL;
	memory->next = rules->memory;
	rules->memory = memory;
	return memory->bytes;
}

char *rules_copy(struct rules *rules, const char *bytes, size_t length)
{
	char *copy = rules_allocate(rules, length + 1);

	if (copy)
		memcpy(copy, bytes, length);
	return copy;
}

size_t rules_count(const struct rules *rules)
{
	return rules->count;
}

const struct rule *rules_get(const struct rules *rules, size_t index)
{
	return rules->list[index];
}

static struct order_class *class_find(const struct rules *rules, const char *name, uint64_t hash)
{
	struct hash_node *node = hash_first(&rules->class_names, hash);

	for (; node; node = hash_next(node)) {
		struct order_class *class = list_entry(node, struct order_class, node);

		if (!strcmp(class->name, name))
			return class;
	}
	return NULL;
}

/* One that is there or a new one, which has no places yet. */
static struct order_class *class_get(struct rules *rules, const char *name)
{
	uint64_t hash = hash_bytes(name, strlen(name));
	struct order_class *class = class_find(rules, name, hash);

	if (class)
		return class;
	class = rules_allocate(rules, sizeof(*class));
	if (!class || hash_insert(&rules->class_names, &class->node, hash))
		return NULL;
	class->name = name;
	class->end = &class->first;
	*rules->classes_end = class;
	rules->classes_end = &class->next;
	return class;
}

static struct place *places_new(struct rules *rules, const struct rule *rule, size_t count)
{
	struct place *places = rules_allocate(rules, count * sizeof(*places));

	for (size_t i = 0; places && i < count; i++) {
		places[i].class = class_get(rules, rule->classes[i]);
		if (!places[i].class)
			return NULL;
		places[i].rule = rule;
		places[i].behind = count - 1 - i;
	}
	return places;
}

/* All of a rule's classes learn of it, or none does. */
static int rule_place(struct rules *rules, const struct rule *rule)
{
	size_t count = rule->class_count;
	struct place *places = places_new(rules, rule, count);

	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		*places[i].class->end = &places[i];
		places[i].class->end = &places[i].next;
	}
	return 0;
}

static int rules_reserve(struct rules *rules)
{
	size_t size = rules->size ? rules->size * 2 : RULES_FIRST_SIZE;
	struct rule **list;

	if (rules->count < rules->size)
		return 0;
	list = realloc(rules->list, size * sizeof(struct rule *));
	if (!list)
		return -ENOMEM;
	rules->list = list;
	rules->size = size;
	return 0;
}

static const void *copy_array(struct rules *rules, const void *array, size_t size)
{
	void *copy = rules_allocate(rules, size);

	return copy ? memcpy(copy, array, size) : NULL;
}

static struct rule *rule_copy(struct rules *rules, const struct rule *rule)
{
	struct rule *copy = rules_allocate(rules, sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *rule;
	copy->classes = copy_array(rules, rule->classes, rule->class_count * sizeof(*rule->classes));
	copy->conditions =
		copy_array(rules, rule->conditions, rule->condition_count * sizeof(*rule->conditions));
	return copy->classes && copy->conditions ? copy : NULL;
}

int rules_add(struct rules *rules, const struct rule *rule)
{
	struct rule *copy;

	if (rules_reserve(rules))
		return -ENOMEM;
	copy = rule_copy(rules, rule);
	if (!copy || (rule->kind == RULE_ORDER && rule_place(rules, copy)))
		return -ENOMEM;
	rules->list[rules->count++] = copy;
	return 0;
}

static enum rule_state rule_ask(const struct rule *rule,
				enum rule_answer (*ask)(void *, const struct rule_condition *), void *context)
{
	enum rule_state state = RULE_IN_FORCE;

	for (size_t i = 0; i < rule->condition_count; i++) {
		const struct rule_condition *condition = &rule->conditions[i];
		enum rule_answer answer = ask(context, condition);

		if (answer == ANSWER_UNKNOWN)
			state = RULE_UNKNOWN;
		else if ((answer == ANSWER_YES) == condition->negated)
			return RULE_NOT_HERE;
	}
	return state;
}

bool rules_evaluate(struct rules *rules, enum rule_answer (*ask)(void *, const struct rule_condition *),
		    void *context)
{
	bool changed = false;

	for (size_t i = 0; i < rules->count; i++) {
		enum rule_state state = rule_ask(rules->list[i], ask, context);

		changed = changed || state != rules->list[i]->state;
		rules->list[i]->state = state;
	}
	return changed;
}

void rules_set_state(struct rules *rules, size_t index, enum rule_state state)
{
	rules->list[index]->state = state;
}

static void search_begin(const struct rules *rules)
{
	for (struct order_class *class = rules->classes; class; class = class->next)
		memset(&class->search, 0, sizeof(class->search));
}

/* Queues the classes that rules in force put inside of one; true when the one looked for is among them. */
static bool search_step(struct order_class *class, const struct order_class *inner, struct order_class ***end)
{
	for (const struct place *place = class->first; place; place = place->next) {
		if (place->rule->state != RULE_IN_FORCE)
			continue;
		for (size_t i = 1; i <= place->behind; i++) {
			struct order_class *next = place[i].class;

			/* The one looked for may be the first: then it is a circle. */
			if (next->search.mark != CLASS_NEW && next != inner)
				continue;
			next->search.mark = CLASS_OPEN;
			next->search.from = class;
			next->search.by = place->rule;
			if (next == inner)
				return true;
			**end = next;
			*end = &next->search.queued;
		}
	}
	return false;
}

/* Breadth first, by statements and not by neighbours in them: the fewest rules. */
static bool search_order(const struct rules *rules, struct order_class *outer,
			 const struct order_class *inner)
{
	struct order_class *queue = outer, **end = &outer->search.queued;

	search_begin(rules);
	outer->search.mark = CLASS_OPEN;
	for (; queue; queue = queue->search.queued) {
		if (search_step(queue, inner, &end))
			return true;
	}
	return false;
}

/* The rules by which a search went from outer to inner. */
static size_t search_path(const struct order_class *outer, const struct order_class *inner,
			  const struct rule **path, size_t size)
{
	const struct order_class *class = inner;
	size_t count = 0, i;

	do {
		count++;
		class = class->search.from;
	} while (class != outer);
	for (i = count, class = inner; i-- > 0; class = class->search.from) {
		if (i < size)
			path[i] = class->search.by;
	}
	return count;
}

static size_t find_order(const struct rules *rules, struct order_class *outer,
			 const struct order_class *inner, const struct rule **path, size_t size)
{
	return search_order(rules, outer, inner) ? search_path(outer, inner, path, size) : 0;
}

size_t rules_find_order(const struct rules *rules, const char *outer, const char *inner,
			const struct rule **path, size_t size)
{
	struct order_class *from = class_find(rules, outer, hash_bytes(outer, strlen(outer)));
	struct order_class *to = class_find(rules, inner, hash_bytes(inner, strlen(inner)));

	return from && to ? find_order(rules, from, to, path, size) : 0;
}

static void class_open(struct order_class *class, struct order_class *from)
{
	class->search.mark = CLASS_OPEN;
	class->search.from = from;
	class->search.at = class->first;
}

/*
 * Depth first, without recursion, from a class on: collects the places whose follower is open,
 * that is, on the way to it. Every circle has one of them.
 */
static size_t search_circles(struct order_class *class, const struct place **found, size_t size)
{
	size_t count = 0;

	class_open(class, NULL);
	while (class && count < size) {
		const struct place *place = class->search.at;

		if (!place) {
			class->search.mark = CLASS_DONE;
			class = class->search.from;
			continue;
		}
		class->search.at = place->next;
		if (place->rule->state != RULE_IN_FORCE || !place->behind)
			continue;
		if (place[1].class->search.mark == CLASS_OPEN)
			found[count++] = place;
		if (place[1].class->search.mark == CLASS_NEW) {
			class_open(place[1].class, class);
			class = place[1].class;
		}
	}
	return count;
}

static size_t rule_index(const struct rules *rules, const struct rule *rule)
{
	size_t i = 0;

	while (rules->list[i] != rule)
		i++;
	return i;
}

/*
 * The place says X > Y; the shortest way back from Y to X begins with two different
 * rules or has only one, which cannot be that of the place: one of them is the other.
 */
static struct rule_conflict conflict_of(const struct rules *rules, const struct place *place)
{
	const struct rule *path[2] = { NULL, NULL }, *a = place->rule, *b;

	find_order(rules, place[1].class, place->class, path, 2);
	b = path[0] != a ? path[0] : path[1];
	if (rule_index(rules, b) < rule_index(rules, a))
		return (struct rule_conflict){ b, a };
	return (struct rule_conflict){ a, b };
}

static bool conflict_is_among(const struct rule_conflict *conflict, const struct rule_conflict *others,
			      size_t count)
{
	size_t i = 0;

	while (i < count && (others[i].a != conflict->a || others[i].b != conflict->b))
		i++;
	return i < count;
}

size_t rules_find_conflicts(const struct rules *rules, struct rule_conflict *conflicts, size_t size)
{
	const struct place *found[RULES_CONFLICTS_MAX];
	size_t circles = 0, count = 0;

	if (size > RULES_CONFLICTS_MAX)
		size = RULES_CONFLICTS_MAX;
	search_begin(rules);
	for (struct order_class *class = rules->classes; class && circles < size; class = class->next) {
		if (class->search.mark == CLASS_NEW)
			circles += search_circles(class, found + circles, size - circles);
	}
	for (size_t i = 0; i < circles; i++) {
		conflicts[count] = conflict_of(rules, found[i]);
		count += !conflict_is_among(&conflicts[count], conflicts, count);
	}
	return count;
}
