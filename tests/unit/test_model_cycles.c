// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * Which held stacks give which dependencies, and which of these are findings:
 * cycles, lockdep's own list (lib/locking-selftest.c), trylocks, seeded entries, nesting of one class,
 * recursion.
 */
#include "chain_builder.h"

static uint64_t dependencies(const struct scene *scene)
{
	struct model_counts counts;

	model_count(scene->model, &counts);
	return counts.dependencies;
}

/* Each text is a nesting of its own, each by a task of its own; a cycle comes with the last one only. */
static const struct finding *expect_cycle(struct scene *scene, const char *const *nestings)
{
	unsigned int task;

	scene_begin(scene);
	for (task = 1; nestings[task - 1]; task++) {
		assert_int_equal(findings(scene), 0);
		task_nests(scene, task, nestings[task - 1]);
	}
	return the_finding(scene);
}

static void a_consistent_order_is_nothing(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_nests(&scene, 1, "A B C");
	task_nests(&scene, 2, "A C");
	task_nests(&scene, 3, "B C D");
	task_nests(&scene, 4, "A D");
	assert_int_equal(findings(&scene), 0);
	assert_int_equal(dependencies(&scene), 5);
	scene_end(&scene);
}

static void cycles_of_two_to_six_locks(void **state)
{
	static const char *const nestings[] = { "A B", "B C", "C D", "D E", "E F" };
	static const char *const classes[] = { "A B", "A B C", "A B C D", "A B C D E", "A B C D E F" };
	static const char *const closing[] = { "B A", "C A", "D A", "E A", "F A" };
	struct scene scene;
	unsigned int i, length;

	(void)state;
	for (length = 2; length <= 6; length++) {
		scene_begin(&scene);
		for (i = 0; i < length - 1; i++)
			task_nests(&scene, i + 1, nestings[i]);
		assert_int_equal(findings(&scene), 0);
		task_nests(&scene, length, closing[length - 2]);
		assert_classes(the_finding(&scene), classes[length - 2]);
		assert_int_equal(the_finding(&scene)->kind, FINDING_CIRCULAR);
		assert_int_equal(the_finding(&scene)->edges[length - 1].sighting->task.pid, 1000 + length);
		scene_end(&scene);
	}
}

static void lockdeps_own_list(void **state)
{
	struct scene scene;

	(void)state;
	assert_classes(expect_cycle(&scene, (const char *const[]){ "A B", "B A", NULL }), "A B");
	scene_end(&scene);
	assert_classes(expect_cycle(&scene, (const char *const[]){ "A B", "B C", "C A", NULL }), "A B C");
	scene_end(&scene);
	assert_classes(expect_cycle(&scene, (const char *const[]){ "A B", "C A", "B C", NULL }), "C A B");
	scene_end(&scene);
	assert_classes(expect_cycle(&scene, (const char *const[]){ "A B", "B C", "C D", "D A", NULL }),
		       "A B C D");
	scene_end(&scene);
	assert_classes(expect_cycle(&scene, (const char *const[]){ "A B", "C D", "B D", "D A", NULL }),
		       "A B D");
	scene_end(&scene);
	assert_classes(expect_cycle(&scene, (const char *const[]){ "A B", "C D", "B C", "D A", NULL }),
		       "A B C D");
	scene_end(&scene);
}

static void the_aa_of_lockdep_needs_both_orders(void **state)
{
	struct scene scene;

	(void)state;
	/* On a production kernel it cannot be seen whether a nesting is annotated. */
	scene_begin(&scene);
	task_nests(&scene, 1, "A1 A2");
	task_nests(&scene, 2, "A2 A3");
	task_nests(&scene, 3, "A1 A3");
	assert_int_equal(findings(&scene), 0);
	assert_int_equal(dependencies(&scene), 0);
	task_nests(&scene, 4, "A2 A1");
	assert_int_equal(the_finding(&scene)->kind, FINDING_RECURSIVE);
	assert_false(the_finding(&scene)->same_instance);
	assert_classes(the_finding(&scene), "A A");
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	scene_end(&scene);
}

