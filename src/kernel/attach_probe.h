/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Whether this kernel lets this user attach to functions: tried, before the hooks are loaded. */
#ifndef LOCKTRACE_KERNEL_ATTACH_PROBE_H
#define LOCKTRACE_KERNEL_ATTACH_PROBE_H

#include <stdbool.h>

#include "kernel/types.h"

/*
 * Whether trampoline programs (fentry) are refused with EPERM while others load. False where anything else
 * went wrong: the hooks' own errors say more.
 */
bool attach_probe_refuses_fentry(struct types *types);

/* The same, and there are no kprobes either. */
bool attach_probe_refuses_all(struct types *types);

#endif
