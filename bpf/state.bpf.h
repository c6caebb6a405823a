/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of the kernel side: knobs, tables filled by user space, maps.
 * Everything here works on 5.10: no task storage (a hash keyed by task is as
 * fast: docs/design.md), no atomic that returns a value, no or/and.
 */
#ifndef LOCKTRACE_STATE_BPF_H
#define LOCKTRACE_STATE_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "locktrace/kernel_side.h"
#include "locktrace/object_functions.h"

/* Knobs, set before load. */

/* --every-lock: every mutex counts as watched. For the lab. */
const volatile bool every_lock = false;
/* --rwsem: rwsems are followed, too. */
const volatile bool rwsems = false;
/* How many foreign locks closure may add to the watched ones. */
const volatile __u32 foreign_max = 8192;
/* Where the kernel image begins and how long it is: an address outside is a module's, or heap. */
const volatile __u64 image_start = 0;
const volatile __u64 image_size = 0;
/* Address of lock_function_addr's functions; 0: not there. */
const volatile __u64 lock_function_addr[LT_FUNCTION_COUNT] = {};
/* As struct mutex_layout of user space: where a mutex has its owner, and which bits of that are flags. */
const volatile __u32 owner_offset = 0;
const volatile __u64 owner_flags = 0;
const volatile __u64 owner_pickup = 0;

/* Tables, filled when a module is there. */

/* Address of each LT_FILE_KINDS release function; 0: module not loaded. */
__u64 file_release[LT_FILE_KIND_COUNT] = {};
/* What tells a type1 container, a vfio-pci device, the kvm-vfio device; 0: not loaded. */
__u64 type1_open_addr = 0;
__u64 pci_core_request_addr = 0;
__u64 kvm_vfio_create_addr = 0;

/* The classes that a rule names for the function in each slot, and those of LT_PUTS. */
struct lt_class_set call_classes[LT_CALL_SLOTS] = {};
struct lt_class_set put_classes = {};

/* Another number when a rule came into force or went: what was told before is to be judged again. */
__u64 rules_epoch = 0;

/*
 * Reads are believed that were seen to be taken since it has this value; another one when a release may
 * have been missed. 0: reads are not followed, as releases are not seen.
 */
__u64 read_epoch = 0;

/* Counters. */

__u64 lost[LT_LOST_KINDS] = {};
/* Foreign locks added by closure, now. */
__u64 foreign_now = 0;
/* Of these, how many were let go: they are in the map, but not in the filter. */
__u64 let_go_now = 0;

/* The fast path's own data, see lt_filter_index(). */
__u32 filter[LT_FILTER_SIZE] = {};
__u32 inside[LT_INSIDE_SIZE] = {};
__u64 tasks_inside = 0;

/* See scalar_of(). */
__u64 anchor = 0;
__u64 anchor_addr = 0;

/* Of a task's kernel stack, which lies on a multiple of it; larger with KASAN or large pages, see setup(). */
__u64 stack_size = 16384;

/* Results of "peek". */
__u8 peek_data[LT_PEEK_MAX] = {};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64); /* address of the task_struct */
	__type(value, struct lt_task_held);
} held SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__type(key, __u64); /* address of the lock */
	__type(value, struct lt_watched);
} watched SEC(".maps");

/* Evicts its oldest when full: that chain is then sent once more, never lost. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct lt_chain_seen);
} chains SEC(".maps");

/* What an initialiser said of a lock that belongs to a module. */
struct init_info {
	__u64 name; /* address of the text, 0: none */
	__u64 ip;
	__u64 time_ns; /* serves as the lock's generation */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct init_info);
} inits SEC(".maps");

/* Arguments of calls in flight, for those programs that see only the return. */
struct call_key {
	__u64 task;
	__u64 function;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct call_key);
	__type(value, __u64);
} calls SEC(".maps");

/* Owners found by the first pass of seeding. */
struct seed_list {
	__u64 count;
	__u64 addr[LT_SEEDS_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64); /* address of the task_struct */
	__type(value, struct seed_list);
} owners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, LT_RING_SIZE); /* --ring-size */
} records SEC(".maps");

