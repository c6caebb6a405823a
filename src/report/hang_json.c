/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* A wait graph as JSON, one object a line: waits, deadlocks, roots, a summary. docs/json.md is the contract.
 */
#include "report/hang.h"
#include "report/json_parts.h"

static const char *const kind_names[WAIT_KINDS] = {
	[WAIT_NONE] = "none",
	[WAIT_MUTEX] = "mutex",
	[WAIT_RWSEM_READ] = "rwsem_read",
	[WAIT_RWSEM_WRITE] = "rwsem_write",
	[WAIT_OTHER] = "other",
	[WAIT_UNVERIFIED] = "unverified",
};

static const char *const proof_names[] = {
	[PROOF_NONE] = NULL,
	[PROOF_BLOCKED_ON] = "blocked_on",
	[PROOF_WAITER_RECORD] = "waiter_record",
};

static const char *const signal_names[] = {
	[SIGNAL_NONE] = "none",
	[SIGNAL_KILL] = "kill",
	[SIGNAL_ANY] = "any",
};

static const char *const owner_names[] = {
	[OWNER_TASK] = "task",       [OWNER_GONE] = "gone",         [OWNER_READERS] = "readers",
	[OWNER_UNKNOWN] = "unknown", [OWNER_CHANGING] = "changing",
};

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *lock(const struct hang_report *r, const struct wait_lock *l)
{
	json_t *object = json_object();
	char name[REPORT_TEXT_LEN];

	json_object_set_new(object, "addr", address(l->addr));
	json_object_set_new(object, "class",
			    text_or_null(r->lock ? r->lock(r->context, l->addr, name, sizeof(name)) : NULL));
	json_object_set_new(object, "object",
			    text_or_null(r->object ? r->object(r->context, l->addr, name, sizeof(name))
						   : NULL));
	json_object_set_new(object, "kind", text(l->is_rwsem ? "rwsem" : "mutex"));
	json_object_set_new(object, "held_by", text(owner_names[l->owner_state]));
	json_object_set_new(object, "readers", json_integer(l->readers));
	json_object_set_new(object, "text", text(hang_lock(r, l, name, sizeof(name))));
	return object;
}

static json_t *task_or_null(const struct hang_report *r, const struct wait_node *node)
{
	return node ? task(&r->base, &node->task->task) : json_null();
}

static json_t *stack(const struct hang_report *r, const struct wait_task *t)
{
	char *frames[LT_STACK_MAX];
	size_t count = hang_stack(r, t, frames, LT_STACK_MAX);
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, text(frames[i]));
	report_stack_free(frames, count);
	return array;
}

static json_t *state(char letter)
{
	const char string[2] = { letter, '\0' };

	return text_or_null(string);
}

/* What the task itself is, for waits and for roots. */
static void set_task(json_t *object, const struct hang_report *r, const struct wait_node *node)
{
	const struct wait_task *t = node->task;

	json_object_set_new(object, "task", task(&r->base, &t->task));
	json_object_set_new(object, "state", state(t->state));
	json_object_set_new(object, "signal", text(signal_names[t->signal]));
	json_object_set_new(object, "killable", json_boolean(hang_killable(t)));
	json_object_set_new(object, "exiting", json_boolean(t->exiting));
	json_object_set_new(object, "kernel_thread", json_boolean(t->kernel_thread));
	json_object_set_new(object, "ran", json_boolean(node->ran));
	json_object_set_new(object, "since_ns", t->last_ran_ns ? number(t->last_ran_ns) : json_null());
	json_object_set_new(object, "waited_ns",
			    t->last_ran_ns && t->last_ran_ns <= r->time_ns
				    ? number(r->time_ns - t->last_ran_ns)
				    : json_null());
	json_object_set_new(object, "stack", stack(r, t));
}

