/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * How often a dependency was seen: the sum over its chains of what the kernel
 * side's chain cache counted, or, where that knows less, of the records that came.
 * Only the latest chains are kept apart: VMs come and go for ever and each
 * brings chains of its own; the count of an older one is final as it stands.
 */
#ifndef LOCKTRACE_MODEL_COUNTER_H
#define LOCKTRACE_MODEL_COUNTER_H

#include <stdint.h>

/* As struct model_options.chain_hits. */
typedef uint64_t (*chain_hits)(void *context, uint64_t key);

struct counted_chain {
	uint64_t key;
	uint64_t records; /* that came of this chain */
	uint64_t hits;    /* as last read */
	uint64_t before;  /* hits of earlier lives of the key: the cache evicts, then counts from 0 */
};

struct counter {
	uint64_t final; /* of chains no longer kept apart */
	uint32_t count, room, oldest;
	struct counted_chain *chains;
};

void counter_release(struct counter *counter);
/* One more record of a chain. 0 or -ENOMEM. hits may be NULL. */
int counter_add(struct counter *counter, uint64_t key, chain_hits hits, void *context);
/* The sum now. */
uint64_t counter_total(struct counter *counter, chain_hits hits, void *context);
/* Adds other to counter, where nothing was counted twice. 0 or -ENOMEM. */
int counter_merge(struct counter *counter, const struct counter *other);

#endif
