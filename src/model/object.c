// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* See object.h. */
#include "model/object.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void object_table_init(struct object_table *table)
{
	*table = (struct object_table){ 0 };
}

static void object_free(struct object_table *table, struct object *object)
{
	hash_remove(&table->by_addr, &object->by_addr);
	list_remove(&object->child_link);
	free(object);
}

void object_table_release(struct object_table *table)
{
	struct hash_node *node;

	while ((node = hash_any(&table->by_addr))) {
		struct object *object = list_entry(node, struct object, by_addr);

		/* Freed in any order: a child must not be left linked to a parent that is gone. */
		while (!list_empty(&object->children))
			list_remove(object->children.next);
		object_free(table, object);
	}
	hash_release(&table->by_addr);
}

void object_get(struct object *object)
{
	object->references++;
}

/* Frees an object that neither lives nor is referred to; then its parent may be in the same state. */
static void object_reap(struct object_table *table, struct object *object)
{
	while (object && !object->references && !(object->known && object->public.alive)) {
		struct object *parent = object->parent;

		object_free(table, object);
		if (parent)
			parent->references--;
		object = parent;
	}
}

void object_put(struct object_table *table, struct object *object)
{
	object->references--;
	object_reap(table, object);
}

struct object *object_find(const struct object_table *table, uint64_t addr, uint32_t kind)
{
	struct hash_node *node = hash_first(&table->by_addr, hash_numbers(addr, 0));
	struct object *newest = NULL;

	for (; node; node = hash_next(node)) {
		struct object *object = list_entry(node, struct object, by_addr);

		if (object->public.addr != addr || !object->public.alive)
			continue;
		if (kind && object->public.kind && object->public.kind != kind)
			continue;
		if (!newest || object->born > newest->born)
			newest = object;
	}
	return newest;
}

struct object *object_find_shown(const struct object_table *table, uint64_t addr)
{
	struct hash_node *node = hash_first(&table->by_addr, hash_numbers(addr, 0));
	struct object *best = NULL;

	for (; node; node = hash_next(node)) {
		struct object *object = list_entry(node, struct object, by_addr);

		if (object->public.addr != addr || !object->known)
			continue;
		if (!best || object->public.alive > best->public.alive ||
		    (object->public.alive == best->public.alive && object->born > best->born))
			best = object;
	}
	return best;
}

struct object *object_find_at(const struct object_table *table, uint64_t addr, uint64_t time_ns)
{
	struct object *object = addr ? object_find_shown(table, addr) : NULL;

	if (object && !object->public.alive && time_ns > object->died_ns + OBJECT_JUST_DEAD_NS)
		return NULL;
	return object;
}

struct object *object_find_or_new(struct object_table *table, uint64_t addr, uint32_t kind)
{
	struct object *object = object_find(table, addr, kind);

	if (object)
		return object;
	object = calloc(1, sizeof(*object));
	if (!object)
		return NULL;
	object->public.kind = kind;
	object->public.addr = addr;
	object->public.alive = true;
	object->born = ++table->born;
	list_init(&object->locks);
	list_init(&object->children);
	list_init(&object->child_link);
	if (hash_insert(&table->by_addr, &object->by_addr, hash_numbers(addr, 0))) {
		free(object);
		return NULL;
	}
	return object;
}

/*
 * What contains what. Parents come before children in this order, so parent
 * pointers never form a circle, whatever a hostile recording says.
 */
static uint32_t object_parent_kind(uint32_t kind)
{
	switch (kind) {
	case LT_OBJECT_VCPU:
	case LT_OBJECT_KVM_VFIO:
		return LT_OBJECT_VM;
	case LT_OBJECT_DEVICE:
		return LT_OBJECT_GROUP;
	case LT_OBJECT_DEV_SET:
	case LT_OBJECT_PCI:
		return LT_OBJECT_DEVICE;
	default:
		return 0;
	}
}

/* The parent: remembered, or, when its record came later than the child's, looked up now. */
static struct object *object_parent(const struct object_table *table, const struct object *object)
{
	uint32_t kind = object_parent_kind(object->public.kind);
	struct object *parent;

	if (object->parent || !object->public.parent || !kind)
		return object->parent;
	parent = object_find(table, object->public.parent, kind);
	return parent && parent->known && parent->public.kind == kind ? parent : NULL;
}