static void three_of_a_class_in_a_circle(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_nests(&scene, 1, "A1 A2");
	task_nests(&scene, 2, "A2 A3");
	task_nests(&scene, 3, "A3 A1");
	assert_classes(the_finding(&scene), "A A A");
	assert_int_equal(the_finding(&scene)->kind, FINDING_RECURSIVE);
	/* One finding for each class: a shorter circle is the same one. */
	task_nests(&scene, 3, "A2 A1");
	assert_int_equal(the_finding(&scene)->count, 4); /* nestings, each once though the edges are one */
	scene_end(&scene);
}

static void a_known_dependency_is_searched_once(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_nests(&scene, 1, "A B");
	task_nests(&scene, 2, "B A");
	task_nests(&scene, 1, "A B");
	task_nests(&scene, 2, "B A");
	task_nests(&scene, 3, "C B A");
	assert_int_equal(scene.told_count, 1);
	assert_int_equal(the_finding(&scene)->count, 5);
	model_refresh(scene.model, the_finding(&scene));
	assert_int_equal(the_finding(&scene)->edges[0].count, 2);
	assert_int_equal(the_finding(&scene)->edges[1].count, 3);
	assert_int_equal(the_finding(&scene)->count, 5);
	scene.hits = 10; /* of each of the three chains */
	model_refresh(scene.model, the_finding(&scene));
	assert_int_equal(the_finding(&scene)->count,
			 the_finding(&scene)->edges[0].count + the_finding(&scene)->edges[1].count);
	assert_true(the_finding(&scene)->count > 20);
	assert_int_equal(the_finding(&scene)->edges[0].instances, 1);
	assert_int_equal(dependencies(&scene), 3);
	scene_end(&scene);
}

static void one_dependency_can_close_several_cycles(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_nests(&scene, 1, "B A");
	task_nests(&scene, 1, "B C");
	task_nests(&scene, 1, "C A");
	task_nests(&scene, 1, "C D");
	task_nests(&scene, 1, "D A");
	assert_int_equal(findings(&scene), 0);
	task_nests(&scene, 2, "A B");
	assert_int_equal(findings(&scene), 3);
	assert_classes(model_finding(scene.model, 1), "B A");
	assert_classes(model_finding(scene.model, 2), "B C A");
	assert_classes(model_finding(scene.model, 3), "B C D A");
	assert_null(model_finding(scene.model, 0));
	assert_null(model_finding(scene.model, 4));
	scene_end(&scene);
}

static void only_the_innermost_entry_gives_a_dependency(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A B C");
	assert_int_equal(dependencies(&scene), 1); /* B C; A C would follow from A B */
	task_takes(&scene, 2, "C A");
	assert_int_equal(findings(&scene), 0);
	task_takes(&scene, 1, "A B");
	assert_classes(the_finding(&scene), "B C A");
	scene_end(&scene);
}

static void a_trylock_depends_on_nothing(void **state)
{
	struct scene scene;
	struct model_counts counts;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A B");
	task_takes(&scene, 2, "B A?");
	assert_int_equal(dependencies(&scene), 1);
	assert_int_equal(findings(&scene), 0);
	task_takes(&scene, 2, "B C?"); /* but is known from then on */
	model_count(scene.model, &counts);
	assert_int_equal(counts.classes, 3);
	assert_int_equal(counts.locks, 3);
	scene_end(&scene);
}

static void what_is_taken_under_trylocks_depends_on_them_and_one_more(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A B C? D? E");
	assert_int_equal(dependencies(&scene), 3); /* D E, C E, B E; A is behind B */
	task_takes(&scene, 2, "E A");
	assert_int_equal(findings(&scene), 0);
	task_takes(&scene, 2, "E B");
	assert_classes(the_finding(&scene), "B E");
	task_takes(&scene, 2, "E C");
	assert_classes(model_finding(scene.model, 2), "C E");
	assert_int_equal(findings(&scene), 2);
	assert_int_equal(model_finding(scene.model, 2)->edges[0].from_index, 2);
	scene_end(&scene);
}

static void seeded_entries_have_no_order_among_them(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A* B* C");
	assert_int_equal(dependencies(&scene), 2); /* A C, B C */
	task_takes(&scene, 2, "B A");
	task_takes(&scene, 2, "A B");
	assert_classes(the_finding(&scene), "B A"); /* of task 2 alone */
	task_takes(&scene, 3, "A* B C* D");
	assert_int_equal(dependencies(&scene), 6); /* C D, B D; not A D */
	scene_end(&scene);
}

