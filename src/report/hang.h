/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Reports of "hang": a wait graph out, as text or JSON. The words that both share are
 * hang_words.c's. Nothing here reads the kernel; names come through callbacks.
 */
#ifndef LOCKTRACE_REPORT_HANG_H
#define LOCKTRACE_REPORT_HANG_H

#include "model/wait_graph.h"
#include "report/report.h"

/* Writes a name, cut to size, and returns out; NULL: none is known. */
typedef const char *(*hang_namer)(void *context, uint64_t addr, char *out, size_t size);

struct hang_report {
	/* Of it are used: symbols, kernel, taint, boot_to_wall_ns, all, colour, vm_name and context. */
	struct report_context base;
	const struct wait_graph *graph;
	uint64_t time_ns;  /* CLOCK_BOOTTIME of the last look */
	uint32_t pid;      /* --task; 0: all */
	hang_namer lock;   /* class, or symbol: "kvm.lock" */
	hang_namer object; /* what a lock belongs to: "VM 1234 'demo'" */
	/* The catalogue's entry for a circle; NULL: it is not a known bug. May be NULL itself. */
	const struct rule *(*known_bug)(void *context, const struct wait_cycle *cycle);
	void *context;       /* for these three */
	const char *trouble; /* why the answer is not whole, sentences; NULL: it is */
	bool tasks_missing;  /* that is, some tasks could not be looked at */
	uint64_t milliseconds;
};

/* "kvm.lock of VM 170 'demo'", "a mutex asked for in pipe_write+0x30". Returns out. */
const char *hang_lock(const struct hang_report *r, const struct wait_lock *lock, char *out, size_t size);

/* What is known of who holds a lock: "held by holder/12", "held by 2 readers". Returns out. */
const char *hang_holder(const struct wait_lock *lock, char *out, size_t size);

/* For what a task wants an rwsem: "for writing", "for reading, queued behind ..."; "" for a mutex. Returns
 * out. */
const char *hang_wanted(const struct wait_node *node, char *out, size_t size);

/* All of that: "a mutex, held by holder/12", "an rwsem, for writing, held by 2 readers". Returns out. */
const char *hang_terms(const struct wait_node *node, char *out, size_t size);

/* "812.4 s", "an unknown time": how long a task has not run. Returns out. */
const char *hang_since(const struct hang_report *r, const struct wait_task *task, char *out, size_t size);

/* "state D, killable", "state D, no signal ends it, is exiting". Returns out. */
const char *hang_state(const struct wait_task *task, char *out, size_t size);

/* What a task that waits for no known lock does: "sleeps in handle_userfault". Returns out. */
const char *hang_doing(const struct hang_report *r, const struct wait_node *node, char *out, size_t size);

/* The frames of a stack, "name+0x12 [module]"; as report_stack(), to be freed with report_stack_free(). */
size_t hang_stack(const struct hang_report *r, const struct wait_task *task, char **frames, size_t size);

/* Whether killing the task's process ends its wait. */
bool hang_killable(const struct wait_task *task);

/* Strings to be freed, NULL when out of memory. An advice is one sentence a line. */
char *hang_sentence(const struct hang_report *r, const struct wait_cycle *cycle);
char *hang_cycle_advice(const struct hang_report *r, const struct wait_cycle *cycle);
/* The known bug that a circle is, a line or two; "" for none. */
char *hang_known(const struct hang_report *r, const struct wait_cycle *cycle);
char *hang_root_sentence(const struct hang_report *r, const struct wait_root *root);
char *hang_root_advice(const struct hang_report *r, const struct wait_root *root);
/* One sentence each: what was seen, and what is not whole. */
char *hang_counts(const struct hang_report *r);

/* A wait that lasts, met by a watch: the task, and what its chain ends in. */
struct hang_stall {
	const struct wait_node *waiter;
	const struct wait_cycle *cycle; /* a deadlock that it is in or behind; NULL: root is */
	const struct wait_root *root;
	uint32_t seconds; /* it has lasted so long at least */
};

/* "a/1 has waited for kvm.lock of VM 12 for more than 10 s. b/2 sleeps in ..., and holds up 3 tasks." To be
 * freed. */
char *hang_stall_sentence(const struct hang_report *r, const struct hang_stall *stall);

/* As a finding of a watch. The graph's "shown" says what of it. 0, -EIO, or -ENOMEM. */
int text_stall(const struct hang_report *report, const struct hang_stall *stall, FILE *out);
int json_stall(const struct hang_report *report, const struct hang_stall *stall, FILE *out);

/* The whole report; 0, -EIO, or -ENOMEM. */
int text_hang(const struct hang_report *report, FILE *out);
int json_hang(const struct hang_report *report, FILE *out);

#endif
