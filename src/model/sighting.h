/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Sightings: chain records, trimmed to what they hold and shared by all
 * evidence and findings that show them. The last one to let go frees it.
 */
#ifndef LOCKTRACE_MODEL_SIGHTING_H
#define LOCKTRACE_MODEL_SIGHTING_H

#include "model/lock.h"
#include "model/model.h"

/* A sighting with its count of references. */
struct shared_sighting {
	struct sighting public; /* first */
	struct object *object;  /* as public.object; holds a reference */
	uint32_t references;
};

/*
 * Copies a checked record. locks has one lock for each of its held_count + 1
 * entries, each gets a reference; only the last may be NULL: a call that takes no
 * lock. Returns it with one reference, or NULL.
 */
struct shared_sighting *sighting_new(const struct lt_record_chain *record, struct lock *const *locks);
/* What a call is made on; takes a reference. Once at most. */
void sighting_set_object(struct shared_sighting *sighting, struct object *object);
void sighting_get(struct shared_sighting *sighting);
void sighting_put(struct lock_table *locks, struct shared_sighting *sighting);

/*
 * Whether a task was in a function: a frame of the stack is in it, or in a part
 * that the compiler made of it (".isra.0", ".part.0", ".constprop.0", ".cold").
 */
bool sighting_is_in(const struct sighting *sighting, const struct symbol_source *symbols,
		    const char *function);

/* One entry of a sighting as a lock; index held_count is the lock being taken. */
struct lock *sighting_lock(const struct shared_sighting *sighting, uint32_t index);

#endif
