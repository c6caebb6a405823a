/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The held stack of a task. Only the task itself changes it, from its own lock
 * calls, so it needs no lock. An entry is pushed when the task asks for a lock
 * and counts only as long as the lock's owner field says that the task has it:
 * nothing needs to be hooked at unlock, and a lost event cannot leave a lock
 * behind that is not held. Only readers of an rwsem have no owner: see readers.bpf.h.
 */
#ifndef LOCKTRACE_HELD_BPF_H
#define LOCKTRACE_HELD_BPF_H

#include "state.bpf.h"

#define HELD_MASK (LT_HELD_MAX - 1)

ALWAYS_INLINE __u32 inside_index(__u32 tid)
{
	return tid & (LT_INSIDE_SIZE - 1);
}

ALWAYS_INLINE void inside_add(__u32 tid, __s64 change)
{
	__sync_fetch_and_add(&inside[inside_index(tid)], (__u32)change);
	__sync_fetch_and_add(&tasks_inside, (__u64)change);
}

ALWAYS_INLINE void held_enter(struct lt_task_held *h)
{
	if (h->inside)
		return;
	h->inside = 1;
	inside_add(h->tid, 1);
}

/* The task is neither in a scope nor holds anything: its locks are no longer looked at. */
ALWAYS_INLINE void held_leave(struct lt_task_held *h)
{
	if (!h->inside || h->count || h->scope || h->seeds)
		return;
	h->inside = 0;
	inside_add(h->tid, -1);
}

/* The current task's stack, made when missing; NULL when there is no room. */
static __noinline struct lt_task_held *held_get_or_new(__u64 task)
{
	struct lt_task_held *h = bpf_map_lookup_elem(&held, &task);

	if (h)
		return h;
	bpf_map_update_elem(&held, &task, &fresh_held, BPF_NOEXIST);
	h = bpf_map_lookup_elem(&held, &task);
	if (!h) {
		count_lost(LT_LOST_TASKS);
		return NULL;
	}
	h->tid = (__u32)bpf_get_current_pid_tgid();
	h->read_epoch = read_epoch;
	return h;
}

/*
 * What makes one entry the same as another in a chain: the lock (address and
 * generation) and how it was taken. Where the generation is not known, the
 * place stands in for it: memory that is used again for another kind of lock is
 * locked from another place.
 */
ALWAYS_INLINE __u64 entry_hash(__u64 hash, const struct lt_held *e)
{
	__u64 which = e->generation ? e->generation : e->ip;

	hash = (hash ^ e->addr) * LT_HASH_FACTOR;
	hash ^= hash >> 29;
	hash = (hash ^ which ^ e->flags) * LT_HASH_FACTOR;
	return hash ^ (hash >> 32);
}

/* A reader's entry stands until its release, unless the lock says that nobody reads. */
ALWAYS_INLINE bool read_is_held(__u64 addr, __u32 flags, bool believed)
{
	if (flags & (LT_HELD_ASKED | LT_HELD_RELEASED) || !rwsem_has_readers(addr))
		return false;
	if (!believed)
		count_lost(LT_LOST_READERS);
	return believed;
}

/*
 * How many locks of an entry the current task holds: of a run (count of them) none, its first one only, or
 * all, as its newest is held. Numbers, as of all functions here that are not static: the verifier checks such
 * a one once for a program, and not anew in each state that it is called in (51c39bb1d5d1, 5.6).
 */
__noinline int entry_held_count(__u64 addr, __u64 last_addr, __u32 count, __u32 flags, __u32 believed)
{
	__u64 task = bpf_get_current_task();

	if (rwsems && flags & LT_HELD_READ)
		return read_is_held(addr, flags, believed);
	if (count > 1 && lock_owner(last_addr, false) == task)
		return count;
	return lock_owner(addr, flags & LT_HELD_RWSEM) == task;
}

/*
 * Drops what the task no longer owns and hashes what is left. "kept" lives in
 * the map and not in a register on purpose: the verifier then knows one state
 * for each turn of the loop instead of one for each number kept.
 */
