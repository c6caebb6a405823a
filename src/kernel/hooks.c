/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The hooks, row by row; see hooks.h. Program names are made in bpf/ by the same tables. */
#include "kernel/hooks.h"

#include <string.h>

#include "locktrace/lock_functions.h"
#include "locktrace/object_functions.h"

#define LOCK_ROWS(function, ...)                                           \
	{ "fentry_" #function, "", #function, FORM_FENTRY, ROLE_LOCK, 0 }, \
		{ "kprobe_" #function, "", #function, FORM_KPROBE, ROLE_LOCK, 0 },

#define RETURN_ROWS(function, ...)                                                 \
	{ "fexit_" #function, "", #function, FORM_FENTRY, ROLE_LOCK, 2 },          \
		{ "kprobe_" #function, "", #function, FORM_KPROBE, ROLE_LOCK, 0 }, \
		{ "kretprobe_" #function, "", #function, FORM_KRETPROBE, ROLE_LOCK, 0 },

#define INIT_ROWS(function, ...)                                           \
	{ "fentry_" #function, "", #function, FORM_FENTRY, ROLE_INIT, 0 }, \
		{ "kprobe_" #function, "", #function, FORM_KPROBE, ROLE_INIT, 0 },

#define ENTRY_ROWS(module, function, ...)                                                \
	{ "fentry_object_" #function, #module, #function, FORM_FENTRY, ROLE_OBJECT, 0 }, \
		{ "kprobe_object_" #function, #module, #function, FORM_KPROBE, ROLE_OBJECT, 0 },

#define EXIT_ROWS(module, function, arguments, ...)                                             \
	{ "fexit_object_" #function, #module, #function, FORM_FENTRY, ROLE_OBJECT, arguments }, \
		{ "kprobe_call_" #function, #module, #function, FORM_KPROBE, ROLE_OBJECT, 0 },  \
		{ "kretprobe_object_" #function, #module, #function, FORM_KRETPROBE, ROLE_OBJECT, 0 },

/* A scope's end is attached before its beginning: what is entered in between would never end. */
#define SCOPE_ROWS(module, function, arguments)                                                      \
	{ "fexit_scope_" #function, #module, #function, FORM_FENTRY, ROLE_SCOPE, arguments },        \
		{ "fentry_scope_" #function, #module, #function, FORM_FENTRY, ROLE_SCOPE, 0 },       \
		{ "kretprobe_scope_" #function, #module, #function, FORM_KRETPROBE, ROLE_SCOPE, 0 }, \
		{ "kprobe_scope_" #function, #module, #function, FORM_KPROBE, ROLE_SCOPE, 0 },

#define PUT_ROWS(module, function, ...)                                            \
	{ "fentry_put_" #function, #module, #function, FORM_FENTRY, ROLE_PUT, 0 }, \
		{ "kprobe_put_" #function, #module, #function, FORM_KPROBE, ROLE_PUT, 0 },

#define UNLOCK_ROWS(function, ...)                                                  \
	{ "fentry_unlock_" #function, "", #function, FORM_FENTRY, ROLE_UNLOCK, 0 }, \
		{ "kprobe_unlock_" #function, "", #function, FORM_KPROBE, ROLE_UNLOCK, 0 },

const struct hook hooks[] = { LT_LOCK_FUNCTIONS(LOCK_ROWS) /* what a task takes */
			      LT_LOCK_RETURN_FUNCTIONS(RETURN_ROWS) LT_INIT_FUNCTIONS(INIT_ROWS)
				      LT_OBJECT_ENTRIES(ENTRY_ROWS) LT_OBJECT_EXITS(EXIT_ROWS)
					      LT_SCOPES(SCOPE_ROWS) LT_PUTS(PUT_ROWS)
						      LT_UNLOCK_FUNCTIONS(UNLOCK_ROWS) };
const size_t hook_count = sizeof(hooks) / sizeof(hooks[0]);

const char *const hook_modules[] = { "", "kvm", "vfio", "vfio_pci_core", "vfio_iommu_type1", NULL };
const size_t hook_module_count = sizeof(hook_modules) / sizeof(hook_modules[0]) - 1;

const char *hook_module_of(const char *symbol)
{
	const char *found = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < hook_module_count; i++) {
		size_t length = strlen(hook_modules[i]);

		if (length <= longest || strncmp(symbol, hook_modules[i], length) != 0 ||
		    symbol[length] != '_')
			continue;
		found = hook_modules[i];
		longest = length;
	}
	return found;
}

bool hook_is_lock_function(const char *symbol)
{
	for (size_t i = 0; i < hook_count; i++)
		if (hooks[i].role == ROLE_LOCK && !strcmp(hooks[i].function, symbol))
			return true;
	return false;
}

bool hook_is_call_function(const char *symbol)
{
	for (size_t i = 0; i < hook_count; i++)
		if (hooks[i].role != ROLE_LOCK && hooks[i].role != ROLE_SCOPE &&
		    !strcmp(hooks[i].function, symbol))
			return true;
	return false;
}
