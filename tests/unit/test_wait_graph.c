// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* The wait graph: what two looks agree on, circles, roots; then random graphs against a slow reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/wait_graph.h"

#define TASKS 48

/* Two looks in the making: tasks are numbers, ids and locks are made from them. */
struct scene {
	struct wait_task tasks[2][TASKS];
	struct wait_look looks[2];
	struct wait_graph *graph;
};

static uint64_t id_of(int task)
{
	return 0xffff888000000000ULL + (uint64_t)task * 0x1000;
}

static uint64_t addr_of(int lock)
{
	return 0xffff888100000000ULL + (uint64_t)lock * 0x40;
}

static void scene_begin(struct scene *s, int tasks)
{
	memset(s, 0, sizeof(*s));
	for (int look = 0; look < 2; look++) {
		s->looks[look] = (struct wait_look){ .count = (size_t)tasks,
						     .tasks = s->tasks[look],
						     .tasks_seen = 100 };
		for (int i = 0; i < tasks; i++) {
			s->tasks[look][i].task.id = id_of(i);
			s->tasks[look][i].task.tid = 100 + (uint32_t)i;
			s->tasks[look][i].task.pid = 1000 + (uint32_t)i / 2;
			s->tasks[look][i].switches = 7;
			s->tasks[look][i].last_ran_ns = 1000 - (uint64_t)i;
			s->tasks[look][i].state = 'S';
		}
	}
}

/* In both looks; owner -1: none. */
static void waits(struct scene *s, int task, enum wait_kind kind, int lock, int owner)
{
	for (int look = 0; look < 2; look++) {
		s->tasks[look][task].kind = kind;
		s->tasks[look][task].lock = addr_of(lock);
		s->tasks[look][task].owner = owner < 0 ? 0 : id_of(owner);
	}
}

static struct wait_graph *build(struct scene *s)
{
	s->graph = wait_graph_new(&s->looks[0], &s->looks[1]);
	assert_non_null(s->graph);
	assert_true(s->graph->confirmed);
	return s->graph;
}

static void scene_end(struct scene *s)
{
	wait_graph_free(s->graph);
	s->graph = NULL;
}

/* "0 1 2": the tasks of a circle in order. */
static void expect_cycle(const struct wait_cycle *cycle, const char *expected)
{
	char text[256] = "";

	for (size_t i = 0; i < cycle->count; i++) {
		struct wait_node *next = cycle->nodes[(i + 1) % cycle->count];

		assert_ptr_equal(wait_node_owner(cycle->nodes[i]), next);
		assert_ptr_equal(cycle->nodes[i]->cycle, cycle);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u", i ? " " : "",
			 cycle->nodes[i]->task->task.tid - 100);
	}
	assert_string_equal(text, expected);
}

static void expect_root(const struct wait_root *root, int task, size_t direct, size_t behind, size_t depth)
{
	assert_non_null(root->task);
	assert_int_equal(root->task->task->task.id, id_of(task));
	assert_int_equal(root->direct, direct);
	assert_int_equal(root->behind, behind);
	assert_int_equal(root->depth, depth);
}

static void nobody_waits(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 3);
	build(&s);
	assert_int_equal(s.graph->waits + s.graph->passing, 0);
	assert_int_equal(s.graph->cycle_count + s.graph->root_count + s.graph->lock_count, 0);
	assert_int_equal(s.graph->tasks_seen, 100);
	scene_end(&s);
}

static void two_that_wait_for_each_other_are_a_circle(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 4);
	waits(&s, 2, WAIT_MUTEX, 0, 1);
	waits(&s, 1, WAIT_MUTEX, 1, 2);
	waits(&s, 3, WAIT_MUTEX, 1, 2);
	build(&s);
	assert_int_equal(s.graph->waits, 3);
	assert_int_equal(s.graph->cycle_count, 1);
	assert_int_equal(s.graph->root_count, 0);
	expect_cycle(&s.graph->cycles[0], "1 2");
	assert_int_equal(s.graph->cycles[0].behind, 1);
	assert_int_equal(s.graph->cycles[0].depth, 1);
	assert_int_equal(s.graph->nodes[2].direct, 1);
	scene_end(&s);
}

