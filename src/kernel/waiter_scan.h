/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Which lock does a sleeping task wait for? Found by the record of its waiting on its
 * kernel stack (struct mutex_waiter, struct rwsem_waiter), and believed only when all that
 * belongs together agrees: the record names the task, its neighbours on the lock's list point
 * back, the list is a ring of records that lie on the stacks of the tasks they name, it leads to a
 * lock, and that lock says that it has waiters and is owned by a task that lives, or by none.
 *
 * Pure: kernel memory is read through a function. The kernel goes on meanwhile, so anything
 * that is read may be torn; what does not agree is tried again and then given up.
 */
#ifndef LOCKTRACE_KERNEL_WAITER_SCAN_H
#define LOCKTRACE_KERNEL_WAITER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scan_kind { SCAN_MUTEX, SCAN_RWSEM, SCAN_KINDS };

/* Where things are in the kernel's structures, from BTF; bytes. */
struct scan_layout {
	struct scan_lock_layout {
		bool known; /* false: this kernel's locks of the kind are something else */
		/*
		 * An rt_mutex, PREEMPT_RT's mutex: its waiters are a tree, and each one's record has
		 * the lock. "waiters" is then the pointer to the first one's node, "list" the node. For
		 * scan_realtime() and scan_lock() only.
		 */
		bool realtime;
		/*
		 * What the lock has of its waiters: a list head that is one of the ring (wait_list), or,
		 * in 7.x, a pointer to the first waiter (first_waiter), and the ring is of waiters only.
		 */
		bool first_waiter;
		uint32_t waiters;
		uint32_t owner;
		uint32_t count; /* rwsem */
		/* In the record of a waiter. */
		uint32_t list, task;
		uint32_t type; /* rwsem: enum rwsem_waiter_type */
		uint32_t lock; /* realtime: the lock, whose first member is the rt_mutex */
	} of[SCAN_KINDS];
};

/* The outside, as of this look. */
struct scan_world {
	void *context;
	/* Reads kernel memory; 0, or not: there is none. */
	int (*read)(void *context, uint64_t address, void *out, size_t size);
	/* Is there such a living task? */
	bool (*task_known)(void *context, uint64_t task);
	/* Does an address lie on the kernel stack of this task? False for unknown tasks. */
	bool (*task_has_stack)(void *context, uint64_t task, uint64_t address);
};

/* A lock that is waited for, as it was when it was first met. */
struct scan_lock {
	enum scan_kind kind;
	uint64_t address;
	uint64_t owner;   /* task; 0: none, or readers */
	uint32_t readers; /* rwsem: how many hold it for reading */
	bool pickup;      /* mutex: given to the owner, which has not taken it up yet */
};

struct scan_wait {
	const struct scan_lock *lock; /* valid until scan_close() */
	uint64_t record;              /* address of the waiter's record; 0: not looked for */
	bool write;                   /* rwsem: waits for writing */
};

struct scan;

/* 0 or -ENOMEM. The scan remembers rings and locks: one for each look. */
int scan_open(const struct scan_layout *layout, const struct scan_world *world, struct scan **out);
void scan_close(struct scan *scan);

/*
 * The wait of a task that sleeps: stack is what its kernel stack holds from its stack pointer
 * sp on. Nothing below sp is looked at: what lies there is of calls that have returned.
 * 0; -ENOENT: no record; -EAGAIN: there is one, but what it leads to does not agree; -ENOMEM.
 */
int scan_stack(struct scan *scan, enum scan_kind kind, uint64_t task, uint64_t sp, const void *stack,
	       size_t size, struct scan_wait *out);

/* The wait by the address of its record, which must be the task's (debug kernels' task->blocked_on). */
int scan_record(struct scan *scan, enum scan_kind kind, uint64_t task, uint64_t record,
		struct scan_wait *out);

/*
 * The wait for a realtime lock by the address of its record, which must be the task's (task->pi_blocked_on).
 * 0, -EAGAIN or -ENOMEM.
 */
int scan_realtime(struct scan *scan, enum scan_kind kind, uint64_t task, uint64_t record,
		  struct scan_wait *out);

/* A lock that is said to be waited for. 0; -EAGAIN: it does not look like one; -ENOMEM. */
int scan_lock(struct scan *scan, enum scan_kind kind, uint64_t address, const struct scan_lock **out);

#endif
