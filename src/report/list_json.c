/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* What lives, as JSON: one object a line, then the static locks, then a summary. docs/json.md is the
 * contract. */
#include "report/json_parts.h"
#include "report/list.h"

static const char *const held_names[] = {
	[LIST_FREE] = "nobody", [LIST_TASK] = "task", [LIST_UNSEEN] = "unseen", [LIST_UNKNOWN] = "unknown"
};

static json_t *lock(const struct list_report *r, const struct list_lock *l)
{
	json_t *object = json_object();

	json_object_set_new(object, "addr", address(l->addr));
	json_object_set_new(object, "class", text(l->class));
	json_object_set_new(object, "held_by", text(held_names[l->held]));
	json_object_set_new(object, "owner", l->owner ? task(&r->base, l->owner) : json_null());
	json_object_set_new(object, "waiters", json_integer((json_int_t)l->waiters));
	return object;
}

static json_t *locks(const struct list_report *r, uint64_t object, uint32_t kind)
{
	json_t *array = json_array();
	size_t count;
	const struct list_lock *list = list_locks(r, object, kind, &count);

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, lock(r, &list[i]));
	return array;
}

static int object_line(const struct list_report *r, const struct lt_record_object *object, FILE *out)
{
	const char *vm =
		r->base.vm_name && object->pid ? r->base.vm_name(r->base.context, object->pid) : NULL;
	json_t *line = object_new("list");

	if (!line)
		return -ENOMEM;
	json_object_set_new(line, "kind", text(list_kind_name(object->kind)));
	json_object_set_new(line, "addr", address(object->addr));
	json_object_set_new(line, "parent", object->parent ? address(object->parent) : json_null());
	json_object_set_new(line, "pid", object->pid ? json_integer(object->pid) : json_null());
	json_object_set_new(line, "vm", text_or_null(vm));
	json_object_set_new(line, "number",
			    object->kind == LT_OBJECT_VCPU ? json_integer(object->number) : json_null());
	json_object_set_new(line, "name", text_or_null(object->name));
	json_object_set_new(line, "locks", locks(r, object->addr, object->kind));
	return write_line(line, out);
}

static int static_line(const struct list_report *r, FILE *out)
{
	json_t *line = object_new("list");

	if (!line)
		return -ENOMEM;
	json_object_set_new(line, "kind", text("static"));
	json_object_set_new(line, "locks", locks(r, 0, 0));
	return write_line(line, out);
}

static int summary_line(const struct list_report *r, size_t objects, FILE *out)
{
	json_t *line = object_new("summary");

	if (!line)
		return -ENOMEM;
	json_object_set_new(line, "kernel", text(r->base.kernel));
	json_object_set_new(line, "boot_ns", json_integer((json_int_t)r->time_ns));
	json_object_set_new(line, "objects", json_integer((json_int_t)objects));
	json_object_set_new(line, "locks", json_integer((json_int_t)r->lock_count));
	json_object_set_new(line, "partial", json_boolean(r->trouble));
	json_object_set_new(line, "trouble", text_or_null(r->trouble));
	return write_line(line, out);
}

int json_list(const struct list_report *r, FILE *out)
{
	struct list_item *items = calloc(r->object_count ? r->object_count : 1, sizeof(*items));
	size_t count = items ? list_order(r, items) : 0;
	int err = items ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !err; i++)
		err = object_line(r, items[i].object, out);
	free(items);
	if (!err)
		err = static_line(r, out);
	return err ? err : summary_line(r, count, out);
}
