/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a task does while locks are held, other than taking one: calls that rules
 * speak of, references that are put, and misuse of a lock (released by another
 * than its owner, freed or initialised while held). Each is told once for each held
 * stack (and, what rules judge, once more when these change), in the same form as a chain.
 */
#ifndef LOCKTRACE_CALLS_BPF_H
#define LOCKTRACE_CALLS_BPF_H

#include "hooks.bpf.h"
#include "kvm.h"

/* Of calls that rules judge. The function's number and what it is are in the bits below. */
ALWAYS_INLINE __u64 call_epoch(const struct lt_call *call)
{
	bool judged = call->what == LT_CALL_FUNCTION || call->what == LT_CALL_NOT_LAST;

	return judged ? rules_epoch << 40 : 0;
}

/* Told already, for this held stack (and lock)? Then only counted. */
static __noinline int call_tell(void *ctx, struct lt_task_held *h, const struct lt_held *lock,
				const struct lt_call *call)
{
	struct lt_chain_seen fresh = { .first_task = bpf_get_current_task(), .hits = 1 };
	struct sending what = { .type = LT_RECORD_CALL, .call = *call };
	struct lt_chain_seen *seen;

	what.key = entry_hash(h->hash + ((__u64)call->what << 32 | call->function) + call_epoch(call), lock);
	seen = bpf_map_lookup_elem(&chains, &what.key);
	if (seen) {
		__sync_fetch_and_add(&seen->hits, 1);
		return 0;
	}
	if (lock->addr && lock->class_id == LT_CLASS_FOREIGN &&
	    lock_tell(lock->addr, lock->generation, lock->ip, 0))
		return 0;
	if (held_tell(h) || chain_send(ctx, h, lock, &what))
		return 0;
	bpf_map_update_elem(&chains, &what.key, &fresh, BPF_ANY); /* failed: sent again, not lost */
	return 0;
}

/* Whether the task holds a lock of one of these classes. */
static __noinline int held_has_class(const struct lt_task_held *h, const struct lt_class_set *set)
{
	for (__u32 i = 0; i < LT_HELD_MAX; i++) {
		__u32 class_id;

		if (i >= h->count)
			break;
		class_id = h->held[i].class_id & (LT_CLASS_USER_MAX - 1);
		if (set->word[class_id / 64] >> class_id % 64 & 1)
			return 1;
	}
	return 0;
}

/* A call by a task that may hold something. One by an interrupt on top of it is none of its own. */
static __noinline int call_made(void *ctx, const struct lt_class_set *set, struct lt_call *call)
{
	__u64 task = bpf_get_current_task();
	struct lt_task_held *h;
	struct lt_held none = {};

	if (!in_task(ctx))
		return 0;
	h = bpf_map_lookup_elem(&held, &task);
	if (!h)
		return 0;
	held_prune(h, task);
	if (h->seeds)
		held_take_seeds(h, task);
	if (held_has_class(h, set))
		call_tell(ctx, h, &none, call);
	return 0;
}

ALWAYS_INLINE int call_slot(void *ctx, __u32 slot, __u64 argument)
{
	struct lt_call call = { .what = LT_CALL_FUNCTION, .function = slot, .argument = argument };

	return tasks_inside ? call_made(ctx, &call_classes[slot], &call) : 0;
}

#define CALL_PROGRAMS(slot)                                      \
	SEC("fentry/call")                                       \
	int fentry_call_##slot(__u64 *ctx)                       \
	{                                                        \
		return call_slot(ctx, slot, ctx_word(ctx, 0));   \
	}                                                        \
	SEC("kprobe/call")                                       \
	int kprobe_call_##slot(struct pt_regs *ctx)              \
	{                                                        \
		return call_slot(ctx, slot, PT_REGS_PARM1(ctx)); \
	}

LT_CALL_SLOT_LIST(CALL_PROGRAMS)

/* refcount_read(): a plain number in a struct of its own. */
ALWAYS_INLINE int put_made(void *ctx, __u32 function, __u64 object, __u32 offset)
{
	struct lt_call call = { .what = LT_CALL_NOT_LAST, .function = function, .argument = object };
	int references = 0;

	if (!tasks_inside)
		return 0;
	bpf_probe_read_kernel(&references, sizeof(references), (void *)(object + offset));
	return references > 1 ? call_made(ctx, &put_classes, &call) : 0;
}

