/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The same as JSON: one object a line, each with its type and the version of the
 * format. docs/json.md is the contract. Addresses are strings: a JSON number may
 * not hold 64 bits.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "report/json_parts.h"
#include "report/report.h"

static json_t *strings(const char *const *list)
{
	json_t *array = json_array();

	for (; array && list && *list; list++)
		json_array_append_new(array, text(*list));
	return array;
}

/* The kinds of lock that are followed. */
static json_t *kinds(bool rwsems)
{
	return rwsems ? json_pack("[s, s]", "mutex", "rw_semaphore") : json_pack("[s]", "mutex");
}

static const char *const object_names[LT_OBJECT_KINDS] = {
	[LT_OBJECT_VM] = "vm",          [LT_OBJECT_VCPU] = "vcpu",     [LT_OBJECT_KVM_VFIO] = "kvm_vfio",
	[LT_OBJECT_GROUP] = "group",    [LT_OBJECT_DEVICE] = "device", [LT_OBJECT_DEV_SET] = "device_set",
	[LT_OBJECT_PCI] = "pci_device", [LT_OBJECT_IOMMU] = "iommu",   [LT_OBJECT_CONTAINER] = "container",
};

static json_t *objects(const struct model_counts *counts)
{
	json_t *object = json_object();

	for (int i = 1; object && i < LT_OBJECT_KINDS; i++)
		json_object_set_new(object, object_names[i], json_integer((json_int_t)counts->objects[i]));
	return object;
}

int json_ready(const struct report_context *c, const struct report_ready *ready, FILE *out)
{
	json_t *line = object_new("ready");

	if (!line)
		return -ENOMEM;
	json_object_set_new(line, "locktrace", text(ready->version));
	json_object_set_new(line, "kernel", text(c->kernel));
	json_object_set_new(line, "attach", text(ready->attach));
	json_object_set_new(line, "rules", json_integer((json_int_t)ready->rules));
	json_object_set_new(line, "classes", strings(ready->classes));
	json_object_set_new(line, "waiting", strings(ready->waiting));
	json_object_set_new(line, "missing", strings(ready->missing));
	json_object_set_new(line, "unfollowed", strings(ready->unfollowed));
	json_object_set_new(line, "follows", kinds(ready->rwsems));
	json_object_set_new(line, "objects", objects(&ready->seen));
	return write_line(line, out);
}

static json_t *place(const struct report_context *c, uint64_t ip)
{
	char name[REPORT_TEXT_LEN];

	if (!ip)
		return json_null();
	symbol_format(&c->symbols, ip, 1, name, sizeof(name));
	return text(name);
}

/* As "hang" calls a wait for it. */
static const char *kind(const struct lt_held *held)
{
	if (held->flags & LT_HELD_READ)
		return "rwsem_read";
	return held->flags & LT_HELD_RWSEM ? "rwsem_write" : "mutex";
}

static json_t *lock(const struct report_context *c, const struct lt_held *held, const struct model_lock *l)
{
	json_t *object = json_object();
	char name[REPORT_TEXT_LEN];

	json_object_set_new(object, "class", text(l->class->name));
	json_object_set_new(object, "addr", address(held->addr));
	json_object_set_new(object, "object", text_or_null(report_object(c, l->object, name, sizeof(name))));
	json_object_set_new(object, "at", place(c, held->ip));
	json_object_set_new(object, "kind", text(kind(held)));
	json_object_set_new(object, "trylock", json_boolean(held->flags & LT_HELD_TRYLOCK));
	json_object_set_new(object, "before_start",
			    json_boolean((held->flags & (LT_HELD_SEEDED | LT_HELD_FOUND)) == LT_HELD_SEEDED));
	json_object_set_new(object, "order_known", json_boolean(!(held->flags & LT_HELD_SEEDED)));
	json_object_set_new(object, "locks", json_integer(held->count));
	return object;
}

static json_t *held(const struct report_context *c, const struct sighting *s)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < s->held_count; i++)
		json_array_append_new(array, lock(c, &s->held[i], s->locks[i]));
	return array;
}

static json_t *stack(const struct report_context *c, const struct sighting *s)
{
	char *frames[LT_STACK_MAX];
	size_t count = report_stack(c, s, frames, LT_STACK_MAX);
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, text(frames[i]));
	report_stack_free(frames, count);
	return array;
}

/* Of a call that was told of one task others may not be known. */
static json_t *many_tasks(const struct finding_edge *e)
{
	return e->many_tasks || e->to ? json_boolean(e->many_tasks) : json_null();
}

