/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The names of locks, objects and VMs, from what a look has seen. Each function takes a struct hang_names
 * as its context, as the reports call them.
 */
#ifndef LOCKTRACE_CMD_HANG_NAMES_H
#define LOCKTRACE_CMD_HANG_NAMES_H

#include "cmd/hang_look.h"
#include "cmd/rule_set.h"
#include "kernel/vm_names.h"

struct hang_names {
	struct hang_seen *seen;
	const struct model *model;    /* has the objects */
	const struct vm_names *vms;   /* names that are known besides; NULL: none */
	struct kallsyms *symbols;     /* NULL: nothing is named by symbol */
	const struct rule_set *rules; /* the classes of the user's own; known bugs */
};

/*
 * The class of a lock, cut to size: of a declared class or of the user's own ("kvm.lock"), else the symbol of
 * a static lock ("cgroup_mutex"), else "slab NAME+0xOFFSET" where the slab cache is of one type. Returns out;
 * NULL: none is known.
 */
const char *hang_names_lock(void *context, uint64_t addr, char *out, size_t size);

/* The object that a lock lies in: "VM 1234 'demo'". NULL: none is known. */
const char *hang_names_object(void *context, uint64_t addr, char *out, size_t size);

/* The name of the VM that a process runs; NULL: none is known. Valid as long as what was seen. */
const char *hang_names_vm(void *context, uint32_t pid);

/* The rule that knows a circle as a bug; NULL: none does, or the rules could not be asked. */
const struct rule *hang_names_known(void *context, const struct wait_cycle *cycle);

#endif
