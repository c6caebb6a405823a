// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* See dependency.h. */
#include "model/dependency.h"

#include <errno.h>
#include <stdlib.h>

#include "model/finding.h"

struct class *class_edge_from(const struct class_edge *edge)
{
	return list_entry(edge->edge.from, struct class, node);
}

struct class *class_edge_to(const struct class_edge *edge)
{
	return list_entry(edge->edge.to, struct class, node);
}

struct lock *lock_edge_from(const struct lock_edge *edge)
{
	return list_entry(edge->edge.from, struct lock, node);
}

struct lock *lock_edge_to(const struct lock_edge *edge)
{
	return list_entry(edge->edge.to, struct lock, node);
}

void dependency_table_init(struct dependency_table *table, struct lock_table *locks)
{
	graph_init(&table->classes);
	graph_init(&table->locks);
	table->lock_table = locks;
	table->count = 0;
}

static void lock_edge_free(struct dependency_table *table, struct lock_edge *edge)
{
	graph_remove_edge(&table->locks, &edge->edge);
	list_remove(&edge->class_link);
	evidence_release(&edge->evidence, table->lock_table);
	free(edge);
}

static void class_edge_free(struct dependency_table *table, struct class_edge *edge)
{
	if (edge->edge.from != edge->edge.to)
		table->count--;
	graph_remove_edge(&table->classes, &edge->edge);
	evidence_release(&edge->evidence, table->lock_table);
	counter_release(&edge->counter);
	free(edge->findings);
	free(edge);
}

void dependency_table_release(struct dependency_table *table)
{
	struct hash_node *node;

	while ((node = hash_any(&table->locks.edges)))
		lock_edge_free(table, list_entry(node, struct lock_edge, edge.by_ends));
	while ((node = hash_any(&table->classes.edges)))
		class_edge_free(table, list_entry(node, struct class_edge, edge.by_ends));
	graph_release(&table->locks);
	graph_release(&table->classes);
}

static struct class_edge *class_edge_find(const struct dependency_table *table, const struct class *from,
					  const struct class *to)
{
	struct graph_edge *edge = graph_find_edge(&table->classes, &from->node, &to->node);

	return edge ? list_entry(edge, struct class_edge, edge) : NULL;
}

static struct class_edge *class_edge_new(struct dependency_table *table, struct class *from, struct class *to)
{
	struct class_edge *edge = calloc(1, sizeof(*edge));

	if (!edge)
		return NULL;
	list_init(&edge->lock_edges);
	if (graph_add_edge(&table->classes, &edge->edge, &from->node, &to->node)) {
		free(edge);
		return NULL;
	}
	if (from != to)
		table->count++;
	return edge;
}

static struct lock_edge *lock_edge_find(const struct dependency_table *table, const struct lock *from,
					const struct lock *to)
{
	struct graph_edge *edge = graph_find_edge(&table->locks, &from->node, &to->node);

	return edge ? list_entry(edge, struct lock_edge, edge) : NULL;
}

static struct lock_edge *lock_edge_new(struct dependency_table *table, struct class_edge *class_edge,
				       struct lock *from, struct lock *to)
{
	struct lock_edge *edge = calloc(1, sizeof(*edge));

	if (!edge)
		return NULL;
	list_init(&edge->class_link);
	if (graph_add_edge(&table->locks, &edge->edge, &from->node, &to->node)) {
		free(edge);
		return NULL;
	}
	edge->class_edge = class_edge;
	list_add_tail(&class_edge->lock_edges, &edge->class_link);
	class_edge->instances++;
	return edge;
}

static int dependency_observe_classes(struct dependency_table *table, const struct observation *observation,
				      chain_hits hits, void *context, struct class_edge **out)
{
	struct class *from = observation->from->class, *to = observation->to->class;
	struct class_edge *edge = class_edge_find(table, from, to);
	int change = 0, error;

	if (!edge) {
		edge = class_edge_new(table, from, to);
		if (!edge)
			return -ENOMEM;
		change |= DEPENDENCY_NEW_CLASS_EDGE;
	}
	error = counter_add(&edge->counter, observation->sighting->public.key, hits, context);
	if (!error)
		error = evidence_add(&edge->evidence, observation, EVIDENCE_CLASS_SIGHTINGS,
				     table->lock_table);
	if (error < 0) {
		if (change & DEPENDENCY_NEW_CLASS_EDGE) /* no edge without evidence */
			class_edge_free(table, edge);
		return error;
	}
	if (error)
		change |= DEPENDENCY_CLASS_CHANGED;
	*out = edge;
	return change;
}

