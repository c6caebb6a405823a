/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* When the tracer's cost is measured, and when it is too much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/overhead.h"

#define MS 1000000ULL
#define START (1000 * MS)

/* A sample of 200 ms that began at `began`, in which the programs took `spent` of all CPUs' time. */
static enum overhead_verdict sample(struct overhead *o, uint64_t began, uint64_t spent)
{
	if (!o->sampling) {
		assert_int_equal(overhead_next(o, began), OVERHEAD_BEGIN);
		overhead_begin(o, began, 7777);
		spent += 7777;
	} else {
		spent += o->began_spent_ns;
	}
	assert_int_equal(overhead_next(o, began + 199 * MS), OVERHEAD_WAIT);
	assert_int_equal(overhead_next(o, began + 200 * MS), OVERHEAD_END);
	return overhead_end(o, began + 200 * MS, spent);
}

static void a_sample_is_a_share_of_all_cpus(void **state)
{
	struct overhead o = { .bound = 5, .cpus = 4 };

	(void)state;
	assert_int_equal(sample(&o, START, 20 * MS), OVERHEAD_FINE);
	assert_true(o.percent > 2.499 && o.percent < 2.501);
}

static void a_sample_may_end_late(void **state)
{
	struct overhead o = { .bound = 5, .cpus = 1 };

	(void)state;
	overhead_begin(&o, START, 0);
	assert_int_equal(overhead_end(&o, START + 400 * MS, 12 * MS), OVERHEAD_FINE);
	assert_true(o.percent > 2.999 && o.percent < 3.001);
}

static void what_is_fine_is_measured_again_after_a_pause(void **state)
{
	struct overhead o = { .bound = 5, .cpus = 1 };

	(void)state;
	assert_int_equal(sample(&o, START, 0), OVERHEAD_FINE);
	assert_int_equal(overhead_next(&o, START + 3199 * MS), OVERHEAD_WAIT);
	assert_int_equal(overhead_next(&o, START + 3200 * MS), OVERHEAD_BEGIN);
}

static void one_sample_above_the_bound_is_not_believed(void **state)
{
	struct overhead o = { .bound = 5, .cpus = 1 };

	(void)state;
	assert_int_equal(sample(&o, START, 11 * MS), OVERHEAD_SUSPECT);
	assert_int_equal(sample(&o, START + 200 * MS, 1 * MS), OVERHEAD_FINE);
	assert_int_equal(sample(&o, START + 4000 * MS, 11 * MS), OVERHEAD_SUSPECT);
}

static void a_second_one_right_after_it_is(void **state)
{
	struct overhead o = { .bound = 5, .cpus = 1 };

	(void)state;
	assert_int_equal(sample(&o, START, 11 * MS), OVERHEAD_SUSPECT);
	assert_int_equal(sample(&o, START + 200 * MS, 12 * MS), OVERHEAD_TOO_MUCH);
	assert_true(o.percent > 5.999 && o.percent < 6.001);
}

static void the_bound_itself_is_allowed(void **state)
{
	struct overhead o = { .bound = 5, .cpus = 1 };

	(void)state;
	assert_int_equal(sample(&o, START, 10 * MS), OVERHEAD_FINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sample_is_a_share_of_all_cpus),
		cmocka_unit_test(a_sample_may_end_late),
		cmocka_unit_test(what_is_fine_is_measured_again_after_a_pause),
		cmocka_unit_test(one_sample_above_the_bound_is_not_believed),
		cmocka_unit_test(a_second_one_right_after_it_is),
		cmocka_unit_test(the_bound_itself_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
