/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * A directed graph whose nodes and edges lie inside other structures, and the
 * search for cycles through one of its edges. Knows nothing of locks: the
 * class graph and the lock graph (dependency.h) are two of these.
 */
#ifndef LOCKTRACE_MODEL_GRAPH_H
#define LOCKTRACE_MODEL_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "model/hash.h"
#include "model/list.h"

/* Edges of the longest cycle that is found. */
#define GRAPH_CYCLE_MAX 16

struct graph_node {
	struct list out, in; /* of struct graph_edge, by out_link and in_link */
	/* The rest belongs to the latest search and saves it any allocation. */
	uint64_t visited; /* struct graph.round of the last search that came here */
	uint32_t depth;
	struct graph_edge *came_by;
	struct graph_node *queue_next;
};

struct graph_edge {
	struct graph_node *from, *to;
	struct list out_link, in_link;
	struct hash_node by_ends;
};

struct graph {
	struct hash edges;
	uint64_t round;
};

/* edges[i]->to == edges[i + 1]->from, and the last edge leads back to the first; no node twice. */
struct graph_cycle {
	uint32_t count;
	struct graph_edge *edges[GRAPH_CYCLE_MAX];
};

void graph_init(struct graph *graph);
/* Frees what the graph itself allocated; edges and nodes are the caller's. */
void graph_release(struct graph *graph);

void graph_node_init(struct graph_node *node);

/* The edge between two nodes, or NULL: there is at most one in each direction. */
struct graph_edge *graph_find_edge(const struct graph *graph, const struct graph_node *from,
				   const struct graph_node *to);
/* Adds an edge that does not exist yet. One from a node to itself is in no cycle. 0 or -ENOMEM. */
int graph_add_edge(struct graph *graph, struct graph_edge *edge, struct graph_node *from,
		   struct graph_node *to);
void graph_remove_edge(struct graph *graph, struct graph_edge *edge);

/* Says whether a search may pass a node. */
typedef bool (*graph_filter)(const struct graph_node *node, const void *context);

/*
 * Finds cycles through an edge F -> T, which comes last in each: for every
 * predecessor X of F that can be reached from T without passing F, a shortest
 * cycle that ends in X -> F -> T. They come shortest first, so the first is a
 * shortest cycle of all through that edge. One per last hop, because two
 * cycles that part somewhere are mostly two bugs, and because all simple cycles
 * can be exponentially many. Cycles longer than GRAPH_CYCLE_MAX are not found.
 * filter NULL: all nodes. Returns how many were written, at most max.
 */
uint32_t graph_find_cycles(struct graph *graph, struct graph_edge *closing, graph_filter filter,
			   const void *context, struct graph_cycle *cycles, uint32_t max);

#endif