static void one_that_waits_for_itself_is_a_circle_of_one(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 2);
	waits(&s, 1, WAIT_MUTEX, 0, 1);
	build(&s);
	assert_int_equal(s.graph->cycle_count, 1);
	expect_cycle(&s.graph->cycles[0], "1");
	assert_int_equal(s.graph->cycles[0].behind, 0);
	assert_int_equal(s.graph->nodes[1].direct, 0);
	scene_end(&s);
}

static void a_lock_being_handed_over_is_no_wait(void **state)
{
	struct scene s;

	(void)state;
	for (int look = 0; look < 2; look++) {
		scene_begin(&s, 3);
		waits(&s, 1, WAIT_MUTEX, 0, 1);
		waits(&s, 2, WAIT_MUTEX, 0, 1);
		s.tasks[look][1].handed_over = true;
		build(&s);
		assert_int_equal(s.graph->cycle_count, 0);
		assert_int_equal(s.graph->waits, 1);
		assert_int_equal(s.graph->passing, 1);
		assert_int_equal(s.graph->root_count, 1);
		expect_root(&s.graph->roots[0], 1, 1, 1, 1);
		scene_end(&s);
	}
}

static void a_queue_behind_one_owner_is_no_circle(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 4);
	for (int i = 1; i < 4; i++)
		waits(&s, i, WAIT_MUTEX, 0, 0);
	build(&s);
	assert_int_equal(s.graph->cycle_count, 0);
	assert_int_equal(s.graph->root_count, 1);
	expect_root(&s.graph->roots[0], 0, 3, 3, 1);
	assert_int_equal(s.graph->lock_count, 1);
	/* The longest wait first: last_ran_ns falls with the number. */
	assert_int_equal(s.graph->locks[0].waiters[0]->task->task.tid, 103);
	assert_int_equal(s.graph->locks[0].waiters[2]->task->task.tid, 101);
	scene_end(&s);
}

static void two_queues_can_share_an_owner(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 5);
	waits(&s, 1, WAIT_MUTEX, 0, 0);
	waits(&s, 2, WAIT_MUTEX, 0, 0);
	waits(&s, 3, WAIT_MUTEX, 1, 0);
	waits(&s, 4, WAIT_RWSEM_READ, 2, 0);
	build(&s);
	assert_int_equal(s.graph->root_count, 1);
	expect_root(&s.graph->roots[0], 0, 4, 4, 1);
	assert_int_equal(s.graph->lock_count, 3);
	scene_end(&s);
}

static void a_chain_has_one_root_and_the_deepest_comes_first(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 12);
	/* Five locks in a row, ending at task 0; four waiters at once for task 6. */
	for (int i = 1; i < 6; i++)
		waits(&s, i, WAIT_MUTEX, i, i - 1);
	for (int i = 7; i < 12; i++)
		waits(&s, i, WAIT_MUTEX, 20, 6);
	build(&s);
	assert_int_equal(s.graph->root_count, 2);
	expect_root(&s.graph->roots[0], 0, 1, 5, 5);
	expect_root(&s.graph->roots[1], 6, 5, 5, 1);
	scene_end(&s);
}

