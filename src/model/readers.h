/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Records that hold rwsems for reading, of which nothing but the releases that were seen says that
 * they are still held. Whoever doubts those leaves them out.
 */
#ifndef LOCKTRACE_MODEL_READERS_H
#define LOCKTRACE_MODEL_READERS_H

#include <stdbool.h>
#include <stddef.h>

#include "locktrace/record.h"

/* Whether a record, of size bytes, is a chain or a call with such a lock held. */
bool readers_are_held(const struct lt_record_header *record, size_t size);

/* Copies such a record without these; the lock taken, or called under, stays the last one. */
void readers_leave_out(const struct lt_record_header *record, struct lt_record_chain *copy);

#endif
