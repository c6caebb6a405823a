// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* Rules: what each statement is read as, when it is in force, what orders say together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/rules.h"

static void no_error(void *context, const char *file, unsigned int line, unsigned int column,
		     const char *message)
{
	(void)context;
	fail_msg("%s:%u:%u: %s", file, line, column, message);
}

static struct rules *read_size(const char *text, size_t size)
{
	struct rules *rules = rules_new();

	assert_non_null(rules);
	assert_int_equal(rules_parse(rules, "a.rules", text, size, no_error, NULL), 0);
	return rules;
}

static struct rules *read_rules(const char *text)
{
	return read_size(text, strlen(text));
}

/* A text of one statement; its rules are in *rules. */
static const struct rule *read_one(const char *text, struct rules **rules)
{
	*rules = read_rules(text);
	assert_int_equal(rules_count(*rules), 1);
	return rules_get(*rules, 0);
}

static void assert_text(const char *text, const char *expected)
{
	if (expected)
		assert_non_null(text);
	else
		assert_null(text);
	if (text && expected)
		assert_string_equal(text, expected);
}

/* The classes as one text, parted by "|". */
static void assert_classes(const struct rule *rule, const char *expected)
{
	char text[1024] = "";

	for (size_t i = 0; i < rule->class_count; i++) {
		strcat(text, i ? "|" : "");
		strcat(text, rule->classes[i]);
	}
	assert_string_equal(text, expected);
}

/* What the statement forms have in common: kind, classes, function, call. */
static void expect_form(const char *text, enum rule_kind kind, const char *classes, const char *function,
			bool is_call)
{
	struct rules *rules;
	const struct rule *rule = read_one(text, &rules);

	assert_int_equal(rule->kind, kind);
	assert_classes(rule, classes);
	assert_text(rule->function, function);
	assert_int_equal(rule->is_call, is_call);
	assert_string_equal(rule->text, text);
	assert_int_equal(rule->state, RULE_UNKNOWN);
	assert_null(rule->because);
	assert_int_equal(rule->condition_count, 0);
	if (kind != RULE_KNOWN) {
		assert_null(rule->commit);
		assert_null(rule->release);
		assert_null(rule->title);
	}
	assert_null(rule->avoid);
	rules_free(rules);
}

static void an_order_is_a_sequence(void **state)
{
	(void)state;
	expect_form("order A > B", RULE_ORDER, "A|B", NULL, false);
	expect_form("order A>B", RULE_ORDER, "A|B", NULL, false);
	expect_form("order kvm.lock > kvm_vcpu.mutex > c > d.e.f", RULE_ORDER,
		    "kvm.lock|kvm_vcpu.mutex|c|d.e.f", NULL, false);
	expect_form("order a > b > c > d > e > f > g > h > i > j > k > l > m > n > o > p", RULE_ORDER,
		    "a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p", NULL, false);
}

static void a_nest_has_an_outer_lock_or_a_function(void **state)
{
	(void)state;
	expect_form("nest A under B", RULE_NEST, "A|B", NULL, false);
	expect_form("nest A in f.isra.0", RULE_NEST, "A", "f.isra.0", false);
}

static void calls_are_forbidden_or_noted(void **state)
{
	(void)state;
	expect_form("forbid call f under A", RULE_FORBID, "A", "f", true);
	expect_form("note call f.cold under \"&x->y\"", RULE_NOTE, "&x->y", "f.cold", true);
}

static void a_pattern_is_a_sequence_or_a_call(void **state)
{
	(void)state;
	expect_form("ignore A > B", RULE_IGNORE, "A|B", NULL, false);
	expect_form("ignore A > B > C in f", RULE_IGNORE, "A|B|C", "f", false);
	expect_form("ignore A > B > A", RULE_IGNORE, "A|B|A", NULL, false);
	expect_form("ignore A > A", RULE_IGNORE, "A|A", NULL, false);
	expect_form("ignore A > A in f", RULE_IGNORE, "A|A", "f", false);
	expect_form("ignore call f under A", RULE_IGNORE, "A", "f", true);
}

