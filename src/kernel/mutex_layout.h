/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Where a mutex of this kernel keeps its owner, and what else is in that word. With PREEMPT_RT a
 * mutex is an rt_mutex inside. The one place that knows: the kernel side gets it as knobs, and all that read
 * an owner from user space ask here.
 */
#ifndef LOCKTRACE_KERNEL_MUTEX_LAYOUT_H
#define LOCKTRACE_KERNEL_MUTEX_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/types.h"

struct mutex_layout {
	bool realtime;   /* it is an rt_mutex inside, its first member */
	uint32_t owner;  /* offset of the owner's word in the mutex, bytes */
	uint64_t flags;  /* bits of that word that are no part of the address */
	uint64_t pickup; /* of these: given to the owner, which has not taken it up yet; 0: there is none */
};

/* 0, or -ENOENT: the kernel's types do not tell. */
int mutex_layout_find(struct types *types, struct mutex_layout *out);

#endif
