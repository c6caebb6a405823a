/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Who waits for whom, at one time: tasks, the locks they wait for, the owners of
 * these. Pure: what was seen goes in (a "look" of all tasks that wait, and of those that
 * own what is waited for), cycles and roots come out. One thread.
 *
 * A wait is believed only if two looks agree about it: same task, same lock, same kind,
 * and the task has not run in between (its count of context switches).
 *
 * A deadlock is a circle in the graph "task -> owner of the lock it waits for". Each
 * task waits for one lock at most and a lock has one owner at most (a read-held rwsem has
 * none that is known), so each node has at most one edge out and a circle is found by
 * following it: no search, and each circle is met once. Tasks queued behind one owner are no circle.
 */
#ifndef LOCKTRACE_MODEL_WAIT_GRAPH_H
#define LOCKTRACE_MODEL_WAIT_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "locktrace/record.h"
#include "model/hash.h"

enum wait_kind {
	WAIT_NONE, /* does not wait for a lock (is an owner, or was asked for by --task) */
	WAIT_MUTEX,
	WAIT_RWSEM_READ,
	WAIT_RWSEM_WRITE,
	WAIT_OTHER,      /* sleeps in a kind of wait that is named from its stack, not analysed */
	WAIT_UNVERIFIED, /* its stack shows a lock's slow path, but which lock could not be proved */
	WAIT_KINDS,
};

/* Where the lock was known from; the strongest that applied. */
enum wait_proof {
	PROOF_NONE,
	PROOF_BLOCKED_ON,    /* task->blocked_on or task->blocker (kernels that have and set them) */
	PROOF_WAITER_RECORD, /* the waiter record on the task's own stack, checked against the lock's list */
};

/* What ends the wait besides the lock. */
enum wait_signal {
	SIGNAL_NONE, /* TASK_UNINTERRUPTIBLE: nothing */
	SIGNAL_KILL, /* TASK_KILLABLE: a fatal signal */
	SIGNAL_ANY,  /* TASK_INTERRUPTIBLE */
};

struct wait_task {
	struct lt_task task; /* id, pid (process), tid, comm */
	uint64_t switches;   /* nvcsw + nivcsw */
	char state;          /* R, S, D, T, ... as in /proc */
	bool exiting;        /* PF_EXITING */
	bool kernel_thread;  /* PF_KTHREAD: no signal ends it */
	enum wait_signal signal;
	enum wait_kind kind;
	enum wait_proof proof;
	uint64_t lock;        /* address; 0 unless kind is a lock */
	uint64_t owner;       /* struct lt_task.id of the lock's owner, as the lock says; 0: none known */
	uint32_t readers;     /* rwsem: how many hold it for reading; 0: none */
	bool handed_over;     /* the lock has been given to this very task, which has not woken up yet */
	uint64_t last_ran_ns; /* CLOCK_BOOTTIME when it last ran, so about since when it waits; 0: unknown */
	/*
	 * The kernel leaves the functions marked __sched (mutex_lock, wait_for_completion, schedule, ...) out
	 * of its traces, as in /proc/PID/stack. Those of a sleep that say something come first here all the
	 * same.
	 */
	uint32_t stack_count;
	uint64_t stack[LT_STACK_MAX]; /* innermost first */
};

/* All tasks seen by one look, in any order, each once. */
struct wait_look {
	uint64_t time_ns; /* CLOCK_BOOTTIME, at its begin */
	size_t count;
	struct wait_task *tasks;
	uint64_t tasks_seen; /* all living tasks, whether among these or not */
	bool partial;        /* a deadline ended it */
	/* Processes that /proc has and the kernel did not show to BPF, and one of them: it may keep them
	 * back. */
	uint32_t hidden, hidden_pid;
};

/* What is known of who holds a lock, from all that both looks say of it. */
enum wait_owner {
	OWNER_TASK,     /* a task that was seen */
	OWNER_GONE,     /* the lock names a task, but none that was seen: it is not followed */
	OWNER_READERS,  /* readers, whom an rwsem does not name */
	OWNER_UNKNOWN,  /* the lock names nobody: it is just being passed on, or is held in a way not known */
	OWNER_CHANGING, /* not the same each time: the lock goes from hand to hand */
};