static __noinline int held_prune(struct lt_task_held *h)
{
	__u64 hash = 0, epoch = read_epoch;
	bool believed = h->read_epoch == epoch;

	h->read_epoch = epoch;
	h->kept = 0;
	h->declared = 0;
	for (__u32 i = 0; i < LT_HELD_MAX; i++) {
		struct lt_held *e = &h->held[i];
		__u32 to, held;

		if (i >= h->count)
			break;
		held = entry_held_count(e->addr, e->last_addr, e->count, e->flags, believed);
		if (!held)
			continue;
		/* A run whose newest lock is not owned (its attempt failed, or it is being undone). */
		if (held == 1)
			e->last_addr = e->addr;
		e->count = held;
		barrier();
		to = h->kept & HELD_MASK;
		if (to != i)
			h->held[to] = *e;
		hash = entry_hash(hash, e);
		if (e->class_id != LT_CLASS_FOREIGN)
			h->declared++;
		h->kept = to + 1;
		barrier();
	}
	h->count = h->kept;
	h->hash = hash;
	return 0;
}

/* The current task's, for those who come here in many states (see entry_held_count()). 0: it has none. */
__noinline int held_prune_own(__u64 task)
{
	struct lt_task_held *h = bpf_map_lookup_elem(&held, &task);

	if (!h)
		return 0;
	held_prune(h);
	return 1;
}

/* Whether a lock is on the stack of a task, at whichever end of a run. */
__noinline int held_contains(__u64 task, __u64 addr)
{
	struct lt_task_held *h = bpf_map_lookup_elem(&held, &task);

	for (__u32 i = 0; h && i < LT_HELD_MAX; i++) {
		if (i >= h->count)
			break;
		if (h->held[i].addr == addr || h->held[i].last_addr == addr)
			return 1;
	}
	return 0;
}

/* Where a lock on a stack was taken; 0: unknown. */
__noinline __u64 held_place(__u64 task, __u64 addr)
{
	struct lt_task_held *h = bpf_map_lookup_elem(&held, &task);

	for (__u32 i = 0; h && i < LT_HELD_MAX; i++) {
		if (i >= h->count)
			break;
		if (h->held[i].addr == addr)
			return h->held[i].ip;
	}
	return 0;
}

/* The entry taken last, or NULL. */
ALWAYS_INLINE struct lt_held *held_top(struct lt_task_held *h)
{
	return h->count ? &h->held[(h->count - 1) & HELD_MASK] : NULL;
}

/* Whether a lock continues a run: one more vCPU mutex on top of others, as when all of a VM are taken. */
ALWAYS_INLINE bool held_is_run(const struct lt_held *top, const struct lt_held *e)
{
	return top && e->class_id == LT_CLASS_KVM_VCPU_MUTEX && top->class_id == e->class_id &&
	       top->flags == e->flags && top->addr != e->addr;
}

ALWAYS_INLINE void held_push(struct lt_task_held *h, const struct lt_held *e)
{
	struct lt_held *top = held_top(h);

	if (held_is_run(top, e)) {
		top->last_addr = e->addr;
		top->count++;
		return;
	}
	if (h->count >= LT_HELD_MAX) {
		count_lost(LT_LOST_DEPTH);
		return;
	}
	h->held[h->count & HELD_MASK] = *e;
	h->count++;
	h->hash = entry_hash(h->hash, e);
}

/* Takes over what the task was found to hold when we came, if it still does. */
__noinline int held_take_seeds(__u64 task)
{
	struct lt_task_held *h = bpf_map_lookup_elem(&held, &task);

	if (!h)
		return 0;
	for (__u32 i = 0; i < LT_SEEDS_MAX; i++) {
		__u64 addr = h->seed[i];
		struct lt_watched *w;
		struct lt_held e = {};

		if (i >= h->seeds)
			break;
		w = bpf_map_lookup_elem(&watched, &addr);
		if (!w || lock_owner(addr, w->flags & LT_WATCHED_RWSEM) != task || held_contains(task, addr))
			continue;
		e.addr = addr;
		e.last_addr = addr;
		e.generation = w->generation;
		e.object = w->object;
		e.class_id = w->class_id;
		e.count = 1;
		e.flags = LT_HELD_SEEDED | (w->flags & LT_WATCHED_RWSEM ? LT_HELD_RWSEM : 0);
		held_push(h, &e);
		if (e.class_id != LT_CLASS_FOREIGN)
			h->declared++;
	}
	h->seeds = 0;
	if (h->seed_counted) {
		h->seed_counted = 0;
		if (h->inside)
			inside_add(h->tid, -1);
		h->inside = 1;
	}
	return 0;
}

#endif
