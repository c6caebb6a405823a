/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last resort, where the kernel lets nothing be hooked: the tracepoint contention_begin
 * (16edd9b511a1, 5.19) runs when a task is about to wait for a lock. What the task holds is
 * then found by asking each watched lock who owns it: a true set, without an order. Locks
 * that nobody waits for are not seen, nor is how a lock that is held was taken.
 */
#ifndef LOCKTRACE_CONTENTION_BPF_H
#define LOCKTRACE_CONTENTION_BPF_H

#include "hooks.bpf.h"
#include "task_state.bpf.h"

/* include/trace/events/lock.h; LCB_F_MUTEX since dc1f7893a70f, of the same release. */
#define LCB_F_MUTEX (1U << 5)

/* Owners that are read in a tenth of a second for tasks that wait for a lock that is not watched. */
#define WALK_READS 400000
#define WALK_WINDOW_NS 100000000ULL

/* Frames down to the caller of the lock function: our own, the tracepoint's, the mutex code's, its. */
#define WAIT_FRAMES 24
#define WAIT_FOUND_MAX 64

/* Too large for the stack. A tracepoint in a mutex's slow path runs with preemption off. */
struct wait_found {
	__u64 task;
	__u64 count;
	__u64 found[WAIT_FOUND_MAX];
	__u64 frame[WAIT_FRAMES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wait_found);
} wait_scratch SEC(".maps");

/* The watched locks, one after the other: to read their owners takes 7 to 9 ns each, by
 * way of the map 30 and 1.6 for each of its places. */
struct lt_walk_list walk_lists[2] = {};
__u32 walk_now = 0; /* the one in use; user space fills the other */

__u64 walk_window = 0, walk_reads = 0;

/* The code of the mutexes, and within it that of ww_mutexes, which is not followed. */
const volatile __u64 lock_text_start = 0, lock_text_end = 0;
const volatile struct lt_text_range ww_text[LT_WW_RANGES] = {};

/* Another CPU may be about to add a waiter or to take one out. */
#define MUTEX_TRIES 3

ALWAYS_INLINE bool leads_back(__u64 head)
{
	__u64 next = 0, back = 0;

	bpf_probe_read_kernel(&next, sizeof(next),
			      (void *)(head + bpf_core_field_offset(struct list_head, next)));
	bpf_probe_read_kernel(&back, sizeof(back),
			      (void *)(next + bpf_core_field_offset(struct list_head, prev)));
	return back == head;
}

/*
 * Is there a mutex still? Memory that was freed may hold a task's address for another reason; a
 * ring of waiters that leads back to its lock it will not hold. From 7.x on there is one
 * pointer, to the first waiter (its ring is checked).
 */
static __noinline int looks_like_mutex(__u64 addr)
{
	__u64 first;

	if (bpf_core_field_exists(((struct mutex *)0)->wait_list))
		return leads_back(addr + bpf_core_field_offset(struct mutex, wait_list));
	first = (__u64)BPF_CORE_READ((struct mutex___with_first_waiter *)addr, first_waiter);
	return !first || leads_back(first + bpf_core_field_offset(struct mutex_waiter, list));
}

static __noinline int is_mutex(__u64 addr)
{
	for (int i = 0; i < MUTEX_TRIES; i++)
		if (looks_like_mutex(addr))
			return 1;
	return 0;
}

struct walk {
	struct wait_found *wait;
	__u32 list;
	bool runs; /* second pass: the locks of which a task can have many */
	struct lt_task_held *h;
};

static long walk_one(__u32 index, struct walk *walk)
{
	struct wait_found *wait = walk->wait;
	__u64 addr = walk_lists[walk->list & 1].lock[index & (LT_WALK_MAX - 1)];

	if (!addr || lock_owner(addr, false) != wait->task || !is_mutex(addr))
		return 0;
	if (wait->count >= WAIT_FOUND_MAX) {
		count_lost(LT_LOST_DEPTH);
		return 1;
	}
	wait->found[wait->count & (WAIT_FOUND_MAX - 1)] = addr;
	wait->count++;
	return 0;
}

/*
 * What may be spent on walks is bounded: 4 million owners a second, some 4 % of a CPU, and as much
 * again for those who wait for a watched lock. Beyond it waits are counted as lost.
 */
static __noinline int walk_is_affordable(__u32 count, bool is_watched)
{
	__u64 now = bpf_ktime_get_ns();

	if (now - walk_window >= WALK_WINDOW_NS) {
		walk_window = now;
		walk_reads = 0;
	}
	if (walk_reads + count > (is_watched ? 2 : 1) * WALK_READS) {
		count_lost(LT_LOST_WAITS);
		return 0;
	}
	__sync_fetch_and_add(&walk_reads, count);
	return 1;
}