static void a_wait_that_is_not_the_same_in_both_looks_is_passing(void **state)
{
	struct scene s;

	(void)state;
	for (int what = 0; what < 6; what++) {
		struct wait_task *first;

		scene_begin(&s, 3);
		waits(&s, 1, WAIT_MUTEX, 0, 2);
		waits(&s, 2, WAIT_MUTEX, 1, 1);
		first = &s.tasks[0][2];
		if (what == 0)
			first->switches--;
		else if (what == 1)
			first->lock = addr_of(5);
		else if (what == 2)
			first->kind = WAIT_RWSEM_WRITE;
		else if (what == 3)
			first->task.tid = 999;
		else if (what == 4)
			first->kind = WAIT_NONE;
		else
			first->task.id = id_of(40);
		build(&s);
		assert_int_equal(s.graph->cycle_count, 0);
		assert_int_equal(s.graph->waits, 1);
		assert_int_equal(s.graph->nodes[2].ran, what == 0 || what == 3 || what == 5);
		/* Two tasks, or two waits of one: each is counted. */
		assert_int_equal(s.graph->passing, what == 3 || what == 5 ? 2 : 1);
		scene_end(&s);
	}
}

static void a_wait_that_has_ended_is_passing(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 3);
	waits(&s, 1, WAIT_MUTEX, 0, 2);
	s.tasks[1][1].kind = WAIT_NONE;
	build(&s);
	assert_int_equal(s.graph->waits, 0);
	assert_int_equal(s.graph->passing, 1);
	scene_end(&s);
	scene_begin(&s, 3);
	waits(&s, 2, WAIT_MUTEX, 0, 1);
	s.looks[1].count = 2;
	build(&s);
	assert_int_equal(s.graph->passing, 1);
	scene_end(&s);
}

static void an_owner_that_changes_is_no_owner(void **state)
{
	struct scene s;

	(void)state;
	/* One waiter's two looks differ. */
	scene_begin(&s, 4);
	waits(&s, 1, WAIT_MUTEX, 0, 2);
	waits(&s, 2, WAIT_MUTEX, 1, 1);
	s.tasks[0][1].owner = id_of(3);
	build(&s);
	assert_int_equal(s.graph->waits, 2);
	assert_int_equal(s.graph->cycle_count, 0);
	assert_int_equal(s.graph->root_count, 1);
	assert_null(s.graph->roots[0].task);
	assert_int_equal(s.graph->roots[0].lock->owner_state, OWNER_CHANGING);
	assert_int_equal(s.graph->roots[0].behind, 2);
	assert_int_equal(s.graph->roots[0].depth, 2);
	scene_end(&s);
	/* Two waiters differ. */
	scene_begin(&s, 4);
	waits(&s, 1, WAIT_MUTEX, 0, 2);
	waits(&s, 3, WAIT_MUTEX, 0, 0);
	build(&s);
	assert_int_equal(s.graph->root_count, 1);
	assert_int_equal(s.graph->roots[0].lock->owner_state, OWNER_CHANGING);
	scene_end(&s);
}

static void an_owner_that_was_not_seen_is_not_followed(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 2);
	waits(&s, 1, WAIT_MUTEX, 0, 30);
	build(&s);
	assert_int_equal(s.graph->root_count, 1);
	assert_int_equal(s.graph->roots[0].lock->owner_state, OWNER_GONE);
	assert_int_equal(s.graph->roots[0].lock->owner_id, id_of(30));
	scene_end(&s);
	/* Its task_struct belongs to another task by the second look. */
	scene_begin(&s, 2);
	waits(&s, 1, WAIT_MUTEX, 0, 0);
	s.tasks[0][0].task.tid = 555;
	build(&s);
	assert_int_equal(s.graph->roots[0].lock->owner_state, OWNER_GONE);
	scene_end(&s);
}

static void a_read_held_rwsem_is_a_root_of_its_own(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 4);
	waits(&s, 1, WAIT_RWSEM_WRITE, 0, -1);
	waits(&s, 2, WAIT_RWSEM_READ, 0, -1);
	waits(&s, 3, WAIT_MUTEX, 1, 1);
	for (int look = 0; look < 2; look++)
		for (int i = 1; i < 3; i++)
			s.tasks[look][i].readers = 2 + (uint32_t)look;
	build(&s);
	assert_int_equal(s.graph->cycle_count, 0);
	assert_int_equal(s.graph->root_count, 1);
	assert_null(s.graph->roots[0].task);
	assert_true(s.graph->roots[0].lock->is_rwsem);
	assert_int_equal(s.graph->roots[0].lock->owner_state, OWNER_READERS);
	assert_int_equal(s.graph->roots[0].lock->readers, 3);
	assert_int_equal(s.graph->roots[0].direct, 2);
	assert_int_equal(s.graph->roots[0].behind, 3);
	assert_int_equal(s.graph->roots[0].depth, 2);
	scene_end(&s);
}

