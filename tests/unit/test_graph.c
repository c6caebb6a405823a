// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* The graph alone: its cycles against an enumeration of all simple cycles; the hash table under it. */
#include "chain_builder.h"

#include "model/graph.h"
#include "model/hash.h"

#define NODES 26

struct drawing {
	struct graph graph;
	struct graph_node nodes[NODES];
	struct graph_edge edges[NODES][NODES];
};

static void drawing_begin(struct drawing *drawing)
{
	int i;

	graph_init(&drawing->graph);
	for (i = 0; i < NODES; i++)
		graph_node_init(&drawing->nodes[i]);
}

/* Draws "AB BC": edges, the last of which is returned. */
static struct graph_edge *draw(struct drawing *drawing, const char *text)
{
	struct graph_edge *edge = NULL;

	for (; *text; text += text[2] ? 3 : 2) {
		int from = text[0] - 'A', to = text[1] - 'A';

		edge = &drawing->edges[from][to];
		assert_int_equal(
			graph_add_edge(&drawing->graph, edge, &drawing->nodes[from], &drawing->nodes[to]), 0);
	}
	return edge;
}

/* The cycle as letters, "CAB" for C -> A -> B -> C. */
static const char *cycle_text(const struct drawing *drawing, const struct graph_cycle *cycle, char *out)
{
	uint32_t i;

	for (i = 0; i < cycle->count; i++) {
		assert_ptr_equal(cycle->edges[i]->to, cycle->edges[(i + 1) % cycle->count]->from);
		out[i] = (char)('A' + (cycle->edges[i]->from - drawing->nodes));
	}
	out[i] = '\0';
	return out;
}

static void expect_cycles(const char *edges, uint32_t max, uint32_t count, const char *const *expected)
{
	struct drawing drawing;
	struct graph_cycle cycles[8];
	struct graph_edge *closing;
	char text[GRAPH_CYCLE_MAX + 1];
	uint32_t i;

	drawing_begin(&drawing);
	closing = draw(&drawing, edges);
	assert_int_equal(graph_find_cycles(&drawing.graph, closing, NULL, NULL, cycles, max), count);
	for (i = 0; i < count; i++) {
		assert_string_equal(cycle_text(&drawing, &cycles[i], text), expected[i]);
		assert_ptr_equal(cycles[i].edges[cycles[i].count - 1], closing);
	}
	graph_release(&drawing.graph);
}

static void no_edge_back_is_no_cycle(void **state)
{
	(void)state;
	expect_cycles("AB BC AC", 8, 0, NULL);
}

static void an_edge_to_itself_is_in_no_cycle(void **state)
{
	(void)state;
	expect_cycles("AB BA AA", 8, 0, NULL);
	expect_cycles("AA BB AB BA", 8, 1, (const char *const[]){ "AB" });
}

static void there_and_back_is_a_cycle(void **state)
{
	(void)state;
	expect_cycles("AB BA", 8, 1, (const char *const[]){ "AB" });
}

static void the_closing_edge_comes_last(void **state)
{
	(void)state;
	expect_cycles("BC CA AB", 8, 1, (const char *const[]){ "BCA" });
}

static void the_shortest_comes_first(void **state)
{
	(void)state;
	/* Back from B to A: over C D, over E, and over F G H. */
	expect_cycles("BC CD DA BE EA BF FG GH HA AB", 8, 3, (const char *const[]){ "BEA", "BCDA", "BFGHA" });
	expect_cycles("BC CD DA BE EA BF FG GH HA AB", 1, 1, (const char *const[]){ "BEA" });
}

static void one_cycle_for_each_last_hop(void **state)
{
	(void)state;
	/* Two ways to D, one hop from D to A: one cycle. */
	expect_cycles("BC CD BE ED DA AB", 8, 1, (const char *const[]){ "BCDA" });
	/* A way that passes A itself is none: C is reached only over A. */
	expect_cycles("BA AC CA AB", 8, 1, (const char *const[]){ "BA" });
}

