/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See plan.h. A tracer that never loads anything. */
#include "kernel/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/modules.h"
#include "kernel/targets.h"
#include "kernel/tracer_internal.h"

static struct planned_function *find(struct plan *plan, const struct hook *hook)
{
	for (size_t i = 0; i < plan->function_count; i++)
		if (plan->functions[i].role == hook->role && !strcmp(plan->functions[i].name, hook->function))
			return &plan->functions[i];
	if (plan->function_count == PLAN_FUNCTIONS_MAX)
		return NULL;
	plan->functions[plan->function_count] = (struct planned_function){
		.name = hook->function,
		.module = hook->module,
		.role = hook->role,
		.state = FUNCTION_MISSING,
	};
	return &plan->functions[plan->function_count++];
}

static void add_hook(struct tracer *t, size_t i, struct plan *plan)
{
	bool present = t->new_modules[hook_module_index(hooks[i].module)];
	enum attach_kind kind = present ? targets_hook_kind(i) : ATTACH_AUTO;
	struct planned_function *function = find(plan, &hooks[i]);

	if (!function)
		return;
	if (!present)
		function->state = FUNCTION_WAITING;
	else if (function->state == FUNCTION_MISSING && targets_hook_exists(i))
		function->state = FUNCTION_REFUSED;
	if (kind == ATTACH_AUTO)
		return;
	function->state = FUNCTION_REACHED;
	function->attach = attach_kind_name(kind);
	if (hooks[i].role == ROLE_LOCK && !plan->attach)
		plan->attach = function->attach;
	if (kind != ATTACH_FENTRY && !t->misses.counted)
		plan->misses_counted = false;
}

/* That in vfio has a name that others have too; a watch looks at what lies there. */
static bool is_static_there(struct tracer *t, const char *module, const char *symbol, const char *structure,
			    const char *member)
{
	struct type_member found;

	return kallsyms_address(t->symbols, module, symbol) &&
	       (!*structure || !types_member(t->types, module, structure, member, &found));
}

static void add_classes(struct tracer *t, struct plan *plan)
{
	for (uint32_t id = LT_CLASS_FOREIGN + 1; id < LT_CLASS_DECLARED_END; id++) {
		struct planned_class *class = &plan->classes[plan->class_count++];

		class->state = tracer_class_state(t, id, &class->name);
	}
#define STATIC_CLASS(id, module, class, symbol, structure, member, lockdep) \
	if (plan->classes[LT_CLASS_##id - 1].state == CLASS_MISSING &&      \
	    is_static_there(t, module, symbol, structure, member))          \
		plan->classes[LT_CLASS_##id - 1].state = CLASS_WATCHED;
	LT_STATIC_CLASSES(STATIC_CLASS)
#undef STATIC_CLASS
}

static void name_kinds(struct plan *plan)
{
	const struct hook_options none = { 0 };
	size_t count[ATTACH_KINDS] = { 0 };

	for (size_t i = 0; i < plan->function_count; i++) {
		const struct planned_function *f = &plan->functions[i];

		for (enum attach_kind kind = ATTACH_FENTRY; kind < ATTACH_KINDS; kind++)
			count[kind] += hook_role_is_wanted(f->role, &none) && f->attach &&
				       !strcmp(f->attach, attach_kind_name(kind));
	}
	targets_name_kinds(count, plan->kinds, sizeof(plan->kinds));
}

void plan_refuse(struct plan *plan, const char *attach)
{
	if (plan->attach && !strcmp(plan->attach, attach))
		plan->attach = NULL;
	for (size_t i = 0; i < plan->function_count; i++) {
		struct planned_function *function = &plan->functions[i];

		if (!function->attach || strcmp(function->attach, attach) != 0)
			continue;
		function->attach = NULL;
		function->state = FUNCTION_REFUSED;
	}
	name_kinds(plan);
}

int plan_make(enum attach_kind attach, struct kallsyms *symbols, struct types *types, struct plan *out)
{
	struct hook_options options = { 0 };
	struct tracer *t = calloc(1, sizeof(*t));

	memset(out, 0, sizeof(*out));
	if (!t)
		return -ENOMEM;
	t->symbols = symbols;
	t->types = types;
	t->options.attach = attach;
	mutex_layout_find(types, &t->mutex);
	tracer_choose_kinds(t);
	for (size_t i = 0; i < hook_module_count; i++)
		t->module_attached[i] = module_state(symbols, hook_modules[i]) != MODULE_ABSENT;
	options.rwsem = t->options.rwsem = !tracer_rwsems_refused(t); /* all that a watch can be asked for */
	targets_plan(t, t->module_attached);
	t->options.rwsem = false;
	out->misses_counted = true;
	for (size_t i = 0; i < hook_count; i++)
		if (hook_role_is_wanted(hooks[i].role, &options))
			add_hook(t, i, out);
	name_kinds(out);
	add_classes(t, out);
	out->rwsems = options.rwsem;
	out->realtime = t->mutex.realtime;
	out->preempts = t->preempts;
	out->locks_missing = !kallsyms_address(symbols, "", "mutex_lock");
	free(t);
	return 0;
}