static void other_waits_are_roots_and_counted(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 5);
	waits(&s, 0, WAIT_OTHER, 0, -1);
	waits(&s, 1, WAIT_UNVERIFIED, 0, -1);
	waits(&s, 2, WAIT_MUTEX, 1, 0);
	waits(&s, 3, WAIT_MUTEX, 2, 1);
	waits(&s, 4, WAIT_UNVERIFIED, 0, -1);
	s.tasks[0][4].switches--;
	build(&s);
	assert_int_equal(s.graph->other, 1);
	assert_int_equal(s.graph->unverified, 1);
	assert_int_equal(s.graph->waits, 2);
	assert_int_equal(s.graph->passing, 1);
	assert_int_equal(s.graph->root_count, 2);
	expect_root(&s.graph->roots[0], 0, 1, 1, 1);
	expect_root(&s.graph->roots[1], 1, 1, 1, 1);
	assert_null(s.graph->nodes[0].waits_for);
	scene_end(&s);
}

static void one_look_is_not_confirmed(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 3);
	waits(&s, 1, WAIT_MUTEX, 0, 2);
	waits(&s, 2, WAIT_MUTEX, 1, 1);
	s.graph = wait_graph_new(NULL, &s.looks[1]);
	assert_non_null(s.graph);
	assert_false(s.graph->confirmed);
	assert_int_equal(s.graph->cycle_count, 1);
	assert_int_equal(s.graph->passing, 0);
	scene_end(&s);
	scene_begin(&s, 3);
	s.looks[0].partial = true;
	assert_true(build(&s)->partial);
	scene_end(&s);
}

static void a_task_met_twice_is_taken_once(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 4);
	waits(&s, 1, WAIT_MUTEX, 0, 0);
	for (int look = 0; look < 2; look++) {
		s.tasks[look][2] = s.tasks[look][1];
		s.tasks[look][3] = s.tasks[look][0];
	}
	build(&s);
	assert_int_equal(s.graph->waits, 1);
	expect_root(&s.graph->roots[0], 0, 1, 1, 1);
	assert_ptr_equal(s.graph->roots[0].task, &s.graph->nodes[0]);
	scene_end(&s);
}

static void nonsense_is_not_believed(void **state)
{
	struct scene s;

	(void)state;
	/* A lock at address 0; a mutex with readers; an rwsem that has readers, and then nobody. */
	scene_begin(&s, 4);
	waits(&s, 1, WAIT_MUTEX, 0, 0);
	waits(&s, 2, WAIT_MUTEX, 1, -1);
	waits(&s, 3, WAIT_RWSEM_WRITE, 2, -1);
	for (int look = 0; look < 2; look++) {
		s.tasks[look][1].lock = 0;
		s.tasks[look][2].readers = 5;
	}
	s.tasks[0][3].readers = 1;
	build(&s);
	assert_int_equal(s.graph->waits, 2);
	assert_int_equal(s.graph->lock_count, 2);
	assert_int_equal(s.graph->nodes[2].waits_for->owner_state, OWNER_UNKNOWN);
	assert_int_equal(s.graph->nodes[3].waits_for->owner_state, OWNER_CHANGING);
	scene_end(&s);
}

static void expect_shown(struct scene *s, uint32_t pid, const char *expected)
{
	char text[TASKS + 1] = "";

	wait_graph_select(s->graph, pid);
	for (size_t i = 0; i < s->graph->node_count; i++)
		if (s->graph->nodes[i].shown)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%zu", i);
	assert_string_equal(text, expected);
}

