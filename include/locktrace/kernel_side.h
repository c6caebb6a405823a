/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * What the two sides share besides the records: the layout of the maps that
 * user space reads or fills, sizes, and the indices of tables in global data.
 */
#ifndef LOCKTRACE_KERNEL_SIDE_H
#define LOCKTRACE_KERNEL_SIDE_H

#include "locktrace/lock_classes.h"
#include "locktrace/lock_functions.h"
#include "locktrace/object_functions.h"
#include "locktrace/record.h"

/*
 * The filter: one counter for each hash value of an address, of the watched
 * locks that have it. A lock whose counter is zero is not watched: that is the
 * whole price of an unwatched lock. 64 Ki counters, 256 KiB: with 1,000 watched
 * locks 1.5 % of the others are looked up in vain. A counter and not a bit, so
 * that a lock can leave, and because 5.10 has no atomic or.
 */
#define LT_FILTER_BITS 16
#define LT_FILTER_SIZE (1 << LT_FILTER_BITS)

/* Knuth's multiplicative hash: 2^64 divided by the golden ratio. */
#define LT_HASH_FACTOR 0x9E3779B97F4A7C15ULL

/* Which filter counter belongs to a lock's address. */
static inline __attribute__((always_inline)) __u32 lt_filter_index(__u64 addr)
{
	return (__u32)((addr * LT_HASH_FACTOR) >> (64 - LT_FILTER_BITS));
}

/* Tasks inside (holding a watched lock, or in a scope), counted by the low bits of their tid. */
#define LT_INSIDE_SIZE 8192

/* The value of the map "watched", keyed by the lock's address. */
struct lt_watched {
	__u64 generation;
	__u64 object;   /* the object that contains the lock; 0: none */
	__u32 class_id; /* as in struct lt_held */
	__u32 flags;    /* enum lt_watched_flags */
	union {
		__u64 taken;  /* times a foreign lock was looked up; decides about letting go */
		__u64 met_ns; /* by contention: when a foreign lock was last met, CLOCK_MONOTONIC */
	};
};

enum lt_watched_flags {
	LT_WATCHED_OUTER = 1 << 0,  /* foreign: a lock was seen to be taken under it */
	LT_WATCHED_LET_GO = 1 << 1, /* foreign: busy and never outer, so no longer in the filter */
	LT_WATCHED_TOLD = 1 << 2,   /* foreign: user space has what is known of it */
	LT_WATCHED_RWSEM = 1 << 3,  /* an rwsem, not a mutex */
};

/* The value of the map "chains", keyed by the chain's key. */
struct lt_chain_seen {
	__u64 first_task; /* struct lt_task.id */
	__u64 many_tasks; /* not 0: a second task was seen and told */
	__u64 hits;
};

/* Seeds one task can be given: locks it held when we came. More are counted as lost. */
#define LT_SEEDS_MAX 4

/* The value of the map "held", keyed by the task_struct's address: what the task holds. */
struct lt_task_held {
	__u32 count;    /* entries of held[] in use */
	__u32 declared; /* of these, how many are of a declared class */
	__u32 scope;    /* depth of scopes the task is in */
	__u32 inside;   /* 1: counted in inside[] and tasks_inside */
	__u32 tid;
	__u32 seeds;        /* entries of seed[] still to be taken over */
	__u32 seed_counted; /* 1: counted once more in inside[], for the seeds */
	__u32 kept;         /* scratch of held_prune() */
	__u64 hash;         /* over the entries, see held_prune() */
	__u64 read_epoch;   /* of the entries for reading, as the global one */
	__u64 seed[LT_SEEDS_MAX];
	struct lt_held held[LT_HELD_MAX];
};

/* One lock function's index in lock_function_addr[]: its address, to find the caller's frame. */
enum lt_function_id {
#define LT_FUNCTION_ID(function, ...) LT_FUNCTION_##function,
	LT_LOCK_FUNCTIONS(LT_FUNCTION_ID) LT_LOCK_RETURN_FUNCTIONS(LT_FUNCTION_ID)
		LT_INIT_FUNCTIONS(LT_FUNCTION_ID) LT_RWSEM_FUNCTIONS(LT_FUNCTION_ID)
			LT_READ_FUNCTIONS(LT_FUNCTION_ID) LT_RWSEM_INIT_FUNCTIONS(LT_FUNCTION_ID)
#undef LT_FUNCTION_ID
				LT_FUNCTION_COUNT
};

/*
 * Functions that rules speak of ("forbid call"): each has a slot, which is a program
 * of each form. A function's number in struct lt_call is its slot's; those of LT_PUTS follow.
 */
#define LT_CALL_SLOT_LIST(X) \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
/* The ring buffer, bytes, without --ring-size. A power of two. */
#define LT_RING_SIZE (4 * 1024 * 1024)

#define LT_CALL_SLOTS 16

enum lt_put_id {
	LT_PUT_FIRST = LT_CALL_SLOTS - 1,
#define LT_PUT_ID(module, function, ...) LT_PUT_##function,
	LT_PUTS(LT_PUT_ID)
#undef LT_PUT_ID
		LT_PUT_END
};

/* A set of class ids, as bits. Bit LT_CLASS_FOREIGN stands for any lock of no declared class. */
#define LT_CLASS_SET_WORDS (LT_CLASS_USER_MAX / 64)
struct lt_class_set {
	__u64 word[LT_CLASS_SET_WORDS];
};

/*
 * By contention: the watched locks as a list, for walking. So many that a walk takes at most
 * 75 us: with more, those beyond are not watched (LT_LOST_WATCHED).
 */
#define LT_WALK_MAX 8192

struct lt_walk_list {
	__u64 count; /* may be more than there is room for */
	__u64 lock[LT_WALK_MAX];
};

/* Pieces of the kernel's code. */
#define LT_WW_RANGES 8
struct lt_text_range {
	__u64 start, size;
};

/* Key and value of the map "sightings": the objects that a look round has met. */
struct lt_sighted_object {
	__u64 addr;
	__u64 kind; /* enum lt_object_kind */
};

struct lt_sighting {
	__u64 look;       /* number of the last look that met it */
	__u64 birth_mark; /* tells it from one that is at its address later; 0: nothing does */
};

/* Longest piece of kernel memory the program "peek" reads at once, bytes. */
#define LT_PEEK_MAX 256

#endif