static int wait_line(const struct hang_report *r, const struct wait_node *node, FILE *out)
{
	const struct wait_node *owner = wait_node_owner(node);
	json_t *line = object_new("wait");
	char doing[REPORT_TEXT_LEN];

	if (!line)
		return -ENOMEM;
	json_object_set_new(line, "kind", text(kind_names[node->waits ? node->task->kind : WAIT_NONE]));
	set_task(line, r, node);
	json_object_set_new(line, "lock", node->waits_for ? lock(r, node->waits_for) : json_null());
	json_object_set_new(line, "owner", task_or_null(r, owner));
	json_object_set_new(line, "owner_stack", owner ? stack(r, owner->task) : json_null());
	json_object_set_new(line, "proof",
			    text_or_null(node->waits_for ? proof_names[node->task->proof] : NULL));
	json_object_set_new(line, "confirmed", json_boolean(r->graph->confirmed));
	json_object_set_new(line, "behind", number(node->behind));
	json_object_set_new(line, "text",
			    text(node->waits_for ? hang_terms(node, doing, sizeof(doing))
						 : hang_doing(r, node, doing, sizeof(doing))));
	return write_line(line, out);
}

static json_t *circle(const struct hang_report *r, const struct wait_cycle *cycle)
{
	json_t *array = json_array();

	for (size_t i = 0; i < cycle->count; i++) {
		const struct wait_node *node = cycle->nodes[i];
		json_t *edge = json_object();

		json_object_set_new(edge, "task", task(&r->base, &node->task->task));
		json_object_set_new(edge, "waits_for", lock(r, node->waits_for));
		json_object_set_new(edge, "wait", text(kind_names[node->task->kind]));
		json_object_set_new(edge, "owner", task_or_null(r, wait_node_owner(node)));
		json_object_set_new(edge, "killable", json_boolean(hang_killable(node->task)));
		json_array_append_new(array, edge);
	}
	return array;
}

/* What a deadlock has in either command. */
static void set_cycle(json_t *line, const struct hang_report *r, const struct wait_cycle *cycle)
{
	json_object_set_new(line, "kind", text("deadlock"));
	json_object_set_new(line, "grade", text(r->graph->confirmed ? "deadlock" : "possible"));
	json_object_set_new(line, "cycle", circle(r, cycle));
	json_object_set_new(line, "behind", number(cycle->behind));
	json_object_set_new(line, "boot_ns", number(r->time_ns));
	json_object_set_new(line, "advice", text_freed(hang_cycle_advice(r, cycle)));
	json_object_set_new(line, "known", known_bug(r->known_bug ? r->known_bug(r->context, cycle) : NULL));
}

static int cycle_line(const struct hang_report *r, const struct wait_cycle *cycle, FILE *out)
{
	json_t *line = object_new("finding");

	if (!line)
		return -ENOMEM;
	set_cycle(line, r, cycle);
	json_object_set_new(line, "text", text_freed(hang_sentence(r, cycle)));
	return write_line(line, out);
}

static void set_root(json_t *object, const struct hang_report *r, const struct wait_root *root)
{
	char doing[REPORT_TEXT_LEN];

	if (root->task) {
		set_task(object, r, root->task);
		json_object_set_new(object, "lock", json_null());
		json_object_set_new(object, "doing", text(hang_doing(r, root->task, doing, sizeof(doing))));
	} else {
		json_object_set_new(object, "task", json_null());
		json_object_set_new(object, "lock", lock(r, root->lock));
	}
	json_object_set_new(object, "direct", number(root->direct));
	json_object_set_new(object, "behind", number(root->behind));
	json_object_set_new(object, "depth", number(root->depth));
	json_object_set_new(object, "text", text_freed(hang_root_sentence(r, root)));
	json_object_set_new(object, "advice", text_freed(hang_root_advice(r, root)));
}

static int root_line(const struct hang_report *r, const struct wait_root *root, FILE *out)
{
	json_t *line = object_new("root");

	if (!line)
		return -ENOMEM;
	set_root(line, r, root);
	return write_line(line, out);
}

