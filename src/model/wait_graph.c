/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The wait graph; see wait_graph.h. Steps: what both looks agree on, the locks and
 * their owners, the trees peeled off from their leaves (what is left over are the
 * circles), the roots. Each step goes over all tasks once.
 */
#include "model/wait_graph.h"

#include <stdlib.h>

/* A task in a look, found by id. */
struct seen {
	const struct wait_task *task;
	bool in_second; /* it waits there too */
	struct hash_node by_id;
};

struct builder {
	struct wait_graph *graph;
	const struct wait_look *first, *second;
	struct seen *seen; /* the first look */
	struct hash seen_by_id;
	bool *doubled;  /* of each node: its id is met a second time, which is hostile input */
	size_t *wanted; /* of each node: tasks in front of it that are not peeled off yet */
};

static uint64_t hash_of(uint64_t number)
{
	return hash_numbers(number, 0);
}

static struct seen *find_seen(const struct builder *b, uint64_t id)
{
	struct hash_node *link = hash_first(&b->seen_by_id, hash_of(id));

	for (; link; link = hash_next(link)) {
		struct seen *seen = (struct seen *)((char *)link - offsetof(struct seen, by_id));

		if (seen->task->task.id == id)
			return seen;
	}
	return NULL;
}

static struct wait_node *find_node(const struct wait_graph *graph, uint64_t id)
{
	struct hash_node *link = hash_first(&graph->by_id, hash_of(id));

	for (; link; link = hash_next(link)) {
		struct wait_node *node =
			(struct wait_node *)((char *)link - offsetof(struct wait_node, by_id));

		if (node->task->task.id == id)
			return node;
	}
	return NULL;
}

static struct wait_lock *find_lock(const struct wait_graph *graph, uint64_t addr)
{
	struct hash_node *link = hash_first(&graph->by_addr, hash_of(addr));

	for (; link; link = hash_next(link)) {
		struct wait_lock *lock =
			(struct wait_lock *)((char *)link - offsetof(struct wait_lock, by_addr));

		if (lock->addr == addr)
			return lock;
	}
	return NULL;
}

static int index_looks(struct builder *b)
{
	struct wait_graph *graph = b->graph;
	int err = 0;

	for (size_t i = 0; b->first && i < b->first->count && !err; i++) {
		struct seen *seen = &b->seen[i];

		seen->task = &b->first->tasks[i];
		if (!find_seen(b, seen->task->task.id))
			err = hash_insert(&b->seen_by_id, &seen->by_id, hash_of(seen->task->task.id));
	}
	for (size_t i = 0; i < b->second->count && !err; i++) {
		struct wait_node *node = &graph->nodes[i];

		node->task = &b->second->tasks[i];
		node->shown = true;
		b->doubled[i] = find_node(graph, node->task->task.id) != NULL;
		if (!b->doubled[i])
			err = hash_insert(&graph->by_id, &node->by_id, hash_of(node->task->task.id));
	}
	return err;
}

/* A wait whose coming and going is counted. */
static bool is_counted(const struct wait_task *task)
{
	return wait_kind_is_lock(task->kind) || task->kind == WAIT_UNVERIFIED;
}

/* One and the same wait? The lock may change hands meanwhile. */
static bool is_same_wait(const struct wait_task *a, const struct wait_task *b)
{
	return a->task.tid == b->task.tid && a->kind == b->kind && a->lock == b->lock &&
	       a->switches == b->switches && !a->handed_over && !b->handed_over;
}

static void count_wait(struct wait_graph *graph, const struct wait_node *node)
{
	if (!node->waits)
		graph->passing += is_counted(node->task);
	else if (wait_kind_is_lock(node->task->kind))
		graph->waits++;
	else if (node->task->kind == WAIT_UNVERIFIED)
		graph->unverified++;
	else
		graph->other++;
}

static void agree(struct builder *b)
{
	struct wait_graph *graph = b->graph;

	for (size_t i = 0; i < graph->node_count; i++) {
		struct wait_node *node = &graph->nodes[i];
		const struct wait_task *now = node->task;
		struct seen *seen = b->first ? find_seen(b, now->task.id) : NULL;
		const struct wait_task *then = seen ? seen->task : b->first ? NULL : now;

		if (b->doubled[i])
			continue;
		node->ran = b->first &&
			    (!then || then->task.tid != now->task.tid || then->switches != now->switches);
		node->waits = now->kind != WAIT_NONE && then && is_same_wait(then, now) &&
			      (!wait_kind_is_lock(now->kind) || now->lock);
		count_wait(graph, node);
		if (seen && then)
			seen->in_second = is_counted(now) && then->task.tid == now->task.tid;
	}
	/* Waits that have ended by the second look. */
	for (size_t i = 0; b->first && i < b->first->count; i++)
		graph->passing += is_counted(&b->first->tasks[i]) && !b->seen[i].in_second;
}

