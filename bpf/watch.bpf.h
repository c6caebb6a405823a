/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The watched locks: the map that says what each one is, and the filter in
 * front of it. Whoever adds or removes an entry (the map lets one caller
 * succeed) moves the filter's counter with it.
 */
#ifndef LOCKTRACE_WATCH_BPF_H
#define LOCKTRACE_WATCH_BPF_H

#include "state.bpf.h"

ALWAYS_INLINE void filter_add(__u64 addr, __u32 change)
{
	__sync_fetch_and_add(&filter[lt_filter_index(addr) & (LT_FILTER_SIZE - 1)], change);
}

/*
 * Watches a lock of a declared class. Returns 1 when it is new at this address
 * (or the address held something else so far), 0 when it was known.
 */
__noinline int watch_lock(__u64 addr, __u32 class_id, __u64 object, __u64 now, __u32 born)
{
	struct lt_watched value = { .generation = now,
				    .object = object,
				    .class_id = class_id,
				    .flags = lt_class_is_rwsem(class_id) ? LT_WATCHED_RWSEM : 0 };
	struct lt_watched *old = bpf_map_lookup_elem(&watched, &addr);

	if (!old) {
		if (!bpf_map_update_elem(&watched, &addr, &value, BPF_NOEXIST)) {
			filter_add(addr, 1);
			return 1;
		}
		old = bpf_map_lookup_elem(&watched, &addr);
		if (!old) {
			count_lost(LT_LOST_WATCHED);
			return 0;
		}
	}
	if (!born && old->class_id == class_id && old->object == object)
		return 0;
	if (old->flags & LT_WATCHED_LET_GO) {
		filter_add(addr, 1);
		__sync_fetch_and_add(&let_go_now, (__u64)-1);
	}
	if (old->class_id == LT_CLASS_FOREIGN)
		__sync_fetch_and_add(&foreign_now, (__u64)-1);
	bpf_map_update_elem(&watched, &addr, &value, BPF_EXIST);
	return 1;
}

/* The lock is no more, or is about to be another one. */
__noinline int unwatch_lock(__u64 addr)
{
	struct lt_watched *old = bpf_map_lookup_elem(&watched, &addr);
	__u32 flags, class_id;

	if (!old)
		return 0;
	flags = old->flags;
	class_id = old->class_id;
	if (bpf_map_delete_elem(&watched, &addr))
		return 0;
	if (flags & LT_WATCHED_LET_GO)
		__sync_fetch_and_add(&let_go_now, (__u64)-1);
	else
		filter_add(addr, (__u32)-1);
	if (class_id == LT_CLASS_FOREIGN)
		__sync_fetch_and_add(&foreign_now, (__u64)-1);
	return 0;
}

/*
 * Closure: a lock of no declared class, taken under a declared one, is watched
 * from now on, so that what is taken under it elsewhere is seen too. Returns
 * its generation, 0 when it could not be added.
 */
__noinline __u64 watch_foreign(__u64 addr, bool rwsem)
{
	struct lt_watched value = { .class_id = LT_CLASS_FOREIGN, .flags = rwsem ? LT_WATCHED_RWSEM : 0 };
	struct lt_watched *w = bpf_map_lookup_elem(&watched, &addr);
	struct init_info *init;

	if (w)
		return w->generation;
	if (foreign_now >= foreign_max) {
		count_lost(LT_LOST_CLOSURE);
		return 0;
	}
	init = bpf_map_lookup_elem(&inits, &addr);
	value.generation = init ? init->time_ns : bpf_ktime_get_boot_ns();
	if (!bpf_map_update_elem(&watched, &addr, &value, BPF_NOEXIST)) {
		filter_add(addr, 1);
		__sync_fetch_and_add(&foreign_now, 1);
		return value.generation;
	}
	w = bpf_map_lookup_elem(&watched, &addr);
	if (w)
		return w->generation;
	count_lost(LT_LOST_WATCHED);
	return 0;
}

#endif
