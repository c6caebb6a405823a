/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The hooks, row by row; see hooks.h. Program names are made in bpf/ by the same tables. */
#include "kernel/hooks.h"

#include <string.h>

#include "locktrace/lock_functions.h"
#include "locktrace/object_functions.h"

#define LOCK_ROWS(function, ...)                                        \
	{ "fentry_" #function, "", #function, FORM_FENTRY, ROLE_LOCK }, \
		{ "kprobe_" #function, "", #function, FORM_KPROBE, ROLE_LOCK },

#define RETURN_ROWS(function, ...)                                              \
	{ "fexit_" #function, "", #function, FORM_FENTRY, ROLE_LOCK },          \
		{ "kprobe_" #function, "", #function, FORM_KPROBE, ROLE_LOCK }, \
		{ "kretprobe_" #function, "", #function, FORM_KRETPROBE, ROLE_LOCK },

#define INIT_ROWS(function, ...)                                        \
	{ "fentry_" #function, "", #function, FORM_FENTRY, ROLE_INIT }, \
		{ "kprobe_" #function, "", #function, FORM_KPROBE, ROLE_INIT },

#define ENTRY_ROWS(module, function, ...)                                             \
	{ "fentry_object_" #function, #module, #function, FORM_FENTRY, ROLE_OBJECT }, \
		{ "kprobe_object_" #function, #module, #function, FORM_KPROBE, ROLE_OBJECT },

#define EXIT_ROWS(module, function, ...)                                                    \
	{ "fexit_object_" #function, #module, #function, FORM_FENTRY, ROLE_OBJECT },        \
		{ "kprobe_call_" #function, #module, #function, FORM_KPROBE, ROLE_OBJECT }, \
		{ "kretprobe_object_" #function, #module, #function, FORM_KRETPROBE, ROLE_OBJECT },

#define SCOPE_ROWS(module, function, ...)                                                   \
	{ "fentry_scope_" #function, #module, #function, FORM_FENTRY, ROLE_SCOPE },         \
		{ "fexit_scope_" #function, #module, #function, FORM_FENTRY, ROLE_SCOPE },  \
		{ "kprobe_scope_" #function, #module, #function, FORM_KPROBE, ROLE_SCOPE }, \
		{ "kretprobe_scope_" #function, #module, #function, FORM_KRETPROBE, ROLE_SCOPE },

/* Within a kind of role the order is that of attaching: what ends something before what begins it. */
const struct hook hooks[] = { LT_LOCK_FUNCTIONS(LOCK_ROWS) /* what a task takes */
			      LT_LOCK_RETURN_FUNCTIONS(RETURN_ROWS) LT_INIT_FUNCTIONS(INIT_ROWS)
				      LT_OBJECT_ENTRIES(ENTRY_ROWS) LT_OBJECT_EXITS(EXIT_ROWS)
					      LT_SCOPES(SCOPE_ROWS) };
const size_t hook_count = sizeof(hooks) / sizeof(hooks[0]);

const char *const hook_modules[] = { "", "kvm", "vfio", "vfio_pci_core", "vfio_iommu_type1" };
const size_t hook_module_count = sizeof(hook_modules) / sizeof(hook_modules[0]);

bool hook_is_lock_function(const char *symbol)
{
	for (size_t i = 0; i < hook_count; i++)
		if (hooks[i].role == ROLE_LOCK && !strcmp(hooks[i].function, symbol))
			return true;
	return false;
}