/* One reading of a lock's owner, by one of its waiters in one look. */
static void take_reading(struct wait_lock *lock, const struct wait_task *task, bool is_first)
{
	enum wait_owner state = task->owner                                 ? OWNER_TASK
				: task->kind != WAIT_MUTEX && task->readers ? OWNER_READERS
									    : OWNER_UNKNOWN;

	lock->readers = state == OWNER_READERS ? task->readers : 0;
	if (is_first) {
		lock->owner_state = state;
		lock->owner_id = task->owner;
	} else if (lock->owner_state != state || lock->owner_id != task->owner) {
		lock->owner_state = OWNER_CHANGING;
	}
}

static int add_waiter(struct builder *b, struct wait_node *node)
{
	const struct seen *seen = b->first ? find_seen(b, node->task->task.id) : NULL;
	struct wait_graph *graph = b->graph;
	struct wait_lock *lock = find_lock(graph, node->task->lock);
	bool is_new = !lock;

	if (is_new) {
		lock = &graph->locks[graph->lock_count++];
		lock->addr = node->task->lock;
		lock->is_rwsem = node->task->kind != WAIT_MUTEX;
		if (hash_insert(&graph->by_addr, &lock->by_addr, hash_of(lock->addr)))
			return -1;
	}
	lock->waiter_count++;
	node->waits_for = lock;
	if (seen)
		take_reading(lock, seen->task, is_new);
	take_reading(lock, node->task, is_new && !seen);
	return 0;
}

/* An owner counts only if it is the same living task in both looks. */
static void find_owner(const struct builder *b, struct wait_lock *lock)
{
	struct wait_node *owner;
	const struct seen *before;

	if (lock->owner_state != OWNER_TASK)
		return;
	owner = find_node(b->graph, lock->owner_id);
	before = owner && b->first ? find_seen(b, lock->owner_id) : NULL;
	if (!owner || (before && before->task->task.tid != owner->task->task.tid)) {
		lock->owner_state = OWNER_GONE;
		return;
	}
	lock->owner = owner;
	lock->next_owned = owner->owned;
	owner->owned = lock;
	owner->direct += lock->waiter_count;
}

/* The longest wait first; since when is not known: last. */
static int compare_waiters(const void *a, const void *b)
{
	const struct wait_node *x = *(struct wait_node *const *)a, *y = *(struct wait_node *const *)b;
	uint64_t since_x = x->task->last_ran_ns - 1, since_y = y->task->last_ran_ns - 1;

	if (since_x != since_y)
		return since_x < since_y ? -1 : 1;
	return (x->task->task.tid > y->task->task.tid) - (x->task->task.tid < y->task->task.tid);
}

static int group_by_lock(struct builder *b)
{
	struct wait_graph *graph = b->graph;
	size_t used = 0;

	for (size_t i = 0; i < graph->node_count; i++)
		if (graph->nodes[i].waits && wait_kind_is_lock(graph->nodes[i].task->kind) &&
		    add_waiter(b, &graph->nodes[i]))
			return -1;
	for (size_t i = 0; i < graph->lock_count; i++) {
		find_owner(b, &graph->locks[i]);
		graph->locks[i].waiters = &graph->pointers[used];
		used += graph->locks[i].waiter_count;
		graph->locks[i].waiter_count = 0;
	}
	for (size_t i = 0; i < graph->node_count; i++) {
		struct wait_lock *lock = graph->nodes[i].waits_for;

		if (lock)
			lock->waiters[lock->waiter_count++] = &graph->nodes[i];
	}
	for (size_t i = 0; i < graph->lock_count; i++)
		qsort(graph->locks[i].waiters, graph->locks[i].waiter_count, sizeof(struct wait_node *),
		      compare_waiters);
	return 0;
}