/* One that was found goes on the held stack, once. Of vCPUs' mutexes there is a run, on top. */
static long found_push(__u32 index, struct walk *walk)
{
	__u64 addr = walk->wait->found[index & (WAIT_FOUND_MAX - 1)];
	struct lt_watched *w = bpf_map_lookup_elem(&watched, &addr);
	struct lt_held e = {};

	if (!w || (w->class_id == LT_CLASS_KVM_VCPU_MUTEX) != walk->runs ||
	    held_contains(walk->wait->task, addr))
		return 0;
	e.addr = addr;
	e.last_addr = addr;
	e.generation = w->generation;
	e.object = w->object;
	e.class_id = w->class_id;
	e.count = 1;
	e.flags = LT_HELD_SEEDED | LT_HELD_FOUND;
	held_push(walk->h, &e);
	if (e.class_id != LT_CLASS_FOREIGN)
		walk->h->declared++;
	else
		w->met_ns = bpf_ktime_get_ns();
	return 0;
}

/* What the task holds, made anew at each wait: all of it was found now. */
static __noinline int held_find(struct lt_task_held *h, struct wait_found *wait)
{
	struct walk walk = { .wait = wait, .h = h };

	h->count = 0;
	h->declared = 0;
	h->hash = 0;
	bpf_loop(wait->count, found_push, &walk, 0);
	walk.runs = true;
	bpf_loop(wait->count, found_push, &walk, 0);
	return 0;
}

/* Where the lock function was called from: the first frame behind the mutex code. 0: not found; 1: a
 * ww_mutex. */
static __noinline __u64 wait_place(void *ctx, struct wait_found *wait)
{
	long bytes = bpf_get_stack(ctx, wait->frame, sizeof(wait->frame), 0);
	bool inside_lock = false;

	for (__u32 i = 0; i < WAIT_FRAMES; i++) {
		__u64 at = wait->frame[i];

		if ((long)(i * sizeof(at)) >= bytes)
			break;
		if (at - lock_text_start >= lock_text_end - lock_text_start) {
			if (inside_lock)
				return at;
			continue;
		}
		inside_lock = true;
		for (__u32 k = 0; k < LT_WW_RANGES; k++)
			if (at - ww_text[k].start < ww_text[k].size)
				return 1;
	}
	return 0;
}

/* The mutex code tells of each turn of a wait; the task has then said already that it will sleep. */
static __noinline int wait_is_told(__u64 task, __u64 addr)
{
	struct lt_task_held *h;
	struct lt_held *top;

	if (!task_state((struct task_struct *)task))
		return 0;
	h = bpf_map_lookup_elem(&held, &task);
	top = h ? held_top(h) : NULL;
	return top && top->last_addr == addr;
}

/* A foreign lock that became watched is walked from now on; user space takes it over into its next list. */
ALWAYS_INLINE void walk_add(__u64 addr)
{
	struct lt_walk_list *list = &walk_lists[walk_now & 1];
	__u32 slot = __sync_fetch_and_add(&list->count, 1);

	if (slot < LT_WALK_MAX)
		list->lock[slot & (LT_WALK_MAX - 1)] = addr;
}

static __noinline int wait_tell(void *ctx, struct lt_task_held *h, struct lt_watched *w, struct lt_held *e)
{
	__u64 task = bpf_get_current_task();
	__u32 how = lock_is_own(e->addr, false, task) ? HOW_OWN : HOW_BLOCK;

	if (w) {
		e->generation = w->generation;
		e->object = w->object;
		e->class_id = w->class_id;
		if (w->class_id == LT_CLASS_FOREIGN)
			w->met_ns = bpf_ktime_get_ns();
	}
	if (h->count || how & HOW_OWN)
		chain_check(ctx, h, e, task, how);
	if (!w && e->generation)
		walk_add(e->addr);
	/* The task's last call: whether it is in a deadlock, or waits for long, is seen by that. */
	held_push(h, e);
	return 0;
}

static __noinline int wait_begins(void *ctx, __u64 addr)
{
	struct walk walk = { .list = walk_now & 1 };
	__u64 task = bpf_get_current_task();
	struct lt_held e = { .addr = addr, .last_addr = addr, .count = 1 };
	struct lt_watched *w = NULL;
	struct lt_task_held *h;
	__u32 zero = 0, count = walk_lists[walk.list].count;

	walk.wait = bpf_map_lookup_elem(&wait_scratch, &zero);
	if (!walk.wait || wait_is_told(task, addr))
		return 0;
	if (filter[lt_filter_index(addr) & (LT_FILTER_SIZE - 1)])
		w = bpf_map_lookup_elem(&watched, &addr);
	if (count > LT_WALK_MAX)
		count = LT_WALK_MAX;
	if (!walk_is_affordable(count, w))
		return 0;
	walk.wait->task = task;
	walk.wait->count = 0;
	bpf_loop(count, walk_one, &walk, 0);
	if (!w && !walk.wait->count)
		return 0;
	e.ip = wait_place(ctx, walk.wait);
	if (e.ip == 1)
		return 0;
	h = held_get_or_new(task);
	if (!h)
		return 0;
	held_find(h, walk.wait);
	return wait_tell(ctx, h, w, &e);
}

/* A mutex only: spinlocks and rwsems come here too. A mutex on the task's own stack is nobody else's. */
SEC("raw_tp/contention_begin")
int contention_begin(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 addr = ctx->args[0];

	if (!(ctx->args[1] & LCB_F_MUTEX) || !in_task(ctx) || on_stack(addr, scalar_of((__u64)ctx)))
		return 0;
	return wait_begins(ctx, addr);
}

#endif
