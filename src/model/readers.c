// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* See readers.h. */
#include "model/readers.h"

#include <stdint.h>
#include <string.h>

#include "model/record_check.h"

bool readers_are_held(const struct lt_record_header *record, size_t size)
{
	const struct lt_record_chain *chain = (const struct lt_record_chain *)record;

	if (record_check(record, size) || (record->type != LT_RECORD_CHAIN && record->type != LT_RECORD_CALL))
		return false;
	for (uint32_t i = 0; i < chain->held_count; i++)
		if (chain->held[i].flags & LT_HELD_READ)
			return true;
	return false;
}

void readers_leave_out(const struct lt_record_header *record, struct lt_record_chain *copy)
{
	const struct lt_record_chain *chain = (const struct lt_record_chain *)record;
	uint16_t kept = 0;

	memcpy(copy, chain, record->size);
	for (uint32_t i = 0; i < chain->held_count; i++)
		if (!(chain->held[i].flags & LT_HELD_READ))
			copy->held[kept++] = chain->held[i];
	copy->held[kept] = chain->held[chain->held_count];
	copy->held_count = kept;
}