static json_t *edge(const struct report_context *c, const struct finding_edge *e)
{
	const struct sighting *s = e->sighting;
	json_t *object = json_object();

	json_object_set_new(object, "from", text(e->from->name));
	json_object_set_new(object, "to", text_or_null(e->to ? e->to->name : NULL));
	json_object_set_new(object, "from_lockdep", text_or_null(e->from->lockdep_name));
	json_object_set_new(object, "to_lockdep", text_or_null(e->to ? e->to->lockdep_name : NULL));
	json_object_set_new(object, "from_addr", address(e->from_lock->addr));
	json_object_set_new(object, "to_addr", e->to ? address(e->to_lock->addr) : json_null());
	json_object_set_new(object, "task", task(c, &s->task));
	json_object_set_new(object, "held", held(c, s));
	json_object_set_new(object, "taking",
			    e->to ? lock(c, &s->held[s->held_count], s->locks[s->held_count]) : json_null());
	json_object_set_new(object, "stack", stack(c, s));
	json_object_set_new(object, "count", json_integer((json_int_t)e->count));
	json_object_set_new(object, "instances", e->instances ? json_integer(e->instances) : json_null());
	json_object_set_new(object, "many_tasks", many_tasks(e));
	json_object_set_new(object, "boot_ns", json_integer((json_int_t)s->time_ns));
	return object;
}

static const char *const rule_states[] = {
	[RULE_UNKNOWN] = "unknown", [RULE_IN_FORCE] = "in_force", [RULE_NOT_HERE] = "not_here"
};

static void set_rule(json_t *object, const struct rule *rule)
{
	json_object_set_new(object, "file", text(rule->file));
	json_object_set_new(object, "line", json_integer(rule->line));
	json_object_set_new(object, "text", text(rule->text));
	json_object_set_new(object, "source", text_or_null(rule->source));
	json_object_set_new(object, "because", text_or_null(rule->because));
}

int json_rule(const struct rule *rule, FILE *out)
{
	json_t *line = object_new("rule");

	if (!line)
		return -ENOMEM;
	json_object_set_new(line, "kind", text(rule_kind_name(rule->kind)));
	json_object_set_new(line, "state", text(rule_states[rule->state]));
	set_rule(line, rule);
	return write_line(line, out);
}

static json_t *rules(const struct finding *f)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < f->rule_count; i++) {
		json_t *object = json_object();

		set_rule(object, f->rules[i]);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *inside(const struct finding *f)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < f->inside_count; i++)
		json_array_append_new(array, text(f->inside[i]->name));
	return array;
}

static json_t *called_object(const struct report_context *c, const struct finding *f)
{
	char name[REPORT_TEXT_LEN];

	return text_or_null(report_object(c, f->edges[0].sighting->object, name, sizeof(name)));
}

/* Where the owner of a misused lock took it. */
static json_t *owner_place(const struct report_context *c, const struct finding *f)
{
	const struct sighting *s = f->edges[0].sighting;

	return f->owner ? place(c, s->held[s->held_count].ip) : json_null();
}

/* What only some kinds have. */
static void set_by_kind(json_t *line, const struct report_context *c, const struct finding *f)
{
	if (f->kind == FINDING_RECURSIVE)
		json_object_set_new(line, "same_instance", json_boolean(f->same_instance));
	if (f->kind == FINDING_FORBIDDEN_CALL) {
		json_object_set_new(line, "function", text(f->function));
		json_object_set_new(line, "inside", inside(f));
	}
	if (f->kind == FINDING_FORBIDDEN_CALL || f->kind == FINDING_FREED_HELD)
		json_object_set_new(line, "object", called_object(c, f));
	if (f->kind == FINDING_BAD_UNLOCK || f->kind == FINDING_FREED_HELD ||
	    f->kind == FINDING_REINIT_HELD) {
		json_object_set_new(line, "owned", json_boolean(f->owner));
		json_object_set_new(line, "owner_tid",
				    f->owner_tid ? json_integer(f->owner_tid) : json_null());
		json_object_set_new(line, "owner_at", owner_place(c, f));
	}
	if (f->owner_tid)
		json_object_set_new(line, "owner_comm", text(f->owner_comm));
}

int json_finding(const struct report_context *c, const struct finding *f, FILE *out)
{
	json_t *line = object_new("finding"), *classes = json_array(), *edges = json_array();

	if (!line || !classes || !edges)
		return -ENOMEM;
	json_object_set_new(line, "id", json_integer(f->id));
	json_object_set_new(line, "kind", text(finding_kind_name(f->kind)));
	json_object_set_new(line, "grade", text(finding_grade_name(f->grade)));
	json_object_set_new(line, "previous_grade",
			    f->previous_grade == GRADE_NONE ? json_null()
							    : text(finding_grade_name(f->previous_grade)));
	set_by_kind(line, c, f);
	for (size_t i = 0; i < f->edge_count; i++) {
		json_array_append_new(classes, text(f->edges[i].from->name));
		json_array_append_new(edges, edge(c, &f->edges[i]));
	}
	json_object_set_new(line, "classes", classes);
	json_object_set_new(line, "edges", edges);
	json_object_set_new(line, "rules", rules(f));
	json_object_set_new(line, "known", known_bug(f->known));
	json_object_set_new(line, "guard", text_or_null(f->guard ? f->guard->class->name : NULL));
	json_object_set_new(line, "count", json_integer((json_int_t)f->count));
	json_object_set_new(line, "boot_ns", json_integer((json_int_t)f->time_ns));
	json_object_set_new(line, "text", text_freed(report_sentence(c, f)));
	json_object_set_new(line, "why", text_freed(report_why(c, f)));
	json_object_set_new(line, "advice", text_freed(report_advice(c, f)));
	return write_line(line, out);
}

