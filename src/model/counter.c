// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* See counter.h. */
#include "model/counter.h"

#include <errno.h>
#include <stdlib.h>

/* Chains kept apart, at most: enough for the call paths of one dependency in a few VMs; 2 KiB. */
#define COUNTER_CHAINS 64

void counter_release(struct counter *counter)
{
	free(counter->chains);
	*counter = (struct counter){ 0 };
}

static void counted_chain_read(struct counted_chain *chain, chain_hits hits, void *context)
{
	uint64_t now = hits ? hits(context, chain->key) : 0;

	if (!now) /* not known, or evicted: what was read last stands */
		return;
	if (now < chain->hits)
		chain->before += chain->hits;
	chain->hits = now;
}

static uint64_t counted_chain_total(const struct counted_chain *chain)
{
	uint64_t hits = chain->before + chain->hits;

	return hits > chain->records ? hits : chain->records;
}

/* Room for one more chain: a new one, or, when there are enough, the oldest one's. NULL: out of memory. */
static struct counted_chain *counter_slot(struct counter *counter, chain_hits hits, void *context)
{
	struct counted_chain *chain;

	if (counter->count == COUNTER_CHAINS) {
		chain = &counter->chains[counter->oldest];
		counter->oldest = (counter->oldest + 1) % COUNTER_CHAINS;
		counted_chain_read(chain, hits, context);
		counter->final += counted_chain_total(chain);
		return chain;
	}
	if (counter->count == counter->room) {
		uint32_t room = counter->room ? counter->room * 2 : 1;

		chain = realloc(counter->chains, room * sizeof(*chain));
		if (!chain)
			return NULL;
		counter->chains = chain;
		counter->room = room;
	}
	return &counter->chains[counter->count++];
}

static struct counted_chain *counter_find(const struct counter *counter, uint64_t key)
{
	uint32_t i;

	for (i = 0; i < counter->count; i++) {
		if (counter->chains[i].key == key)
			return &counter->chains[i];
	}
	return NULL;
}

int counter_add(struct counter *counter, uint64_t key, chain_hits hits, void *context)
{
	struct counted_chain *chain = counter_find(counter, key);

	if (chain) {
		chain->records++;
		return 0;
	}
	chain = counter_slot(counter, hits, context);
	if (!chain)
		return -ENOMEM;
	*chain = (struct counted_chain){ .key = key, .records = 1 };
	return 0;
}

uint64_t counter_total(struct counter *counter, chain_hits hits, void *context)
{
	uint64_t total = counter->final;
	uint32_t i;

	for (i = 0; i < counter->count; i++) {
		counted_chain_read(&counter->chains[i], hits, context);
		total += counted_chain_total(&counter->chains[i]);
	}
	return total;
}

int counter_merge(struct counter *counter, const struct counter *other)
{
	uint32_t i;

	counter->final += other->final;
	for (i = 0; i < other->count; i++) {
		const struct counted_chain *theirs = &other->chains[i];
		struct counted_chain *ours = counter_find(counter, theirs->key);

		if (ours) { /* one chain with both: its hits are the same ones */
			ours->records += theirs->records;
			continue;
		}
		ours = counter_slot(counter, NULL, NULL);
		if (!ours)
			return -ENOMEM;
		*ours = *theirs;
	}
	return 0;
}
