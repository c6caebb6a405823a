/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Whether, and how, this kernel preempts tasks in kernel code. That decides how
 * functions are attached to: a task preempted inside an fentry program makes all
 * others on its CPU skip that program (its recursion guard, ca06f55b9002).
 */
#ifndef LOCKTRACE_KERNEL_PREEMPTION_H
#define LOCKTRACE_KERNEL_PREEMPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/kallsyms.h"
#include "kernel/types.h"

enum preemption {
	PREEMPTION_UNKNOWN, /* counts as preemptible */
	PREEMPTION_NONE,
	PREEMPTION_VOLUNTARY,
	PREEMPTION_FULL,
	PREEMPTION_LAZY,
	PREEMPTION_RT,
};

/* "unknown", "none", "voluntary", "full", "lazy", "rt". */
const char *preemption_name(enum preemption mode);

/*
 * The mode now, and to *how, a constant, what told it. On many kernels root can change it at any time.
 * symbols may be NULL.
 */
enum preemption preemption_mode(struct types *types, struct kallsyms *symbols, const char **how);

/* Whether a task can be preempted in a program; so it is assumed where that is not known. */
bool preemption_preempts(enum preemption mode);

/* What debugfs sched/preempt says: the mode in brackets, "none voluntary (full)". */
enum preemption preemption_of_debugfs(const char *text);

/*
 * What the kernel's variable preempt_dynamic_mode says (826bfeb37bb4, 5.12): the words of debugfs in their
 * order; -1 early in the boot.
 */
enum preemption preemption_of_variable(uint32_t value);

/*
 * What "uname -v" says, and for kernels that choose at boot (PREEMPT_DYNAMIC) the
 * command line. What told it goes to *how, a constant.
 */
enum preemption preemption_of_version(const char *version, const char *cmdline, const char **how);

#endif