static void one_task_shows_its_chain_and_those_behind_it(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 10);
	/* 4 -> 2 -> 1 -> 0, 3 -> 1; 5 <-> 6, 7 -> 5, 8 -> 7; 9 for itself. */
	waits(&s, 4, WAIT_MUTEX, 0, 2);
	waits(&s, 2, WAIT_MUTEX, 1, 1);
	waits(&s, 3, WAIT_MUTEX, 1, 1);
	waits(&s, 1, WAIT_MUTEX, 2, 0);
	waits(&s, 5, WAIT_MUTEX, 3, 6);
	waits(&s, 6, WAIT_MUTEX, 4, 5);
	waits(&s, 7, WAIT_MUTEX, 4, 5);
	waits(&s, 8, WAIT_MUTEX, 5, 7);
	waits(&s, 9, WAIT_MUTEX, 6, 9);
	build(&s);
	expect_shown(&s, 102, "0124");
	assert_true(s.graph->roots[0].shown);
	assert_false(s.graph->cycles[0].shown);
	expect_shown(&s, 104, "0124");
	expect_shown(&s, 103, "013");
	expect_shown(&s, 100, "01234");
	expect_shown(&s, 108, "5678");
	assert_true(s.graph->cycles[0].shown);
	assert_false(s.graph->cycles[1].shown);
	assert_false(s.graph->roots[0].shown);
	expect_shown(&s, 106, "5678");
	expect_shown(&s, 109, "9");
	assert_true(s.graph->cycles[1].shown);
	/* A process: threads 2 and 3. */
	expect_shown(&s, 1001, "01234");
	expect_shown(&s, 1002,
		     "012456"
		     "78");
	expect_shown(&s, 4711, "");
	expect_shown(&s, 0, "0123456789");
	scene_end(&s);
}

/* The reference: by following each task's chain as often as it takes. */

/* The task that holds up another, by comparing all that both looks say with each other; -1: none. */
static int slow_owner(const struct scene *s, int task)
{
	const struct wait_task *now = &s->tasks[1][task], *then = &s->tasks[0][task];
	int count = (int)s->looks[1].count, owner = -1;

	if (!wait_kind_is_lock(now->kind) || now->kind != then->kind || now->lock != then->lock ||
	    now->switches != then->switches || now->handed_over || then->handed_over)
		return -2;
	for (int i = 0; i < count; i++) {
		for (int look = 0; look < 2; look++) {
			const struct wait_task *a = &s->tasks[0][i], *b = &s->tasks[1][i];

			/* Only those that count as waits have a say. */
			if (b->lock != now->lock || !wait_kind_is_lock(b->kind) || a->kind != b->kind ||
			    a->lock != b->lock || a->switches != b->switches || a->handed_over ||
			    b->handed_over)
				continue;
			if (s->tasks[look][i].owner != now->owner)
				return -1;
		}
	}
	for (int i = 0; i < count; i++)
		if (s->tasks[1][i].task.id == now->owner)
			owner = i;
	return owner;
}

static bool slow_on_cycle(const int *owner, int count, int task)
{
	int at = owner[task];

	for (int steps = 0; steps <= count && at >= 0; steps++) {
		if (at == task)
			return true;
		at = owner[at];
	}
	return false;
}

/* How many steps from a task to another outside circles; 0: it is not behind it. */
static int slow_distance(const int *owner, int count, int from, int to)
{
	int at = from;

	for (int steps = 1; steps <= count; steps++) {
		if (slow_on_cycle(owner, count, at))
			return 0;
		at = owner[at];
		if (at < 0)
			return 0;
		if (at == to)
			return steps;
	}
	return 0;
}