static void expect_watch(const char *text, const char *class, const char *structure, const char *member,
			 const char *symbol, bool pointer)
{
	struct rules *rules;
	const struct rule *rule = read_one(text, &rules);

	assert_int_equal(rule->kind, RULE_WATCH);
	assert_classes(rule, class);
	assert_text(rule->structure, structure);
	assert_text(rule->member, member);
	assert_text(rule->symbol, symbol);
	assert_int_equal(rule->pointer, pointer);
	assert_null(rule->function);
	rules_free(rules);
}

static void a_watch_names_a_member_of_a_variable(void **state)
{
	(void)state;
	expect_watch("watch s.m at v", "s.m", "s", "m", "v", false);
	expect_watch("watch s.m at *v", "s.m", "s", "m", "v", true);
	expect_watch("watch s.arch.m at * v.llvm.1", "s.arch.m", "s", "arch.m", "v.llvm.1", true);
}

static void a_known_bug_has_commit_release_title_and_a_way_round(void **state)
{
	struct rules *rules;
	const struct rule *rule = read_one("known 2b48f52f2bff v6.3 \"vfio: fix: a \\\"deadlock\\\"\": "
					   "A > B > A in f avoid \"do C:\\\\ first\"",
					   &rules);

	(void)state;
	assert_int_equal(rule->kind, RULE_KNOWN);
	assert_text(rule->commit, "2b48f52f2bff");
	assert_text(rule->release, "v6.3");
	assert_text(rule->title, "vfio: fix: a \"deadlock\"");
	assert_text(rule->avoid, "do C:\\ first");
	assert_classes(rule, "A|B|A");
	assert_text(rule->function, "f");
	rules_free(rules);

	expect_form("known 0123456 - \"t\": call f under A", RULE_KNOWN, "A", "f", true);
	expect_form("known 0123456789abcdefABCDEF0123456789abcdef01 v6.12.4 \"t\":A>B", RULE_KNOWN, "A|B",
		    NULL, false);
}

static void every_statement_can_have_a_reason_and_conditions(void **state)
{
	static const char *const forms[RULE_KINDS] = {
		[RULE_ORDER] = "order A > B",
		[RULE_NEST] = "nest A under B",
		[RULE_FORBID] = "forbid call f under A",
		[RULE_NOTE] = "note call f under A",
		[RULE_WATCH] = "watch a.b at *c",
		[RULE_IGNORE] = "ignore A > B in f",
		[RULE_KNOWN] = "known 0123456 v6.3 \"t\": A > B avoid \"x\"",
	};
	char text[256];

	(void)state;
	for (int kind = 0; kind < RULE_KINDS; kind++) {
		struct rules *rules;
		const struct rule *rule;

		snprintf(text, sizeof(text), "%s because \"of it\" if s and not t.m", forms[kind]);
		rule = read_one(text, &rules);
		assert_int_equal(rule->kind, kind);
		assert_text(rule->because, "of it");
		assert_int_equal(rule->condition_count, 2);
		assert_string_equal(rule->text, text);
		assert_memory_equal(rule->text, rule_kind_name(rule->kind),
				    strlen(rule_kind_name(rule->kind)));
		rules_free(rules);
	}
}

static void expect_condition(const struct rule_condition *condition, enum rule_condition_kind kind,
			     bool negated, const char *structure, const char *member, const char *symbol,
			     bool pointer)
{
	assert_int_equal(condition->kind, kind);
	assert_int_equal(condition->negated, negated);
	assert_text(condition->structure, structure);
	assert_text(condition->member, member);
	assert_text(condition->symbol, symbol);
	assert_int_equal(condition->pointer, pointer);
}

static void conditions_ask_for_members_symbols_and_values(void **state)
{
	struct rules *rules;
	const struct rule *rule =
		read_one("order A > B if s.m and not s.arch.m and f and not g and s.m at v and "
			 "not s.m at *v and not if and at",
			 &rules);

	(void)state;
	assert_int_equal(rule->condition_count, 8);
	expect_condition(&rule->conditions[0], CONDITION_MEMBER, false, "s", "m", NULL, false);
	expect_condition(&rule->conditions[1], CONDITION_MEMBER, true, "s", "arch.m", NULL, false);
	expect_condition(&rule->conditions[2], CONDITION_SYMBOL, false, NULL, NULL, "f", false);
	expect_condition(&rule->conditions[3], CONDITION_SYMBOL, true, NULL, NULL, "g", false);
	expect_condition(&rule->conditions[4], CONDITION_VALUE, false, "s", "m", "v", false);
	expect_condition(&rule->conditions[5], CONDITION_VALUE, true, "s", "m", "v", true);
	expect_condition(&rule->conditions[6], CONDITION_SYMBOL, true, NULL, NULL, "if", false);
	expect_condition(&rule->conditions[7], CONDITION_SYMBOL, false, NULL, NULL, "at", false);
	rules_free(rules);
}

