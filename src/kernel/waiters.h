/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Which tasks sleep in which lock, right now, on a host where nothing was attached before: an
 * iterator over the tasks, and reading of kernel memory. Sees the tasks of its own process id
 * namespace (the kernel's iterator does so). One thread.
 */
#ifndef LOCKTRACE_KERNEL_WAITERS_H
#define LOCKTRACE_KERNEL_WAITERS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/kallsyms.h"
#include "kernel/types.h"
#include "kernel/waiter_scan.h"
#include "model/wait_graph.h"

struct waiters;

struct waiters_options {
	uint64_t deadline_ns; /* CLOCK_BOOTTIME: past this the look ends as it is, partial; 0: none */
	uint32_t task; /* a process or thread whose tasks are in the look even if they do not wait; 0 */
	bool all;      /* all tasks are in the look */
	/* For tests: as on a kernel that does not have task->blocked_on and task->blocker. */
	bool stack_only;
};

/* Which parts of mutexes and rwsems are where on this kernel, and whether all is as known here. */
void waiters_find_layout(struct types *types, struct scan_layout *out);

/*
 * Loads the programs. Can block where the kernel's text_mutex is stuck: call it in a child that may be
 * left behind. The tables must outlive it. 0, or negative errno after an error message.
 */
int waiters_open(struct kallsyms *symbols, struct types *types, struct waiters **out);
void waiters_close(struct waiters *waiters);

/*
 * One look: all tasks that wait (for a lock, or in D state in something else), all that own a
 * lock that is waited for, and those asked for. Free it with waiters_free_look(). 0, or negative errno
 * after an error message.
 */
int waiters_look(struct waiters *waiters, const struct waiters_options *options, struct wait_look *out);
void waiters_free_look(struct wait_look *look);

/* The slab cache whose memory an address is of. */
struct waiters_slab {
	uint64_t addr;
	uint32_t offset; /* in the object of the cache, bytes */
	uint32_t reserved;
	char name[LT_NAME_LEN];
};

/* 0; -ENOENT: none, or it cannot be told (other machines than x86-64). */
int waiters_slab(struct waiters *waiters, uint64_t addr, struct waiters_slab *out);

#endif
