/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The classes of locks: how a lock comes to its class and the class to its
 * name, and the uniting of two that turn out to be one.
 */
#ifndef LOCKTRACE_MODEL_CLASS_H
#define LOCKTRACE_MODEL_CLASS_H

#include "model/graph.h"
#include "model/hash.h"
#include "model/list.h"
#include "model/model.h"

/* What a class was told by, in the order in which it is tried. */
enum class_source {
	CLASS_BY_DECLARATION,
	CLASS_BY_SYMBOL,
	CLASS_BY_INIT_NAME,
	CLASS_BY_SLAB,
	CLASS_BY_SITE,
	CLASS_BY_ADDRESS,
};

struct class
{
	struct lock_class public; /* first */
	struct graph_node node;   /* in the class graph */
	struct list locks;        /* of struct lock, by class_link */
	struct hash_node by_name; /* by short_name; only while not united with another */
	enum class_source source;
	char *short_name;
	char *long_name; /* for when two classes have one short name; NULL: no longer one */
	char *lockdep_name;
};

struct class_table {
	struct symbol_source symbols;
	struct class **classes; /* by index */
	uint32_t count, room;
	uint32_t united;    /* how many of them are now others */
	struct hash by_key; /* of struct class_key, see class.c */
	struct hash by_name;
	char *user_names[LT_CLASS_USER_MAX - LT_CLASS_USER];
	bool user_used[LT_CLASS_USER_MAX - LT_CLASS_USER];
};

/* What is known of a lock when its class is asked for. */
struct class_query {
	uint32_t declared; /* lt_held.class_id, valid */
	uint64_t addr;
	uint64_t generation;
	uint64_t ip;                       /* where it was taken, 0: unknown */
	const struct lt_record_lock *hint; /* NULL: none came */
};

void class_table_init(struct class_table *table, const struct symbol_source *symbols);
/* A class, or what it was united with in the end. */
struct class *class_final(struct class *class);
/* Whether a rule that gives this name means the class: by its short name or its long one. */
bool class_has_name(const struct lock_class *class, const char *name);

/* Whether all objects of a slab cache are of one type; those of the general caches (kmalloc-64) are not. */
bool class_slab_is_dedicated(const char *slab);

/* Frees all classes; the locks and edges that refer to them must be gone. */
void class_table_release(struct class_table *table);

/* See model_name_class(). */
int class_name_user(struct class_table *table, uint32_t class_id, const char *name);

/* Whether a class id of a record is one that record.h knows. */
bool class_id_valid(uint32_t class_id);
/* The kind of object that a lock of a declared class lies in; 0: none, or any. */
uint32_t class_object_kind(uint32_t class_id);

/* Finds or makes a lock's class. 0 or -ENOMEM; *out is never a united one. */
int class_of_lock(struct class_table *table, const struct class_query *query, struct class **out);

/*
 * A lock whose class was told by a call site was now taken at ip. Sets *other
 * to the class of that site where it is a different one: the two should be
 * united; else to NULL, and the site stands for this class from now on. 0 or -ENOMEM.
 */
int class_note_site(struct class_table *table, struct class *class, uint64_t ip, struct class **other);

/*
 * Makes loser be winner: names, sites, and the locks that are of it. The edges
 * of the graph are the caller's. Both must be told by call sites and not united yet.
 */
void class_unite(struct class_table *table, struct class *winner, struct class *loser);

#endif