static json_t *root_object(const struct hang_report *r, const struct wait_root *root)
{
	json_t *object = root ? json_object() : NULL;

	if (!object)
		return json_null();
	set_root(object, r, root);
	return object;
}

/* What no dependency is the evidence of has none: as in the other findings of a watch, but empty. */
int json_stall(const struct hang_report *r, const struct hang_stall *stall, FILE *out)
{
	const struct wait_node *waiter = stall->waiter;
	json_t *line = object_new("finding");

	if (!line)
		return -ENOMEM;
	json_object_set_new(line, "id", json_null());
	if (stall->cycle) {
		set_cycle(line, r, stall->cycle);
	} else {
		json_object_set_new(line, "kind", text("stall"));
		json_object_set_new(line, "grade", text("danger"));
		json_object_set_new(line, "boot_ns", number(r->time_ns));
		json_object_set_new(line, "advice", text_freed(hang_root_advice(r, stall->root)));
		json_object_set_new(line, "known", json_null());
	}
	json_object_set_new(line, "previous_grade", json_null());
	json_object_set_new(line, "classes", json_array());
	json_object_set_new(line, "edges", json_array());
	json_object_set_new(line, "rules", json_array());
	json_object_set_new(line, "guard", json_null());
	json_object_set_new(line, "count", json_integer(1));
	json_object_set_new(line, "waiter", task(&r->base, &waiter->task->task));
	json_object_set_new(line, "lock", lock(r, waiter->waits_for));
	json_object_set_new(line, "waiter_stack", stack(r, waiter->task));
	json_object_set_new(line, "root", root_object(r, stall->root));
	json_object_set_new(line, "text", text_freed(hang_stall_sentence(r, stall)));
	json_object_set_new(line, "why",
			    json_sprintf("two looks agree that the wait has lasted more than %u s",
					 stall->seconds));
	return write_line(line, out);
}

static int summary_line(const struct hang_report *r, FILE *out)
{
	const struct wait_graph *g = r->graph;
	json_t *line = object_new("summary");

	if (!line)
		return -ENOMEM;
	json_object_set_new(line, "kernel", text(r->base.kernel));
	json_object_set_new(line, "boot_ns", number(r->time_ns));
	json_object_set_new(line, "waits", number(g->waits));
	json_object_set_new(line, "cycles", number(g->cycle_count));
	json_object_set_new(line, "roots", number(g->root_count));
	json_object_set_new(line, "passing", number(g->passing));
	json_object_set_new(line, "unverified", number(g->unverified));
	json_object_set_new(line, "other", number(g->other));
	json_object_set_new(line, "tasks", number(g->tasks_seen));
	json_object_set_new(line, "confirmed", json_boolean(g->confirmed));
	json_object_set_new(line, "partial", json_boolean(g->partial || !g->confirmed || r->trouble));
	json_object_set_new(line, "trouble", text_or_null(r->trouble));
	json_object_set_new(line, "seconds", json_real((double)r->milliseconds / 1000));
	json_object_set_new(line, "text", text_freed(hang_counts(r)));
	return write_line(line, out);
}

int json_hang(const struct hang_report *r, FILE *out)
{
	const struct wait_graph *g = r->graph;
	int err = 0;

	for (size_t i = 0; i < g->node_count && !err; i++)
		if (g->nodes[i].shown && (g->nodes[i].waits || r->pid))
			err = wait_line(r, &g->nodes[i], out);
	for (size_t i = 0; i < g->cycle_count && !err; i++)
		if (g->cycles[i].shown)
			err = cycle_line(r, &g->cycles[i], out);
	for (size_t i = 0; i < g->root_count && !err; i++)
		if (g->roots[i].shown)
			err = root_line(r, &g->roots[i], out);
	return err ? err : summary_line(r, out);
}
