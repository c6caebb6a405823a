// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * Fuzzes the rule parser and the queries: libFuzzer's input is a rule file, and its
 * bytes answer the conditions. Besides the sanitizers' finds it fails when a rule
 * breaks a promise of rules.h. Built and run by "make fuzz" and "make check".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/rules.h"

/* Pairs of classes that are asked about, for one input. */
#define CLASSES_MAX 12

struct input {
	const uint8_t *bytes;
	size_t size, at;
};

#define PROMISE(condition)                                           \
	do {                                                         \
		if (!(condition)) {                                  \
			fprintf(stderr, "broken: %s\n", #condition); \
			abort();                                     \
		}                                                    \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void on_error(void *context, const char *file, unsigned int line, unsigned int column,
		     const char *message)
{
	int *errors = context;

	PROMISE(!strcmp(file, "fuzz"));
	PROMISE(line > 0 && column > 0);
	PROMISE(message[0] && strlen(message) < 1024);
	for (; *message; message++)
		PROMISE(*message >= ' ' && *message <= '~');
	++*errors;
}

static enum rule_answer answer(void *context, const struct rule_condition *condition)
{
	struct input *input = context;

	PROMISE(condition->kind <= CONDITION_VALUE);
	return input->size ? (enum rule_answer)(input->bytes[input->at++ % input->size] % 3) : ANSWER_UNKNOWN;
}

/* Where there, not empty and without control characters. */
static void check_string(const char *text)
{
	if (!text)
		return;
	PROMISE(text[0]);
	for (; *text; text++)
		PROMISE((unsigned char)*text >= ' ' || *text == '\t');
}

static void check_condition(const struct rule_condition *condition)
{
	check_string(condition->structure);
	check_string(condition->member);
	check_string(condition->symbol);
	PROMISE(!condition->structure == (condition->kind == CONDITION_SYMBOL));
	PROMISE(!condition->member == (condition->kind == CONDITION_SYMBOL));
	PROMISE(!condition->symbol == (condition->kind == CONDITION_MEMBER));
	PROMISE(!condition->pointer || condition->kind == CONDITION_VALUE);
}

static void check_sequence(const struct rule *rule)
{
	size_t last = rule->class_count - 1;

	PROMISE(rule->class_count >= 2);
	for (size_t i = 0; i < last; i++) {
		for (size_t j = i + 1; j <= last; j++)
			PROMISE(strcmp(rule->classes[i], rule->classes[j]) != 0 ||
				(!i && j == last && rule->kind != RULE_ORDER));
	}
}

static void check_kind(const struct rule *rule)
{
	bool is_pattern = rule->kind == RULE_IGNORE || rule->kind == RULE_KNOWN;
	bool is_call = rule->kind == RULE_FORBID || rule->kind == RULE_NOTE;

	PROMISE(rule->is_call == (is_call || (is_pattern && rule->is_call)));
	if (rule->is_call)
		PROMISE(rule->function && rule->class_count == 1);
	else if (is_pattern || rule->kind == RULE_ORDER)
		check_sequence(rule);
	if (rule->kind == RULE_NEST)
		PROMISE(rule->class_count == (rule->function ? 1 : 2));
	PROMISE(!rule->structure == (rule->kind != RULE_WATCH));
	PROMISE(!rule->member == (rule->kind != RULE_WATCH));
	PROMISE(!rule->symbol == (rule->kind != RULE_WATCH));
	PROMISE(!rule->commit == (rule->kind != RULE_KNOWN));
	PROMISE(!rule->release == (rule->kind != RULE_KNOWN));
	PROMISE(!rule->title == (rule->kind != RULE_KNOWN));
}

static void check_rule(const struct rule *rule)
{
	const char *const strings[] = { rule->file,     rule->text,   rule->source, rule->because,
					rule->function, rule->symbol, rule->member, rule->commit,
					rule->release,  rule->title,  rule->avoid,  rule->structure };

	PROMISE(rule->kind < RULE_KINDS);
	PROMISE(rule->file && rule->text && rule->line);
	PROMISE(!strncmp(rule->text, rule_kind_name(rule->kind), strlen(rule_kind_name(rule->kind))));
	PROMISE(rule->class_count >= 1 && rule->class_count <= RULES_CLASSES_MAX);
	PROMISE(rule->condition_count <= RULES_CONDITIONS_MAX);
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		check_string(strings[i]);
	for (size_t i = 0; i < rule->class_count; i++) {
		check_string(rule->classes[i]);
		PROMISE(strlen(rule->classes[i]) <= RULES_NAME_MAX);
	}
	for (size_t i = 0; i < rule->condition_count; i++)
		check_condition(&rule->conditions[i]);
	check_kind(rule);
}

/* A rule's text says the rule again. */
static void check_text(const struct rule *rule)
{
	struct rules *again = rules_new();
	const struct rule *same;

	PROMISE(again);
	PROMISE(rules_parse(again, "fuzz", rule->text, strlen(rule->text), NULL, NULL) == 0);
	PROMISE(rules_count(again) == 1);
	same = rules_get(again, 0);
	PROMISE(same->kind == rule->kind && same->class_count == rule->class_count);
	PROMISE(same->condition_count == rule->condition_count);
	PROMISE(!strcmp(same->text, rule->text));
	PROMISE(!strcmp(same->classes[0], rule->classes[0]));
	rules_free(again);
}

static void check_order(const struct rules *rules, const char *outer, const char *inner)
{
	const struct rule *path[4] = { NULL };
	size_t count = rules_find_order(rules, outer, inner, path, 4);

	for (size_t i = 0; i < count && i < 4; i++) {
		PROMISE(path[i]->kind == RULE_ORDER && path[i]->state == RULE_IN_FORCE);
		PROMISE(!i || path[i] != path[i - 1]);
	}
}

static void check_orders(const struct rules *rules)
{
	const char *classes[CLASSES_MAX] = { "none" };
	struct rule_conflict conflicts[RULES_CONFLICTS_MAX];
	size_t count = 1, found = rules_find_conflicts(rules, conflicts, RULES_CONFLICTS_MAX);

	for (size_t i = 0; i < rules_count(rules) && count < CLASSES_MAX; i++) {
		const struct rule *rule = rules_get(rules, i);

		for (size_t j = 0; j < rule->class_count && count < CLASSES_MAX; j++)
			classes[count++] = rule->classes[j];
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++)
			check_order(rules, classes[i], classes[j]);
	}
	PROMISE(found <= RULES_CONFLICTS_MAX);
	while (found-- > 0) {
		const struct rule *a = conflicts[found].a, *b = conflicts[found].b;

		PROMISE(a != b && a->kind == RULE_ORDER && b->kind == RULE_ORDER);
		PROMISE(a->state == RULE_IN_FORCE && b->state == RULE_IN_FORCE);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .bytes = bytes, .size = size };
	struct rules *rules = rules_new();
	int errors = 0, count;

	PROMISE(rules);
	count = rules_parse(rules, "fuzz", (const char *)bytes, size, on_error, &errors);
	PROMISE(count == errors);
	rules_evaluate(rules, answer, &input);
	for (size_t i = 0; i < rules_count(rules); i++) {
		check_rule(rules_get(rules, i));
		check_text(rules_get(rules, i));
	}
	check_orders(rules);
	rules_free(rules);
	return 0;
}
