/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * What rules.c (the set and its queries) and rules_parse.c (the language) share;
 * nobody else includes it.
 */
#ifndef LOCKTRACE_MODEL_RULES_INTERNAL_H
#define LOCKTRACE_MODEL_RULES_INTERNAL_H

#include <stddef.h>

#include "model/rules.h"

/*
 * Zeroed memory that lives as long as the set, or NULL. One allocation each and not
 * a pool, so that a sanitizer sees every bound.
 */
void *rules_allocate(struct rules *rules, size_t size);

/* Copies bytes, of which none is NUL, and ends them with one. NULL: out of memory. */
char *rules_copy(struct rules *rules, const char *bytes, size_t length);

/*
 * Adds a rule as the last one. Its arrays are copied; its strings are the set's
 * already. 0 or -ENOMEM, and then the set is as it was.
 */
int rules_add(struct rules *rules, const struct rule *rule);

#endif
