/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Shared by tracer.c, load.c (load, attach), discover.c (what lives) and nobody else. */
#ifndef LOCKTRACE_KERNEL_TRACER_INTERNAL_H
#define LOCKTRACE_KERNEL_TRACER_INTERNAL_H

#include <bpf/libbpf.h>

#include "kernel/tracer.h"
#include "locktrace/lock_classes.h"
#include "locktrace.skel.h"

/* One load of the object; a module that comes later needs one more. */
#define INSTANCES_MAX 8
#define LINKS_MAX 192
#define MODULES_MAX 8
#define HOOKS_MAX 256

struct instance {
	struct locktrace_bpf *object;
	struct bpf_link *links[LINKS_MAX];
	size_t link_count;
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
	bool user_class_gone[LT_CLASS_USER_MAX]; /* its module was unloaded, and that was told */
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
/* Attaches an instance's programs. 0, or negative errno after a message. */
int load_attach(struct tracer *t, struct instance *instance);

/* discover.c */

/* Fills the tables of addresses that the kernel side compares with. */
void discover_fill_tables(struct tracer *t);
/* Watches static locks, walks files and lists, takes over what is held. 0 or negative errno. */
int discover_all(struct tracer *t);
/* Reads a piece of kernel memory, at most LT_PEEK_MAX bytes. 0 or negative errno. */
int discover_read(struct tracer *t, uint64_t address, void *out, size_t size);
/* Adds one lock to the watched ones. 0, -E2BIG when the map is full. */
int discover_watch(struct tracer *t, uint64_t address, uint32_t class_id);

#endif
