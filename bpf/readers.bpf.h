/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Readers of an rwsem. The lock keeps no list of them, so what a task reads is known only from
 * its calls: an entry is made when it reads (or asks to, and the return says whether it does)
 * and ends with its release. What that cannot be sure of is undone: the lock's count says when nobody
 * reads, and when a release may have been missed read_epoch changes and no earlier entry is
 * believed (src/kernel/readers.c). A release by another task than the reader leaves
 * the reader's entry until its next lock call at which nobody reads.
 */
#ifndef LOCKTRACE_READERS_BPF_H
#define LOCKTRACE_READERS_BPF_H

#include "hooks.bpf.h"

/* The current task's stack, if it is one that is inside; without a map access for all others. */
ALWAYS_INLINE struct lt_task_held *held_if_inside(void)
{
	__u64 task;

	if (!tasks_inside || !inside[inside_index((__u32)bpf_get_current_pid_tgid())])
		return NULL;
	task = bpf_get_current_task();
	return bpf_map_lookup_elem(&held, &task);
}

/* What became of the attempt: the last entry, as a task does nothing else meanwhile. */
static __noinline int read_returned(void *ctx, bool taken)
{
	struct lt_task_held *h = held_if_inside();
	struct lt_held *top = h ? held_top(h) : NULL;

	if (!top || !(top->flags & LT_HELD_ASKED) || !in_task(ctx))
		return 0;
	if (taken) {
		top->flags &= ~LT_HELD_ASKED;
		return 0;
	}
	h->count--;
	held_leave(h);
	return 0;
}

/*
 * The innermost entry of the lock for reading, or for writing; NULL: none. From the top down, so that
 * the verifier has nothing to remember from one turn to the next.
 */
ALWAYS_INLINE struct lt_held *held_find_rwsem(struct lt_task_held *h, __u64 addr, bool reading)
{
	for (__u32 i = 0; i < LT_HELD_MAX; i++) {
		struct lt_held *e = &h->held[(h->count - 1 - i) & HELD_MASK];

		if (i >= h->count)
			break;
		if (e->addr == addr && e->flags & LT_HELD_RWSEM && !(e->flags & LT_HELD_RELEASED) &&
		    !(e->flags & LT_HELD_READ) == !reading)
			return e;
	}
	return NULL;
}

/*
 * One by an interrupt may end what this task reads (mmap_lock is so released for a stack trace that was
 * taken with interrupts off), or what another one does. The task may be in the midst of changing its stack:
 * an interrupt only says that its reads are not to be believed.
 */
static __noinline int read_released(void *ctx, __u64 addr)
{
	struct lt_task_held *h = held_if_inside();
	struct lt_held *e = h ? held_find_rwsem(h, addr, true) : NULL;

	if (!e)
		return 0;
	if (!in_task(ctx)) {
		h->read_epoch = 0;
		return 0;
	}
	e->flags |= LT_HELD_RELEASED;
	if (e == held_top(h))
		h->count--;
	held_leave(h);
	return 0;
}

/* From a writer to a reader; before it is so, as no other lock call of this task comes in between. */
static __noinline int write_downgraded(void *ctx, __u64 addr)
{
	struct lt_task_held *h = held_if_inside();
	struct lt_held *e = h && read_epoch ? held_find_rwsem(h, addr, false) : NULL;

	if (e && in_task(ctx))
		e->flags |= LT_HELD_READ;
	return 0;
}

#define READ_PROGRAMS(function, mode, success)                                                      \
	SEC("fentry/" #function)                                                                    \
	int fentry_##function(__u64 *ctx)                                                           \
	{                                                                                           \
		return lock_call_fentry(ctx, scalar_of(ctx[0]), LT_FUNCTION_##function,             \
					HOW_##mode | HOW_ASKED);                                    \
	}                                                                                           \
	SEC("fexit/" #function)                                                                     \
	int fexit_##function(__u64 *ctx)                                                            \
	{                                                                                           \
		return tasks_inside ? read_returned(ctx, (__u32)ctx_word(ctx, 1) == (success)) : 0; \
	}                                                                                           \
	SEC("kprobe/" #function)                                                                    \
	int kprobe_##function(struct pt_regs *ctx)                                                  \
	{                                                                                           \
		return lock_call_kprobe(ctx, PT_REGS_PARM1(ctx), HOW_##mode | HOW_ASKED);           \
	}                                                                                           \
	SEC("kretprobe/" #function)                                                                 \
	int kretprobe_##function(struct pt_regs *ctx)                                               \
	{                                                                                           \
		return read_returned(ctx, (__u32)PT_REGS_RC(ctx) == (success));                     \
	}

LT_READ_FUNCTIONS(READ_PROGRAMS)

#define on_up_read read_released
#define on_downgrade_write write_downgraded

#define RELEASE_PROGRAMS(function)                             \
	SEC("fentry/" #function)                               \
	int fentry_##function(__u64 *ctx)                      \
	{                                                      \
		return on_##function(ctx, scalar_of(ctx[0]));  \
	}                                                      \
	SEC("kprobe/" #function)                               \
	int kprobe_##function(struct pt_regs *ctx)             \
	{                                                      \
		return on_##function(ctx, PT_REGS_PARM1(ctx)); \
	}

LT_RELEASE_FUNCTIONS(RELEASE_PROGRAMS)

#endif
