// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* See sighting.h. */
#include "model/sighting.h"

#include <stdlib.h>
#include <string.h>

/* One block: the sighting, then its locks, its held entries, its stack. */
static size_t sighting_size(uint32_t entries, uint32_t stack_count)
{
	return sizeof(struct shared_sighting) + entries * (sizeof(struct lock *) + sizeof(struct lt_held)) +
	       stack_count * sizeof(uint64_t);
}

struct shared_sighting *sighting_new(const struct lt_record_chain *record, struct lock *const *locks)
{
	uint32_t entries = record->held_count + 1, i;
	struct shared_sighting *sighting = malloc(sighting_size(entries, record->stack_count));
	const struct model_lock **shown;
	struct lt_held *held;
	uint64_t *stack;

	if (!sighting)
		return NULL;
	shown = (const struct model_lock **)(sighting + 1);
	held = (struct lt_held *)(shown + entries);
	stack = (uint64_t *)(held + entries);
	for (i = 0; i < entries; i++) {
		if (locks[i])
			lock_get(locks[i]);
		shown[i] = locks[i] ? &locks[i]->public : NULL;
	}
	memcpy(held, record->held, entries * sizeof(*held));
	if (!shown[record->held_count])
		held[record->held_count] = (struct lt_held){ 0 };
	memcpy(stack, record->stack, record->stack_count * sizeof(*stack));

	sighting->object = NULL;
	sighting->references = 1;
	sighting->public = (struct sighting){
		.key = record->key,
		.time_ns = record->header.time_ns,
		.flags = record->flags,
		.what = record->call.what,
		.task = record->task,
		.held_count = record->held_count,
		.stack_count = record->stack_count,
		.held = held,
		.locks = shown,
		.stack = stack,
	};
	sighting->public.task.comm[LT_COMM_LEN - 1] = '\0';
	return sighting;
}

void sighting_set_object(struct shared_sighting *sighting, struct object *object)
{
	object_get(object);
	sighting->object = object;
	sighting->public.object = &object->public;
}

void sighting_get(struct shared_sighting *sighting)
{
	sighting->references++;
}

void sighting_put(struct lock_table *locks, struct shared_sighting *sighting)
{
	uint32_t i;

	if (--sighting->references)
		return;
	for (i = 0; i <= sighting->public.held_count; i++) {
		if (sighting->public.locks[i])
			lock_put(locks, sighting_lock(sighting, i));
	}
	if (sighting->object)
		object_put(locks->objects, sighting->object);
	free(sighting);
}

bool sighting_is_in(const struct sighting *sighting, const struct symbol_source *symbols,
		    const char *function)
{
	struct symbol symbol;
	uint32_t i;

	for (i = 0; symbols->find && i < sighting->stack_count; i++) {
		if (!symbols->find(symbols->context, sighting->stack[i], &symbol) &&
		    symbol_is_of(&symbol, function))
			return true;
	}
	return false;
}

struct lock *sighting_lock(const struct shared_sighting *sighting, uint32_t index)
{
	return (struct lock *)sighting->public.locks[index];
}