static void keywords_are_names_where_a_name_is_due(void **state)
{
	(void)state;
	expect_form("order order > if > because > not", RULE_ORDER, "order|if|because|not", NULL, false);
	expect_form("nest in in in", RULE_NEST, "in", "in", false);
	expect_form("nest under under under", RULE_NEST, "under|under", NULL, false);
	expect_form("forbid call call under under", RULE_FORBID, "under", "call", true);
	expect_form("ignore call > source", RULE_IGNORE, "call|source", NULL, false);
	expect_form("ignore call>call", RULE_IGNORE, "call|call", NULL, false);
	expect_form("ignore call call under call", RULE_IGNORE, "call", "call", true);
	expect_form("ignore A > in in in", RULE_IGNORE, "A|in", "in", false);
	expect_form("order \"order\" > \"A\"", RULE_ORDER, "order|A", NULL, false);
}

static void quotes_hold_any_name(void **state)
{
	(void)state;
	expect_form(
		"order \"&pipe->mutex\" > \"a # b\" > \"\\\"\\\\\" > \"\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\xa7\t.\"",
		RULE_ORDER, "&pipe->mutex|a # b|\"\\|\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\xa7\t.", NULL, false);
	/* What is next to the controls and the surrogates, and the last code. */
	expect_form(
		"order \"\xc2\xa0\" > \"\xed\x9f\xbf\" > \"\xee\x80\x80\" > \"\xf4\x8f\xbf\xbf\" > \" \" > \"~\"",
		RULE_ORDER, "\xc2\xa0|\xed\x9f\xbf|\xee\x80\x80|\xf4\x8f\xbf\xbf| |~", NULL, false);
}

static void names_have_a_largest_length(void **state)
{
	char name[RULES_NAME_MAX + 1], text[2 * RULES_NAME_MAX];
	struct rules *rules;
	const struct rule *rule;

	(void)state;
	memset(name, 'x', RULES_NAME_MAX);
	name[RULES_NAME_MAX] = '\0';
	snprintf(text, sizeof(text), "order %s > B", name);
	rule = read_one(text, &rules);
	assert_string_equal(rule->classes[0], name);
	rules_free(rules);

	/* Escapes and quotes do not count. */
	memset(name, '"', RULES_NAME_MAX);
	strcpy(text, "order \"");
	for (int i = 0; i < RULES_NAME_MAX - 40; i++)
		strcat(text, "\\\"");
	strcat(text, "\" > B");
	rule = read_one(text, &rules);
	assert_memory_equal(rule->classes[0], name, RULES_NAME_MAX - 40);
	rules_free(rules);
}

static void a_rule_knows_its_file_line_source_and_text(void **state)
{
	static const char first[] = "# a comment\n"
				    "order A > B#why\n"
				    "\n"
				    "source \"the book\"\n"
				    "\t order  A >\tC  \t# why\n"
				    "source \"another\" # book\n"
				    "nest D under \"# E\"#F\n";
	char file[] = "b.rules";
	struct rules *rules = read_rules(first);

	(void)state;
	assert_int_equal(rules_parse(rules, file, "order B > C", 11, no_error, NULL), 0);
	file[0] = 'x'; /* it was copied */
	assert_int_equal(rules_count(rules), 4);
	assert_text(rules_get(rules, 0)->source, NULL);
	assert_text(rules_get(rules, 0)->file, "a.rules");
	assert_text(rules_get(rules, 0)->text, "order A > B");
	assert_int_equal(rules_get(rules, 0)->line, 2);
	assert_text(rules_get(rules, 1)->source, "the book");
	assert_text(rules_get(rules, 1)->text, "order  A >\tC");
	assert_int_equal(rules_get(rules, 1)->line, 5);
	assert_text(rules_get(rules, 2)->source, "another");
	assert_text(rules_get(rules, 2)->text, "nest D under \"# E\"");
	assert_int_equal(rules_get(rules, 2)->line, 7);
	assert_text(rules_get(rules, 3)->source, NULL);
	assert_text(rules_get(rules, 3)->file, "b.rules");
	assert_int_equal(rules_get(rules, 3)->line, 1);
	rules_free(rules);
}

