/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The findings: one for each distinct cycle, found again by its classes in
 * order, wherever one begins to read them; one for each order broken, each call
 * under a class, each misuse of one. They keep alive what they show.
 */
#ifndef LOCKTRACE_MODEL_FINDING_H
#define LOCKTRACE_MODEL_FINDING_H

#include "model/dependency.h"
#include "model/evidence.h"
#include "model/grade.h"
#include "model/hash.h"
#include "model/model.h"

struct finding_entry {
	struct finding public; /* first: model_refresh() gets back from it */
	struct hash_node by_identity;
	struct class_edge *edges[MODEL_CYCLE_MAX]; /* all NULL where no dependency is the evidence */
	/* What public.edges[] and public.guard show; hold references. */
	struct shared_sighting *sightings[MODEL_CYCLE_MAX];
	struct lock *guard;
	/* Of those without edges in the graph: one lock taken twice, broken orders, calls. */
	struct evidence evidence;
	struct counter counter;
	struct lt_task caller; /* forbidden_call: who made it last */
	uint64_t record;       /* number of the last record counted */
	bool repeats;          /* a class stands in it more than once: see search.c */
	bool retired;          /* after a uniting: another finding says the same; told, no longer found */
};

struct finding_table {
	struct finding_entry **entries; /* by id - 1 */
	uint32_t count, room;
	struct hash by_identity;
	struct lock_table *locks;
	const struct model_options *options;
};

/* Classes in cycle order (order: the one held, the one taken), with what kind of finding they make. */
struct finding_identity {
	enum finding_kind kind;
	bool same_instance;
	const char *function; /* forbidden_call, else NULL; outlives the findings */
	uint32_t count;
	struct class *classes[MODEL_CYCLE_MAX];
};

/* What one record shows by itself, without any dependency. */
struct finding_sight {
	struct finding_identity identity;
	struct witness witness;
	enum finding_grade grade;
	uint32_t rule_count; /* at most FINDING_RULES_MAX */
	const struct rule *const *rules;
	/* Of a misuse, as in struct finding. */
	uint64_t owner;
	uint32_t owner_tid;
	const char *owner_comm; /* LT_COMM_LEN bytes; NULL: none */
};

void finding_table_init(struct finding_table *table, struct lock_table *locks,
			const struct model_options *options);
void finding_table_release(struct finding_table *table);

/* The finding with these classes in this order from any of them on, or NULL. */
struct finding_entry *finding_find(const struct finding_table *table,
				   const struct finding_identity *identity);

/*
 * A new finding, not yet graded nor told. edges: the identity's count, in cycle
 * order from the first class on; NULL where no dependency is the evidence. NULL: out of memory.
 */
struct finding_entry *finding_new(struct finding_table *table, const struct finding_identity *identity,
				  struct class_edge *const *edges, uint32_t edge_count);

/* Shows other edges (of a recursive finding: a longer or shorter circle within its class). 0 or -ENOMEM. */
int finding_set_edges(struct finding_table *table, struct finding_entry *entry,
		      struct class_edge *const *edges, uint32_t edge_count);
/* Shows a sighting as the evidence of one edge. */
void finding_set_witness(struct finding_table *table, struct finding_entry *entry, uint32_t index,
			 const struct witness *witness);

/* Counts one record once. */
void finding_count(struct finding_entry *entry, uint64_t record, uint64_t time_ns);
/* Brings the figures of all edges, and its own, up to date. */
void finding_refresh(struct finding_table *table, struct finding_entry *entry);
/*
 * One more sighting for a finding without edges in the graph: counted, and told
 * if its grade is higher than before. 0 or -ENOMEM; told in any case.
 */
int finding_see(struct finding_table *table, struct finding_entry *entry, const struct finding_sight *sight,
		uint64_t record, uint64_t time_ns);
/* Notes a class of locks taken inside the call, once, as long as there is room. */
void finding_add_inside(struct finding_entry *entry, const struct lock_class *class);
/* Gives it its grade, higher than the one it has, and tells it, unless a rule has it ignored. */
void finding_tell(struct finding_table *table, struct finding_entry *entry, const struct grade *grade);

/* A class edge went into another one. */
void finding_replace_edge(struct finding_entry *entry, const struct class_edge *old, struct class_edge *edge);
/* After a uniting of classes: names the final ones, retires what says the same as an older one. */
void finding_table_reindex(struct finding_table *table);

#endif
