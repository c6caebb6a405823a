/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Which modules are loaded: those that hooks are for, and whether any came or went. */
#ifndef LOCKTRACE_KERNEL_MODULES_H
#define LOCKTRACE_KERNEL_MODULES_H

#include <stdint.h>

#include "kernel/kallsyms.h"

enum module_state {
	MODULE_ABSENT,
	MODULE_LIVE, /* loaded, and its init is over */
	MODULE_BUILT_IN,
};

/* State of a module; "": the kernel image, built in. Only of hook_modules it is known that one is built in.
 */
enum module_state module_state(struct kallsyms *symbols, const char *module);

/* Tells a loaded module, live or not, from the same one loaded again. 0: it is not loaded; also of "". */
uint64_t module_id(const char *module);

/* Of the names of all modules that are live: another number when one came or went. */
uint64_t modules_hash(void);

#endif
