/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The locks: an address for the time that one lock lives there, told apart by
 * its generation. A lock is freed when it is dead and no evidence shows it.
 */
#ifndef LOCKTRACE_MODEL_LOCK_H
#define LOCKTRACE_MODEL_LOCK_H

#include "model/class.h"
#include "model/graph.h"
#include "model/hash.h"
#include "model/list.h"
#include "model/model.h"
#include "model/object.h"

struct lock {
	struct model_lock public; /* first */
	struct class *class;      /* as public.class; NULL: only named so far, in no chain yet */
	struct object *object;    /* holds a reference; public.object shows it once it is known */
	struct hash_node by_addr; /* while alive */
	struct graph_node node;   /* in the lock graph */
	struct list class_link, object_link;
	struct lt_record_lock *hint; /* what was told of it, until it has its class; owned */
	uint32_t references;         /* one while alive, one for each place in evidence */
	bool alive;
};

struct lock_table {
	struct hash by_addr;
	struct object_table *objects; /* gets back the references of freed locks */
};

void lock_table_init(struct lock_table *table, struct object_table *objects);
/* Lets go of all living locks. Evidence that refers to locks must be gone before. */
void lock_table_release(struct lock_table *table);

/* The living lock with exactly this address and generation, or NULL. */
struct lock *lock_find(const struct lock_table *table, uint64_t addr, uint64_t generation);
/* The living lock of a class id at an address, whatever its generation, or NULL. */
struct lock *lock_find_declared(const struct lock_table *table, uint64_t addr, uint32_t class_id);
/*
 * The living lock at an address whose class is a symbol: memory of a static lock
 * is never used for another one, so whatever its generation it is the same. NULL:
 * none.
 */
struct lock *lock_find_static(const struct lock_table *table, uint64_t addr);
/*
 * A living lock that an heir with this generation proves dead: same address,
 * another generation. Generation 0 is "unknown" and proves nothing. Or NULL.
 */
struct lock *lock_find_outlived(const struct lock_table *table, uint64_t addr, uint64_t generation);

/* A new living lock without class or object. NULL when out of memory. */
struct lock *lock_new(struct lock_table *table, uint64_t addr, uint64_t generation);

void lock_set_class(struct lock *lock, struct class *class);
/* Takes a reference to the object; only for a lock that has none. */
void lock_set_object(struct lock *lock, struct object *object);

/*
 * The whole that a lock belongs to: the VM of a vCPU's mutex, the group of a
 * device's lock, else the object itself. Not of a device set: several groups share
 * one. NULL: not known.
 */
struct object *lock_whole(const struct lock *lock);

/* Takes it out of the table; its edges must be gone. May free it. */
void lock_die(struct lock_table *table, struct lock *lock);

void lock_get(struct lock *lock);
void lock_put(struct lock_table *table, struct lock *lock);

#endif
