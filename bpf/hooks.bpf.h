/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lock hooks: acquire side only -> held stack -> new chains. Each row of
 * lock_functions.h becomes an fentry and a kprobe program with one body;
 * user space loads the one it will attach.
 */
#ifndef LOCKTRACE_HOOKS_BPF_H
#define LOCKTRACE_HOOKS_BPF_H

#include "describe.bpf.h"
#include "held.bpf.h"
#include "watch.bpf.h"

/* How a lock is taken, for lock_call(). */
enum {
	HOW_BLOCK = 0,
	HOW_TRY = 1 << 0,
	HOW_DONE = 1 << 1,  /* seen at return: the task has it */
	HOW_OWN = 1 << 2,   /* and would wait for itself */
	HOW_WRITE = 1 << 3, /* an rwsem, for writing; the same by a trylock */
	HOW_TRY_WRITE = HOW_WRITE | HOW_TRY,
	HOW_SHARED = 1 << 4,
	HOW_READ = HOW_WRITE | HOW_SHARED, /* an rwsem, for reading */
	HOW_TRY_READ = HOW_READ | HOW_TRY,
	HOW_ASKED = 1 << 5, /* it may fail: the return tells */
};

/* Of a lock that is taken so; what only the held stack needs is not among them. */
ALWAYS_INLINE __u16 how_flags(__u32 how)
{
	return (how & HOW_TRY ? LT_HELD_TRYLOCK : 0) | (how & HOW_WRITE ? LT_HELD_RWSEM : 0) |
	       (how & HOW_SHARED ? LT_HELD_READ : 0);
}

/* A lock on the task's own stack is gone before anybody could be told its name. */
ALWAYS_INLINE bool on_stack(__u64 addr, __u64 stack)
{
	return (addr ^ stack) < stack_size;
}

/* A foreign lock gets its name before the first chain that has it; -1 when that could not be sent. */
__noinline int lock_tell(__u64 addr, __u64 generation, __u64 ip, __u32 outer)
{
	struct lt_watched *w = bpf_map_lookup_elem(&watched, &addr);

	if (w && outer)
		w->flags |= LT_WATCHED_OUTER;
	if (w && w->flags & LT_WATCHED_TOLD)
		return 0;
	if (describe_lock(addr, generation, ip))
		return -1;
	if (w)
		w->flags |= LT_WATCHED_TOLD;
	return 0;
}

/* The same for all that are held, which are known from now on to have a lock under them. */
__noinline int held_tell(__u64 task)
{
	struct lt_task_held *h = bpf_map_lookup_elem(&held, &task);

	for (__u32 i = 0; h && i < LT_HELD_MAX; i++) {
		struct lt_held *e = &h->held[i];

		if (i >= h->count)
			break;
		if (e->class_id == LT_CLASS_FOREIGN && lock_tell(e->addr, e->generation, e->ip, 1))
			return -1;
	}
	return 0;
}

/* What a record says besides the held stack and the lock. */
struct sending {
	__u64 key;
	__u32 type; /* enum lt_record_type: a chain or a call */
	__u32 flags;
	struct lt_call call;
};

/*
 * The stack trace of a record. On arm64 a function has no frame yet at its first instruction, where a
 * kprobe stops it: who called it is in the link register only, and the kernel's trace leaves that
 * out (arch_stack_walk() in arch/arm64/kernel/stacktrace.c). returned: ctx is that of a function's end.
 */
ALWAYS_INLINE void stack_take(void *ctx, struct lt_record_chain *r, bool returned)
{
	long bytes = bpf_get_stack(ctx, r->stack, sizeof(r->stack), 0);

	r->stack_count = bytes > 0 ? bytes / sizeof(__u64) : 0;
#if defined(__TARGET_ARCH_arm64)
	__u64 pc = 0, caller = 0;

	bpf_probe_read_kernel(&pc, sizeof(pc), ctx + bpf_core_field_offset(struct user_pt_regs, pc));
	/* An fentry program's ctx has no registers: there the trace begins elsewhere, and is whole. */
	if (returned || bytes <= 0 || r->stack[0] != pc)
		return;
	bpf_probe_read_kernel(&caller, sizeof(caller),
			      ctx + bpf_core_field_offset(struct user_pt_regs, regs[30]));
	bytes = bpf_get_stack(ctx, r->stack + 1, sizeof(r->stack) - sizeof(__u64), 0);
	r->stack_count = bytes > 0 ? 1 + bytes / sizeof(__u64) : 1;
	r->stack[0] = pc;
	r->stack[1] = caller;
#endif
}

