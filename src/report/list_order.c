/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* What both forms of a list share: the order of the objects, and words. See list.h. */
#include <stdlib.h>
#include <string.h>

#include "report/list.h"

/* VM, vCPU; group, device, PCI part: deeper than that there is nothing. */
#define LEVELS_MAX 8

const char *list_kind_name(uint32_t kind)
{
	static const char *const names[LT_OBJECT_KINDS] = {
		[LT_OBJECT_VM] = "vm",
		[LT_OBJECT_VCPU] = "vcpu",
		[LT_OBJECT_KVM_VFIO] = "kvm_vfio",
		[LT_OBJECT_GROUP] = "group",
		[LT_OBJECT_DEVICE] = "device",
		[LT_OBJECT_DEV_SET] = "device_set",
		[LT_OBJECT_PCI] = "pci_device",
		[LT_OBJECT_IOMMU] = "iommu",
		[LT_OBJECT_CONTAINER] = "container",
	};

	return kind < LT_OBJECT_KINDS && names[kind] ? names[kind] : "unknown";
}

const char *list_state(const struct list_report *r, const struct list_lock *lock, char *out, size_t size)
{
	char task[REPORT_TEXT_LEN], waiters[64] = "";

	if (lock->waiters)
		snprintf(waiters, sizeof(waiters), "; %zu task%s wait%s", lock->waiters,
			 lock->waiters == 1 ? "" : "s", lock->waiters == 1 ? "s" : "");
	switch (lock->held) {
	case LIST_FREE:
		snprintf(out, size, "free%s", waiters);
		break;
	case LIST_TASK:
		snprintf(out, size, "held by %s%s", report_task(&r->base, lock->owner, task, sizeof(task)),
			 waiters);
		break;
	case LIST_UNSEEN:
		snprintf(out, size, "held by a task that was not seen%s", waiters);
		break;
	default:
		snprintf(out, size, "cannot be read%s", waiters);
	}
	return out;
}

/* By kind, then by what a reader looks for: process, number, name ("9" before "10"). */
static int compare_objects(const void *a, const void *b)
{
	const struct lt_record_object *x = *(const struct lt_record_object *const *)a;
	const struct lt_record_object *y = *(const struct lt_record_object *const *)b;
	int order;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	order = strverscmp(x->name, y->name);
	if (order)
		return order;
	return (x->addr > y->addr) - (x->addr < y->addr);
}

/* An object and the one among the others that it lies in; NULL: in none. */
struct place {
	const struct lt_record_object *object, *parent;
};

static int compare_addresses(const void *a, const void *b)
{
	const struct lt_record_object *x = ((const struct place *)a)->object,
				      *y = ((const struct place *)b)->object;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return (x->kind > y->kind) - (x->kind < y->kind);
}

static uint64_t parent_addr(const struct place *place)
{
	return place->parent ? place->parent->addr : 0;
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (parent_addr(x) != parent_addr(y))
		return parent_addr(x) < parent_addr(y) ? -1 : 1;
	return compare_objects(&x->object, &y->object);
}

/* The first place, sorted by compare_addresses(), at an address or past it. */
static size_t find_addr(const struct place *places, size_t count, uint64_t addr)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (places[middle].object->addr < addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The same for places sorted by compare_places(), by the parent's address. */
static size_t find_children(const struct place *places, size_t count, uint64_t parent)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (parent_addr(&places[middle]) < parent)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A device and its PCI part share an address: a parent is of a kind with a lower number. */
static void find_parent(const struct place *places, size_t count, struct place *child)
{
	size_t i = find_addr(places, count, child->object->parent);

	if (child->object->parent && i < count && places[i].object->addr == child->object->parent &&
	    places[i].object->kind < child->object->kind)
		child->parent = places[i].object;
}

struct order {
	struct place *places;
	size_t count;
	struct list_item *items;
	size_t item_count;
};

static void add(struct order *o, const struct lt_record_object *object, unsigned int level)
{
	o->items[o->item_count++] = (struct list_item){ object, level };
	for (size_t i = find_children(o->places, o->count, object->addr);
	     level < LEVELS_MAX && i < o->count && parent_addr(&o->places[i]) == object->addr; i++)
		if (o->places[i].parent == object)
			add(o, o->places[i].object, level + 1);
}

/* Each object once, with its parent. Returns how many. */
static size_t place_objects(const struct list_report *r, struct place *places)
{
	size_t count = 0;

	for (size_t i = 0; i < r->object_count; i++)
		places[i] = (struct place){ .object = &r->objects[i] };
	qsort(places, r->object_count, sizeof(*places), compare_addresses);
	for (size_t i = 0; i < r->object_count; i++)
		if (!count || compare_addresses(&places[count - 1], &places[i]))
			places[count++] = places[i];
	for (size_t i = 0; i < count; i++)
		find_parent(places, count, &places[i]);
	qsort(places, count, sizeof(*places), compare_places);
	return count;
}

size_t list_order(const struct list_report *r, struct list_item *items)
{
	struct order o = { .items = items };

	o.places = calloc(r->object_count ? r->object_count : 1, sizeof(*o.places));
	if (!o.places)
		return 0;
	o.count = place_objects(r, o.places);
	for (size_t i = 0; i < o.count && !o.places[i].parent; i++)
		add(&o, o.places[i].object, 0);
	free(o.places);
	return o.item_count;
}

const struct list_lock *list_locks(const struct list_report *r, uint64_t object, uint32_t kind, size_t *count)
{
	size_t low = 0, high = r->lock_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct list_lock *lock = &r->locks[middle];

		if (lock->object < object || (lock->object == object && lock->kind < kind))
			low = middle + 1;
		else
			high = middle;
	}
	for (*count = 0; low + *count < r->lock_count && r->locks[low + *count].object == object &&
			 r->locks[low + *count].kind == kind;)
		(*count)++;
	return r->locks + low;
}
