/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Reads that are not believed any more are left out of a record, and nothing else is. */
#include "chain_builder.h"

#include "model/readers.h"

/* What is left of a chain. */
static void leaves(const char *before, const char *after)
{
	struct lt_record_chain chain, expected, copy;
	struct scene scene;
	uint16_t i;

	scene_begin(&scene);
	chain_begin(&scene, &chain, 1);
	chain.held_count = chain_read(&scene, before, &chain) - 1;
	chain_begin(&scene, &expected, 1);
	expected.held_count = chain_read(&scene, after, &expected) - 1;
	assert_int_equal(readers_are_held(&chain.header, sizeof(chain)),
			 chain.held_count != expected.held_count);
	readers_leave_out(&chain.header, &copy);
	assert_int_equal(copy.held_count, expected.held_count);
	assert_int_equal(copy.key, chain.key);
	for (i = 0; i <= expected.held_count; i++)
		assert_memory_equal(&copy.held[i], &expected.held[i], sizeof(copy.held[i]));
	scene_end(&scene);
}

static void reads_are_left_out(void **state)
{
	(void)state;
	leaves("Ar B", "B");
	leaves("A Br C Dr E", "A C E");
	leaves("Aw B", "Aw B");
	leaves("A Br", "A Br"); /* what is taken is not held */
	leaves("Ar? B* Ar", "B* Ar");
}

static void a_record_that_makes_no_sense_is_left_as_it_is(void **state)
{
	struct lt_record_chain chain;
	struct lt_record_object object = { .header = { LT_RECORD_OBJECT, sizeof(object), 1 } };
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	chain_begin(&scene, &chain, 1);
	chain.held_count = chain_read(&scene, "Ar B", &chain) - 1;
	assert_true(readers_are_held(&chain.header, sizeof(chain)));
	assert_false(readers_are_held(&chain.header, sizeof(chain) - 8));
	chain.held_count = LT_HELD_MAX + 1;
	assert_false(readers_are_held(&chain.header, sizeof(chain)));
	assert_false(readers_are_held(&object.header, sizeof(object)));
	scene_end(&scene);
}

/* Without the read no dependency comes from it. */
static void what_is_left_out_gives_no_dependency(void **state)
{
	struct lt_record_chain chain, copy;
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "B Aw");
	chain_begin(&scene, &chain, 2);
	chain.held_count = chain_read(&scene, "Ar B", &chain) - 1;
	readers_leave_out(&chain.header, &copy);
	assert_int_equal(scene_feed(&scene, &copy), 0);
	assert_int_equal(findings(&scene), 0);
	assert_int_equal(scene_feed(&scene, &chain), 0);
	assert_int_equal(findings(&scene), 1);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_are_left_out),
		cmocka_unit_test(a_record_that_makes_no_sense_is_left_as_it_is),
		cmocka_unit_test(what_is_left_out_gives_no_dependency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