static void check_tasks(const struct scene *s, const int *owner, int count)
{
	for (int i = 0; i < count; i++) {
		const struct wait_node *node = &s->graph->nodes[i];
		const struct wait_node *above = wait_node_owner(node);
		size_t behind = 0, depth = 0, direct = 0;

		assert_int_equal(above ? above - s->graph->nodes : -1, owner[i] < 0 ? -1 : owner[i]);
		assert_int_equal(node->waits_for != NULL, owner[i] != -2);
		for (int k = 0; k < count; k++) {
			int distance = slow_distance(owner, count, k, i);

			behind += distance > 0;
			direct += distance == 1;
			depth = (size_t)distance > depth ? (size_t)distance : depth;
		}
		assert_int_equal(node->behind, behind);
		assert_int_equal(node->direct, direct);
		assert_int_equal(node->depth, depth);
		assert_int_equal(node->cycle != NULL, slow_on_cycle(owner, count, i));
	}
}

static size_t check_cycles(const struct scene *s, const int *owner, int count)
{
	size_t on_cycles = 0;

	for (size_t c = 0; c < s->graph->cycle_count; c++) {
		const struct wait_cycle *cycle = &s->graph->cycles[c];
		size_t behind = 0, depth = 0;

		on_cycles += cycle->count;
		for (size_t i = 0; i < cycle->count; i++) {
			assert_ptr_equal(cycle->nodes[i]->cycle, cycle);
			assert_ptr_equal(wait_node_owner(cycle->nodes[i]),
					 cycle->nodes[(i + 1) % cycle->count]);
			behind += cycle->nodes[i]->behind;
			depth = cycle->nodes[i]->depth > depth ? cycle->nodes[i]->depth : depth;
		}
		assert_int_equal(cycle->behind, behind);
		assert_int_equal(cycle->depth, depth);
	}
	for (int i = 0; i < count; i++)
		on_cycles -= slow_on_cycle(owner, count, i);
	assert_int_equal(on_cycles, 0);
	return s->graph->cycle_count;
}

/* Every task that waits is in one circle, behind one, or behind one root. */
static void check_roots(const struct scene *s)
{
	size_t covered = 0;

	for (size_t i = 0; i < s->graph->cycle_count; i++)
		covered += s->graph->cycles[i].count + s->graph->cycles[i].behind;
	for (size_t i = 0; i < s->graph->root_count; i++) {
		const struct wait_root *root = &s->graph->roots[i];

		covered += root->behind;
		assert_true(root->direct && root->depth && root->behind >= root->direct);
		assert_true((root->task == NULL) != (root->lock == NULL));
		assert_true(!root->task || (!root->task->waits_for && root->task->owned));
		assert_true(!root->lock || !root->lock->owner);
		if (i)
			assert_true(root[-1].depth > root->depth ||
				    (root[-1].depth == root->depth && root[-1].behind >= root->behind));
	}
	assert_int_equal(covered, s->graph->waits);
}

static unsigned int random_state;

static int roll(int sides)
{
	random_state = random_state * 1664525 + 1013904223;
	return (int)(random_state >> 8) % sides;
}

/* Locks are owned by one task for good, but some looks, some waiters and some owners go astray. */
static void random_scene(struct scene *s, int count, int locks, int trouble)
{
	int owner[TASKS];

	scene_begin(s, count);
	for (int i = 0; i < locks; i++)
		owner[i] = roll(8) ? roll(count) : -1;
	for (int i = 0; i < count; i++) {
		int lock = roll(locks);

		if (roll(4))
			waits(s, i, WAIT_MUTEX, lock, owner[lock]);
		else if (!roll(5))
			waits(s, i, roll(2) ? WAIT_OTHER : WAIT_UNVERIFIED, 0, -1);
		if (trouble && !roll(trouble))
			s->tasks[roll(2)][i].switches++;
		if (trouble && !roll(trouble))
			s->tasks[roll(2)][i].handed_over = true;
		if (trouble && !roll(trouble))
			s->tasks[roll(2)][i].owner = id_of(roll(count + 2));
		if (trouble && !roll(trouble))
			s->tasks[roll(2)][i].lock = addr_of(roll(locks));
	}
}