static void a_run_stands_for_its_newest_lock(void **state)
{
	struct scene scene;
	struct model_counts counts;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "K A0x5 B");
	model_count(scene.model, &counts);
	assert_int_equal(counts.locks, 4); /* K, the run's two ends, B */
	assert_int_equal(counts.dependencies, 1);
	task_takes(&scene, 2, "B A4");
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	assert_int_equal(the_finding(&scene)->edges[0].from_lock->addr, lock_address('A', 4));
	scene_end(&scene);
}

static void a_run_leaves_its_locks_their_own_generation(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	scene.generation[0] = 7;
	task_takes(&scene, 1, "A4 B");
	scene.generation[0] = 3; /* of A0, where the run begins */
	task_takes(&scene, 1, "A0x5 C");
	scene.generation[0] = 7;
	task_takes(&scene, 2, "B A4"); /* still the lock of the first line */
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	scene_end(&scene);
}

static void a_full_held_stack(void **state)
{
	struct lt_record_chain chain;
	struct scene scene;
	uint32_t i, flags = 0;

	(void)state;
	scene_begin(&scene);
	chain_begin(&scene, &chain, 1);
	for (i = 0; i < LT_HELD_MAX; i++) {
		char text[3] = { (char)('A' + i % 25), (char)('0' + i / 25), '\0' };

		held_read(&scene, text, &chain.held[i], &flags);
		chain.held[i].flags = LT_HELD_TRYLOCK;
	}
	held_read(&scene, "Z", &chain.held[i], &flags);
	chain.held_count = LT_HELD_MAX;
	chain.stack_count = LT_STACK_MAX;
	assert_int_equal(scene_feed(&scene, &chain), 0);
	assert_int_equal(dependencies(&scene), 25);
	task_takes(&scene, 2, "Z A");
	assert_classes(the_finding(&scene), "A Z");
	assert_int_equal(the_finding(&scene)->edges[0].sighting->held_count, LT_HELD_MAX);
	assert_int_equal(the_finding(&scene)->edges[0].sighting->stack_count, LT_STACK_MAX);
	scene_end(&scene);
}

static void a_lock_taken_by_its_owner_is_a_deadlock(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A B C A!");
	assert_int_equal(the_finding(&scene)->kind, FINDING_RECURSIVE);
	assert_true(the_finding(&scene)->same_instance);
	assert_int_equal(the_finding(&scene)->grade, GRADE_DEADLOCK);
	assert_int_equal(the_finding(&scene)->edge_count, 1);
	assert_int_equal(the_finding(&scene)->edges[0].from_index, 0);
	assert_classes(the_finding(&scene), "A");
	task_takes(&scene, 1, "B A!"); /* not on the held stack: its taking was missed */
	assert_int_equal(the_finding(&scene)->count, 2);
	scene_end(&scene);

	scene_begin(&scene);
	task_takes(&scene, 1, "B A!");
	assert_int_equal(the_finding(&scene)->grade, GRADE_DEADLOCK);
	assert_int_equal(the_finding(&scene)->edges[0].from_index, 1);
	scene_end(&scene);
}

static void an_owned_lock_is_found_by_address_where_the_generation_differs(void **state)
{
	struct lt_record_chain chain;
	struct scene scene;
	uint32_t flags = 0;

	(void)state;
	scene_begin(&scene);
	chain_begin(&scene, &chain, 1);
	held_read(&scene, "A", &chain.held[0], &flags);
	held_read(&scene, "B", &chain.held[1], &flags);
	held_read(&scene, "A", &chain.held[2], &flags);
	chain.held[0].generation = 0;
	chain.held_count = 2;
	chain.flags = LT_CHAIN_OWNED;
	chain.held[0].class_id = LT_CLASS_FOREIGN;
	chain.held[1].flags = LT_HELD_TRYLOCK; /* so that there would be a dependency on the first */
	assert_int_equal(scene_feed(&scene, &chain), 0);
	assert_int_equal(the_finding(&scene)->edges[0].from_index, 0);
	assert_classes(the_finding(&scene), "A");
	assert_int_equal(dependencies(&scene), 1); /* B A */
	scene_end(&scene);
}

