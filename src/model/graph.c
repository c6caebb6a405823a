// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* See graph.h. */
#include "model/graph.h"

#include <errno.h>

void graph_init(struct graph *graph)
{
	hash_init(&graph->edges);
	graph->round = 0;
}

void graph_release(struct graph *graph)
{
	hash_release(&graph->edges);
}

void graph_node_init(struct graph_node *node)
{
	*node = (struct graph_node){ 0 };
	list_init(&node->out);
	list_init(&node->in);
}

static uint64_t graph_hash_ends(const struct graph_node *from, const struct graph_node *to)
{
	return hash_numbers((uintptr_t)from, (uintptr_t)to);
}

struct graph_edge *graph_find_edge(const struct graph *graph, const struct graph_node *from,
				   const struct graph_node *to)
{
	struct hash_node *node = hash_first(&graph->edges, graph_hash_ends(from, to));

	for (; node; node = hash_next(node)) {
		struct graph_edge *edge = list_entry(node, struct graph_edge, by_ends);

		if (edge->from == from && edge->to == to)
			return edge;
	}
	return NULL;
}

int graph_add_edge(struct graph *graph, struct graph_edge *edge, struct graph_node *from,
		   struct graph_node *to)
{
	int error = hash_insert(&graph->edges, &edge->by_ends, graph_hash_ends(from, to));

	if (error)
		return error;
	edge->from = from;
	edge->to = to;
	list_add_tail(&from->out, &edge->out_link);
	list_add_tail(&to->in, &edge->in_link);
	return 0;
}

void graph_remove_edge(struct graph *graph, struct graph_edge *edge)
{
	hash_remove(&graph->edges, &edge->by_ends);
	list_remove(&edge->out_link);
	list_remove(&edge->in_link);
}

/* Writes the cycle: the way the search came to the last hop, the last hop, the closing edge. */
static void graph_write_cycle(struct graph_cycle *cycle, struct graph_edge *last_hop,
			      struct graph_edge *closing)
{
	struct graph_node *node = last_hop->from;
	uint32_t i = node->depth;

	cycle->count = node->depth + 2;
	cycle->edges[i + 1] = closing;
	cycle->edges[i] = last_hop;
	while (i--) {
		cycle->edges[i] = node->came_by;
		node = node->came_by->from;
	}
}

static void graph_visit(struct graph_node *node, uint64_t round, struct graph_edge *came_by,
			struct graph_node **tail)
{
	node->visited = round;
	node->depth = came_by ? came_by->from->depth + 1 : 0;
	node->came_by = came_by;
	node->queue_next = NULL;
	if (*tail)
		(*tail)->queue_next = node;
	*tail = node;
}

/*
 * Breadth first from the closing edge's head, never entering its tail: nodes
 * leave the queue in order of their distance, so cycles come shortest first.
 */
uint32_t graph_find_cycles(struct graph *graph, struct graph_edge *closing, graph_filter filter,
			   const void *context, struct graph_cycle *cycles, uint32_t max)
{
	struct graph_node *goal = closing->from, *node = closing->to, *tail = NULL;
	uint64_t round = ++graph->round;
	uint32_t found = 0;
	struct list *link;

	if (node == goal)
		return 0;
	for (graph_visit(node, round, NULL, &tail); node && found < max; node = node->queue_next) {
		list_for_each (link, &node->out) {
			struct graph_edge *edge = list_entry(link, struct graph_edge, out_link);

			if (edge->to == goal) {
				graph_write_cycle(&cycles[found], edge, closing);
				if (++found == max)
					break;
			} else if (edge->to->visited != round && node->depth + 3 <= GRAPH_CYCLE_MAX &&
				   (!filter || filter(edge->to, context))) {
				graph_visit(edge->to, round, edge, &tail);
			}
		}
	}
	return found;
}