static void object_remember_parent(struct object_table *table, struct object *object)
{
	if (object->parent)
		return;
	object->parent = object_parent(table, object);
	if (!object->parent)
		return;
	object_get(object->parent);
	list_add_tail(&object->parent->children, &object->child_link);
}

static void object_forget_parent(struct object_table *table, struct object *object)
{
	struct object *parent = object->parent;

	object->parent = NULL;
	list_remove(&object->child_link);
	if (parent)
		object_put(table, parent);
}

void object_learn(struct object_table *table, struct object *object, const struct lt_record_object *record)
{
	struct model_object *shown = &object->public;

	if (!object->known)
		table->alive[record->kind]++;
	object->known = true;
	shown->kind = record->kind;
	if (record->parent && record->parent != shown->parent) {
		object_forget_parent(table, object);
		shown->parent = record->parent;
	}
	if (record->pid)
		shown->pid = record->pid;
	shown->number = record->number;
	if (record->name[0]) {
		memcpy(shown->name, record->name, sizeof(shown->name));
		shown->name[sizeof(shown->name) - 1] = '\0';
	}
	object_remember_parent(table, object);
}

struct object *object_doomed_child(const struct object *object)
{
	struct list *link;

	list_for_each (link, &object->children) {
		struct object *child = list_entry(link, struct object, child_link);
		uint32_t kind = child->public.kind;

		if (child->public.alive &&
		    (kind == LT_OBJECT_VCPU || kind == LT_OBJECT_KVM_VFIO || kind == LT_OBJECT_PCI))
			return child;
	}
	return NULL;
}

static void object_keep_last(struct object_table *table, struct object *object)
{
	struct object *before = table->last_dead;

	object_get(object);
	table->last_dead = object;
	if (before)
		object_put(table, before);
}

void object_die(struct object_table *table, struct object *object, uint64_t time_ns)
{
	/* Later another object may live at the parent's address. */
	object_remember_parent(table, object);
	if (object->known)
		table->alive[object->public.kind]--;
	object->public.alive = false;
	object->died_ns = time_ns;
	object_keep_last(table, object);
}

static void object_describe_vm(const struct object *vm, char *out, size_t size)
{
	if (!vm)
		snprintf(out, size, "an unknown VM");
	else if (vm->public.pid)
		snprintf(out, size, "VM %" PRIu32, vm->public.pid);
	else
		snprintf(out, size, "VM 0x%" PRIx64, vm->public.addr);
}

/* "group 7", or by address where it has no name. */
static void object_describe_named(const char *what, const struct object *object, char *out, size_t size)
{
	if (object->public.name[0])
		snprintf(out, size, "%s %s", what, object->public.name);
	else
		snprintf(out, size, "%s 0x%" PRIx64, what, object->public.addr);
}

void object_describe(const struct object_table *table, const struct object *object, char *out, size_t size)
{
	const struct object *parent = object_parent(table, object);
	char vm[40];

	switch (object->public.kind) {
	case LT_OBJECT_VM:
		object_describe_vm(object, out, size);
		break;
	case LT_OBJECT_VCPU:
		object_describe_vm(parent, vm, sizeof(vm));
		snprintf(out, size, "vCPU %" PRIu32 " of %s", object->public.number, vm);
		break;
	case LT_OBJECT_KVM_VFIO:
		object_describe_vm(parent, vm, sizeof(vm));
		snprintf(out, size, "kvm-vfio device of %s", vm);
		break;
	case LT_OBJECT_GROUP:
		object_describe_named("group", object, out, size);
		break;
	case LT_OBJECT_DEVICE:
		object_describe_named("device", object, out, size);
		break;
	case LT_OBJECT_DEV_SET:
		object_describe_named("device set of", parent ? parent : object, out, size);
		break;
	case LT_OBJECT_PCI:
		object_describe_named("device", parent ? parent : object, out, size);
		break;
	case LT_OBJECT_IOMMU:
		object_describe_named("type1 IOMMU", object, out, size);
		break;
	case LT_OBJECT_CONTAINER:
		object_describe_named("container", object, out, size);
		break;
	default:
		snprintf(out, size, "object 0x%" PRIx64, object->public.addr);
	}
}
