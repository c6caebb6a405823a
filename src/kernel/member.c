/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Members of the kernel's variables: found by name, then read as often as wanted. See tracer.h. */
#include <errno.h>
#include <string.h>

#include "kernel/tracer_internal.h"

int tracer_find_member(struct tracer *tracer, const char *structure, const char *member, const char *symbol,
		       bool pointer, struct tracer_member *out)
{
	struct type_member found;
	struct named_symbol where;

	if (kallsyms_named(tracer->symbols, symbol, &where) != 1 ||
	    types_member(tracer->types, where.module, structure, member, &found) || !found.size ||
	    found.size > sizeof(uint64_t))
		return -ENOENT;
	*out = (struct tracer_member){
		.address = where.address, .offset = found.offset, .size = found.size, .pointer = pointer
	};
	return 0;
}

int tracer_read_member(struct tracer *tracer, const struct tracer_member *member, uint64_t *value)
{
	uint64_t address = member->address;
	int err;

	if (member->pointer) {
		err = discover_read(tracer, address, &address, sizeof(address));
		if (err || !address)
			return err ? err : -ENOENT;
	}
	*value = 0;
	/* Little-endian, as all that it runs on. */
	return discover_read(tracer, address + member->offset, value, member->size);
}
