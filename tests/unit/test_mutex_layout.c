/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Where a mutex has its owner, by the types of a kernel that is made up here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "kernel/mutex_layout.h"

/* The one member that the kernel's struct mutex has; NULL: none that is known. */
static const char *the_member;
static uint64_t its_offset;

int types_member(struct types *types, const char *module, const char *structure, const char *member,
		 struct type_member *out)
{
	(void)types;
	(void)module;
	assert_string_equal(structure, "mutex");
	if (!the_member || strcmp(member, the_member) != 0)
		return -ENOMSG;
	*out = (struct type_member){ .offset = its_offset, .size = 8 };
	return 0;
}

static void the_owner_of_a_mutex(void **state)
{
	struct mutex_layout layout;

	(void)state;
	the_member = "owner";
	its_offset = 0;
	assert_int_equal(mutex_layout_find(NULL, &layout), 0);
	assert_false(layout.realtime);
	assert_int_equal(layout.owner, 0);
	/* A task_struct's address leaves three bits: waiters, handoff, pickup. */
	assert_int_equal(layout.flags, 7);
	assert_int_equal(layout.pickup, 4);
}

static void the_owner_of_a_realtime_mutex(void **state)
{
	struct mutex_layout layout;

	(void)state;
	the_member = "rtmutex.owner";
	its_offset = 24;
	assert_int_equal(mutex_layout_find(NULL, &layout), 0);
	assert_true(layout.realtime);
	assert_int_equal(layout.owner, 24);
	assert_int_equal(layout.flags, 1);
	assert_int_equal(layout.pickup, 0);
}

/* PREEMPT_RT before 5.15 calls it "lock.owner", and its functions otherwise. */
static void another_mutex_is_not_guessed(void **state)
{
	struct mutex_layout layout;

	(void)state;
	the_member = "lock.owner";
	assert_int_equal(mutex_layout_find(NULL, &layout), -ENOENT);
	the_member = NULL;
	assert_int_equal(mutex_layout_find(NULL, &layout), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_owner_of_a_mutex),
		cmocka_unit_test(the_owner_of_a_realtime_mutex),
		cmocka_unit_test(another_mutex_is_not_guessed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
