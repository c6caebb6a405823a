/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See stalls.h. */
#include "cmd/stalls.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/deadlocks.h"
#include "cmd/hang_look.h"
#include "cmd/hang_names.h"
#include "cmd/hang_wire.h"
#include "message.h"

/* Between two looks at the tracer's tasks. */
#define LOOK_MS 1000
/* Waits that are remembered; the others are when these have ended. */
#define WAITS_MAX 1024
/* The looks of "hang" get so long. */
#define ANALYSIS_MS 20000
/* When they could not confirm a wait, or say nothing of it: not again before this. */
#define AGAIN_MS 60000

/* A task that sleeps for a lock, since when this was first met. */
struct wait {
	uint64_t task, lock, switches;
	uint32_t tid;
	uint64_t since_ms, not_before_ms; /* CLOCK_MONOTONIC; not_before: for its analysis */
	bool met;                         /* in the look that is going on */
	bool told;
};

struct stalls {
	struct stalls_options options;
	struct wait waits[WAITS_MAX];
	size_t count;
	uint64_t looked_ms;
};

struct stalls *stalls_new(const struct stalls_options *options)
{
	struct stalls *stalls = options->seconds ? calloc(1, sizeof(*stalls)) : NULL;

	if (stalls)
		stalls->options = *options;
	return stalls;
}

void stalls_free(struct stalls *stalls)
{
	free(stalls);
}

static struct wait *find_wait(struct stalls *s, uint64_t task)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->waits[i].task == task)
			return &s->waits[i];
	return NULL;
}

static void note_wait(struct stalls *s, const struct wait *now)
{
	struct wait *wait = find_wait(s, now->task);

	if (wait && wait->lock == now->lock && wait->switches == now->switches && wait->tid == now->tid) {
		wait->met = true;
		return;
	}
	if (!wait && s->count == WAITS_MAX)
		return;
	if (!wait)
		wait = &s->waits[s->count++];
	*wait = *now;
}

/* Whether a lock is held by others than the task that asks for it. */
static bool is_others(const struct stalls *s, uint64_t task, const struct tracer_call *call)
{
	uint64_t owner, readers;

	if (tracer_lock_owner(s->options.tracer, call->lock, &owner))
		return false;
	/* One that waits for itself is told by the kernel side, at once. */
	if (owner)
		return owner != task;
	return call->writing && !tracer_readers(s->options.tracer, call->lock, &readers) && readers;
}

/* Whether the last lock that a task asked for is somebody else's, and it sleeps. */
static void visit_call(void *context, uint64_t task, const struct tracer_call *call)
{
	struct stalls *s = context;
	struct wait now = {
		.task = task, .lock = call->lock, .tid = call->tid, .since_ms = wire_now_ms(), .met = true
	};

	if (!is_others(s, task, call))
		return;
	now.switches = deadlocks_switches(call->tid);
	if (now.switches)
		note_wait(s, &now);
}

static void drop_ended(struct stalls *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++)
		if (s->waits[i].met)
			s->waits[kept++] = s->waits[i];
	s->count = kept;
}

static bool is_due(const struct stalls *s, const struct wait *wait)
{
	uint64_t now = wire_now_ms();

	return !wait->told && now >= wait->since_ms + (uint64_t)s->options.seconds * 1000 &&
	       now >= wait->not_before_ms;
}

static bool any_due(const struct stalls *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (is_due(s, &s->waits[i]))
			return true;
	return false;
}

/* The looks of "hang", once there is something to look at. */

static bool meanwhile(void *context)
{
	struct stalls *s = context;

	tracer_poll(s->options.tracer, 0);
	return !s->options.is_over(s->options.context);
}

/* The names of the locks are the tracer's. */
static void name_locks(const struct stalls *s, const struct wait_graph *graph, struct hang_seen *seen)
{
	for (size_t i = 0; i < graph->lock_count; i++) {
		struct object_lock lock = { .addr = graph->locks[i].addr };

		if (!tracer_watched(s->options.tracer, lock.addr, &lock.class_id, &lock.object))
			hang_seen_add_lock(seen, &lock);
	}
}

static struct wait_node *find_node(const struct wait_graph *graph, const struct wait *wait)
{
	for (size_t i = 0; i < graph->node_count; i++) {
		struct wait_node *node = &graph->nodes[i];

		if (node->task->task.id == wait->task && node->task->task.tid == wait->tid &&
		    node->waits_for && node->waits_for->addr == wait->lock)
			return node;
	}
	return NULL;
}

/* What the chain of a task that waits ends in. */
static void find_end(const struct wait_graph *graph, struct hang_stall *stall)
{
	const struct wait_node *node = stall->waiter, *owner;

	while (!node->cycle && (owner = wait_node_owner(node)))
		node = owner;
	stall->cycle = node->cycle;
	for (size_t i = 0; i < graph->root_count && !stall->cycle; i++)
		if (graph->roots[i].task ? graph->roots[i].task == node
					 : graph->roots[i].lock == node->waits_for)
			stall->root = &graph->roots[i];
}

