// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* See lock.h. */
#include "model/lock.h"

#include <stdlib.h>

void lock_table_init(struct lock_table *table, struct object_table *objects)
{
	*table = (struct lock_table){ .objects = objects };
}

void lock_table_release(struct lock_table *table)
{
	struct hash_node *node;

	while ((node = hash_any(&table->by_addr)))
		lock_die(table, list_entry(node, struct lock, by_addr));
	hash_release(&table->by_addr);
}

static struct lock *lock_first(const struct lock_table *table, uint64_t addr)
{
	struct hash_node *node = hash_first(&table->by_addr, hash_numbers(addr, 0));

	return node ? list_entry(node, struct lock, by_addr) : NULL;
}

static struct lock *lock_next(const struct lock *lock)
{
	struct hash_node *node = hash_next(&lock->by_addr);

	return node ? list_entry(node, struct lock, by_addr) : NULL;
}

struct lock *lock_find(const struct lock_table *table, uint64_t addr, uint64_t generation)
{
	struct lock *lock = lock_first(table, addr);

	while (lock && (lock->public.addr != addr || lock->public.generation != generation))
		lock = lock_next(lock);
	return lock;
}

struct lock *lock_find_declared(const struct lock_table *table, uint64_t addr, uint32_t class_id)
{
	struct lock *lock = lock_first(table, addr);

	while (lock &&
	       (lock->public.addr != addr || !lock->class || lock->class->public.declared != class_id))
		lock = lock_next(lock);
	return lock;
}

struct lock *lock_find_static(const struct lock_table *table, uint64_t addr)
{
	struct lock *lock = lock_first(table, addr);

	while (lock && (lock->public.addr != addr || !lock->class || lock->class->source != CLASS_BY_SYMBOL))
		lock = lock_next(lock);
	return lock;
}

struct lock *lock_find_outlived(const struct lock_table *table, uint64_t addr, uint64_t generation)
{
	struct lock *lock = generation ? lock_first(table, addr) : NULL;

	while (lock && (lock->public.addr != addr || lock->public.generation == generation))
		lock = lock_next(lock);
	return lock;
}

struct lock *lock_new(struct lock_table *table, uint64_t addr, uint64_t generation)
{
	struct lock *lock = calloc(1, sizeof(*lock));

	if (!lock)
		return NULL;
	lock->public.addr = addr;
	lock->public.generation = generation;
	lock->alive = true;
	lock->references = 1;
	graph_node_init(&lock->node);
	list_init(&lock->class_link);
	list_init(&lock->object_link);
	if (hash_insert(&table->by_addr, &lock->by_addr, hash_numbers(addr, 0))) {
		free(lock);
		return NULL;
	}
	return lock;
}

void lock_set_class(struct lock *lock, struct class *class)
{
	lock->class = class;
	lock->public.class = &class->public;
	list_add_tail(&class->locks, &lock->class_link);
	free(lock->hint);
	lock->hint = NULL;
}

void lock_set_object(struct lock *lock, struct object *object)
{
	object_get(object);
	lock->object = object;
	list_add_tail(&object->locks, &lock->object_link);
	if (object->known)
		lock->public.object = &object->public;
}

struct object *lock_whole(const struct lock *lock)
{
	struct object *object = lock->object;

	while (object && object->parent && object->public.kind != LT_OBJECT_DEV_SET)
		object = object->parent;
	return object;
}

void lock_get(struct lock *lock)
{
	lock->references++;
}

void lock_put(struct lock_table *table, struct lock *lock)
{
	if (--lock->references)
		return;
	list_remove(&lock->class_link);
	list_remove(&lock->object_link);
	if (lock->object)
		object_put(table->objects, lock->object);
	free(lock->hint);
	free(lock);
}

void lock_die(struct lock_table *table, struct lock *lock)
{
	hash_remove(&table->by_addr, &lock->by_addr);
	lock->alive = false;
	lock_put(table, lock);
}
