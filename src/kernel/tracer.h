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
	ATTACH_AUTO, /* for each function the best that reaches it, see attach_order.h */
	ATTACH_FENTRY,
	ATTACH_KPROBE,
	ATTACH_KPROBE_MULTI,
	ATTACH_CONTENTION, /* the last resort: nothing but waits for locks is seen (contention.c) */
	ATTACH_KINDS
};

/* "auto", "fentry", "kprobe", "kprobe.multi", "contention". */
const char *attach_kind_name(enum attach_kind kind);

/* What ATTACH_CONTENTION does not see, in words. */
#define CONTENTION_BLIND                                                                                    \
	"by contention only locks that a task waits for are seen, not those it gets at once; the order in " \
	"which it took the locks it holds is not known; objects are looked for once a second, so one that " \
	"lived for less may be missed; calls that rules speak of, last references, misuse of locks and "    \
	"names given by initialisers are not followed"

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
	bool rwsem; /* follow rwsems, too */
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
	CLASS_UNFOLLOWED, /* an rwsem of this kernel, and rwsems are not followed */
	CLASS_WAITING,    /* its module is not loaded; of the user's own: or its pointer is not set */
	CLASS_MISSING,    /* this kernel does not have it; of the user's own: it cannot be watched */
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

/* The attach kinds in use, that of the most functions first: "fentry", "fentry, kprobe". */
const char *tracer_attach_kinds(const struct tracer *tracer);

/* Whether nothing is hooked and only waits for locks are seen. */
bool tracer_by_contention(const struct tracer *tracer);

/* Whether the kernel tells how many calls the hooks missed: fentry programs do, kprobes not on every kernel.
 */
bool tracer_counts_misses(const struct tracer *tracer);

/* Lets go of all that is attached, for good. What was seen and lost stays known; only tracer_poll() brings
 * more. */
void tracer_detach(struct tracer *tracer);

/* Why rwsems cannot be followed here (--rwsem), the start of a sentence; NULL: they can. */
const char *tracer_rwsems_refused(const struct tracer *tracer);

/*
 * Has the kernel measure how long BPF programs run, all there are: that costs each of them two readings of
 * the clock. Once, until the tracer is closed: to turn it on or off patches kernel text, which interrupts
 * all CPUs. 0 or negative errno (-EPERM: it takes CAP_SYS_ADMIN).
 */
int tracer_measure(struct tracer *tracer);

/* Nanoseconds that the programs have taken of CPUs' time while measured, with an estimate for their entry. */
uint64_t tracer_run_time(const struct tracer *tracer);

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
 * Reads who owns a mutex, or has an rwsem (one that is watched) for writing now: the
 * address of the task_struct, a name only; 0: nobody. 0 or negative errno.
 */
int tracer_lock_owner(struct tracer *tracer, uint64_t address, uint64_t *owner);

/* How many have an rwsem for reading now, 0 where a writer has it; what only tries to counts too. 0 or
 * negative errno. */
int tracer_readers(struct tracer *tracer, uint64_t address, uint64_t *readers);

/* The last lock call of a task that may wait: its attempt, or what it got. */
struct tracer_call {
	uint64_t lock;
	uint32_t tid;
	bool writing; /* an rwsem, for writing */
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