struct wait_node;

/* A lock that is waited for. */
struct wait_lock {
	uint64_t addr;
	bool is_rwsem;
	uint32_t readers; /* OWNER_READERS: how many */
	enum wait_owner owner_state;
	struct wait_node *owner;      /* OWNER_TASK, else NULL */
	struct wait_node **waiters;   /* the longest wait first */
	size_t waiter_count;          /* 1 or more */
	struct wait_lock *next_owned; /* of the same owner */
	uint64_t owner_id;            /* as the lock says; OWNER_TASK and OWNER_GONE */
	struct hash_node by_addr;
};

struct wait_cycle {
	struct wait_node *
		*nodes; /* each waits for a lock of the next one, the last one for one of the first */
	size_t count;   /* 1: a task that waits for itself */
	size_t behind;  /* tasks that wait for these, directly or over others; not these themselves */
	size_t depth;   /* longest chain of these */
	bool shown;
};

/* A task of the second look. */
struct wait_node {
	const struct wait_task *task;
	/*
	 * Both looks agree on what it waits for, whatever that is. Else it is only known for the locks it
	 * owns. Kind WAIT_NONE never waits.
	 */
	bool waits;
	bool ran;                    /* it ran between the looks, or was not in the first */
	struct wait_lock *waits_for; /* NULL: no lock */
	struct wait_lock *owned;     /* those that others wait for, by next_owned */
	struct wait_cycle *cycle;    /* that it is part of */
	size_t direct, behind;       /* tasks that wait for it: directly, and with those that wait for these;
				      * those of its own cycle not counted */
	size_t depth;                /* longest chain of these */
	bool shown;                  /* see wait_graph_select() */
	struct hash_node by_id;
};

/* Where a tree of waiters ends: a task that waits for no lock, or a lock without a known owner. */
struct wait_root {
	struct wait_node *task; /* NULL: lock is the root */
	struct wait_lock *lock; /* NULL: task is */
	size_t direct, behind, depth;
	bool shown;
};

struct wait_graph {
	struct wait_node *nodes; /* as in the second look */
	size_t node_count;
	struct wait_lock *locks;
	size_t lock_count;
	struct wait_cycle *cycles; /* most tasks behind first */
	size_t cycle_count;
	struct wait_root *roots; /* deepest chain first, then most tasks behind */
	size_t root_count;
	uint64_t waits;             /* for locks, in both looks */
	uint64_t passing;           /* for locks or unverified, but not the same in both looks */
	uint64_t unverified, other; /* in both looks */
	uint64_t tasks_seen;
	bool confirmed; /* by a second look */
	bool partial;   /* one of the looks was cut short */

	/* The rest is the graph's own. */
	struct wait_node **pointers;
	struct hash by_id, by_addr;
};

/*
 * What two looks agree on. first NULL: there is but one, and what it shows may be passing
 * (confirmed is false). The looks must outlive the graph. NULL when out of memory.
 */
struct wait_graph *wait_graph_new(const struct wait_look *first, const struct wait_look *second);
void wait_graph_free(struct wait_graph *graph);

/*
 * Shows (shown) only what concerns a process or thread: the tasks from it to the end of its chain,
 * and those behind it. 0: all, as after wait_graph_new().
 */
void wait_graph_select(struct wait_graph *graph, uint32_t pid);
/* Whether any task is shown: else the one selected is not in the looks. */
bool wait_graph_any_shown(const struct wait_graph *graph);

/* The owner of the lock that a task waits for; NULL: it waits for none, or the owner is not known. */
static inline struct wait_node *wait_node_owner(const struct wait_node *node)
{
	return node->waits_for ? node->waits_for->owner : NULL;
}

/* A kind of wait for a lock. */
static inline bool wait_kind_is_lock(enum wait_kind kind)
{
	return kind == WAIT_MUTEX || kind == WAIT_RWSEM_READ || kind == WAIT_RWSEM_WRITE;
}

#endif