/* Sends a chain or a call; 0 when the ring buffer took it. */
static __noinline int chain_send(void *ctx, struct lt_task_held *h, const struct lt_held *e,
				 const struct sending *what)
{
	struct lt_record_chain *r;
	__u64 id = bpf_get_current_pid_tgid();
	__u32 count = h->count;

	r = bpf_ringbuf_reserve(&records, sizeof(*r), 0);
	if (!r) {
		count_lost(LT_LOST_RING_BUFFER);
		return -1;
	}
	if (count > LT_HELD_MAX)
		count = LT_HELD_MAX;
	r->header.type = what->type;
	r->header.size = sizeof(*r);
	r->header.time_ns = bpf_ktime_get_boot_ns();
	r->key = what->key;
	r->task.id = bpf_get_current_task();
	r->task.pid = id >> 32;
	r->task.tid = (__u32)id;
	bpf_get_current_comm(r->task.comm, sizeof(r->task.comm));
	r->call = what->call;
	r->held_count = count;
	r->flags = what->flags;
	/* After the time was taken: a record from before is known by its time (src/kernel/readers.c). */
	if (h->read_epoch != read_epoch)
		r->flags |= LT_CHAIN_UNSURE;
	bpf_probe_read_kernel(r->held, sizeof(h->held), h->held);
	r->held[count] = *e;
	stack_take(ctx, r, what->flags & LT_CHAIN_TAKEN);
	bpf_ringbuf_submit(r, 0);
	return 0;
}

/* Tells two tasks apart also when one got the other's memory: the thread id is above an address's low bits.
 */
ALWAYS_INLINE __u64 task_mark(const struct lt_task_held *h, __u64 task)
{
	return task ^ ((__u64)h->tid << 40);
}

/*
 * A task that waits for itself is never a chain that was seen before, when it did not; nor is any
 * that was judged by other rules.
 */
ALWAYS_INLINE __u64 chain_key(const struct lt_task_held *h, const struct lt_held *e, __u32 how)
{
	return entry_hash((how & HOW_OWN ? ~h->hash : h->hash) + rules_epoch, e);
}

/*
 * A chain that is not in the cache, or is there for other tasks only. The record
 * goes out first and the key in second: what a full ring buffer refuses is sent
 * when the chain is next seen.
 */
static __noinline int chain_new(void *ctx, struct lt_task_held *h, struct lt_held *e, __u64 task, __u32 how)
{
	struct lt_chain_seen fresh = { .first_task = task_mark(h, task), .hits = 1 };
	struct sending what = { .type = LT_RECORD_CHAIN };
	struct lt_chain_seen *seen;

	if (e->class_id == LT_CLASS_FOREIGN && !e->generation && (h->declared || every_lock))
		e->generation = watch_foreign(e->addr, e->flags & LT_HELD_RWSEM);
	what.key = chain_key(h, e, how);
	seen = bpf_map_lookup_elem(&chains, &what.key);
	if (seen) {
		if (seen->first_task == task_mark(h, task) || seen->many_tasks)
			return 0;
		what.flags |= LT_CHAIN_SECOND_TASK;
	}
	if (how & HOW_DONE)
		what.flags |= LT_CHAIN_TAKEN;
	else if (how & HOW_OWN)
		what.flags |= LT_CHAIN_OWNED;
	if (e->class_id == LT_CLASS_FOREIGN && lock_tell(e->addr, e->generation, e->ip, 0))
		return 0;
	if (held_tell(bpf_get_current_task()) || chain_send(ctx, h, e, &what))
		return 0;
	if (h->read_epoch != read_epoch)
		return 0; /* it may have been told without its reads: sent again */
	if (seen)
		seen->many_tasks = task;
	else
		bpf_map_update_elem(&chains, &what.key, &fresh, BPF_ANY); /* failed: sent again, not lost */
	return 0;
}

/* The task takes e while it holds something: is that known? */
ALWAYS_INLINE void chain_check(void *ctx, struct lt_task_held *h, struct lt_held *e, __u64 task, __u32 how)
{
	struct lt_chain_seen *seen;
	struct lt_held *top = held_top(h);
	__u64 key;

	/* Of a run, the first pair was told; any later pair is under the run's first lock. */
	if (held_is_run(top, e) && top->count > 1 && !(how & HOW_OWN))
		return;
	key = chain_key(h, e, how);
	seen = bpf_map_lookup_elem(&chains, &key);
	if (seen) {
		__sync_fetch_and_add(&seen->hits, 1);
		if (seen->first_task == task_mark(h, task) || seen->many_tasks)
			return;
	}
	chain_new(ctx, h, e, task, how);
}

