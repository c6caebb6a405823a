/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Shared by tracer.c, load.c (load, attach), discover.c (what lives) and nobody else. */
#ifndef LOCKTRACE_KERNEL_TRACER_INTERNAL_H
#define LOCKTRACE_KERNEL_TRACER_INTERNAL_H

#include <bpf/libbpf.h>

#include "kernel/mutex_layout.h"
#include "kernel/misses.h"
#include "kernel/tracer.h"
#include "locktrace/lock_classes.h"
#include "locktrace.skel.h"

/* One load of the object; a module that comes later needs one more. */
#define INSTANCES_MAX 16
#define LINKS_MAX 192
#define MODULES_MAX 8
#define HOOKS_MAX 256

struct instance {
	struct locktrace_bpf *object;
	struct bpf_link *links[LINKS_MAX];
	size_t link_count;
	bool modules[MODULES_MAX]; /* it was loaded for, as hook_modules */
};

/* A class of the user's own. */
struct user_class_state {
	struct lock_place place;
	uint64_t module_id; /* of the module that the place is in */
	bool placed;        /* place is known; else its symbol is waited for */
	bool refused;       /* found, but it cannot be watched: told, not tried again until modules change;
			       placed, too: tried again, it is watched as another one's */
	char why[384];      /* not watched: a sentence */
	uint64_t watched;   /* address of the lock; 0: not watched */
};

/* A function that rules speak of. */
struct call_state {
	char module[64];
	uint64_t module_id;
	bool attached;
	bool refused; /* it is there, but cannot be attached to: told, not tried again until its module goes
		       */
};

struct tracer {
	struct tracer_options options;
	struct kallsyms *symbols;
	struct types *types;
	struct mutex_layout mutex;
	const enum attach_kind *order; /* kinds to try, best first; ATTACH_AUTO at the end */
	bool preempts;                 /* tasks, in the kernel's own code */
	size_t attached[ATTACH_KINDS]; /* functions, by kind */
	char attach_kinds[64];         /* see tracer_attach_kinds() */
	struct misses_layout misses;
	uint64_t missed_by_detached; /* what links counted that are gone */
	uint64_t missed_by_unloaded; /* what programs counted that are gone */
	struct instance instances[INSTANCES_MAX];
	size_t instance_count;
	bool module_attached[MODULES_MAX]; /* as hook_modules */
	uint64_t module_ids[MODULES_MAX];  /* of those */
	struct ring_buffer *ring;
	record_handler handler;
	void *handler_context;
	const bool *new_modules; /* those that the instance being loaded is for, as hook_modules */
	uint64_t attach_failed;
	uint64_t objects_missed;
	uint64_t watched_failed;     /* locks that could not be watched */
	uint64_t reader_misses;      /* calls that the hooks of rwsems missed, when last looked at */
	uint64_t readers_checked_ns; /* CLOCK_BOOTTIME: when that was */
	uint64_t reads_believed_ns;  /* CLOCK_BOOTTIME: reads that were told before are not believed */
	uint64_t statics[LT_CLASS_DECLARED_END]; /* addresses of those that are watched; 0: not found */
	struct tracer_numbers numbers;
	struct user_class_state user_classes[LT_CLASS_USER_MAX - LT_CLASS_USER];
	struct call_state calls[LT_CALL_SLOTS];
	uint64_t modules_hash; /* of the list of loaded modules, when last looked at */
	char *late_modules;    /* NULL: none */
	uint64_t late_count;   /* times something was added to them, also again */
	uint64_t last_sweep_ms;
	uint64_t last_look_ms; /* by contention */
	int multi_error;       /* 0: kprobe.multi works */
	int stats_fd;
	bool by_contention;    /* nothing is hooked: see contention.h */
	bool multi_tried;      /* multi_error is known */
	bool holds_modules;    /* none of those attached to by fentry can be unloaded: told */
	bool release_attached; /* the end of a read is seen */
	bool look_for_calls;   /* modules came or went since they were looked for */
	bool started;          /* all that was there at the start is attached to */
	bool measuring;        /* programs' run time, as long as stats_fd is open */
};

/* The first instance owns the maps and the global data; the newest knows the most types. */
static inline struct locktrace_bpf *tracer_first(const struct tracer *t)
{
	return t->instances[0].object;
}

static inline struct locktrace_bpf *tracer_newest(const struct tracer *t)
{
	return t->instances[t->instance_count - 1].object;
}

/* tracer.c */

/* How functions are attached to, by the options and this kernel. */
void tracer_choose_kinds(struct tracer *t);

/* What ran in a module before is not known: it came, or what is wanted of it, after the start. */
void tracer_add_late(struct tracer *t, const char *module);

/* load.c */

/* Once per process, before the first load. 0 or negative errno. */
int load_prepare(void);
/* One more instance, for the modules marked (as hook_modules). 0, or negative errno after a message. */
int load_instance(struct tracer *t, const bool *new_modules);
/* Loads the one program that reads memory, for a tracer that does nothing else. */
int load_reader(struct tracer *t);
/* A program of an instance by its name; NULL: there is none of that name. */
struct bpf_program *load_program(struct locktrace_bpf *object, const char *name);
/* Loads what is marked (targets.h), but for what the verifier refuses. 0 or negative errno. */
int load_marked(struct tracer *t);
/* Why it failed, in a message. */
void load_explain_failure(int err);
/* Leaves the iterators out where the kernel has no BTF of its own, which they need. */
void load_select_iterators(struct tracer *t, struct locktrace_bpf *object);

/* attach.c */

/*
 * Attaches the newest instance's programs, and loads one more for what another kind of attaching is
 * to be tried for. 0, or negative errno after a message.
 */
int attach_all(struct tracer *t);

/* readers.c */

/* Lets reads be followed, if their releases are seen from now on. */
void readers_start(struct tracer *t);
/* Was a release missed since the last call? Then no read from before is believed. */
void readers_check(struct tracer *t);
/* The same; the record, or, where it has reads that are not believed, a copy without these. */
const struct lt_record_header *readers_sift(struct tracer *t, const struct lt_record_header *record,
					    size_t size, struct lt_record_chain *copy);

/* discover.c */

/* Fills the tables of addresses that the kernel side compares with. */
void discover_fill_tables(struct tracer *t);
/* Walks files and lists, watches the locks of what is met, and static ones. 0 or negative errno. */
int discover_objects(struct tracer *t);
/* The same, and takes over what is held. 0 or negative errno. */
int discover_all(struct tracer *t);
/* A foreign lock is no longer watched. */
void discover_foreign_gone(struct tracer *t, uint64_t address);
/* An object that was not met any more: its locks leave, its death is told. By enum lt_object_kind. */
void discover_object_gone(struct tracer *t, uint64_t kind, uint64_t object);
/* Reads a piece of kernel memory, at most LT_PEEK_MAX bytes. 0 or negative errno. */
int discover_read(struct tracer *t, uint64_t address, void *out, size_t size);
/*
 * Watches those of the user's own locks that are there and are not watched yet, and takes over who holds
 * them. 0 or negative errno.
 */
int discover_user_classes(struct tracer *t);
/* One of them is gone with its module. */
void discover_user_class_gone(struct tracer *t, size_t index);
/* A module of hook_modules was unloaded: its static locks are no more. */
void discover_module_gone(struct tracer *t, const char *module);

#endif
