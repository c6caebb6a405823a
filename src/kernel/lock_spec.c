/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Locks named by the user; see lock_spec.h. */
#include "kernel/lock_spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int copy(char *to, size_t size, const char *from, size_t length)
{
	if (length >= size)
		return -ENAMETOOLONG;
	memcpy(to, from, length);
	to[length] = '\0';
	return 0;
}

int lock_spec_set(struct lock_spec *spec, const char *structure, const char *member, const char *symbol,
		  bool pointer)
{
	memset(spec, 0, sizeof(*spec));
	spec->pointer = pointer;
	if (copy(spec->structure, sizeof(spec->structure), structure, strlen(structure)) ||
	    copy(spec->member, sizeof(spec->member), member, strlen(member)) ||
	    copy(spec->symbol, sizeof(spec->symbol), symbol, strlen(symbol)))
		return -ENAMETOOLONG;
	snprintf(spec->name, sizeof(spec->name), "%s.%s", spec->structure, spec->member);
	return 0;
}

int lock_spec_parse(const char *text, struct lock_spec *out)
{
	const char *dot = strchr(text, '.'), *at = strchr(text, '@');
	char structure[sizeof(out->structure)], member[sizeof(out->member)];
	bool pointer;

	if (!dot || !at || dot > at || dot == text || at == dot + 1)
		return -EINVAL;
	pointer = at[1] == '*';
	if (!at[1 + pointer])
		return -EINVAL;
	if (copy(structure, sizeof(structure), text, (size_t)(dot - text)) ||
	    copy(member, sizeof(member), dot + 1, (size_t)(at - dot - 1)))
		return -ENAMETOOLONG;
	return lock_spec_set(out, structure, member, at + 1 + pointer, pointer);
}

static int find_symbol(const struct lock_spec *spec, struct kallsyms *symbols, struct lock_place *out,
		       char *why, size_t size)
{
	struct named_symbol found;
	size_t count = kallsyms_named(symbols, spec->symbol, &found);

	if (!count) {
		snprintf(why, size,
			 "no symbol '%s' in this kernel or its modules (see /proc/kallsyms). Is the module "
			 "loaded?",
			 spec->symbol);
		return -ENOENT;
	}
	if (count > 1) {
		snprintf(why, size, "%zu symbols are called '%s'; which one is meant cannot be told.", count,
			 spec->symbol);
		return -EINVAL;
	}
	out->address = found.address;
	snprintf(out->module, sizeof(out->module), "%s", found.module);
	return 0;
}

int lock_spec_find(const struct lock_spec *spec, struct kallsyms *symbols, struct types *types, bool rwsems,
		   struct lock_place *out, char *why, size_t size)
{
	struct type_member member;
	int err = find_symbol(spec, symbols, out, why, size);

	if (err)
		return err;
	err = types_member(types, out->module, spec->structure, spec->member, &member);
	if (err) {
		snprintf(why, size, "%s '%s' in the BTF of the kernel%s%s.",
			 err == -ENOMSG ? "the struct has no member" : "there is no struct",
			 err == -ENOMSG ? spec->member : spec->structure,
			 *out->module ? " or of module " : "", out->module);
		return -EINVAL;
	}
	out->rwsem = !strcmp(member.type_name, "rw_semaphore");
	if (!(out->rwsem && rwsems) && strcmp(member.type_name, "mutex") != 0) {
		snprintf(why, size, "%s is no struct mutex but '%s'; %s", spec->name,
			 *member.type_name ? member.type_name : "something else",
			 rwsems       ? "only mutexes and rwsems are followed."
			 : out->rwsem ? "rwsems are followed with --rwsem only."
				      : "only mutexes are followed.");
		return -EINVAL;
	}
	out->offset = member.offset;
	if (!spec->pointer)
		out->address += member.offset;
	return 0;
}