/* Too large for the stack: the source of a new map value. */
static struct lt_task_held fresh_held = {};
static struct lt_task_held seeded_held = {};

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE void count_lost(enum lt_lost kind)
{
	__sync_fetch_and_add(&lost[kind], 1);
}

/*
 * The number in a pointer argument of an fentry program. The verifier takes it
 * as a pointer to a type and refuses to hash that; bpf_get_func_arg() gives a
 * number but is not in 5.10 and costs a call. The difference of two pointers is
 * a number for it (adjust_reg_min_max_vals() in kernel/bpf/verifier.c), and the
 * address of a variable of ours is one that anchor_addr holds.
 */
ALWAYS_INLINE __u64 scalar_of(__u64 pointer)
{
	__u64 value = pointer;

	asm volatile("%0 -= %1" : "+r"(value) : "r"(&anchor));
	return value + anchor_addr;
}

/*
 * Whether this is the current task's own doing, and not that of an interrupt which
 * came in its way: those, soft ones too, run on stacks of their own (arm64 before 6.1:
 * not a soft one that local_bh_enable() lets run). Whatever the form of a program, its
 * ctx is on the stack that it runs on.
 */
ALWAYS_INLINE bool in_task(void *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return scalar_of((__u64)ctx) - (__u64)BPF_CORE_READ(task, stack) < stack_size;
}

/* The same where a call more does not matter: any argument, or the return value after the last one. */
ALWAYS_INLINE __u64 ctx_word(__u64 *ctx, int n)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), &ctx[n]);
	return value;
}

/* The owner's word of a mutex, with its flags. */
ALWAYS_INLINE __u64 lock_owner_word(__u64 addr)
{
	__u64 owner = 0;

	bpf_probe_read_kernel(&owner, sizeof(owner), (void *)(addr + owner_offset));
	return owner;
}

/* rw_semaphore.owner names some reader, if it has one, and no writer: RWSEM_READER_OWNED. */
#define OWNER_READER 0x01ULL
/* The low bits that are no part of the address: RWSEM_OWNER_FLAGS_MASK, of which two are in use. */
#define RWSEM_OWNER_FLAGS 0x07ULL

/* Who has an rwsem for writing; 0: nobody. Without --rwsem none is met: a kernel may lack the member. */
ALWAYS_INLINE __u64 rwsem_owner(__u64 addr)
{
	__u64 owner = 0;

	if (!rwsems)
		return 0;
	bpf_probe_read_kernel(&owner, sizeof(owner),
			      (void *)(addr + bpf_core_field_offset(struct rw_semaphore, owner)));
	return owner & OWNER_READER ? 0 : owner & ~RWSEM_OWNER_FLAGS;
}

/* Who owns a mutex, or has an rwsem for writing; 0: nobody. */
ALWAYS_INLINE __u64 lock_owner(__u64 addr, bool rwsem)
{
	return rwsem ? rwsem_owner(addr) : lock_owner_word(addr) & ~owner_flags;
}

/*
 * Whether a task that asks for the lock waits for itself: not when a mutex has just been passed on to it. An
 * rwsem has no owner before it has the lock.
 */
ALWAYS_INLINE bool lock_is_own(__u64 addr, bool rwsem, __u64 task)
{
	__u64 owner;

	if (rwsem)
		return rwsem_owner(addr) == task;
	owner = lock_owner_word(addr);
	return (owner & ~owner_flags) == task && !(owner & owner_pickup);
}

/* Bits of rw_semaphore.count: RWSEM_WRITER_LOCKED, RWSEM_READER_MASK without RWSEM_FLAG_READFAIL. */
#define COUNT_WRITER 0x01ULL
#define COUNT_READERS 0x7fffffffffffff00ULL

/* Whether somebody may have an rwsem for reading. One that tries to is counted, too, for a moment. */
ALWAYS_INLINE bool rwsem_has_readers(__u64 addr)
{
	__u64 count = 0;

	bpf_probe_read_kernel(&count, sizeof(count),
			      (void *)(addr + bpf_core_field_offset(struct rw_semaphore, count)));
	return count & COUNT_READERS && !(count & COUNT_WRITER);
}

#endif
