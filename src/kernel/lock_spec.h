/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * A lock of the user's own, named on the command line as STRUCT.MEMBER@SYMBOL (in
 * a static struct) or STRUCT.MEMBER@*SYMBOL (through a global pointer).
 */
#ifndef LOCKTRACE_KERNEL_LOCK_SPEC_H
#define LOCKTRACE_KERNEL_LOCK_SPEC_H

#include "kernel/kallsyms.h"
#include "kernel/tracer.h"
#include "kernel/types.h"

/*
 * Resolves a text to a class and an address by kallsyms and BTF; says on stderr
 * what is wrong with it. 0, or -EINVAL.
 */
int lock_spec_resolve(const char *text, struct kallsyms *symbols, struct types *types,
		      struct user_class *out);

#endif
