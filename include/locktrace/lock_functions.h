/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The lock functions: the one table of what is hooked to see a lock taken.
 * The kernel side expands it into one fentry and one kprobe program a row,
 * the user side into the list of what to attach. To follow one more function,
 * add a row.
 *
 * LT_LOCK_FUNCTIONS(X): X(function, argument that is the lock, mode)
 *   BLOCK    waits until it has the lock, or fails: seen at entry, as an
 *            attempt; one that failed is pruned by the lock's owner
 *   TRY      never waits: as BLOCK, but makes no incoming dependency
 *
 * LT_LOCK_RETURN_FUNCTIONS(X): the same, for those that only sometimes take
 * the lock and tell by their return value: seen at return, when it is 1.
 *
 * Where a function is inlined into another on some kernels: Linux 6.1 and
 * 6.12, kernel/locking/mutex.c; atomic_dec_and_mutex_lock() has the mutex
 * code inlined on kernels without PREEMPT_RT and calls mutex_lock() with it.
 */
#ifndef LOCKTRACE_LOCK_FUNCTIONS_H
#define LOCKTRACE_LOCK_FUNCTIONS_H

#define LT_LOCK_FUNCTIONS(X)                  \
	X(mutex_lock, 0, BLOCK)               \
	X(mutex_lock_interruptible, 0, BLOCK) \
	X(mutex_lock_killable, 0, BLOCK)      \
	X(mutex_lock_io, 0, BLOCK)            \
	X(mutex_trylock, 0, TRY)

#define LT_LOCK_RETURN_FUNCTIONS(X) X(atomic_dec_and_mutex_lock, 1, BLOCK)

/* LT_UNLOCK_FUNCTIONS(X): X(function, argument that is the lock): hooked with --check-unlock only. */
#define LT_UNLOCK_FUNCTIONS(X) X(mutex_unlock, 0)

/*
 * Rwsems, hooked with --rwsem only: page faults call them too. Whoever has one for
 * writing is its owner, as with a mutex, so an attempt that failed is pruned. A reader
 * leaves no owner: its entry stays until a release is seen.
 *
 * LT_RWSEM_FUNCTIONS(X): X(function, argument that is the lock, mode)
 *   WRITE, TRY_WRITE   as BLOCK and TRY
 *   READ               waits until it has the lock, and cannot fail
 *
 * LT_READ_FUNCTIONS(X): X(function, mode, result when it has the lock): reading that can
 * fail. An attempt at entry, of which only the return says what became of it.
 *
 * LT_RELEASE_FUNCTIONS(X): X(function): ends a reader's entry, or begins one.
 *
 * Linux 5.10 to 7.2, kernel/locking/rwsem.c: none of these calls another one, and without
 * lockdep the _nested and _non_owner forms are macros for these.
 */
#define LT_RWSEM_FUNCTIONS(X)               \
	X(down_write, 0, WRITE)             \
	X(down_write_killable, 0, WRITE)    \
	X(down_write_trylock, 0, TRY_WRITE) \
	X(down_read, 0, READ)

#define LT_READ_FUNCTIONS(X)                \
	X(down_read_interruptible, READ, 0) \
	X(down_read_killable, READ, 0)      \
	X(down_read_trylock, TRY_READ, 1)

#define LT_RELEASE_FUNCTIONS(X) \
	X(up_read)              \
	X(downgrade_write)

/* As LT_UNLOCK_FUNCTIONS, with both --check-unlock and --rwsem. */
#define LT_RWSEM_UNLOCK_FUNCTIONS(X) X(up_write, 0)

#endif
