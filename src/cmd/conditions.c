/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See conditions.h. */
#include "cmd/conditions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/hooks.h"
#include "kernel/modules.h"
#include "model/list.h"

struct condition_answer {
	struct hash_node node;
	struct condition_answer *next;
	const struct rule_condition *condition; /* the first of those that ask the same */
	enum rule_answer answer;
	bool known;   /* answer is (value: if it is of this pass) */
	bool settled; /* found where only a change of hook_modules can change it */
	/* Of a value. */
	bool placed;
	struct tracer_member place;
	uint64_t pass;
};

static bool is_present(const struct conditions *c, const char *module)
{
	for (size_t i = 0; i < hook_module_count; i++)
		if (!strcmp(hook_modules[i], module))
			return c->present >> i & 1;
	return false;
}

static bool all_are_present(const struct conditions *c)
{
	return c->present == (1ULL << hook_module_count) - 1;
}

/* Types of a module before 5.11 cannot be read. */
static bool types_are_readable(const struct conditions *c)
{
	for (size_t i = 0; i < hook_module_count; i++)
		if (module_state(c->symbols, hook_modules[i]) == MODULE_LIVE &&
		    !types_has_module(c->types, hook_modules[i]))
			return false;
	return true;
}

/*
 * Whether a symbol or a struct that is nowhere may come with one of hook_modules. Where its name
 * tells its module, only that one is waited for: vfio_pci_core never comes to many a host, and
 * tells nothing of KVM. That is a guess: any module can have such a name.
 */
static bool may_come(const struct conditions *c, const char *name)
{
	const char *module = hook_module_of(name);

	return module ? !is_present(c, module) : !all_are_present(c);
}

/* What hook_modules and the image have goes before what is called the same elsewhere. */
static void ask_member(const struct conditions *c, struct condition_answer *a)
{
	const struct rule_condition *q = a->condition;
	struct type_member member;
	int err = types_member_anywhere(c->types, hook_modules, q->structure, q->member, &member);

	a->settled = err != -ENOENT;
	if (!a->settled)
		err = types_member_elsewhere(c->types, hook_modules, q->structure, q->member, &member);
	if (!err)
		a->answer = ANSWER_YES;
	else if (a->settled || (!may_come(c, q->structure) && types_are_readable(c)))
		a->answer = ANSWER_NO;
	else
		a->answer = ANSWER_UNKNOWN;
}

/* settled: it is in the image, or in the module that its name tells. Elsewhere it may go at any change. */
static bool symbol_is_there(const struct conditions *c, const char *symbol, bool *settled)
{
	const char *module = hook_module_of(symbol);

	if (!module || !is_present(c, module))
		module = "";
	*settled = kallsyms_address(c->symbols, module, symbol) != 0;
	return *settled || kallsyms_address(c->symbols, NULL, symbol);
}

static void ask_symbol(const struct conditions *c, struct condition_answer *a)
{
	const char *symbol = a->condition->symbol;

	if (symbol_is_there(c, symbol, &a->settled))
		a->answer = ANSWER_YES;
	else
		a->answer = may_come(c, symbol) ? ANSWER_UNKNOWN : ANSWER_NO;
}

static void find_value(const struct conditions *c, struct condition_answer *a)
{
	const struct rule_condition *q = a->condition;

	a->placed = symbol_is_there(c, q->symbol, &a->settled) &&
		    !tracer_find_member(c->tracer, q->structure, q->member, q->symbol, q->pointer, &a->place);
	a->settled = a->settled && a->placed;
}

static void ask_value(const struct conditions *c, struct condition_answer *a)
{
	uint64_t value;

	a->answer = ANSWER_UNKNOWN;
	if (!c->tracer)
		return;
	if (!a->known)
		find_value(c, a);
	a->known = true;
	if (a->placed && !tracer_read_member(c->tracer, &a->place, &value))
		a->answer = value ? ANSWER_YES : ANSWER_NO;
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return text ? hash_numbers(hash, hash_bytes(text, strlen(text))) : hash;
}

static struct condition_answer *answer_find_or_new(struct conditions *c, const struct rule_condition *q)
{
	uint64_t hash = hash_text(hash_text(hash_text(q->kind, q->structure), q->member), q->symbol);
	struct condition_answer *answer;

	for (struct hash_node *n = hash_first(&c->table, hash); n; n = hash_next(n)) {
		const struct rule_condition *other;

		answer = list_entry(n, struct condition_answer, node);
		other = answer->condition;
		if (other->kind == q->kind && other->pointer == q->pointer &&
		    is_same(other->structure, q->structure) && is_same(other->member, q->member) &&
		    is_same(other->symbol, q->symbol))
			return answer;
	}
	answer = calloc(1, sizeof(*answer));
	if (!answer || hash_insert(&c->table, &answer->node, hash)) {
		free(answer);
		return NULL;
	}
	answer->condition = q;
	answer->next = c->answers;
	c->answers = answer;
	return answer;
}

enum rule_answer conditions_ask(void *context, const struct rule_condition *condition)
{
	struct conditions *c = context;
	struct condition_answer *answer;

	if (!c->symbols || !c->types)
		return ANSWER_UNKNOWN;
	answer = answer_find_or_new(c, condition);
	if (!answer)
		return ANSWER_UNKNOWN;
	if (answer->known && (condition->kind != CONDITION_VALUE || answer->pass == c->pass))
		return answer->answer;
	if (condition->kind == CONDITION_MEMBER)
		ask_member(c, answer);
	else if (condition->kind == CONDITION_SYMBOL)
		ask_symbol(c, answer);
	else
		ask_value(c, answer);
	answer->known = answer->known || condition->kind != CONDITION_VALUE;
	answer->pass = c->pass;
	return answer->answer;
}

void conditions_begin_pass(struct conditions *conditions)
{
	conditions->pass++;
}

void conditions_modules_changed(struct conditions *conditions)
{
	uint64_t present = 0, loads = 0;
	bool same;

	if (!conditions->symbols)
		return;
	for (size_t i = 0; i < hook_module_count; i++) {
		loads = hash_numbers(loads, module_id(hook_modules[i]));
		if (module_state(conditions->symbols, hook_modules[i]) != MODULE_ABSENT)
			present |= 1ULL << i;
	}
	same = present == conditions->present && loads == conditions->loads;
	for (struct condition_answer *a = conditions->answers; a; a = a->next)
		a->known = a->known && a->settled && same;
	conditions->present = present;
	conditions->loads = loads;
}

void conditions_release(struct conditions *conditions)
{
	struct condition_answer *answer;

	while ((answer = conditions->answers)) {
		conditions->answers = answer->next;
		free(answer);
	}
	hash_release(&conditions->table);
}