static void the_longest_cycle_has_the_maximum_length(void **state)
{
	(void)state;
	expect_cycles("BC CD DE EF FG GH HI IJ JK KL LM MN NO OP PA AB", 8, 1,
		      (const char *const[]){ "BCDEFGHIJKLMNOPA" });
	expect_cycles("BC CD DE EF FG GH HI IJ JK KL LM MN NO OP PQ QA AB", 8, 0, NULL);
}

static bool not_e(const struct graph_node *node, const void *context)
{
	return node != context;
}

static void a_filter_closes_nodes(void **state)
{
	struct drawing drawing;
	struct graph_cycle cycle;
	struct graph_edge *closing;
	char text[GRAPH_CYCLE_MAX + 1];

	(void)state;
	drawing_begin(&drawing);
	closing = draw(&drawing, "BE EA BC CD DA AB");
	assert_int_equal(
		graph_find_cycles(&drawing.graph, closing, not_e, &drawing.nodes['E' - 'A'], &cycle, 1), 1);
	assert_string_equal(cycle_text(&drawing, &cycle, text), "BCDA");
	graph_release(&drawing.graph);
}

static void a_removed_edge_is_gone(void **state)
{
	struct drawing drawing;
	struct graph_cycle cycle;
	struct graph_edge *closing;

	(void)state;
	drawing_begin(&drawing);
	closing = draw(&drawing, "BC CA AB");
	graph_remove_edge(&drawing.graph, &drawing.edges[2][0]);
	assert_null(graph_find_edge(&drawing.graph, &drawing.nodes[2], &drawing.nodes[0]));
	assert_ptr_equal(graph_find_edge(&drawing.graph, &drawing.nodes[0], &drawing.nodes[1]), closing);
	assert_int_equal(graph_find_cycles(&drawing.graph, closing, NULL, NULL, &cycle, 1), 0);
	graph_release(&drawing.graph);
}

struct number {
	struct hash_node node;
	uint64_t value;
};

static void a_hash_table_keeps_what_it_is_given(void **state)
{
	enum { COUNT = 5000 };
	struct number *numbers = calloc(COUNT, sizeof(*numbers));
	struct hash table;
	struct hash_node *node;
	int i, found;

	(void)state;
	hash_init(&table);
	assert_null(hash_first(&table, 1));
	assert_null(hash_any(&table));
	for (i = 0; i < COUNT; i++) {
		numbers[i].value = (uint64_t)i;
		assert_int_equal(hash_insert(&table, &numbers[i].node, hash_numbers((uint64_t)i / 2, 0)), 0);
	}
	for (i = 0; i < COUNT; i += 4)
		hash_remove(&table, &numbers[i].node);
	assert_int_equal(table.count, COUNT - COUNT / 4);
	for (i = 0; i < COUNT; i++) {
		found = 0;
		node = hash_first(&table, hash_numbers((uint64_t)i / 2, 0));
		for (; node; node = hash_next(node)) {
			assert_int_equal(node->hash, hash_numbers((uint64_t)i / 2, 0));
			found += list_entry(node, struct number, node)->value == (uint64_t)i;
		}
		assert_int_equal(found, i % 4 != 0);
	}
	while ((node = hash_any(&table)))
		hash_remove(&table, node);
	assert_int_equal(table.count, 0);
	hash_release(&table);
	free(numbers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_edge_back_is_no_cycle),
		cmocka_unit_test(an_edge_to_itself_is_in_no_cycle),
		cmocka_unit_test(there_and_back_is_a_cycle),
		cmocka_unit_test(the_closing_edge_comes_last),
		cmocka_unit_test(the_shortest_comes_first),
		cmocka_unit_test(one_cycle_for_each_last_hop),
		cmocka_unit_test(the_longest_cycle_has_the_maximum_length),
		cmocka_unit_test(a_filter_closes_nodes),
		cmocka_unit_test(a_removed_edge_is_gone),
		cmocka_unit_test(a_hash_table_keeps_what_it_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
