/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Locks named by the user; see lock_spec.h. */
#include "kernel/lock_spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "message.h"

#define FORM "STRUCT.MEMBER@SYMBOL, or STRUCT.MEMBER@*SYMBOL through a pointer"

struct parts {
	char structure[128], member[128], symbol[128];
	bool pointer;
};

static int split(const char *text, struct parts *p)
{
	const char *dot = strchr(text, '.'), *at = strchr(text, '@');

	if (!dot || !at || dot > at || dot == text || at == dot + 1)
		return -EINVAL;
	p->pointer = at[1] == '*';
	if (!at[1 + p->pointer])
		return -EINVAL;
	if ((size_t)(dot - text) >= sizeof(p->structure) || (size_t)(at - dot - 1) >= sizeof(p->member))
		return -EINVAL;
	snprintf(p->structure, sizeof(p->structure), "%.*s", (int)(dot - text), text);
	snprintf(p->member, sizeof(p->member), "%.*s", (int)(at - dot - 1), dot + 1);
	snprintf(p->symbol, sizeof(p->symbol), "%s", at + 1 + p->pointer);
	return 0;
}

static int find_symbol(const struct parts *p, const char *text, struct kallsyms *symbols, uint64_t *address,
		       char *module, size_t size)
{
	struct symbol symbol;
	uint64_t found[2];
	size_t count = kallsyms_addresses(symbols, NULL, p->symbol, found, 2);

	if (!count) {
		message_error(
			"--watch %s: no symbol '%s' in this kernel or its modules (see /proc/kallsyms). "
			"Is the module loaded?",
			text, p->symbol);
		return -EINVAL;
	}
	if (count > 1) {
		message_error("--watch %s: %zu symbols are called '%s'; which one is meant cannot be told.",
			      text, count, p->symbol);
		return -EINVAL;
	}
	*address = found[0];
	module[0] = '\0';
	if (!kallsyms_find(symbols, found[0], &symbol))
		snprintf(module, size, "%s", symbol.module);
	return 0;
}

int lock_spec_resolve(const char *text, struct kallsyms *symbols, struct types *types, struct user_class *out)
{
	char module[SYMBOL_MODULE_LEN];
	struct type_member member;
	struct parts p;
	int err;

	if (split(text, &p)) {
		message_error("--watch %s: expected " FORM ".", text);
		return -EINVAL;
	}
	if (find_symbol(&p, text, symbols, &out->address, module, sizeof(module)))
		return -EINVAL;
	err = types_member(types, module, p.structure, p.member, &member);
	if (err) {
		message_error("--watch %s: %s '%s' in the BTF of the kernel%s%s.", text,
			      err == -ENOMSG ? "the struct has no member" : "there is no struct",
			      err == -ENOMSG ? p.member : p.structure, *module ? " or of module " : "",
			      module);
		return -EINVAL;
	}
	if (strcmp(member.type_name, "mutex") != 0) {
		message_error("--watch %s: %s.%s is no struct mutex but '%s'; only mutexes are followed.",
			      text, p.structure, p.member,
			      *member.type_name ? member.type_name : "something else");
		return -EINVAL;
	}
	snprintf(out->name, sizeof(out->name), "%.60s.%.60s", p.structure, p.member);
	out->offset = member.offset;
	out->through_pointer = p.pointer;
	snprintf(out->module, sizeof(out->module), "%s", module);
	if (!p.pointer)
		out->address += member.offset;
	return 0;
}
