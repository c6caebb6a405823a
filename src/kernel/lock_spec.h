/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * A lock of the user's own: a member of a static struct, or of a struct that a
 * global pointer points to. From the command line (STRUCT.MEMBER@SYMBOL,
 * STRUCT.MEMBER@*SYMBOL) or from a rule ("watch STRUCT.MEMBER at *SYMBOL").
 */
#ifndef LOCKTRACE_KERNEL_LOCK_SPEC_H
#define LOCKTRACE_KERNEL_LOCK_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/kallsyms.h"
#include "kernel/types.h"

struct lock_spec {
	char structure[64], member[128], symbol[128];
	char name[64 + 128]; /* of the class: "struct.member" */
	bool pointer;        /* the symbol is a pointer to the struct */
};

/* For messages about names that do not fit. */
#define LOCK_SPEC_LIMITS \
	"a name is too long: at most 63 bytes for the struct, 127 for the member, 127 for the symbol"

/* Where it is on this kernel. */
struct lock_place {
	uint64_t address; /* of the lock, or of the pointer */
	uint64_t offset;  /* through a pointer: of the lock in the struct */
	char module[64];  /* that the symbol is in; "" for the kernel image */
	bool rwsem;       /* else a mutex */
};

/* Fills a spec from its parts. 0, or -ENAMETOOLONG. */
int lock_spec_set(struct lock_spec *spec, const char *structure, const char *member, const char *symbol,
		  bool pointer);

/* Reads the form of the command line. 0; -EINVAL: not of that form; -ENAMETOOLONG. */
int lock_spec_parse(const char *text, struct lock_spec *out);

/*
 * Finds the lock by kallsyms and BTF. 0; -ENOENT: there is no such symbol (its module
 * may come later); -EINVAL: the symbol is there, but this cannot be a mutex (rwsems: or an rwsem) that can be
 * watched. why: a sentence for the user about what is wrong.
 */
int lock_spec_find(const struct lock_spec *spec, struct kallsyms *symbols, struct types *types, bool rwsems,
		   struct lock_place *out, char *why, size_t size);

#endif