static void line_ends_and_a_mark_at_the_start_do_not_matter(void **state)
{
	static const char *const texts[] = {
		"order A > B\norder B > C",
		"order A > B\r\norder B > C\r\n",
		"order A > B\r\norder B > C\r",
		"\xef\xbb\xbforder A > B\norder B > C\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct rules *rules = read_rules(texts[i]);

		assert_int_equal(rules_count(rules), 2);
		assert_string_equal(rules_get(rules, 0)->text, "order A > B");
		assert_string_equal(rules_get(rules, 1)->text, "order B > C");
		assert_int_equal(rules_get(rules, 1)->line, 2);
		rules_free(rules);
	}
}

static void a_comment_holds_anything(void **state)
{
	static const char text[] = "order A > B # \0 \xff \" \x1b[m\n#\n# \xef\xbb\xbf\r\n  # order C > D\n";
	struct rules *rules = read_size(text, sizeof(text) - 1);

	(void)state;
	assert_int_equal(rules_count(rules), 1);
	rules_free(rules);
}

static void nothing_is_no_rule(void **state)
{
	static const char *const texts[] = { "", "\n", "\r\n", " \t", "\xef\xbb\xbf", "#" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct rules *rules = read_rules(texts[i]);

		assert_int_equal(rules_count(rules), 0);
		rules_free(rules);
	}
	rules_free(NULL);
}

/* The text need not end: one that is read past its end is met by the sanitizer. */
static void a_text_is_not_read_past_its_end(void **state)
{
	static const char text[] =
		"known 0123456 v6.3 \"t\xe2\x82\xac\": call f under A avoid \"\\\\\" if not s.m at *v";

	(void)state;
	for (size_t size = 1; size < sizeof(text); size++) {
		struct rules *rules = rules_new();
		char *copy = malloc(size);

		memcpy(copy, text, size);
		assert_true(rules_parse(rules, "a.rules", copy, size, NULL, NULL) >= 0);
		free(copy);
		rules_free(rules);
	}
}

static void the_largest_file_is_read(void **state)
{
	static const char line[] = "order A > B\n";
	size_t length = sizeof(line) - 1, size = RULES_FILE_MAX / length * length;
	char *text = malloc(size);
	struct rules *rules;

	(void)state;
	for (size_t i = 0; i < size; i += length)
		memcpy(text + i, line, length);
	rules = read_size(text, size);
	assert_int_equal(rules_count(rules), size / length);
	assert_int_equal(rules_get(rules, size / length - 1)->line, size / length);
	rules_free(rules);
	free(text);
}

/* Answers: a symbol is named for what is said to it: "yes", "no", "unknown". */
static enum rule_answer answer(void *context, const struct rule_condition *condition)
{
	if (context)
		++*(int *)context;
	if (!strcmp(condition->symbol, "yes"))
		return ANSWER_YES;
	return strcmp(condition->symbol, "no") ? ANSWER_UNKNOWN : ANSWER_NO;
}

static void a_rule_is_in_force_when_all_conditions_hold(void **state)
{
	static const struct {
		const char *conditions;
		enum rule_state state;
	} rows[] = {
		{ "", RULE_IN_FORCE },
		{ "if yes", RULE_IN_FORCE },
		{ "if no", RULE_NOT_HERE },
		{ "if unknown", RULE_UNKNOWN },
		{ "if not yes", RULE_NOT_HERE },
		{ "if not no", RULE_IN_FORCE },
		{ "if not unknown", RULE_UNKNOWN },
		{ "if yes and yes", RULE_IN_FORCE },
		{ "if yes and no", RULE_NOT_HERE },
		{ "if yes and unknown", RULE_UNKNOWN },
		{ "if unknown and yes", RULE_UNKNOWN },
		{ "if unknown and no", RULE_NOT_HERE },
		{ "if no and unknown", RULE_NOT_HERE },
		{ "if unknown and not yes", RULE_NOT_HERE },
		{ "if unknown and not no and yes", RULE_UNKNOWN },
		{ "if yes and not no and yes", RULE_IN_FORCE },
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rules *rules;
		const struct rule *rule;

		snprintf(text, sizeof(text), "order A > B %s", rows[i].conditions);
		rule = read_one(text, &rules);
		rules_evaluate(rules, answer, NULL);
		assert_int_equal(rule->state, rows[i].state);
		rules_free(rules);
	}
}

