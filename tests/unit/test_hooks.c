/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* What the names of symbols tell of their modules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/hooks.h"

static void a_name_tells_its_module(void **state)
{
	(void)state;
	assert_string_equal(hook_module_of("kvm_destroy_vm"), "kvm");
	assert_string_equal(hook_module_of("vfio_device_set_group"), "vfio");
	assert_string_equal(hook_module_of("vfio_pci_core_release_dev"), "vfio_pci_core");
	assert_string_equal(hook_module_of("vfio_iommu_type1_open"), "vfio_iommu_type1");
}

static void other_names_tell_none(void **state)
{
	(void)state;
	assert_null(hook_module_of("mutex_lock"));
	assert_null(hook_module_of("kvmalloc_node"));
	assert_null(hook_module_of("vfio"));
	assert_null(hook_module_of("_raw_spin_lock"));
	assert_null(hook_module_of(""));
}

static void the_mutex_code_is_where_the_hooks_are(void **state)
{
	(void)state;
	assert_true(hook_is_lock_function("mutex_lock"));
	/* By contention the tracepoint is in the slow path, under whatever name the compiler gave it. */
	assert_true(hook_is_lock_function("__mutex_lock.constprop.0"));
	assert_true(hook_is_lock_function("__mutex_lock_slowpath"));
	assert_false(hook_is_lock_function("__mutex_init"));
	assert_false(hook_is_lock_function("mutex_lock_of_a_driver"));
}

static void rwsems_are_hooked_only_when_asked_for(void **state)
{
	const struct hook_options neither = { 0 }, rwsem = { .rwsem = true }, both = { true, true },
				  unlock = { .check_unlock = true };

	(void)state;
	for (int role = ROLE_LOCK; role <= ROLE_RWSEM_UNLOCK; role++) {
		bool of_rwsems = role >= ROLE_RWSEM;

		assert_int_equal(hook_role_is_wanted(role, &neither), !of_rwsems && role != ROLE_UNLOCK);
		assert_int_equal(hook_role_is_wanted(role, &rwsem),
				 role != ROLE_UNLOCK && role != ROLE_RWSEM_UNLOCK);
		assert_int_equal(hook_role_is_wanted(role, &unlock), !of_rwsems);
		assert_true(hook_role_is_wanted(role, &both));
	}
}

/* Where a stack trace begins is told by these. */
static void functions_of_rwsems_are_known(void **state)
{
	(void)state;
	assert_true(hook_is_lock_function("down_read"));
	assert_true(hook_is_lock_function("down_read_trylock"));
	assert_true(hook_is_lock_function("down_write_killable"));
	assert_false(hook_is_lock_function("up_read"));
	assert_true(hook_is_call_function("up_write"));
	assert_true(hook_is_call_function("__init_rwsem"));
	assert_false(hook_is_call_function("down_read"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_tells_its_module),
		cmocka_unit_test(other_names_tell_none),
		cmocka_unit_test(the_mutex_code_is_where_the_hooks_are),
		cmocka_unit_test(rwsems_are_hooked_only_when_asked_for),
		cmocka_unit_test(functions_of_rwsems_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