static int dependency_observe_locks(struct dependency_table *table, const struct observation *observation,
				    struct class_edge *class_edge, struct lock_edge **out)
{
	struct lock *from = observation->from, *to = observation->to;
	struct lock_edge *edge = NULL;
	int change = 0, error;

	*out = NULL;
	if (!from->alive || !to->alive)
		return 0;
	edge = lock_edge_find(table, from, to);
	if (!edge) {
		edge = lock_edge_new(table, class_edge, from, to);
		if (!edge)
			return -ENOMEM;
		change |= DEPENDENCY_NEW_LOCK_EDGE;
	}
	error = evidence_add(&edge->evidence, observation, EVIDENCE_LOCK_SIGHTINGS, table->lock_table);
	if (error < 0) {
		if (change & DEPENDENCY_NEW_LOCK_EDGE)
			lock_edge_free(table, edge);
		return error;
	}
	if (error)
		change |= DEPENDENCY_LOCK_CHANGED;
	*out = edge;
	return change;
}

int dependency_observe(struct dependency_table *table, const struct observation *observation, chain_hits hits,
		       void *context, struct class_edge **class_edge, struct lock_edge **lock_edge)
{
	int class_change, lock_change;

	class_change = dependency_observe_classes(table, observation, hits, context, class_edge);
	if (class_change < 0)
		return class_change;
	lock_change = dependency_observe_locks(table, observation, *class_edge, lock_edge);
	if (lock_change < 0)
		return lock_change;
	return class_change | lock_change;
}

void dependency_forget_lock(struct dependency_table *table, struct lock *lock)
{
	while (!list_empty(&lock->node.out))
		lock_edge_free(table, list_entry(lock->node.out.next, struct lock_edge, edge.out_link));
	while (!list_empty(&lock->node.in))
		lock_edge_free(table, list_entry(lock->node.in.next, struct lock_edge, edge.in_link));
}

int class_edge_add_finding(struct class_edge *edge, struct finding_entry *finding)
{
	uint32_t i;

	for (i = 0; i < edge->finding_count; i++) {
		if (edge->findings[i] == finding)
			return 0;
	}
	if (edge->finding_count == edge->finding_room) {
		uint32_t room = edge->finding_room ? edge->finding_room * 2 : 2;
		struct finding_entry **findings = realloc(edge->findings, room * sizeof(*findings));

		if (!findings)
			return -ENOMEM;
		edge->findings = findings;
		edge->finding_room = room;
	}
	edge->findings[edge->finding_count++] = finding;
	return 0;
}

/*
 * All that the loser knew, the winner knows; the loser goes. Half a uniting
 * would be worse than what being out of memory costs here: a grade that does
 * not rise by this edge any more, a count that is too low.
 */
static void class_edge_unite(struct dependency_table *table, struct class_edge *winner,
			     struct class_edge *loser)
{
	struct list *link, *following;
	uint32_t i;

	for (i = 0; i < loser->finding_count; i++) {
		(void)class_edge_add_finding(winner, loser->findings[i]);
		finding_replace_edge(loser->findings[i], loser, winner);
	}
	list_for_each_safe (link, following, &loser->lock_edges) {
		list_entry(link, struct lock_edge, class_link)->class_edge = winner;
		list_remove(link);
		list_add_tail(&winner->lock_edges, link);
	}
	winner->instances += loser->instances;
	evidence_merge(&winner->evidence, &loser->evidence, EVIDENCE_CLASS_SIGHTINGS, table->lock_table);
	(void)counter_merge(&winner->counter, &loser->counter);
	class_edge_free(table, loser);
}

/* Gives an edge other ends, where there may be such an edge already. */
static void class_edge_move(struct dependency_table *table, struct class_edge *edge, struct class *from,
			    struct class *to)
{
	struct class_edge *existing = class_edge_find(table, from, to);

	if (existing) {
		class_edge_unite(table, existing, edge);
		return;
	}
	if (edge->edge.from != edge->edge.to && from == to)
		table->count--;
	graph_remove_edge(&table->classes, &edge->edge);
	/* Cannot fail: the table has held one more edge before. */
	(void)graph_add_edge(&table->classes, &edge->edge, &from->node, &to->node);
}

void dependency_unite(struct dependency_table *table, struct class *winner, struct class *loser)
{
	struct class_edge *edge;
	struct class *other;

	while (!list_empty(&loser->node.out)) {
		edge = list_entry(loser->node.out.next, struct class_edge, edge.out_link);
		other = class_edge_to(edge) == loser ? winner : class_edge_to(edge);
		class_edge_move(table, edge, winner, other);
	}
	while (!list_empty(&loser->node.in)) {
		edge = list_entry(loser->node.in.next, struct class_edge, edge.in_link);
		class_edge_move(table, edge, class_edge_from(edge), winner);
	}
}
