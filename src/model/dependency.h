/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The dependencies, twice: between classes, which is for ever and what lockdep
 * knows, and between locks, which is as long as both live and tells which of the
 * former can really meet. Every edge carries its evidence; an edge of the lock graph
 * knows the class edge that it is an instance of.
 *
 * Two locks of one class give a class edge from the class to itself: kept for
 * its evidence, in no cycle of classes.
 */
#ifndef LOCKTRACE_MODEL_DEPENDENCY_H
#define LOCKTRACE_MODEL_DEPENDENCY_H

#include "model/class.h"
#include "model/counter.h"
#include "model/evidence.h"
#include "model/graph.h"
#include "model/lock.h"

struct finding_entry;

struct class_edge {
	struct graph_edge edge; /* first */
	struct evidence evidence;
	struct counter counter;
	uint32_t instances;     /* lock edges there ever were */
	struct list lock_edges; /* living ones: struct lock_edge, by class_link */
	/* Findings that have this edge; they are the finding table's. */
	struct finding_entry **findings;
	uint32_t finding_count, finding_room;
};

struct lock_edge {
	struct graph_edge edge; /* first */
	struct class_edge *class_edge;
	struct list class_link;
	struct evidence evidence;
};

struct dependency_table {
	struct graph classes, locks;
	struct lock_table *lock_table;
	uint64_t count; /* class edges between two classes */
};

enum dependency_change {
	DEPENDENCY_NEW_CLASS_EDGE = 1 << 0,
	DEPENDENCY_NEW_LOCK_EDGE = 1 << 1,
	DEPENDENCY_CLASS_CHANGED = 1 << 2, /* its evidence excludes less than before */
	DEPENDENCY_LOCK_CHANGED = 1 << 3,
};

void dependency_table_init(struct dependency_table *table, struct lock_table *locks);
void dependency_table_release(struct dependency_table *table);

/*
 * Adds an observation to both graphs; to that of locks only if both live.
 * Sets *class_edge, and *lock_edge or NULL. Returns enum dependency_change, or -ENOMEM.
 */
int dependency_observe(struct dependency_table *table, const struct observation *observation, chain_hits hits,
		       void *context, struct class_edge **class_edge, struct lock_edge **lock_edge);

/* A lock dies: its edges in the lock graph go, what they said of their classes stays. */
void dependency_forget_lock(struct dependency_table *table, struct lock *lock);

/*
 * Two classes are one: the edges of the loser become the winner's; where both
 * had one, the evidence of both does. Findings are told of edges that went.
 */
void dependency_unite(struct dependency_table *table, struct class *winner, struct class *loser);

/* Notes that a finding has this edge, once. 0 or -ENOMEM. */
int class_edge_add_finding(struct class_edge *edge, struct finding_entry *finding);

struct class *class_edge_from(const struct class_edge *edge);
struct class *class_edge_to(const struct class_edge *edge);
struct lock *lock_edge_from(const struct lock_edge *edge);
struct lock *lock_edge_to(const struct lock_edge *edge);

#endif
