/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Reports: findings out. What all forms need to know (names, symbols, the kernel)
 * is in a context; each form is a file of its own. Nothing here reads the
 * kernel: a recording has the same context.
 */
#ifndef LOCKTRACE_REPORT_REPORT_H
#define LOCKTRACE_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "model/model.h"

struct report_context {
	const struct model *model;
	struct symbol_source symbols;
	const char *kernel;      /* release: "6.1.0-50-cloud-amd64" */
	const char *taint;       /* "not tainted", "tainted 4096" */
	int64_t boot_to_wall_ns; /* add to CLOCK_BOOTTIME for the time of day; 0: unknown */
	bool all;                /* weak grades in full */
	bool colour;
	/* Name of the VM that a process runs; NULL: none known. */
	const char *(*vm_name)(void *context, uint32_t pid);
	/* Whether a function is where the tracer hooks in: its own frames end there. */
	bool (*is_lock_function)(const char *symbol);
	/* The same for functions that are hooked for other things: calls that rules speak of, deaths, ... */
	bool (*is_call_function)(void *context, const char *symbol);
	void *context;
};

#define REPORT_TEXT_LEN 256

/* "VM 1234 'demo'", "group 7", ...; "" for NULL. Returns out. */
const char *report_object(const struct report_context *c, const struct model_object *object, char *out,
			  size_t size);

/* "kvm.lock of VM 1234 'demo'", "guests_lock". Returns out. */
const char *report_lock(const struct report_context *c, const struct model_lock *lock, char *out,
			size_t size);

/* How a lock is held or asked for: " for reading", " for writing"; "" for a mutex. */
const char *report_mode(const struct lt_held *held);

/* "opener/167", short, for columns. Returns out. */
const char *report_task_short(const struct lt_task *task, char *out, size_t size);

/* "opener/167 (process 165, VM 'demo')". Returns out. */
const char *report_task(const struct report_context *c, const struct lt_task *task, char *out, size_t size);

/* "kvm.lock (&kvm->lock)". Returns out. */
const char *report_class(const struct lock_class *class, char *out, size_t size);

/*
 * The stack of a sighting as a reader wants it: the tracer's own frames at the
 * top and the trampolines between are left out. Fills at most size frames of text
 * ("name+0x12 [module]"), returns how many. Each must be freed with
 * report_stack_free().
 */
size_t report_stack(const struct report_context *c, const struct sighting *sighting, char **frames,
		    size_t size);
void report_stack_free(char **frames, size_t count);

/*
 * One side of a circular finding: what one task does, from the first lock of the
 * cycle that it holds to the one it waits for. A side may cover several edges.
 */
struct report_side {
	const struct sighting *sighting;
	size_t first_edge, last_edge;
	const struct model_lock *holds, *waits_for;
	const struct lt_held *holding, *waiting; /* how */
};

/* The sides of a finding, in cycle order; at most MODEL_CYCLE_MAX. Returns how many. */
size_t report_sides(const struct finding *finding, struct report_side sides[MODEL_CYCLE_MAX]);

/* What it is about in one line: "kvm.lock -> a -> kvm.lock", "kvm_destroy_vm under a". Returns out. */
const char *report_title(const struct finding *finding, char *out, size_t size);

/* The first sentence: what can happen, in names. Returns a string to be freed, NULL when out of memory. */
char *report_sentence(const struct report_context *c, const struct finding *finding);

/* Why it has its grade, a sentence. Returns a string to be freed, NULL when out of memory. */
char *report_why(const struct report_context *c, const struct finding *finding);

/* What to do, one sentence a line. Returns a string to be freed, NULL when out of memory. */
char *report_advice(const struct report_context *c, const struct finding *finding);

/* How far the result can be trusted. */
enum complete {
	COMPLETE_TRUE,
	COMPLETE_FALSE,
	COMPLETE_UNKNOWN,
};

struct report_trust {
	uint64_t lost[LT_LOST_KINDS];
	enum complete complete;
	const char *unknown_reason; /* complete unknown: why */
	const char *blind;    /* what cannot be seen at all, whatever is lost: never complete then; NULL */
	const char *followed; /* "mutex", "mutex and rw_semaphore" */
	bool rwsems;          /* they are among these */
	const char *not_followed; /* "rw_semaphore, ww_mutex, ..." */
	const char *late_modules; /* names of modules attached to only after they were loaded; "" for none */
	uint64_t let_go;          /* busy foreign locks that are no longer followed everywhere */
};

/* Sets complete from the losses and from what is not seen at all: any makes it false. */
void report_trust_judge(struct report_trust *trust, bool misses_are_counted, const char *unknown_reason);

/* "complete for mutex: ..." in words. Returns a string to be freed, NULL when out of memory. */
char *report_trust_text(const struct report_trust *trust);

struct report_summary {
	struct model_counts seen;
	struct report_trust trust;
	struct model *model;              /* the findings, for their final counts: refreshed */
	uint64_t stalls, stalls_left_out; /* the model does not know them */
	uint64_t foreign, seconds;
	const char *ended;     /* "interrupted", "duration is over", ... */
	const char *ended_why; /* a sentence; "": none is needed */
};

/* text.c, text_summary.c: the forms for people. */
void text_finding(const struct report_context *c, const struct finding *finding,
		  const struct report_trust *trust, FILE *out);
void text_summary(const struct report_summary *summary, FILE *out);
/* "in force  FILE:LINE: TEXT", and under it, indented, "source: TEXT" where one is stated. */
void text_rule(const struct rule *rule, FILE *out);

/* json.c: one object a line, see docs/json.md. 0 or -ENOMEM. */
struct report_ready {
	const char *attach;
	const char *version;
	size_t rules; /* in force */
	struct model_counts seen;
	const char *const *classes, *const *waiting, *const *missing; /* NULL at the end */
	const char *const *unfollowed; /* rwsems of this kernel that are not followed; as these */
	bool rwsems;                   /* rwsems are followed */
};
int json_ready(const struct report_context *c, const struct report_ready *ready, FILE *out);
int json_finding(const struct report_context *c, const struct finding *finding, FILE *out);
int json_summary(const struct report_summary *summary, FILE *out);
int json_rule(const struct rule *rule, FILE *out);

#endif
