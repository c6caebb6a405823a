/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * What lives, and nothing attached: the VMs, groups, devices, ... of this moment and where their
 * locks are, found as the tracer finds them at its start. For commands that look once. One thread;
 * not together with a tracer in one process.
 */
#ifndef LOCKTRACE_KERNEL_OBJECTS_H
#define LOCKTRACE_KERNEL_OBJECTS_H

#include <stdint.h>

#include "kernel/tracer.h"

struct objects;

/*
 * Loads the programs that look round and runs them. Of the options only the classes of the user's own
 * are used. Can block, as waiters_open() can. The tables must outlive it. 0, or negative errno after
 * an error message.
 */
int objects_open(const struct tracer_options *options, struct kallsyms *symbols, struct types *types,
		 struct objects **out);
void objects_close(struct objects *objects);

/*
 * Hands the records of the objects found (LT_RECORD_OBJECT) to the handler, once. How many, or negative
 * errno, or what the handler ended it with.
 */
int objects_each(struct objects *objects, record_handler handler, void *context);

/* A lock of an object, or a static one of a declared class, or one of the user's own. */
struct object_lock {
	uint64_t addr;
	uint64_t object;   /* that contains it; 0: none */
	uint32_t class_id; /* as in struct lt_held */
	uint32_t readable; /* 1: the owner could be read */
	uint64_t owner;    /* address of the task_struct that has it now, a name only; 0: nobody */
};

/* Calls visit with each lock; not 0 ends it. What visit returned last. */
int objects_each_lock(struct objects *objects, int (*visit)(void *context, const struct object_lock *lock),
		      void *context);

/* What has found them, for tracer_read_member() alone. As long as the objects. */
struct tracer *objects_reader(struct objects *objects);

/* How many objects were met whose records did not fit. */
uint64_t objects_lost(const struct objects *objects);

#endif
