// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* Which known bug a circle of waiting tasks is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/match_wait.h"

#define TASKS_MAX 8

/* Lock n, from 1, is of class names[n - 1]; functions are numbers from 0x1000 on. */
struct scene {
	struct wait_task tasks[TASKS_MAX];
	struct wait_look look;
	struct wait_graph *graph;
	struct rules *rules;
	const char *const *classes;
	size_t class_count;
};

static const char *class_of(void *context, uint64_t addr, char *out, size_t size)
{
	const struct scene *s = context;

	if (!addr || addr > s->class_count || !s->classes[addr - 1])
		return NULL;
	snprintf(out, size, "%s", s->classes[addr - 1]);
	return out;
}

static int find_symbol(void *context, uint64_t address, struct symbol *out)
{
	(void)context;
	if (address != 0x1000)
		return -2;
	*out = (struct symbol){ .name = "kvm_reset_vcpu.isra.0", .type = 't' };
	return 0;
}

static enum rule_answer answer_yes(void *context, const struct rule_condition *condition)
{
	(void)context;
	(void)condition;
	return ANSWER_YES;
}

static void begin(struct scene *s, const char *text, const char *const *classes, size_t count)
{
	memset(s, 0, sizeof(*s));
	s->classes = classes;
	s->class_count = count;
	s->rules = rules_new();
	assert_non_null(s->rules);
	assert_int_equal(rules_parse(s->rules, "test", text, strlen(text), NULL, NULL), 0);
	rules_evaluate(s->rules, answer_yes, NULL);
	for (size_t i = 0; i < count; i++)
		s->tasks[i] =
			(struct wait_task){ .task = { .id = 0x100 + i, .pid = 10, .tid = 10 + (uint32_t)i },
					    .kind = WAIT_MUTEX,
					    .state = 'D',
					    .lock = i + 1,
					    .owner = 0x100 + (i + 1) % count };
	s->look = (struct wait_look){ .count = count, .tasks = s->tasks };
	s->graph = wait_graph_new(&s->look, &s->look);
	assert_non_null(s->graph);
	assert_int_equal(s->graph->cycle_count, 1);
}

/* Line of the rule that fits; 0: none. */
static unsigned int matched(struct scene *s)
{
	const struct match_names names = { .lock = class_of,
					   .context = s,
					   .symbols = { .find = find_symbol } };
	const struct rule *rule = match_wait_cycle(s->rules, &s->graph->cycles[0], &names);

	return rule ? rule->line : 0;
}

static void end(struct scene *s)
{
	wait_graph_free(s->graph);
	rules_free(s->rules);
}

#define CLASSES(...)                            \
	((const char *const[]){ __VA_ARGS__ }), \
		(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))
#define KNOWN "known 123456789abc v6.3 \"a bug\": "

static unsigned int ask(const char *text, const char *const *classes, size_t count)
{
	struct scene s;
	unsigned int line;

	begin(&s, text, classes, count);
	line = matched(&s);
	end(&s);
	return line;
}

static void a_circle_fits_wherever_one_begins_to_read_it(void **state)
{
	(void)state;
	assert_int_equal(ask(KNOWN "a > b > a\n", CLASSES("a", "b")), 1);
	assert_int_equal(ask(KNOWN "b > a > b\n", CLASSES("a", "b")), 1);
	assert_int_equal(ask(KNOWN "a > b > c > a\n", CLASSES("b", "c", "a")), 1);
}

static void its_direction_counts(void **state)
{
	(void)state;
	/* Task 0 waits for a, which task 1 holds, which waits for b: a is held while b is taken. */
	assert_int_equal(ask(KNOWN "a > c > b > a\n", CLASSES("a", "b", "c")), 0);
	assert_int_equal(ask(KNOWN "a > b > c > a\n", CLASSES("a", "b", "c")), 1);
}

static void others_may_stand_between(void **state)
{
	(void)state;
	assert_int_equal(ask(KNOWN "a > b > a\n", CLASSES("a", "x", "b", "y")), 1);
}

static void a_pair_is_one_that_a_task_has_and_wants(void **state)
{
	(void)state;
	assert_int_equal(ask(KNOWN "a > b\n", CLASSES("a", "b", "c")), 1);
	assert_int_equal(ask(KNOWN "b > a\n", CLASSES("a", "b", "c")), 0);
	assert_int_equal(ask(KNOWN "a > b > c\n", CLASSES("a", "b", "c")), 1);
	assert_int_equal(ask(KNOWN "a > c\n", CLASSES("a", "b", "c")), 0);
}

static void one_class_is_a_task_that_waits_for_itself_or_for_its_like(void **state)
{
	(void)state;
	assert_int_equal(ask(KNOWN "a > a\n", CLASSES("a")), 1);
	assert_int_equal(ask(KNOWN "a > a\n", CLASSES("a", "a")), 1);
	assert_int_equal(ask(KNOWN "a > a\n", CLASSES("a", "b")), 0);
	assert_int_equal(ask(KNOWN "a > b > a\n", CLASSES("a")), 0);
}

static void a_lock_without_a_name_fits_nothing(void **state)
{
	(void)state;
	assert_int_equal(ask(KNOWN "a > b > a\n", CLASSES("a", NULL)), 0);
	assert_int_equal(ask(KNOWN "a > a\n", CLASSES(NULL)), 0);
}

static void the_first_rule_that_fits_counts_and_calls_never_do(void **state)
{
	(void)state;
	assert_int_equal(ask(KNOWN "call f under a\n" KNOWN "a > b\n" KNOWN "a > b > a\n", CLASSES("a", "b")),
			 2);
	assert_int_equal(ask("ignore a > b > a\n", CLASSES("a", "b")), 0);
}

static void a_function_must_be_on_a_stack(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, KNOWN "a > b in kvm_reset_vcpu\n", CLASSES("a", "b"));
	assert_int_equal(matched(&s), 0);
	s.tasks[1].stack[s.tasks[1].stack_count++] = 0x1000;
	assert_int_equal(matched(&s), 1);
	end(&s);
}

static void a_rule_must_be_in_force(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, KNOWN "a > b > a\n", CLASSES("a", "b"));
	rules_set_state(s.rules, 0, RULE_NOT_HERE);
	assert_int_equal(matched(&s), 0);
	rules_set_state(s.rules, 0, RULE_UNKNOWN);
	assert_int_equal(matched(&s), 0);
	rules_set_state(s.rules, 0, RULE_IN_FORCE);
	assert_int_equal(matched(&s), 1);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_circle_fits_wherever_one_begins_to_read_it),
		cmocka_unit_test(its_direction_counts),
		cmocka_unit_test(others_may_stand_between),
		cmocka_unit_test(a_pair_is_one_that_a_task_has_and_wants),
		cmocka_unit_test(one_class_is_a_task_that_waits_for_itself_or_for_its_like),
		cmocka_unit_test(a_lock_without_a_name_fits_nothing),
		cmocka_unit_test(the_first_rule_that_fits_counts_and_calls_never_do),
		cmocka_unit_test(a_function_must_be_on_a_stack),
		cmocka_unit_test(a_rule_must_be_in_force),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