/* From each task that nobody waits for, towards the roots: each is counted to who holds it up. */
static void peel_trees(struct builder *b)
{
	struct wait_graph *graph = b->graph;

	for (size_t i = 0; i < graph->node_count; i++)
		b->wanted[i] = graph->nodes[i].direct;
	for (size_t i = 0; i < graph->node_count; i++) {
		struct wait_node *node = &graph->nodes[i], *owner;

		if (node->direct)
			continue;
		while ((owner = wait_node_owner(node))) {
			owner->behind += node->behind + 1;
			if (owner->depth < node->depth + 1)
				owner->depth = node->depth + 1;
			if (--b->wanted[owner - graph->nodes])
				break;
			node = owner;
		}
	}
}

/* Where the telling of a circle begins: with the lowest thread id, so that it is the same each time. */
static struct wait_node *first_of_cycle(struct wait_node *node)
{
	struct wait_node *first = node, *next;

	for (next = wait_node_owner(node); next != node; next = wait_node_owner(next))
		if (next->task->task.tid < first->task->task.tid)
			first = next;
	return first;
}

static size_t add_cycle(struct wait_graph *graph, struct wait_node *any, struct wait_node **room)
{
	struct wait_cycle *cycle = &graph->cycles[graph->cycle_count++];
	struct wait_node *node = first_of_cycle(any);

	cycle->nodes = room;
	cycle->shown = true;
	for (; !node->cycle; node = wait_node_owner(node)) {
		node->cycle = cycle;
		cycle->nodes[cycle->count++] = node;
		cycle->behind += node->behind;
		if (cycle->depth < node->depth)
			cycle->depth = node->depth;
	}
	return cycle->count;
}

static int compare_cycles(const void *a, const void *b)
{
	const struct wait_cycle *x = a, *y = b;

	if (x->behind != y->behind)
		return x->behind > y->behind ? -1 : 1;
	return (x->nodes[0]->task->task.tid > y->nodes[0]->task->task.tid) -
	       (x->nodes[0]->task->task.tid < y->nodes[0]->task->task.tid);
}

/* What is not peeled off is a circle. */
static void find_cycles(struct builder *b)
{
	struct wait_graph *graph = b->graph;
	struct wait_node **room = graph->pointers + graph->node_count;

	for (size_t i = 0; i < graph->node_count; i++)
		if (b->wanted[i] && !graph->nodes[i].cycle)
			room += add_cycle(graph, &graph->nodes[i], room);
	qsort(graph->cycles, graph->cycle_count, sizeof(*graph->cycles), compare_cycles);
	for (size_t i = 0; i < graph->cycle_count; i++)
		for (size_t k = 0; k < graph->cycles[i].count; k++) {
			graph->cycles[i].nodes[k]->cycle = &graph->cycles[i];
			/* The task before it in its circle is not behind it. */
			graph->cycles[i].nodes[k]->direct--;
		}
}

static void add_lock_root(struct wait_graph *graph, struct wait_lock *lock)
{
	struct wait_root *root = &graph->roots[graph->root_count++];

	*root = (struct wait_root){ .lock = lock, .direct = lock->waiter_count, .shown = true };
	for (size_t i = 0; i < lock->waiter_count; i++) {
		root->behind += lock->waiters[i]->behind + 1;
		if (root->depth < lock->waiters[i]->depth + 1)
			root->depth = lock->waiters[i]->depth + 1;
	}
}

static uint64_t root_number(const struct wait_root *root)
{
	return root->task ? root->task->task->task.tid : root->lock->addr;
}

static int compare_roots(const void *a, const void *b)
{
	const struct wait_root *x = a, *y = b;

	if (x->depth != y->depth)
		return x->depth > y->depth ? -1 : 1;
	if (x->behind != y->behind)
		return x->behind > y->behind ? -1 : 1;
	return (root_number(x) > root_number(y)) - (root_number(x) < root_number(y));
}

static void find_roots(struct wait_graph *graph)
{
	for (size_t i = 0; i < graph->node_count; i++) {
		struct wait_node *node = &graph->nodes[i];

		if (node->owned && !node->waits_for)
			graph->roots[graph->root_count++] = (struct wait_root){ .task = node,
										.direct = node->direct,
										.behind = node->behind,
										.depth = node->depth,
										.shown = true };
	}
	for (size_t i = 0; i < graph->lock_count; i++)
		if (!graph->locks[i].owner)
			add_lock_root(graph, &graph->locks[i]);
	qsort(graph->roots, graph->root_count, sizeof(*graph->roots), compare_roots);
}