/* All that wait for the same, told with this one. */
static void mark_told(struct stalls *s, const struct wait_graph *graph, const struct hang_stall *told)
{
	for (size_t i = 0; i < s->count; i++) {
		struct hang_stall stall = { .waiter = find_node(graph, &s->waits[i]) };

		if (!stall.waiter)
			continue;
		find_end(graph, &stall);
		if (stall.cycle == told->cycle && stall.root == told->root)
			s->waits[i].told = true;
	}
}

/* Whether what it ends in was told for another wait, which still lasts. */
static bool is_told(const struct stalls *s, const struct wait_graph *graph, const struct hang_stall *stall)
{
	for (size_t i = 0; i < s->count; i++) {
		struct hang_stall other = { .waiter = s->waits[i].told ? find_node(graph, &s->waits[i])
								       : NULL };

		if (!other.waiter)
			continue;
		find_end(graph, &other);
		if (other.cycle == stall->cycle && other.root == stall->root)
			return true;
	}
	return false;
}

/* Shows of the graph what hangs together with one end. */
static void select_end(struct wait_graph *graph, const struct hang_stall *stall)
{
	const struct wait_node *end = stall->cycle        ? stall->cycle->nodes[0]
				      : stall->root->task ? stall->root->task
							  : stall->root->lock->waiters[0];

	wait_graph_select(graph, end->task->task.tid);
}

static void tell_wait(struct stalls *s, const struct hang_report *report, struct wait_graph *graph,
		      struct wait *wait)
{
	struct hang_stall stall = { .waiter = find_node(graph, wait), .seconds = s->options.seconds };
	bool told;

	wait->not_before_ms = wire_now_ms() + AGAIN_MS;
	if (!stall.waiter)
		return;
	find_end(graph, &stall);
	if (!stall.cycle && !stall.root)
		return;
	told = is_told(s, graph, &stall) || (stall.cycle && deadlocks_told(s->options.model, stall.cycle));
	mark_told(s, graph, &stall);
	if (told)
		return;
	select_end(graph, &stall);
	s->options.tell(s->options.context, report, &stall);
}

static void tell_due(struct stalls *s, struct hang_seen *seen, struct wait_graph *graph, uint64_t start_ms)
{
	struct hang_names names = { .seen = seen,
				    .model = s->options.model,
				    .vms = s->options.vms,
				    .symbols = s->options.symbols,
				    .rules = s->options.rules };
	struct hang_report report = { .base = *s->options.report,
				      .graph = graph,
				      .time_ns = seen->looks[1].time_ns,
				      .lock = hang_names_lock,
				      .object = hang_names_object,
				      .known_bug = hang_names_known,
				      .context = &names,
				      .trouble = *seen->trouble ? seen->trouble : NULL,
				      .milliseconds = wire_now_ms() - start_ms };

	report.base.vm_name = hang_names_vm;
	report.base.context = &names;
	for (size_t i = 0; i < s->count; i++)
		if (is_due(s, &s->waits[i]))
			tell_wait(s, &report, graph, &s->waits[i]);
}

static void analyse(struct stalls *s)
{
	uint64_t start_ms = wire_now_ms();
	const struct hang_look_options options = { .symbols = s->options.symbols,
						   .deadline_ms = start_ms + ANALYSIS_MS,
						   .no_objects = true,
						   .meanwhile = meanwhile,
						   .context = s };
	struct hang_seen seen;
	struct wait_graph *graph = NULL;

	if (!hang_look(&options, &seen) && seen.look_count == 2)
		graph = wait_graph_new(&seen.looks[0], &seen.looks[1]);
	if (graph) {
		name_locks(s, graph, &seen);
		tell_due(s, &seen, graph, start_ms);
	} else if (!s->options.is_over(s->options.context)) {
		message_info(
			"tasks have waited for locks for more than %u s, but who holds them up could not be "
			"found out%s%s",
			s->options.seconds, *seen.trouble ? ": " : "", seen.trouble);
	}
	/* Also those that nothing was said of: not at once again. */
	for (size_t i = 0; i < s->count; i++)
		if (is_due(s, &s->waits[i]))
			s->waits[i].not_before_ms = wire_now_ms() + AGAIN_MS;
	wait_graph_free(graph);
	hang_seen_release(&seen);
}

void stalls_look(struct stalls *s)
{
	uint64_t now = wire_now_ms();

	if (!s || now < s->looked_ms + LOOK_MS)
		return;
	s->looked_ms = now;
	for (size_t i = 0; i < s->count; i++)
		s->waits[i].met = false;
	tracer_each_call(s->options.tracer, visit_call, s);
	drop_ended(s);
	if (any_due(s))
		analyse(s);
}