static void a_lock_that_lets_its_holder_in_again_is_nothing(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A A?!");
	task_takes(&scene, 1, "A A?");
	task_takes(&scene, 1, "A A");
	assert_int_equal(findings(&scene), 0);
	assert_int_equal(dependencies(&scene), 0);
	scene_end(&scene);
}

static void a_lock_taken_by_its_reader_is_likely(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "Ar A");
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	assert_true(the_finding(&scene)->same_instance);
	task_takes(&scene, 1, "A A!"); /* and once more, for certain */
	assert_int_equal(the_finding(&scene)->grade, GRADE_DEADLOCK);
	assert_int_equal(the_finding(&scene)->previous_grade, GRADE_LIKELY);
	assert_int_equal(scene.told_count, 2);
	scene_end(&scene);
}

static void readers_block_like_writers(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "Ar B");
	task_takes(&scene, 2, "B Ar");
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	scene_end(&scene);
}

/* lib/locking-selftest.c, by its names: what is to be found of rwsems, at the least as what. */
static void rwsems_as_lockdep_tests_them(void **state)
{
	static const struct {
		const char *name, *first, *second;
		enum finding_kind kind;
		bool same_instance;
		enum finding_grade grade;
	} tests[] = {
		{ "rsem_AA1", "Ar Ar", NULL, FINDING_RECURSIVE, true, GRADE_LIKELY },
		{ "rsem_AA1B", "A1r A2r", "A2r A1r", FINDING_RECURSIVE, false, GRADE_LIKELY },
		{ "rsem_AA2", "Ar Aw", NULL, FINDING_RECURSIVE, true, GRADE_LIKELY },
		{ "rsem_AA3", "Aw Ar!", NULL, FINDING_RECURSIVE, true, GRADE_DEADLOCK },
		{ "wsem_AA", "Aw Aw!", NULL, FINDING_RECURSIVE, true, GRADE_DEADLOCK },
		{ "rwsem_ABBA1", "Ar B", "B Aw", FINDING_CIRCULAR, false, GRADE_LIKELY },
		{ "rwsem_ABBA2", "Ar B", "B Ar", FINDING_CIRCULAR, false, GRADE_LIKELY },
		{ "rwsem_ABBA3", "Aw B", "B Aw", FINDING_CIRCULAR, false, GRADE_LIKELY },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		const struct finding *f;
		struct scene scene;

		scene_begin(&scene);
		task_takes(&scene, 1, tests[i].first);
		if (tests[i].second)
			task_takes(&scene, 2, tests[i].second);
		if (findings(&scene) != 1)
			fail_msg("%s: %u findings", tests[i].name, findings(&scene));
		f = the_finding(&scene);
		if (f->kind != tests[i].kind || f->same_instance != tests[i].same_instance ||
		    f->grade != tests[i].grade)
			fail_msg("%s: %s, %s", tests[i].name, finding_kind_name(f->kind),
				 finding_grade_name(f->grade));
		scene_end(&scene);
	}
}

static void rwsems_in_one_order(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "Ar Br C");
	task_takes(&scene, 2, "Aw Br C");
	task_takes(&scene, 1, "Ar Bw C");
	task_takes(&scene, 2, "C Ar?"); /* a trylock waits for nobody */
	task_takes(&scene, 2, "Br A?w C");
	task_takes(&scene, 1, "Ar Ar?");
	assert_int_equal(findings(&scene), 0);
	assert_true(dependencies(&scene) >= 2);
	scene_end(&scene);
}

static void locks_that_meet_though_their_classes_repeat(void **state)
{
	struct scene scene;

	(void)state;
	/* Two locks of X in the circle: (X A) and (X B) are cycles of classes, the whole is one of locks. */
	scene_begin(&scene);
	task_takes(&scene, 1, "X1 A");
	task_takes(&scene, 2, "A X2");
	assert_classes(the_finding(&scene), "X A");
	assert_int_equal(the_finding(&scene)->grade, GRADE_POSSIBLE);
	task_takes(&scene, 3, "X2 B");
	task_takes(&scene, 4, "B X1");
	assert_int_equal(findings(&scene), 3);
	assert_classes(model_finding(scene.model, 2), "X B");
	assert_int_equal(model_finding(scene.model, 2)->grade, GRADE_POSSIBLE);
	assert_classes(model_finding(scene.model, 3), "X A X B");
	assert_int_equal(model_finding(scene.model, 3)->grade, GRADE_LIKELY);
	assert_int_equal(model_finding(scene.model, 1)->grade, GRADE_POSSIBLE);
	scene_end(&scene);
}