/* A lock call by a task that may be inside, or on a lock that may be watched. */
static __noinline int lock_call_slow(void *ctx, __u64 addr, __u32 how, __u64 ip)
{
	__u64 task = bpf_get_current_task();
	struct lt_watched *w = NULL;
	struct lt_held e = {};
	struct lt_task_held *h;

	/* First of all, while the verifier knows one state only: the loops in here are its main work. */
	h = bpf_map_lookup_elem(&held, &task);
	if (h) {
		held_prune(h);
		if (h->seeds)
			held_take_seeds(task);
	}
	if (every_lock || filter[lt_filter_index(addr) & (LT_FILTER_SIZE - 1)])
		w = bpf_map_lookup_elem(&watched, &addr);
	/* The memory is another kind of lock by now, and its initialisation was not seen. */
	if (w && !(w->flags & LT_WATCHED_RWSEM) != !(how & HOW_WRITE))
		w = NULL;
	if (!h) {
		if (!w && !every_lock)
			return 0;
		h = held_get_or_new(task);
		if (!h)
			return 0;
	}
	if (!w && !every_lock && !h->count && !h->scope) {
		held_leave(h);
		return 0;
	}
	e.addr = addr;
	e.last_addr = addr;
	e.ip = ip;
	e.count = 1;
	e.flags = how_flags(how);
	if (w) {
		e.generation = w->generation;
		e.object = w->object;
		e.class_id = w->class_id;
		if (w->class_id == LT_CLASS_FOREIGN)
			w->taken++;
	}
	if (!(how & (HOW_TRY | HOW_DONE)) && lock_is_own(addr, how & HOW_WRITE, task))
		how |= HOW_OWN; /* also where we did not see it taken */
	if (how & HOW_OWN || (h->count && !(how & HOW_TRY)))
		chain_check(ctx, h, &e, task, how);
	if (how & HOW_ASKED)
		e.flags |= LT_HELD_ASKED;
	held_push(h, &e);
	held_enter(h);
	return 0;
}

/* Nothing watched and nobody here inside: the fast path ends without a map access. */
ALWAYS_INLINE bool lock_call_matters(__u64 addr)
{
	if (every_lock || filter[lt_filter_index(addr) & (LT_FILTER_SIZE - 1)])
		return true;
	if (!tasks_inside)
		return false;
	return inside[inside_index((__u32)bpf_get_current_pid_tgid())];
}

/*
 * Where the traced function was called from, seen from an fentry program. The
 * trampoline keeps the arguments (the program's ctx) just below the place in
 * the traced function that it returns to, and the function's own return address
 * is the next word on x86 (arch_prepare_bpf_trampoline() in arch/x86/net/bpf_jit_comp.c,
 * "Generated trampoline stack layout"), the one after that on arm64, where a frame pointer
 * is between (prepare_trampoline() in arch/arm64/net/bpf_jit_comp.c, "trampoline stack
 * layout"; efc9909fdce0, 6.0). How many words lie before depends on what else is
 * attached, so the first of the two is looked for: it is in the function's first bytes.
 * Not found: 0, the place is then not told.
 */
#if defined(__TARGET_ARCH_arm64)
#define FRAME_WORDS 14
#define RETURN_DISTANCE 2
#else
#define FRAME_WORDS 8
#define RETURN_DISTANCE 1
#endif
#define FUNCTION_HEAD 16

ALWAYS_INLINE __u64 fentry_caller(void *ctx, __u32 function)
{
	__u64 words[FRAME_WORDS] = {};
	__u64 start = lock_function_addr[function];

	bpf_probe_read_kernel(words, sizeof(words), ctx);
	for (int i = 1; i < FRAME_WORDS - RETURN_DISTANCE; i++)
		if (words[i] - start - 1 < FUNCTION_HEAD)
			return words[i + RETURN_DISTANCE];
	return 0;
}

#if defined(__TARGET_ARCH_x86)
/* At a function's entry the return address is on top of the stack. */
ALWAYS_INLINE __u64 kprobe_caller(struct pt_regs *ctx)
{
	__u64 ip = 0;

	bpf_probe_read_kernel(&ip, sizeof(ip), (void *)PT_REGS_SP(ctx));
	return ip;
}
#else
ALWAYS_INLINE __u64 kprobe_caller(struct pt_regs *ctx)
{
	return PT_REGS_RET(ctx);
}
#endif

ALWAYS_INLINE __u64 kprobe_argument(struct pt_regs *ctx, int n)
{
	return n == 0 ? PT_REGS_PARM1(ctx) : n == 1 ? PT_REGS_PARM2(ctx) : PT_REGS_PARM3(ctx);
}

/*
 * Interrupts, too, take rwsems by trylock (mmap_lock, for a user's stack trace): that is none of the task's
 * doing.
 */
ALWAYS_INLINE bool rwsem_counts(void *ctx, __u32 how)
{
	if (!(how & HOW_WRITE))
		return true;
	return (!(how & HOW_SHARED) || read_epoch) && in_task(ctx);
}