static enum rule_answer always(void *context, const struct rule_condition *condition)
{
	(void)condition;
	return *(enum rule_answer *)context;
}

static void rules_are_evaluated_anew(void **state)
{
	struct rules *rules;
	const struct rule *rule = read_one("order A > B if s", &rules);
	enum rule_answer answers[] = { ANSWER_UNKNOWN, ANSWER_YES, ANSWER_NO, ANSWER_UNKNOWN };
	enum rule_state states[] = { RULE_UNKNOWN, RULE_IN_FORCE, RULE_NOT_HERE, RULE_UNKNOWN };

	(void)state;
	for (int i = 0; i < 4; i++) {
		rules_evaluate(rules, always, &answers[i]);
		assert_int_equal(rule->state, states[i]);
		assert_int_equal(rules_find_order(rules, "A", "B", NULL, 0), states[i] == RULE_IN_FORCE);
	}
	rules_free(rules);
}

/* The lines of the rules that put outer outside of inner, as "1 3"; "" where none do. */
static void expect_order(const char *text, const char *outer, const char *inner, const char *lines)
{
	struct rules *rules = read_rules(text);
	const struct rule *path[16];
	char found[128] = "";
	size_t count;

	rules_evaluate(rules, answer, NULL);
	count = rules_find_order(rules, outer, inner, path, 16);
	assert_true(count <= 16);
	for (size_t i = 0; i < count; i++)
		snprintf(found + strlen(found), sizeof(found) - strlen(found), i ? " %u" : "%u",
			 path[i]->line);
	assert_string_equal(found, lines);
	rules_free(rules);
}

static void an_order_holds_for_all_pairs_of_its_classes(void **state)
{
	(void)state;
	expect_order("order A > B > C > D", "A", "B", "1");
	expect_order("order A > B > C > D", "A", "D", "1");
	expect_order("order A > B > C > D", "B", "D", "1");
	expect_order("order A > B > C > D", "D", "A", "");
	expect_order("order A > B > C > D", "B", "A", "");
	expect_order("order A > B > C > D", "A", "A", "");
	expect_order("order A > B > C > D", "A", "X", "");
	expect_order("order A > B > C > D", "X", "A", "");
	expect_order("order \"A\" > \"&b\"", "A", "&b", "1");
}

static void orders_hold_through_others(void **state)
{
	(void)state;
	expect_order("order A > B\norder B > C\norder C > D", "A", "D", "1 2 3");
	expect_order("order C > D\norder B > C\norder A > B", "A", "D", "3 2 1");
	expect_order("order A > X > B\norder Y > B > Z > C", "X", "C", "1 2");
	expect_order("order A > B\norder A > C", "B", "C", "");
	expect_order("order A > C\norder B > C", "A", "B", "");
}

static void the_fewest_rules_are_given(void **state)
{
	(void)state;
	expect_order("order A > B\norder B > C\norder A > C", "A", "C", "3");
	/* By statements: line 2 alone, though line 1 has the first step too. */
	expect_order("order A > B\norder A > B > C > D", "A", "D", "2");
	expect_order("order A > B\norder A > B", "A", "B", "1");
}

static void only_orders_in_force_count(void **state)
{
	(void)state;
	expect_order("order A > B if no", "A", "B", "");
	expect_order("order A > B if unknown", "A", "B", "");
	expect_order("order A > B if yes", "A", "B", "1");
	expect_order("order A > B\norder B > C if no\norder B > X\norder X > C", "A", "C", "1 3 4");
	expect_order("ignore A > B\nnest A under B\nknown 0123456 - \"t\": A > B", "A", "B", "");
}

