/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Shared by tracer.c, load.c (load, attach), discover.c (what lives) and nobody else. */
#ifndef LOCKTRACE_KERNEL_TRACER_INTERNAL_H
#define LOCKTRACE_KERNEL_TRACER_INTERNAL_H

#include <bpf/libbpf.h>

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
};

/* A class of the user's own. */
struct user_class_state {
	struct lock_place place;
	bool placed;      /* place is known; else its symbol is waited for */
	bool refused;     /* found, but it cannot be watched: told, not tried again until modules change */
	uint64_t watched; /* address of the lock; 0: not watched */
};

/* A function that rules speak of. */
struct call_state {
	char module[64];
	bool attached;
	bool refused; /* it is there, but cannot be attached to: told, not tried again */
	bool loading; /* the instance being loaded is to have its program */
};

struct tracer {
	struct tracer_options options;
	struct kallsyms *symbols;
	struct types *types;
	enum attach_kind attach;
	struct instance instances[INSTANCES_MAX];
	size_t instance_count;
	bool module_attached[MODULES_MAX]; /* as hook_modules */
	struct ring_buffer *ring;
	record_handler handler;
	void *handler_context;
	const bool *new_modules; /* those that the instance being loaded is for, as hook_modules */
	uint64_t attach_failed;
	uint64_t objects_missed;
	bool uses_kprobes;
	uint64_t vfio_lock_address; /* of the global vfio.group_lock; 0: not found */
	struct tracer_numbers numbers;
	struct user_class_state user_classes[LT_CLASS_USER_MAX - LT_CLASS_USER];
	struct call_state calls[LT_CALL_SLOTS];
	uint64_t modules_hash; /* of the list of loaded modules, when last looked at */
	uint64_t module_changes;
	char late_modules[128];
	uint64_t last_sweep_ms;
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

/* load.c */

/* Once per process, before the first load. 0 or negative errno. */
int load_prepare(void);
/* Index in hook_modules, or -1. */
int load_module_index(const char *module);
/* A module is usable when it is live, not while its init still runs; built in, it always is. */
bool load_module_present(struct tracer *t, const char *module);
/* One more instance, for the modules marked (as hook_modules). 0, or negative errno after a message. */
int load_instance(struct tracer *t, const bool *new_modules);
/* Loads the one program that reads memory, for a tracer that does nothing else. */
int load_reader(struct tracer *t);
/* Finds the functions that rules speak of; marks those to load. Returns how many these are. */
size_t load_find_calls(struct tracer *t);
/* Attaches an instance's programs. 0, or negative errno after a message. */
int load_attach(struct tracer *t, struct instance *instance);

/* discover.c */

/* Fills the tables of addresses that the kernel side compares with. */
void discover_fill_tables(struct tracer *t);
/* Watches static locks, walks files and lists, takes over what is held. 0 or negative errno. */
int discover_all(struct tracer *t);
/* Reads a piece of kernel memory, at most LT_PEEK_MAX bytes. 0 or negative errno. */
int discover_read(struct tracer *t, uint64_t address, void *out, size_t size);
/* Watches those of the user's own locks that are there and are not watched yet. Returns how many these were.
 */
size_t discover_user_classes(struct tracer *t);
/* One of them is gone with its module. */
void discover_user_class_gone(struct tracer *t, size_t index);

#endif