#define PUT_PROGRAMS(module, function, type, member, ...)                    \
	SEC("fentry/" #function)                                             \
	int fentry_put_##function(__u64 *ctx)                                \
	{                                                                    \
		return put_made(ctx, LT_PUT_##function, ctx_word(ctx, 0),    \
				bpf_core_field_offset(struct type, member)); \
	}                                                                    \
	SEC("kprobe/" #function)                                             \
	int kprobe_put_##function(struct pt_regs *ctx)                       \
	{                                                                    \
		return put_made(ctx, LT_PUT_##function, PT_REGS_PARM1(ctx),  \
				bpf_core_field_offset(struct type, member)); \
	}

LT_PUTS(PUT_PROGRAMS)

/* Misuse. */

/* The owner is a task that is followed, so it lives. */
ALWAYS_INLINE void owner_name(struct lt_call *call, const struct lt_task_held *of_owner)
{
	__u64 owner = call->owner;

	call->owner_tid = of_owner->tid;
	bpf_probe_read_kernel_str(call->owner_comm, sizeof(call->owner_comm),
				  (void *)(owner + bpf_core_field_offset(struct task_struct, comm)));
}

static __noinline int misuse_tell(void *ctx, __u64 addr, struct lt_call *call)
{
	struct lt_watched *w = bpf_map_lookup_elem(&watched, &addr);
	__u64 task = bpf_get_current_task();
	struct lt_task_held *h, *of_owner;
	struct lt_held e = { .addr = addr, .last_addr = addr, .count = 1 };

	if ((!w && !every_lock) || !in_task(ctx))
		return 0;
	if (w) {
		e.generation = w->generation;
		e.object = w->object;
		e.class_id = w->class_id;
	}
	of_owner = bpf_map_lookup_elem(&held, &call->owner);
	if (of_owner) {
		owner_name(call, of_owner);
		e.ip = held_place(of_owner, addr);
	}
	h = held_get_or_new(task);
	if (!h)
		return 0;
	held_prune(h, task);
	return call_tell(ctx, h, &e, call);
}

/*
 * A lock that dies or is initialised while it is held. The owner field alone is not
 * believed: the memory may have held something else meanwhile. The owner must be
 * a task that was seen to take this lock.
 */
static __noinline int misuse_if_held(void *ctx, __u64 addr, __u32 what, __u64 object)
{
	struct lt_call call = { .what = what, .argument = object, .owner = lock_owner(addr) };
	struct lt_task_held *h;

	if (!call.owner)
		return 0;
	h = bpf_map_lookup_elem(&held, &call.owner);
	if (h && held_contains(h, addr))
		misuse_tell(ctx, addr, &call);
	return 0;
}

/* --check-unlock: only its owner may release a mutex (Documentation/locking/mutex-design.rst). */
ALWAYS_INLINE int unlock_check(void *ctx, __u64 addr)
{
	struct lt_call call = { .what = LT_CALL_UNLOCK };

	if (!every_lock && !filter[lt_filter_index(addr) & (LT_FILTER_SIZE - 1)])
		return 0;
	call.owner = lock_owner(addr);
	if (call.owner != bpf_get_current_task())
		misuse_tell(ctx, addr, &call);
	return 0;
}

#define UNLOCK_PROGRAMS(function, argument)                               \
	SEC("fentry/" #function)                                          \
	int fentry_unlock_##function(__u64 *ctx)                          \
	{                                                                 \
		return unlock_check(ctx, scalar_of(ctx[argument]));       \
	}                                                                 \
	SEC("kprobe/" #function)                                          \
	int kprobe_unlock_##function(struct pt_regs *ctx)                 \
	{                                                                 \
		return unlock_check(ctx, kprobe_argument(ctx, argument)); \
	}

LT_UNLOCK_FUNCTIONS(UNLOCK_PROGRAMS)

/* Initialisers. */

static __noinline int lock_init(void *ctx, __u64 addr, __u64 name, __u64 ip)
{
	struct init_info info = { .name = name, .ip = ip };

	/* The memory is used again: what lived there is gone, declared or not, in the filter or let go. */
	if (let_go_now || filter[lt_filter_index(addr) & (LT_FILTER_SIZE - 1)]) {
		misuse_if_held(ctx, addr, LT_CALL_REINIT, 0);
		unwatch_lock(addr);
	}
	/* Locks of the kernel image are many (one for each open file): only those of who is inside. */
	if ((name ? name : ip) - image_start < image_size &&
	    !inside[inside_index((__u32)bpf_get_current_pid_tgid())])
		return 0;
	info.time_ns = bpf_ktime_get_boot_ns();
	bpf_map_update_elem(&inits, &addr, &info, BPF_ANY);
	return 0;
}

SEC("fentry/__mutex_init")
int fentry___mutex_init(__u64 *ctx)
{
	return lock_init(ctx, ctx_word(ctx, 0), ctx_word(ctx, 1),
			 fentry_caller(ctx, LT_FUNCTION___mutex_init));
}

SEC("kprobe/__mutex_init")
int kprobe___mutex_init(struct pt_regs *ctx)
{
	return lock_init(ctx, PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), kprobe_caller(ctx));
}

SEC("fentry/mutex_init_generic")
int fentry_mutex_init_generic(__u64 *ctx)
{
	return lock_init(ctx, ctx_word(ctx, 0), 0, fentry_caller(ctx, LT_FUNCTION_mutex_init_generic));
}

SEC("kprobe/mutex_init_generic")
int kprobe_mutex_init_generic(struct pt_regs *ctx)
{
	return lock_init(ctx, PT_REGS_PARM1(ctx), 0, kprobe_caller(ctx));
}

#endif
