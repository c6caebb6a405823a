/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Which kinds of attaching to try for a function, best first. */
#ifndef LOCKTRACE_KERNEL_ATTACH_ORDER_H
#define LOCKTRACE_KERNEL_ATTACH_ORDER_H

#include "kernel/preemption.h"
#include "kernel/tracer.h"

/*
 * A constant list, ATTACH_AUTO at its end. One that was asked for (wanted) is the only one. no_fentry: the
 * kernel refuses it, so that it is not among those to choose from.
 */
const enum attach_kind *attach_order(enum attach_kind wanted, enum preemption mode, bool no_fentry);

#endif
