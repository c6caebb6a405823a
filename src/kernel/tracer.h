/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The kernel side at work: loads the programs, attaches them, finds what lives,
 * follows modules that come later, counts what is lost. One per process.
 */
#ifndef LOCKTRACE_KERNEL_TRACER_H
#define LOCKTRACE_KERNEL_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/kallsyms.h"
#include "kernel/lock_spec.h"
#include "kernel/types.h"
#include "locktrace/kernel_side.h"

enum attach_kind {
	ATTACH_AUTO, /* fentry, and kprobe for what fentry cannot reach or where it would skip calls */
	ATTACH_FENTRY,
	ATTACH_KPROBE,
};

/* "auto", "fentry", "kprobe". */
const char *attach_kind_name(enum attach_kind kind);

/* A function that rules speak of, and the classes they name for it; its number is its place in the list. */
struct watched_call {
	const char *function;
	struct lt_class_set classes;
	bool wanted; /* may become so when modules come: asked at each tick that follows */
};

/* A class of the user's own, one lock. */
struct watched_class {
	struct lock_spec lock;
	bool wanted; /* as of a call; may also end */
};

struct tracer_options {
	enum attach_kind attach;
	bool every_lock;
	size_t ring_size; /* bytes; 0: the default. Rounded up to a power of two of at least a page */
	bool check_unlock;
	/* Those that are not there yet are watched when they come. */
	const struct watched_class *user_classes;
	size_t user_class_count;
	const struct watched_call *calls; /* at most LT_CALL_SLOTS */
	size_t call_count;
	struct lt_class_set put_classes; /* for LT_PUTS */
	uint64_t modules; /* modules_hash() from before the symbols were read: what came since is a change */
};

/* What became of a class on this kernel. */
enum class_state {
	CLASS_WATCHED,
	CLASS_WAITING, /* its module is not loaded; of the user's own: or its pointer is not set */
	CLASS_MISSING, /* this kernel does not have it; of the user's own: it cannot be watched */
};

struct tracer;

/*
 * Loads and attaches everything that is there now, finds the objects that live,
 * and takes over the locks that are held. The tables must outlive the tracer.
 * 0, or negative errno after an error message.
 */
int tracer_open(const struct tracer_options *options, struct kallsyms *symbols, struct types *types,
		struct tracer **out);

/* Detaches and frees everything. */
void tracer_close(struct tracer *tracer);

/* Called with each record; must not keep the pointer. 0, or a negative number to end the poll. */
typedef int (*record_handler)(void *context, const struct lt_record_header *record, size_t size);

/* Sets who gets the records; before the first poll. 0 or negative errno. */
int tracer_set_handler(struct tracer *tracer, record_handler handler, void *context);

/*
 * Waits at most timeout_ms for records and hands out those there are. Count, or negative errno (-EINTR), or
 * what the handler ended it with.
 */
int tracer_poll(struct tracer *tracer, int timeout_ms);

/*
 * Housekeeping, some times a second: attaches to modules that have come and to what of the
 * user's own they bring, lets busy foreign locks go that never have anything under them.
 * Returns more than 0 when something in modules that have come was attached to or watched, or negative
 * errno: they could not be attached to, which counts as lost.
 */
int tracer_tick(struct tracer *tracer);

/*
 * Whether modules, any modules, came or went since the last call; forgets what was in those that went.
 * Before tracer_tick(), so that what is wanted now is known to it.
 */
bool tracer_modules_changed(struct tracer *tracer);

/* Names of the modules that were attached to, or had locks watched, after the start: "kvm, vfio"; "": none.
 */
const char *tracer_late_modules(const struct tracer *tracer);

/* Rules are judged otherwise from now on: what was told of chains and calls is told anew when met again. */
void tracer_rules_changed(struct tracer *tracer);

/* What was lost so far, by enum lt_lost. */
void tracer_lost(struct tracer *tracer, uint64_t lost[LT_LOST_KINDS]);

/* Whether a module of hook_modules is attached. */
bool tracer_has_module(const struct tracer *tracer, const char *module);

/* The attach kind in use, never ATTACH_AUTO. */
enum attach_kind tracer_attach_kind(const struct tracer *tracer);

/* Whether the kernel tells how many calls the hooks missed: fentry programs do, kprobes do not here. */
bool tracer_counts_misses(const struct tracer *tracer);

/*
 * Only reads the kernel's memory: nothing is attached. For tracer_read_member(); all else
 * but tracer_close() must not be called. 0, or negative errno after an error message.
 */
int tracer_open_reader(struct kallsyms *symbols, struct types *types, struct tracer **out);

/* A member of a variable: of at most 8 bytes. Known as long as no module comes or goes. */
struct tracer_member {
	uint64_t address, offset, size;
	bool pointer; /* the variable points to the struct */
};

/*
 * Finds a member of the struct at a symbol, or, pointer, of that which the symbol points to.
 * 0; -ENOENT: no such struct or member here, no such symbol, or several of that name.
 */
int tracer_find_member(struct tracer *tracer, const char *structure, const char *member, const char *symbol,
		       bool pointer, struct tracer_member *out);

/* Reads it as it is now. 0; -ENOENT: the pointer is not set; other negative errno. */
int tracer_read_member(struct tracer *tracer, const struct tracer_member *member, uint64_t *value);

/* The class id of a declared class by its name; LT_CLASS_FOREIGN: none is called so. */
uint32_t tracer_class_id(const char *name);

/* The name of a declared class by its id; NULL: it is none. */
const char *tracer_class_name(uint32_t class_id);

/*
 * State of a class of the user's own, by its place in the options; why it is so goes to *why,
 * "" where it is watched. Valid until the next tick.
 */
enum class_state tracer_user_class_state(const struct tracer *tracer, size_t index, const char **why);

/* Whether the function of a call is attached to, by its place in the options. */
bool tracer_call_attached(const struct tracer *tracer, size_t index);

/* State of a declared class (enum lt_class_id); its name goes to *name. */
enum class_state tracer_class_state(struct tracer *tracer, uint32_t class_id, const char **name);

struct tracer_numbers {
	uint64_t hooks_attached;
	uint64_t foreign;      /* foreign locks watched now */
	uint64_t let_go;       /* foreign locks let go again so far */
	uint64_t tasks_inside; /* now */
};

void tracer_numbers(struct tracer *tracer, struct tracer_numbers *out);

/*
 * Reads who owns a mutex now: the address of the task_struct, a name only; 0:
 * nobody. 0 or negative errno.
 */
int tracer_lock_owner(struct tracer *tracer, uint64_t address, uint64_t *owner);

/* The last lock call of a task that may wait: its attempt, or what it got. */
struct tracer_call {
	uint64_t lock;
	uint32_t tid;
};

/* 0; -ENOENT: the task is not followed, or its last call was a trylock. */
int tracer_last_call(struct tracer *tracer, uint64_t task, struct tracer_call *out);

/*
 * Calls visit with each task that is followed and its last lock call, as tracer_last_call(). To
 * meet one twice or not at all is possible while they come and go.
 */
void tracer_each_call(struct tracer *tracer,
		      void (*visit)(void *context, uint64_t task, const struct tracer_call *call),
		      void *context);

/* Class (as in struct lt_held) and object (0: none) of a watched lock. 0; -ENOENT: it is not watched. */
int tracer_watched(const struct tracer *tracer, uint64_t address, uint32_t *class_id, uint64_t *object);

/* How often a chain was seen (struct lt_record_chain.key); 0: no longer known. */
uint64_t tracer_chain_hits(struct tracer *tracer, uint64_t key);

#endif
