// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* See hash.h. Chained buckets; the table doubles when there is one node per bucket. */
#include "model/hash.h"

#include <errno.h>
#include <stdlib.h>

#define HASH_FIRST_SIZE 16

void hash_init(struct hash *table)
{
	*table = (struct hash){ 0 };
}

void hash_release(struct hash *table)
{
	free(table->buckets);
	hash_init(table);
}

static struct hash_node **hash_bucket(const struct hash *table, uint64_t hash)
{
	return &table->buckets[hash & (table->bucket_count - 1)];
}

static int hash_resize(struct hash *table, size_t bucket_count)
{
	struct hash larger = { .bucket_count = bucket_count, .count = table->count };
	struct hash_node *node;
	size_t i;

	larger.buckets = calloc(bucket_count, sizeof(*larger.buckets));
	if (!larger.buckets)
		return -ENOMEM;

	for (i = 0; i < table->bucket_count; i++) {
		while ((node = table->buckets[i])) {
			struct hash_node **bucket = hash_bucket(&larger, node->hash);

			table->buckets[i] = node->next;
			node->next = *bucket;
			*bucket = node;
		}
	}
	free(table->buckets);
	*table = larger;
	return 0;
}

int hash_reserve(struct hash *table)
{
	if (!table->bucket_count)
		return hash_resize(table, HASH_FIRST_SIZE);
	if (table->count >= table->bucket_count)
		(void)hash_resize(table, table->bucket_count * 2); /* longer chains will do */
	return 0;
}

int hash_insert(struct hash *table, struct hash_node *node, uint64_t hash)
{
	struct hash_node **bucket;
	int error = hash_reserve(table);

	if (error)
		return error;
	bucket = hash_bucket(table, hash);
	node->hash = hash;
	node->next = *bucket;
	*bucket = node;
	table->count++;
	return 0;
}

void hash_remove(struct hash *table, struct hash_node *node)
{
	struct hash_node **link = hash_bucket(table, node->hash);

	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	node->next = NULL;
	table->count--;
}

static struct hash_node *hash_skip(struct hash_node *node, uint64_t hash)
{
	while (node && node->hash != hash)
		node = node->next;
	return node;
}

struct hash_node *hash_first(const struct hash *table, uint64_t hash)
{
	return table->bucket_count ? hash_skip(*hash_bucket(table, hash), hash) : NULL;
}

struct hash_node *hash_next(const struct hash_node *node)
{
	return hash_skip(node->next, node->hash);
}

struct hash_node *hash_any(const struct hash *table)
{
	size_t i;

	for (i = 0; table->count && i < table->bucket_count; i++) {
		if (table->buckets[i])
			return table->buckets[i];
	}
	return NULL;
}

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit. */
static uint64_t hash_mix(uint64_t value)
{
	value ^= value >> 30;
	value *= 0xbf58476d1ce4e5b9ULL;
	value ^= value >> 27;
	value *= 0x94d049bb133111ebULL;
	return value ^ (value >> 31);
}

uint64_t hash_numbers(uint64_t a, uint64_t b)
{
	return hash_mix(hash_mix(a + 0x9e3779b97f4a7c15ULL) + b);
}

/* FNV-1a, then mixed, because only the low bits choose the bucket. */
uint64_t hash_bytes(const void *bytes, size_t size)
{
	const unsigned char *byte = bytes;
	uint64_t hash = 0xcbf29ce484222325ULL;
	size_t i;

	for (i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3ULL;
	return hash_mix(hash);
}
