/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Calls made under locks: forbidden ones, references put that were not the
 * last, misuse of a lock. What they are called, and what they become.
 */
#ifndef LOCKTRACE_MODEL_CALL_H
#define LOCKTRACE_MODEL_CALL_H

#include "model/search.h"

struct not_last {
	const char *function; /* one of the table's */
	struct class *under;  /* final */
	struct counter counter;
};

struct call_table {
	char *functions[MODEL_FUNCTIONS_MAX];
	struct not_last *not_last;
	uint32_t count, room;
};

void call_table_release(struct call_table *table);

/* See model_name_function(). */
int call_name_function(struct call_table *table, uint32_t number, const char *name);

/* A call record, checked, and its sighting. 0 or -ENOMEM. */
int call_take(struct call_table *table, struct search *search, const struct lt_call *call,
	      struct shared_sighting *sighting);

/* A lock is taken: if that is inside a forbidden call that was found, notes it there. */
void call_note_inside(struct search *search, const struct shared_sighting *sighting);

/* After two classes became one: entries that now say the same become one. */
void call_table_reindex(struct call_table *table);

/* See model_not_last(). */
bool call_not_last(struct call_table *table, const struct model_options *options, uint32_t index,
		   struct model_not_last *out);

#endif
