/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a task does while locks are held, other than taking one: calls that rules
 * speak of, references that are put, and misuse of a lock (released by another
 * than its owner, freed or initialised while held). Each is told once for each held
 * stack (and, what rules judge, once more when these change), in the same form as a chain.
 */
#ifndef LOCKTRACE_CALLS_BPF_H
#define LOCKTRACE_CALLS_BPF_H

#include "kvm.h"
#include "readers.bpf.h"

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
	if (held_tell(bpf_get_current_task()) || chain_send(ctx, h, lock, &what))
		return 0;
	if (h->read_epoch != read_epoch)
		return 0;                                         /* as in chain_new() */
	bpf_map_update_elem(&chains, &what.key, &fresh, BPF_ANY); /* failed: sent again, not lost */
	return 0;
}

/* Of the classes for which a call is told, those of LT_PUTS, behind those of the slots. */
#define PUT_SLOT LT_CALL_SLOTS

ALWAYS_INLINE bool slot_has_class(__u32 slot, __u32 class_id)
{
	const struct lt_class_set *set = &put_classes;

	if (slot != PUT_SLOT)
		set = &call_classes[slot & (LT_CALL_SLOTS - 1)];
	return set->word[class_id / 64] >> class_id % 64 & 1;
}

/* Whether a task holds a lock of one of the classes that a slot is told for. */
__noinline int held_has_class(__u64 task, __u32 slot)
{
	struct lt_task_held *h = bpf_map_lookup_elem(&held, &task);

	for (__u32 i = 0; h && i < LT_HELD_MAX; i++) {
		if (i >= h->count)
			break;
		if (slot_has_class(slot, h->held[i].class_id & (LT_CLASS_USER_MAX - 1)))
			return 1;
	}
	return 0;
}

/* A call by a task that may hold something. One by an interrupt on top of it is none of its own. */
static __noinline int call_made(void *ctx, __u32 slot, struct lt_call *call)
{
	__u64 task = bpf_get_current_task();
	struct lt_task_held *h;
	struct lt_held none = {};

	if (!in_task(ctx) || !held_prune_own(task))
		return 0;
	held_take_seeds(task);
	if (!held_has_class(task, slot))
		return 0;
	h = bpf_map_lookup_elem(&held, &task);
	if (h)
		call_tell(ctx, h, &none, call);
	return 0;
}

ALWAYS_INLINE int call_slot(void *ctx, __u32 slot, __u64 argument)
{
	struct lt_call call = { .what = LT_CALL_FUNCTION, .function = slot, .argument = argument };

	return tasks_inside ? call_made(ctx, slot, &call) : 0;
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
	return references > 1 ? call_made(ctx, PUT_SLOT, &call) : 0;
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

	if (w && w->flags & LT_WATCHED_RWSEM)
		e.flags = LT_HELD_RWSEM;
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
		e.ip = held_place(call->owner, addr);
	}
	held_prune_own(task);
	h = held_get_or_new(task);
	return h ? call_tell(ctx, h, &e, call) : 0;
}

/*
 * A lock that dies or is initialised while it is held. The owner field alone is not
 * believed: the memory may have held something else meanwhile. The owner must be
 * a task that was seen to take this lock. An rwsem that is read has no owner: not noticed.
 */
static __noinline int misuse_if_held(void *ctx, __u64 addr, __u32 what, __u64 object, bool rwsem)
{
	struct lt_call call = { .what = what, .argument = object, .owner = lock_owner(addr, rwsem) };

	if (call.owner && held_contains(call.owner, addr))
		misuse_tell(ctx, addr, &call);
	return 0;
}

/*
 * --check-unlock: only its owner may release a mutex (Documentation/locking/mutex-design.rst), or an rwsem
 * that it has for writing (__up_write() in kernel/locking/rwsem.c warns of others, with CONFIG_DEBUG_RWSEMS).
 */
ALWAYS_INLINE int unlock_check(void *ctx, __u64 addr, bool rwsem)
{
	struct lt_call call = { .what = LT_CALL_UNLOCK };

	if (!every_lock && !filter[lt_filter_index(addr) & (LT_FILTER_SIZE - 1)])
		return 0;
	call.owner = lock_owner(addr, rwsem);
	if (call.owner != bpf_get_current_task())
		misuse_tell(ctx, addr, &call);
	return 0;
}

#define UNLOCK_PROGRAMS_OF(function, argument, rwsem)                            \
	SEC("fentry/" #function)                                                 \
	int fentry_unlock_##function(__u64 *ctx)                                 \
	{                                                                        \
		return unlock_check(ctx, scalar_of(ctx[argument]), rwsem);       \
	}                                                                        \
	SEC("kprobe/" #function)                                                 \
	int kprobe_unlock_##function(struct pt_regs *ctx)                        \
	{                                                                        \
		return unlock_check(ctx, kprobe_argument(ctx, argument), rwsem); \
	}

#define UNLOCK_PROGRAMS(function, argument) UNLOCK_PROGRAMS_OF(function, argument, false)
#define RWSEM_UNLOCK_PROGRAMS(function, argument) UNLOCK_PROGRAMS_OF(function, argument, true)

LT_UNLOCK_FUNCTIONS(UNLOCK_PROGRAMS)
LT_RWSEM_UNLOCK_FUNCTIONS(RWSEM_UNLOCK_PROGRAMS)

/* Initialisers. */

static __noinline int lock_init(void *ctx, __u64 addr, __u64 name, __u64 ip, bool rwsem)
{
	struct init_info info = { .name = name, .ip = ip };

	/* The memory is used again: what lived there is gone, declared or not, in the filter or let go. */
	if (let_go_now || filter[lt_filter_index(addr) & (LT_FILTER_SIZE - 1)]) {
		misuse_if_held(ctx, addr, LT_CALL_REINIT, 0, rwsem);
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

/* name: the argument that is the name; -1: there is none. */
#define INIT_PROGRAMS_OF(function, name, rwsem)                                                          \
	SEC("fentry/" #function)                                                                         \
	int fentry_##function(__u64 *ctx)                                                                \
	{                                                                                                \
		return lock_init(ctx, ctx_word(ctx, 0), (name) < 0 ? 0 : ctx_word(ctx, (name)),          \
				 fentry_caller(ctx, LT_FUNCTION_##function), rwsem);                     \
	}                                                                                                \
	SEC("kprobe/" #function)                                                                         \
	int kprobe_##function(struct pt_regs *ctx)                                                       \
	{                                                                                                \
		return lock_init(ctx, PT_REGS_PARM1(ctx), (name) < 0 ? 0 : kprobe_argument(ctx, (name)), \
				 kprobe_caller(ctx), rwsem);                                             \
	}

#define INIT_PROGRAMS(function, name) INIT_PROGRAMS_OF(function, name, false)
#define RWSEM_INIT_PROGRAMS(function, name) INIT_PROGRAMS_OF(function, name, true)

LT_INIT_FUNCTIONS(INIT_PROGRAMS)
LT_RWSEM_INIT_FUNCTIONS(RWSEM_INIT_PROGRAMS)

#endif
