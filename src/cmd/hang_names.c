/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See hang_names.h. */
#include "cmd/hang_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/class.h"
#include "model/match_wait.h"
#include "report/report.h"

/* The largest static things that have locks in them are arrays of some KiB: what is further from its symbol
 * is none of it. */
#define SYMBOL_REACH 65536

const char *hang_names_vm(void *context, uint32_t pid)
{
	const struct hang_names *n = context;

	const char *name = hang_seen_vm(n->seen, pid);

	return name || !n->vms ? name : vm_names_find(n->vms, pid);
}

/* A class of KVM's or VFIO's, or of the user's own. */
static const char *class_name(const struct hang_names *n, uint64_t addr)
{
	const struct object_lock *lock = hang_seen_lock(n->seen, addr);
	uint32_t own = lock && lock->class_id >= LT_CLASS_USER ? lock->class_id - LT_CLASS_USER : UINT32_MAX;

	if (!lock)
		return NULL;
	if (n->rules && own < n->rules->class_count)
		return n->rules->classes[own].lock.name;
	return tracer_class_name(lock->class_id);
}

/* A static lock, or one in a static struct: the symbol's name. Not for the text, nor what is far from it. */
static const char *symbol_name(const struct hang_names *n, uint64_t addr, char *out, size_t size)
{
	struct symbol_source source;
	struct symbol symbol;

	if (!n->symbols)
		return NULL;
	source = kallsyms_source(n->symbols);
	if (source.find(source.context, addr, &symbol) || !strchr("dDbBrR", symbol.type) ||
	    symbol.offset > SYMBOL_REACH)
		return NULL;
	symbol_format(&source, addr, 0, out, size);
	return out;
}

/* As the model names the locks of a watch: a general cache would say nothing. */
static const char *slab_name(const struct hang_names *n, uint64_t addr, char *out, size_t size)
{
	const struct waiters_slab *slab = hang_seen_slab(n->seen, addr);

	if (!slab || !class_slab_is_dedicated(slab->name))
		return NULL;
	snprintf(out, size, "slab %s+0x%" PRIx32, slab->name, slab->offset);
	return out;
}

const char *hang_names_lock(void *context, uint64_t addr, char *out, size_t size)
{
	const struct hang_names *n = context;
	const char *class = class_name(n, addr), *symbol;

	if (class) {
		snprintf(out, size, "%s", class);
		return out;
	}
	symbol = symbol_name(n, addr, out, size);
	return symbol ? symbol : slab_name(n, addr, out, size);
}

const char *hang_names_object(void *context, uint64_t addr, char *out, size_t size)
{
	const struct hang_names *n = context;
	const struct object_lock *lock = hang_seen_lock(n->seen, addr);
	const struct model_object *object =
		lock && lock->object ? model_object(n->model, lock->object) : NULL;
	const struct report_context names = { .model = n->model,
					      .vm_name = hang_names_vm,
					      .context = context };

	return object ? report_object(&names, object, out, size) : NULL;
}

const struct rule *hang_names_known(void *context, const struct wait_cycle *cycle)
{
	const struct hang_names *n = context;
	struct match_names names = { .lock = hang_names_lock, .context = context };

	if (!n->rules)
		return NULL;
	if (n->symbols)
		names.symbols = kallsyms_source(n->symbols);
	return match_wait_cycle(n->rules->rules, cycle, &names);
}