static void of_repeating_classes_only_the_likely_is_told(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "X1 X2");
	task_takes(&scene, 1, "X2 A");
	task_takes(&scene, 1, "A X1");
	assert_classes(the_finding(&scene), "X A");
	assert_int_equal(the_finding(&scene)->grade, GRADE_ONE_TASK);
	task_takes(&scene, 2, "X2 A"); /* now two tasks can meet */
	assert_int_equal(findings(&scene), 2);
	assert_classes(model_finding(scene.model, 2), "A X X");
	assert_int_equal(model_finding(scene.model, 2)->grade, GRADE_LIKELY);
	assert_int_equal(model_finding(scene.model, 1)->grade, GRADE_POSSIBLE);
	scene_end(&scene);
}

static void a_nesting_can_close_such_a_circle(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "X2 A");
	task_takes(&scene, 2, "A X1");
	assert_int_equal(findings(&scene), 1);
	task_takes(&scene, 3, "X1 X2");
	assert_int_equal(findings(&scene), 2);
	assert_classes(model_finding(scene.model, 2), "X A X");
	assert_int_equal(model_finding(scene.model, 2)->grade, GRADE_LIKELY);
	scene_end(&scene);
}

static void a_cycle_longer_than_can_be_told_is_not_told(void **state)
{
	char text[8];
	struct scene scene;
	int i;

	(void)state;
	scene_begin(&scene);
	for (i = 0; i < MODEL_CYCLE_MAX; i++) {
		snprintf(text, sizeof(text), "%c %c", 'A' + i, 'A' + i + 1);
		task_takes(&scene, 1, text);
	}
	task_takes(&scene, 2, "Q A");
	assert_int_equal(findings(&scene), 0);
	task_takes(&scene, 2, "P A");
	assert_int_equal(the_finding(&scene)->edge_count, MODEL_CYCLE_MAX);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_consistent_order_is_nothing),
		cmocka_unit_test(cycles_of_two_to_six_locks),
		cmocka_unit_test(lockdeps_own_list),
		cmocka_unit_test(the_aa_of_lockdep_needs_both_orders),
		cmocka_unit_test(three_of_a_class_in_a_circle),
		cmocka_unit_test(a_known_dependency_is_searched_once),
		cmocka_unit_test(one_dependency_can_close_several_cycles),
		cmocka_unit_test(only_the_innermost_entry_gives_a_dependency),
		cmocka_unit_test(a_trylock_depends_on_nothing),
		cmocka_unit_test(what_is_taken_under_trylocks_depends_on_them_and_one_more),
		cmocka_unit_test(seeded_entries_have_no_order_among_them),
		cmocka_unit_test(a_run_stands_for_its_newest_lock),
		cmocka_unit_test(a_run_leaves_its_locks_their_own_generation),
		cmocka_unit_test(a_full_held_stack),
		cmocka_unit_test(a_lock_taken_by_its_owner_is_a_deadlock),
		cmocka_unit_test(an_owned_lock_is_found_by_address_where_the_generation_differs),
		cmocka_unit_test(a_lock_that_lets_its_holder_in_again_is_nothing),
		cmocka_unit_test(a_lock_taken_by_its_reader_is_likely),
		cmocka_unit_test(readers_block_like_writers),
		cmocka_unit_test(rwsems_as_lockdep_tests_them),
		cmocka_unit_test(rwsems_in_one_order),
		cmocka_unit_test(locks_that_meet_though_their_classes_repeat),
		cmocka_unit_test(of_repeating_classes_only_the_likely_is_told),
		cmocka_unit_test(a_nesting_can_close_such_a_circle),
		cmocka_unit_test(a_cycle_longer_than_can_be_told_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