static json_t *lost(const struct report_trust *trust)
{
	json_t *object = json_object();

#define LOST_MEMBER(id, name, words) \
	json_object_set_new(object, name, json_integer((json_int_t)trust->lost[LT_LOST_##id]));
	LT_LOST_TABLE(LOST_MEMBER)
#undef LOST_MEMBER
	return object;
}

static json_t *complete(const struct report_trust *trust)
{
	if (trust->complete == COMPLETE_UNKNOWN)
		return text("unknown");
	return json_boolean(trust->complete == COMPLETE_TRUE);
}

static json_t *seen(const struct report_summary *s)
{
	json_t *object = json_object();

	json_object_set_new(object, "chains", json_integer((json_int_t)s->seen.chains));
	json_object_set_new(object, "dependencies", json_integer((json_int_t)s->seen.dependencies));
	json_object_set_new(object, "classes", json_integer((json_int_t)s->seen.classes));
	json_object_set_new(object, "locks", json_integer((json_int_t)s->seen.locks));
	json_object_set_new(object, "foreign", json_integer((json_int_t)s->foreign));
	json_object_set_new(object, "let_go", json_integer((json_int_t)s->trust.let_go));
	json_object_set_new(object, "objects", objects(&s->seen));
	return object;
}

static json_t *final_count(const struct finding *f)
{
	json_t *object = json_pack("{s:I, s:s, s:I}", "id", (json_int_t)f->id, "grade",
				   finding_grade_name(f->grade), "count", (json_int_t)f->count);

	json_t *edges = json_array();

	for (uint32_t i = 0; i < f->edge_count; i++)
		json_array_append_new(edges, json_integer((json_int_t)f->edges[i].count));
	json_object_set_new(object, "edges", edges);
	if (f->kind == FINDING_FORBIDDEN_CALL)
		json_object_set_new(object, "inside", inside(f));
	return object;
}

static json_t *final_counts(const struct report_summary *s)
{
	json_t *array = json_array();
	const struct finding *f;

	for (uint32_t id = 1; array && (f = model_finding(s->model, id)); id++)
		if (f->told)
			json_array_append_new(array, final_count(f));
	return array;
}

static json_t *not_last(const struct report_summary *s)
{
	json_t *array = json_array();
	struct model_not_last put;

	for (uint32_t i = 0; array && model_not_last(s->model, i, &put); i++)
		json_array_append_new(array, json_pack("{s:s, s:s, s:I}", "function", put.function, "under",
						       put.under->name, "count", (json_int_t)put.count));
	return array;
}

int json_summary(const struct report_summary *s, FILE *out)
{
	json_t *line = object_new("summary");

	if (!line)
		return -ENOMEM;
	json_object_set_new(line, "findings", json_integer((json_int_t)s->seen.told + (json_int_t)s->stalls));
	json_object_set_new(line, "information", json_integer((json_int_t)s->seen.information));
	json_object_set_new(line, "stalls", json_integer((json_int_t)s->stalls));
	json_object_set_new(line, "ignored", json_integer((json_int_t)s->seen.ignored));
	json_object_set_new(line, "counts", final_counts(s));
	json_object_set_new(line, "not_last", not_last(s));
	json_object_set_new(line, "outside",
			    json_integer((json_int_t)s->seen.left_out + (json_int_t)s->stalls_left_out));
	json_object_set_new(line, "complete", complete(&s->trust));
	json_object_set_new(line, "not_seen", text_or_null(s->trust.blind));
	json_object_set_new(line, "complete_for", kinds(s->trust.rwsems));
	json_object_set_new(line, "not_followed", text_or_null(s->trust.not_followed));
	json_object_set_new(line, "lost", lost(&s->trust));
	json_object_set_new(line, "seen", seen(s));
	json_object_set_new(line, "seconds", json_integer((json_int_t)s->seconds));
	json_object_set_new(line, "ended", text(s->ended));
	json_object_set_new(line, "ended_why", text_or_null(s->ended_why));
	json_object_set_new(line, "trust", text_freed(report_trust_text(&s->trust)));
	return write_line(line, out);
}
