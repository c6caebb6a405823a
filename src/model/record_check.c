// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* See record_check.h. Texts are not checked: whoever copies one ends it. */
#include "model/record_check.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/class.h"

static bool held_is_valid(const struct lt_held *held)
{
	if (!held->addr || !held->count || !class_id_valid(held->class_id))
		return false;
	return held->count == 1 || held->last_addr;
}

/*
 * Whole, or cut after the stack's last frame, with its held stack. The entry after
 * that is looked at by the caller; it is there.
 */
static bool stacks_are_valid(const struct lt_record_chain *chain)
{
	size_t stack_at = offsetof(struct lt_record_chain, stack), i;

	if (chain->header.size < stack_at || chain->header.size > sizeof(*chain))
		return false;
	if (chain->held_count > LT_HELD_MAX)
		return false;
	/* Bounds stack_count too: the record is no larger than one with LT_STACK_MAX frames. */
	if (chain->header.size < stack_at + chain->stack_count * sizeof(chain->stack[0]))
		return false;
	for (i = 0; i < chain->held_count; i++) {
		if (!held_is_valid(&chain->held[i]))
			return false;
	}
	return true;
}

static bool last_is_one_lock(const struct lt_record_chain *chain)
{
	const struct lt_held *last = &chain->held[chain->held_count];

	return held_is_valid(last) && last->count == 1;
}

static bool chain_is_valid(const struct lt_record_chain *chain)
{
	return stacks_are_valid(chain) && !chain->call.what && last_is_one_lock(chain);
}

static bool call_is_valid(const struct lt_record_chain *record)
{
	if (!stacks_are_valid(record))
		return false;
	switch (record->call.what) {
	case LT_CALL_FUNCTION:
	case LT_CALL_NOT_LAST:
		return record->call.function < MODEL_FUNCTIONS_MAX;
	case LT_CALL_FREED:
	case LT_CALL_REINIT:
	case LT_CALL_UNLOCK:
		return last_is_one_lock(record);
	default:
		return false;
	}
}

static bool lock_is_valid(const struct lt_record_lock *lock)
{
	return lock->header.size == sizeof(*lock) && lock->addr;
}

static bool object_is_valid(const struct lt_record_object *object)
{
	return object->header.size == sizeof(*object) && object->addr && object->kind >= LT_OBJECT_VM &&
	       object->kind < LT_OBJECT_KINDS && object->event >= LT_OBJECT_FOUND &&
	       object->event <= LT_OBJECT_DEAD;
}

int record_check(const struct lt_record_header *record, size_t size)
{
	bool valid;

	if (!record || (uintptr_t)record % _Alignof(struct lt_record_chain) || size < sizeof(*record) ||
	    record->size < sizeof(*record) || record->size > size)
		return -EINVAL;
	switch (record->type) {
	case LT_RECORD_CHAIN:
		valid = chain_is_valid((const struct lt_record_chain *)record);
		break;
	case LT_RECORD_CALL:
		valid = call_is_valid((const struct lt_record_chain *)record);
		break;
	case LT_RECORD_LOCK:
		valid = lock_is_valid((const struct lt_record_lock *)record);
		break;
	case LT_RECORD_OBJECT:
		valid = object_is_valid((const struct lt_record_object *)record);
		break;
	default:
		return -ENOTSUP;
	}
	return valid ? 0 : -EINVAL;
}
