/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * A hash table of things that contain their own link, keyed by a 64-bit hash
 * that the caller computes. Equal hashes are all kept: the caller walks them
 * with hash_first() and hash_next() and compares what he means by a key.
 */
#ifndef LOCKTRACE_MODEL_HASH_H
#define LOCKTRACE_MODEL_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_node {
	struct hash_node *next;
	uint64_t hash;
};

struct hash {
	struct hash_node **buckets;
	size_t bucket_count; /* a power of two, or 0 before the first insertion */
	size_t count;
};

/* All zero is an empty table too. */
void hash_init(struct hash *table);
/* Frees the table, not what is in it. */
void hash_release(struct hash *table);

/*
 * Makes sure that one more insertion cannot fail. 0 or -ENOMEM. A table that
 * cannot grow any more stays correct and becomes slower: no error.
 */
int hash_reserve(struct hash *table);
/* Adds a node that is in no table. 0 or -ENOMEM; cannot fail right after hash_reserve(). */
int hash_insert(struct hash *table, struct hash_node *node, uint64_t hash);
/* Takes a node out of the table it is in. */
void hash_remove(struct hash *table, struct hash_node *node);

/* The first node with this hash, or NULL; then each further one, in no order. */
struct hash_node *hash_first(const struct hash *table, uint64_t hash);
struct hash_node *hash_next(const struct hash_node *node);

/* Any node of the table, NULL when it is empty: for emptying it. */
struct hash_node *hash_any(const struct hash *table);

/* Hashes of two numbers, and of bytes. */
uint64_t hash_numbers(uint64_t a, uint64_t b);
uint64_t hash_bytes(const void *bytes, size_t size);

#endif