static void the_way_round_a_circle_is_found(void **state)
{
	(void)state;
	expect_order("order A > B\norder B > A", "A", "A", "1 2");
	expect_order("order A > B\norder B > A", "B", "A", "2");
	expect_order("order A > B\norder B > C\norder C > A\norder C > D", "A", "D", "1 2 4");
	expect_order("order A > B\norder B > C\norder C > A\norder C > D", "D", "A", "");
}

static void a_short_path_gets_the_outermost_rules(void **state)
{
	struct rules *rules = read_rules("order A > B\norder B > C\norder C > D");
	const struct rule *path[2] = { NULL, NULL };

	(void)state;
	rules_evaluate(rules, answer, NULL);
	assert_int_equal(rules_find_order(rules, "A", "D", path, 1), 3);
	assert_ptr_equal(path[0], rules_get(rules, 0));
	assert_null(path[1]);
	assert_int_equal(rules_find_order(rules, "A", "D", NULL, 0), 3);
	rules_free(rules);
}

/* The lines of each pair, "1 2, 1 3"; "" where there is no conflict. */
static void expect_conflict(const char *text, const char *lines)
{
	struct rule_conflict conflicts[RULES_CONFLICTS_MAX];
	struct rules *rules = read_rules(text);
	char found[256] = "";
	size_t count, used = 0;

	rules_evaluate(rules, answer, NULL);
	count = rules_find_conflicts(rules, conflicts, RULES_CONFLICTS_MAX);
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(found + used, sizeof(found) - used, "%s%u %u", i ? ", " : "",
					 conflicts[i].a->line, conflicts[i].b->line);
	assert_string_equal(found, lines);
	rules_free(rules);
}

static void orders_that_contradict_each_other_are_found(void **state)
{
	(void)state;
	expect_conflict("order A > B\norder B > A", "1 2");
	expect_conflict("order A > B > C\norder X > Y\norder C > A", "1 3");
	expect_conflict("order X > A\norder C > B > A\norder A > Q > B", "2 3");
	expect_conflict("order B > Q\norder A > B > C\norder C > A", "2 3");
	expect_conflict("order X > Y\norder C > A\norder A > B > C", "2 3");
	/* Another order says part of the same: the two that are told still contradict each other. */
	expect_conflict("order A > B\norder A > B > C\norder C > A", "2 3");
}

static void every_circle_of_orders_is_a_conflict(void **state)
{
	(void)state;
	expect_conflict("order A > B\norder C > D\norder B > A\norder D > C", "1 3, 2 4");
	expect_conflict("order A > B\norder B > C\norder C > A\norder B > A", "1 3, 1 4");
	/* Two ways round by the same two rules are one. */
	expect_conflict("order A > B > C\norder C > B > A", "1 2");
}

static void so_many_conflicts_are_told(void **state)
{
	enum { PAIRS = RULES_CONFLICTS_MAX + 3 };
	struct rule_conflict conflicts[PAIRS];
	char text[PAIRS * 40] = "";
	struct rules *rules;
	size_t used = 0;

	(void)state;
	for (int i = 0; i < PAIRS; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "order a%d > b%d\norder b%d > a%d\n", i, i, i, i);
	rules = read_rules(text);
	rules_evaluate(rules, answer, NULL);
	assert_int_equal(rules_find_conflicts(rules, conflicts, PAIRS), RULES_CONFLICTS_MAX);
	assert_int_equal(rules_find_conflicts(rules, conflicts, 2), 2);
	assert_int_equal(conflicts[1].a->line, 3);
	assert_int_equal(conflicts[1].b->line, 4);
	assert_int_equal(rules_find_conflicts(rules, conflicts, 0), 0);
	rules_free(rules);
}

static void orders_that_agree_are_no_conflict(void **state)
{
	(void)state;
	expect_conflict("", "");
	expect_conflict("order A > B", "");
	expect_conflict("order A > B\norder A > B\norder A > C\norder B > C\norder D > C", "");
	expect_conflict("order A > B\norder B > A if no", "");
	expect_conflict("order A > B\norder B > A if unknown", "");
	expect_conflict("order A > B\nignore B > A", "");
}