/* Room for the most there can be: so that no step but the hashes can fail. */
static int make_room(struct builder *b)
{
	struct wait_graph *graph = b->graph;
	size_t count = b->second->count + 1, before = b->first ? b->first->count + 1 : 1;

	graph->nodes = calloc(count, sizeof(*graph->nodes));
	graph->locks = calloc(count, sizeof(*graph->locks));
	graph->cycles = calloc(count, sizeof(*graph->cycles));
	/* An owner with its locks, or a lock: each has a waiter of its own. */
	graph->roots = calloc(count, sizeof(*graph->roots));
	graph->pointers = calloc(2 * count, sizeof(struct wait_node *));
	b->seen = calloc(before, sizeof(*b->seen));
	b->doubled = calloc(count, sizeof(*b->doubled));
	b->wanted = calloc(count, sizeof(*b->wanted));
	return graph->nodes && graph->locks && graph->cycles && graph->roots && graph->pointers && b->seen &&
			       b->doubled && b->wanted
		       ? 0
		       : -1;
}

static int build(struct builder *b)
{
	struct wait_graph *graph = b->graph;

	if (make_room(b))
		return -1;
	graph->node_count = b->second->count;
	graph->tasks_seen = b->second->tasks_seen;
	graph->confirmed = b->first != NULL;
	graph->partial = b->second->partial || (b->first && b->first->partial);
	if (index_looks(b))
		return -1;
	agree(b);
	if (group_by_lock(b))
		return -1;
	peel_trees(b);
	find_cycles(b);
	find_roots(graph);
	return 0;
}

struct wait_graph *wait_graph_new(const struct wait_look *first, const struct wait_look *second)
{
	struct builder b = { .first = first, .second = second };
	int err;

	b.graph = calloc(1, sizeof(*b.graph));
	if (!b.graph)
		return NULL;
	err = build(&b);
	hash_release(&b.seen_by_id);
	free(b.seen);
	free(b.doubled);
	free(b.wanted);
	if (err) {
		wait_graph_free(b.graph);
		return NULL;
	}
	return b.graph;
}

void wait_graph_free(struct wait_graph *graph)
{
	if (!graph)
		return;
	hash_release(&graph->by_id);
	hash_release(&graph->by_addr);
	free(graph->nodes);
	free(graph->locks);
	free(graph->cycles);
	free(graph->roots);
	free(graph->pointers);
	free(graph);
}

static bool concerns(const struct wait_node *node, uint32_t pid)
{
	return !pid || node->task->task.pid == pid || node->task->task.tid == pid;
}

/* All that wait for a task; line: room for each node once, filled with those whose waiters are still to be
 * met. */
static void show_behind(struct wait_node **line, size_t count)
{
	for (size_t at = 0; at < count; at++) {
		for (struct wait_lock *lock = line[at]->owned; lock; lock = lock->next_owned) {
			for (size_t k = 0; k < lock->waiter_count; k++) {
				if (lock->waiters[k]->shown)
					continue;
				lock->waiters[k]->shown = true;
				line[count++] = lock->waiters[k];
			}
		}
	}
}

/*
 * From a task to the end of its chain; round its circle if that is where it ends. What is shown
 * already is a task that was asked for, or one behind such: the rest of the chain is that one's.
 */
static void show_chain(struct wait_node *node)
{
	while ((node = wait_node_owner(node)) && !node->shown)
		node->shown = true;
}

static bool is_shown(const struct wait_root *root)
{
	if (root->task)
		return root->task->shown;
	for (size_t i = 0; i < root->lock->waiter_count; i++)
		if (root->lock->waiters[i]->shown)
			return true;
	return false;
}

bool wait_graph_any_shown(const struct wait_graph *graph)
{
	for (size_t i = 0; i < graph->node_count; i++)
		if (graph->nodes[i].shown)
			return true;
	return false;
}

void wait_graph_select(struct wait_graph *graph, uint32_t pid)
{
	struct wait_node **line = calloc(graph->node_count + 1, sizeof(struct wait_node *));

	size_t count = 0;

	for (size_t i = 0; i < graph->node_count; i++) {
		graph->nodes[i].shown = !line || concerns(&graph->nodes[i], pid);
		if (line && graph->nodes[i].shown)
			line[count++] = &graph->nodes[i];
	}
	if (line)
		show_behind(line, count);
	for (size_t i = 0; line && i < count; i++)
		show_chain(line[i]);
	for (size_t i = 0; i < graph->cycle_count; i++)
		graph->cycles[i].shown = graph->cycles[i].nodes[0]->shown;
	for (size_t i = 0; i < graph->root_count; i++)
		graph->roots[i].shown = is_shown(&graph->roots[i]);
	free(line);
}