ALWAYS_INLINE int lock_call_fentry(__u64 *ctx, __u64 addr, __u32 function, __u32 how)
{
	if (!lock_call_matters(addr) || on_stack(addr, scalar_of((__u64)ctx)) || !rwsem_counts(ctx, how))
		return 0;
	return lock_call_slow(ctx, addr, how, fentry_caller(ctx, function));
}

ALWAYS_INLINE int lock_call_kprobe(struct pt_regs *ctx, __u64 addr, __u32 how)
{
	if (!lock_call_matters(addr) || on_stack(addr, PT_REGS_SP(ctx)) || !rwsem_counts(ctx, how))
		return 0;
	return lock_call_slow(ctx, addr, how, kprobe_caller(ctx));
}

#define LOCK_PROGRAMS(function, argument, mode)                                                             \
	SEC("fentry/" #function)                                                                            \
	int fentry_##function(__u64 *ctx)                                                                   \
	{                                                                                                   \
		return lock_call_fentry(ctx, scalar_of(ctx[argument]), LT_FUNCTION_##function, HOW_##mode); \
	}                                                                                                   \
	SEC("kprobe/" #function)                                                                            \
	int kprobe_##function(struct pt_regs *ctx)                                                          \
	{                                                                                                   \
		return lock_call_kprobe(ctx, kprobe_argument(ctx, argument), HOW_##mode);                   \
	}

LT_LOCK_FUNCTIONS(LOCK_PROGRAMS)
LT_RWSEM_FUNCTIONS(LOCK_PROGRAMS)

/* Arguments of a call, kept from its entry to its return. */

ALWAYS_INLINE void call_keep(__u64 function, __u64 value)
{
	struct call_key key = { .task = bpf_get_current_task(), .function = function };

	if (bpf_map_update_elem(&calls, &key, &value, BPF_ANY))
		count_lost(LT_LOST_CALLS);
}

ALWAYS_INLINE __u64 call_take(__u64 function)
{
	struct call_key key = { .task = bpf_get_current_task(), .function = function };
	__u64 *value = bpf_map_lookup_elem(&calls, &key);
	__u64 result;

	if (!value)
		return 0;
	result = *value;
	bpf_map_delete_elem(&calls, &key);
	return result;
}

/* Two arguments and the return value after them. The owner is asked: a call's entry may have been missed. */
ALWAYS_INLINE int lock_call_returned(void *ctx, __u64 addr, __u64 result, __u32 how, __u64 ip)
{
	__u64 task = bpf_get_current_task();

	if ((__u32)result != 1)
		return 0;
	if (!addr) {
		count_lost(LT_LOST_CALLS);
		return 0;
	}
	if (!lock_call_matters(addr) || lock_owner(addr, false) != task)
		return 0;
	/* A kernel that calls mutex_lock() inside it has told already. */
	if (held_contains(task, addr))
		return 0;
	return lock_call_slow(ctx, addr, how | HOW_DONE, ip);
}

/* For a kretprobe the call's return address is gone: the place is not told, the stack trace is. */
#define LOCK_RETURN_PROGRAMS(function, argument, mode)                                                \
	SEC("fexit/" #function)                                                                       \
	int fexit_##function(__u64 *ctx)                                                              \
	{                                                                                             \
		return lock_call_returned(ctx, ctx_word(ctx, argument), ctx_word(ctx, 2), HOW_##mode, \
					  fentry_caller(ctx, LT_FUNCTION_##function));                \
	}                                                                                             \
	SEC("kprobe/" #function)                                                                      \
	int kprobe_##function(struct pt_regs *ctx)                                                    \
	{                                                                                             \
		call_keep(LT_FUNCTION_##function, kprobe_argument(ctx, argument));                    \
		return 0;                                                                             \
	}                                                                                             \
	SEC("kretprobe/" #function)                                                                   \
	int kretprobe_##function(struct pt_regs *ctx)                                                 \
	{                                                                                             \
		__u64 addr = call_take(LT_FUNCTION_##function);                                       \
                                                                                                      \
		return lock_call_returned(ctx, addr, PT_REGS_RC(ctx), HOW_##mode, 0);                 \
	}

LT_LOCK_RETURN_FUNCTIONS(LOCK_RETURN_PROGRAMS)

/*
 * A dead task's stack goes when its task_struct does. Not at exit: a task closes
 * its files, the VM's among them, after sched_process_exit.
 */
SEC("raw_tp/sched_process_free")
int task_free(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 task = ctx->args[0];
	struct lt_task_held *h = bpf_map_lookup_elem(&held, &task);

	if (!h)
		return 0;
	if (h->inside)
		inside_add(h->tid, -1);
	if (h->seed_counted)
		inside_add(h->tid, -1);
	bpf_map_delete_elem(&held, &task);
	return 0;
}

#endif