static void a_longer_conflict_names_two_of_its_rules(void **state)
{
	struct rules *rules = read_rules("order Z > A\norder A > B\norder B > C\norder C > D\norder D > A");
	struct rule_conflict conflict;

	(void)state;
	rules_evaluate(rules, answer, NULL);
	assert_int_equal(rules_find_conflicts(rules, &conflict, 1), 1);
	assert_true(conflict.a->line > 1 && conflict.a->line < conflict.b->line);
	rules_free(rules);
}

/* A random graph of orders: closure and conflict against Warshall's algorithm. */
static void orders_agree_with_a_plain_closure(void **state)
{
	enum { CLASSES = 8, ROUNDS = 400 };
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		bool within[CLASSES][CLASSES] = { { false } };
		char text[512] = "", line[32];
		struct rule_conflict conflict;
		bool circle = false;
		struct rules *rules;
		int i, j, k;

		for (k = round % 14; k >= 0; k--) {
			random = random * 1664525 + 1013904223;
			i = random >> 8 & 7;
			j = random >> 16 & 7;
			if (i == j)
				continue;
			within[i][j] = true;
			snprintf(line, sizeof(line), "order %c > %c\n", 'A' + i, 'A' + j);
			strcat(text, line);
		}
		for (k = 0; k < CLASSES; k++)
			for (i = 0; i < CLASSES; i++)
				for (j = 0; j < CLASSES; j++)
					within[i][j] |= within[i][k] && within[k][j];
		rules = read_rules(text);
		rules_evaluate(rules, answer, NULL);
		for (i = 0; i < CLASSES; i++) {
			circle |= within[i][i];
			for (j = 0; j < CLASSES; j++) {
				char outer[] = { (char)('A' + i), 0 }, inner[] = { (char)('A' + j), 0 };

				assert_int_equal(rules_find_order(rules, outer, inner, NULL, 0) > 0,
						 within[i][j]);
			}
		}
		assert_int_equal(rules_find_conflicts(rules, &conflict, 1), circle);
		rules_free(rules);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_is_a_sequence),
		cmocka_unit_test(a_nest_has_an_outer_lock_or_a_function),
		cmocka_unit_test(calls_are_forbidden_or_noted),
		cmocka_unit_test(a_pattern_is_a_sequence_or_a_call),
		cmocka_unit_test(a_watch_names_a_member_of_a_variable),
		cmocka_unit_test(a_known_bug_has_commit_release_title_and_a_way_round),
		cmocka_unit_test(every_statement_can_have_a_reason_and_conditions),
		cmocka_unit_test(conditions_ask_for_members_symbols_and_values),
		cmocka_unit_test(keywords_are_names_where_a_name_is_due),
		cmocka_unit_test(quotes_hold_any_name),
		cmocka_unit_test(names_have_a_largest_length),
		cmocka_unit_test(a_rule_knows_its_file_line_source_and_text),
		cmocka_unit_test(line_ends_and_a_mark_at_the_start_do_not_matter),
		cmocka_unit_test(a_comment_holds_anything),
		cmocka_unit_test(nothing_is_no_rule),
		cmocka_unit_test(a_text_is_not_read_past_its_end),
		cmocka_unit_test(the_largest_file_is_read),
		cmocka_unit_test(a_rule_is_in_force_when_all_conditions_hold),
		cmocka_unit_test(rules_are_evaluated_anew),
		cmocka_unit_test(an_order_holds_for_all_pairs_of_its_classes),
		cmocka_unit_test(orders_hold_through_others),
		cmocka_unit_test(the_fewest_rules_are_given),
		cmocka_unit_test(only_orders_in_force_count),
		cmocka_unit_test(the_way_round_a_circle_is_found),
		cmocka_unit_test(a_short_path_gets_the_outermost_rules),
		cmocka_unit_test(orders_that_contradict_each_other_are_found),
		cmocka_unit_test(every_circle_of_orders_is_a_conflict),
		cmocka_unit_test(so_many_conflicts_are_told),
		cmocka_unit_test(orders_that_agree_are_no_conflict),
		cmocka_unit_test(a_longer_conflict_names_two_of_its_rules),
		cmocka_unit_test(orders_agree_with_a_plain_closure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
