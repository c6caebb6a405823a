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

#define RWSEM_ROWS(function, ...)                                           \
	{ "fentry_" #function, "", #function, FORM_FENTRY, ROLE_RWSEM, 0 }, \
		{ "kprobe_" #function, "", #function, FORM_KPROBE, ROLE_RWSEM, 0 },

/* The return is attached first: an attempt that it is not told of would come to nothing. */
#define READ_ROWS(function, ...)                                                          \
	{ "fexit_" #function, "", #function, FORM_FENTRY, ROLE_RWSEM, 1 },                \
		{ "fentry_" #function, "", #function, FORM_FENTRY, ROLE_RWSEM, 0 },       \
		{ "kretprobe_" #function, "", #function, FORM_KRETPROBE, ROLE_RWSEM, 0 }, \
		{ "kprobe_" #function, "", #function, FORM_KPROBE, ROLE_RWSEM, 0 },

#define RELEASE_ROWS(function)                                                \
	{ "fentry_" #function, "", #function, FORM_FENTRY, ROLE_RELEASE, 0 }, \
		{ "kprobe_" #function, "", #function, FORM_KPROBE, ROLE_RELEASE, 0 },

#define RWSEM_INIT_ROWS(function, ...)                                           \
	{ "fentry_" #function, "", #function, FORM_FENTRY, ROLE_RWSEM_INIT, 0 }, \
		{ "kprobe_" #function, "", #function, FORM_KPROBE, ROLE_RWSEM_INIT, 0 },

#define CONTAINER_ENTRY_ROWS(module, function, ...)                                         \
	{ "fentry_object_" #function, #module, #function, FORM_FENTRY, ROLE_CONTAINER, 0 }, \
		{ "kprobe_object_" #function, #module, #function, FORM_KPROBE, ROLE_CONTAINER, 0 },

#define CONTAINER_EXIT_ROWS(module, function, arguments, ...)                                      \
	{ "fexit_object_" #function, #module, #function, FORM_FENTRY, ROLE_CONTAINER, arguments }, \
		{ "kprobe_call_" #function, #module, #function, FORM_KPROBE, ROLE_CONTAINER, 0 },  \
		{ "kretprobe_object_" #function, #module, #function, FORM_KRETPROBE, ROLE_CONTAINER, 0 },

#define RWSEM_UNLOCK_ROWS(function, ...)                                                  \
	{ "fentry_unlock_" #function, "", #function, FORM_FENTRY, ROLE_RWSEM_UNLOCK, 0 }, \
		{ "kprobe_unlock_" #function, "", #function, FORM_KPROBE, ROLE_RWSEM_UNLOCK, 0 },

const struct hook hooks[] = {
	LT_LOCK_FUNCTIONS(LOCK_ROWS) /* what a task takes */
	LT_LOCK_RETURN_FUNCTIONS(RETURN_ROWS) LT_INIT_FUNCTIONS(INIT_ROWS) LT_OBJECT_ENTRIES(ENTRY_ROWS)
		LT_OBJECT_EXITS(EXIT_ROWS) LT_SCOPES(SCOPE_ROWS) LT_PUTS(PUT_ROWS)
			LT_UNLOCK_FUNCTIONS(UNLOCK_ROWS) LT_RWSEM_FUNCTIONS(RWSEM_ROWS)
				LT_READ_FUNCTIONS(READ_ROWS) LT_RELEASE_FUNCTIONS(RELEASE_ROWS)
					LT_RWSEM_INIT_FUNCTIONS(RWSEM_INIT_ROWS)
						LT_CONTAINER_ENTRIES(CONTAINER_ENTRY_ROWS)
							LT_CONTAINER_EXITS(CONTAINER_EXIT_ROWS)
								LT_RWSEM_UNLOCK_FUNCTIONS(RWSEM_UNLOCK_ROWS)
};
const size_t hook_count = sizeof(hooks) / sizeof(hooks[0]);

const char *const hook_modules[] = { "", "kvm", "vfio", "vfio_pci_core", "vfio_iommu_type1", NULL };
const size_t hook_module_count = sizeof(hook_modules) / sizeof(hook_modules[0]) - 1;

int hook_module_index(const char *module)
{
	for (size_t i = 0; i < hook_module_count; i++)
		if (!strcmp(hook_modules[i], module))
			return (int)i;
	return -1;
}

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

bool hook_role_is_wanted(enum hook_role role, const struct hook_options *options)
{
	if (role == ROLE_UNLOCK)
		return options->check_unlock;
	if (role == ROLE_RWSEM_UNLOCK)
		return options->rwsem && options->check_unlock;
	return role < ROLE_RWSEM || options->rwsem;
}

static bool is_lock_role(enum hook_role role)
{
	return role == ROLE_LOCK || role == ROLE_RWSEM;
}

/* The slow path, where the tracepoint of the attach kind "contention" is: kernel/locking/mutex.c. */
#define SLOW_PATH "__mutex_lock"

bool hook_is_lock_function(const char *symbol)
{
	if (!strncmp(symbol, SLOW_PATH, strlen(SLOW_PATH)))
		return true;
	for (size_t i = 0; i < hook_count; i++)
		if (is_lock_role(hooks[i].role) && !strcmp(hooks[i].function, symbol))
			return true;
	return false;
}

bool hook_is_call_function(const char *symbol)
{
	for (size_t i = 0; i < hook_count; i++)
		if (!is_lock_role(hooks[i].role) && hooks[i].role != ROLE_SCOPE &&
		    !strcmp(hooks[i].function, symbol))
			return true;
	return false;
}
