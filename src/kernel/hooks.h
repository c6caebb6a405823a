/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The list of all programs of the kernel side and what each attaches to,
 * expanded from the tables of include/locktrace/.
 */
#ifndef LOCKTRACE_KERNEL_HOOKS_H
#define LOCKTRACE_KERNEL_HOOKS_H

#include <stdbool.h>
#include <stddef.h>

enum hook_form {
	FORM_FENTRY, /* fentry or fexit */
	FORM_KPROBE,
	FORM_KRETPROBE,
};

enum hook_role {
	ROLE_LOCK,   /* lock functions */
	ROLE_INIT,   /* lock initialisers: names of foreign locks */
	ROLE_OBJECT, /* births and deaths */
	ROLE_SCOPE,  /* file operations */
	ROLE_PUT,    /* puts of references */
	ROLE_UNLOCK, /* --check-unlock */
	/* With --rwsem only. */
	ROLE_RWSEM,        /* lock functions of rwsems */
	ROLE_RELEASE,      /* what ends a read */
	ROLE_RWSEM_INIT,   /* initialisers of rwsems */
	ROLE_CONTAINER,    /* births and deaths of what has no other locks */
	ROLE_RWSEM_UNLOCK, /* and with --check-unlock */
};

/* What of the hooks is wanted in this run. */
struct hook_options {
	bool check_unlock, rwsem;
};

bool hook_role_is_wanted(enum hook_role role, const struct hook_options *options);

struct hook {
	const char *program;  /* name in the BPF object */
	const char *module;   /* "" for the kernel image */
	const char *function; /* what it attaches to */
	enum hook_form form;
	enum hook_role role;
	int arguments; /* fexit: how many the function must have, as the result comes after them; 0: any */
};

extern const struct hook hooks[];
extern const size_t hook_count;

/* The modules that hooks are for, in the order they are attached; NULL at the end. */
extern const char *const hook_modules[];
extern const size_t hook_module_count;

/* Index in hook_modules, or -1. */
int hook_module_index(const char *module);

/*
 * The one of hook_modules that a symbol belongs to by its name ("kvm_destroy_vm": kvm). A guess: another
 * module can have such a name, too. NULL: the name does not tell.
 */
const char *hook_module_of(const char *symbol);

/* Whether a symbol is one of the functions hooked by a lock hook: the tracer's own frames end there. */
bool hook_is_lock_function(const char *symbol);
/* The same for hooks that tell of other things: deaths, initialisers, puts, unlocks. */
bool hook_is_call_function(const char *symbol);

#endif