static void random_graphs_agree_with_the_reference(void **state)
{
	size_t cycles = 0, selfs = 0, roots = 0;

	(void)state;
	for (unsigned int round = 0; round < 6000; round++) {
		struct scene s;
		int owner[TASKS], count;

		random_state = round * 2654435761U + 1;
		count = 1 + roll(round % 10 ? 14 : TASKS - 1);
		random_scene(&s, count, 1 + roll(count), round % 3 ? 0 : 12);
		build(&s);
		for (int i = 0; i < count; i++)
			owner[i] = slow_owner(&s, i);
		check_tasks(&s, owner, count);
		cycles += check_cycles(&s, owner, count);
		check_roots(&s);
		for (size_t i = 0; i < s.graph->cycle_count; i++)
			selfs += s.graph->cycles[i].count == 1;
		roots += s.graph->root_count;
		scene_end(&s);
	}
	/* The numbers say that the test meets what it is about. */
	assert_true(cycles > 1000 && selfs > 200 && roots > 3000);
}

static void a_long_chain_takes_no_stack_and_no_time(void **state)
{
	enum { LENGTH = 200000 };
	struct wait_task *tasks = calloc(LENGTH, sizeof(*tasks));
	struct wait_look look = { .count = LENGTH, .tasks = tasks };
	struct wait_graph *graph;

	(void)state;
	for (int i = 0; i < LENGTH; i++) {
		tasks[i].task.id = id_of(i);
		tasks[i].task.tid = (uint32_t)i + 1;
		tasks[i].kind = i ? WAIT_MUTEX : WAIT_NONE;
		tasks[i].lock = addr_of(i);
		tasks[i].owner = id_of(i - 1);
	}
	graph = wait_graph_new(&look, &look);
	assert_non_null(graph);
	assert_int_equal(graph->root_count, 1);
	assert_int_equal(graph->roots[0].depth, LENGTH - 1);
	wait_graph_select(graph, LENGTH / 2);
	assert_true(graph->nodes[LENGTH - 1].shown);
	wait_graph_free(graph);
	/* Closed to one circle. */
	tasks[0].kind = WAIT_MUTEX;
	tasks[0].owner = id_of(LENGTH - 1);
	graph = wait_graph_new(&look, &look);
	assert_non_null(graph);
	assert_int_equal(graph->cycle_count, 1);
	assert_int_equal(graph->cycles[0].count, LENGTH);
	assert_int_equal(graph->root_count, 0);
	wait_graph_free(graph);
	free(tasks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_waits),
		cmocka_unit_test(two_that_wait_for_each_other_are_a_circle),
		cmocka_unit_test(one_that_waits_for_itself_is_a_circle_of_one),
		cmocka_unit_test(a_lock_being_handed_over_is_no_wait),
		cmocka_unit_test(a_queue_behind_one_owner_is_no_circle),
		cmocka_unit_test(two_queues_can_share_an_owner),
		cmocka_unit_test(a_chain_has_one_root_and_the_deepest_comes_first),
		cmocka_unit_test(a_wait_that_is_not_the_same_in_both_looks_is_passing),
		cmocka_unit_test(a_wait_that_has_ended_is_passing),
		cmocka_unit_test(an_owner_that_changes_is_no_owner),
		cmocka_unit_test(an_owner_that_was_not_seen_is_not_followed),
		cmocka_unit_test(a_read_held_rwsem_is_a_root_of_its_own),
		cmocka_unit_test(other_waits_are_roots_and_counted),
		cmocka_unit_test(one_look_is_not_confirmed),
		cmocka_unit_test(a_task_met_twice_is_taken_once),
		cmocka_unit_test(nonsense_is_not_believed),
		cmocka_unit_test(one_task_shows_its_chain_and_those_behind_it),
		cmocka_unit_test(random_graphs_agree_with_the_reference),
		cmocka_unit_test(a_long_chain_takes_no_stack_and_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
