/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The objects (VMs, vCPUs, groups, ...) that contain locks: those alive, and
 * those dead ones that some lock in evidence still speaks of. An object that a
 * lock names before its own record came is a placeholder until then.
 */
#ifndef LOCKTRACE_MODEL_OBJECT_H
#define LOCKTRACE_MODEL_OBJECT_H

#include "model/hash.h"
#include "model/list.h"
#include "model/model.h"

struct object {
	struct model_object public; /* first: model_object_describe() gets back from it */
	struct hash_node by_addr;
	struct list locks;     /* of struct lock, by object_link */
	struct object *parent; /* holds a reference; NULL: none or unknown */
	struct list children;  /* of struct object, by child_link */
	struct list child_link;
	uint64_t born;       /* a number that grows: which of two is newer */
	uint64_t died_ns;    /* CLOCK_BOOTTIME, once it is not alive */
	uint32_t references; /* of locks and of children */
	bool known;          /* its record came */
};

struct object_table {
	/* A device and its PCI part share an address, so do a dead object and its heir. */
	struct hash by_addr;
	uint64_t born;
	uint64_t alive[LT_OBJECT_KINDS];
	struct object *last_dead; /* holds a reference; NULL: none died yet */
};

void object_table_init(struct object_table *table);
/* Frees all objects; the locks that refer to them must be gone. */
void object_table_release(struct object_table *table);

/*
 * The living object of a kind (0: any) at an address, or NULL; the newest of
 * several. A placeholder of unknown kind is of every kind.
 */
struct object *object_find(const struct object_table *table, uint64_t addr, uint32_t kind);
/* The object to show for an address: alive before dead, newer before older; no placeholders. Or NULL. */
struct object *object_find_shown(const struct object_table *table, uint64_t addr);

/*
 * The known object at an address at a time (CLOCK_BOOTTIME, ns): alive, or dead no longer
 * than OBJECT_JUST_DEAD_NS, because what a death is told by may be called on it too. Or NULL.
 */
#define OBJECT_JUST_DEAD_NS 1000000
struct object *object_find_at(const struct object_table *table, uint64_t addr, uint64_t time_ns);

/* As object_find(), else a new placeholder. NULL when out of memory. */
struct object *object_find_or_new(struct object_table *table, uint64_t addr, uint32_t kind);

/* Fills an object from a record that speaks of it, makes a placeholder known. */
void object_learn(struct object_table *table, struct object *object, const struct lt_record_object *record);

/*
 * A living child that cannot outlive this object: the vCPUs and the kvm-vfio
 * device of a VM, the PCI part of a device. NULL: none (left). Its own record of
 * death may be lost.
 */
struct object *object_doomed_child(const struct object *object);

/*
 * Marks it dead; it is freed when nothing refers to it and another one died after it. Its
 * locks are the caller's business, before.
 */
void object_die(struct object_table *table, struct object *object, uint64_t time_ns);

/* References: an object that is dead or a placeholder is freed with its last one. */
void object_get(struct object *object);
void object_put(struct object_table *table, struct object *object);

/* See model_object_describe(). */
void object_describe(const struct object_table *table, const struct object *object, char *out, size_t size);

#endif
