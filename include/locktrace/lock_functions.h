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

#endif
