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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_tells_its_module),
		cmocka_unit_test(other_names_tell_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
