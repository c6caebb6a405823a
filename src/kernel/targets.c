/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * See targets.h. One pass over the table of hooks for each instance, before it is loaded.
 */
#include "kernel/targets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/kprobe_multi.h"
#include "kernel/modules.h"
#include "message.h"

struct target targets[HOOKS_MAX];
struct target call_targets[LT_CALL_SLOTS];

/* Returns how many functions are called so: of several the right one cannot be told. */
static size_t find_function(struct tracer *t, const char *module, const char *function, struct target *out)
{
	size_t count = kallsyms_addresses(t->symbols, module, function, &out->address, 1);

	out->module = module;
	out->name = function;
	out->exists = count == 1;
	return count;
}

/* With another number of arguments the result would be looked for in the wrong place. */
static bool is_for_fentry(struct tracer *t, struct target *target)
{
	if (!types_of_kernel_itself(t->types) || /* it knows a function by its number in there */
	    types_function(t->types, target->module, target->name, &target->function))
		return false;
	if (!target->arguments || target->arguments == target->function.arguments)
		return true;
	message_note("%s has %d arguments here, not %d: fexit is not used", target->name,
		     target->function.arguments, target->arguments);
	return false;
}

/* Asked once, and only where it matters: the try patches the kernel. */
static bool has_kprobe_multi(struct tracer *t)
{
	if (!t->multi_tried) {
		t->multi_error = kprobe_multi_try(t->symbols);
		t->multi_tried = true;
		if (t->multi_error)
			message_note("this kernel does not attach kprobe.multi programs: %s",
				     strerror(-t->multi_error));
	}
	return !t->multi_error;
}

int targets_check_kind(struct tracer *t)
{
	if (t->options.attach != ATTACH_KPROBE_MULTI || has_kprobe_multi(t))
		return 0;
	message_error("--attach kprobe.multi: this kernel does not attach such programs (%s). It needs "
		      "CONFIG_FPROBE, and the registers of a call as they were. Try --attach kprobe.",
		      strerror(-t->multi_error));
	return -ENOTSUP;
}

/* The first kind, from this one on, that can reach the function as far as is known before trying. */
static void choose_kind(struct tracer *t, struct target *target, const enum attach_kind *kind)
{
	while ((*kind == ATTACH_FENTRY && !is_for_fentry(t, target)) ||
	       (*kind == ATTACH_KPROBE_MULTI && !has_kprobe_multi(t)))
		kind++;
	target->kind = kind;
	target->loading = *kind != ATTACH_AUTO;
}

static void take_first_kind(struct tracer *t, struct target *target)
{
	choose_kind(t, target, t->order);
	if (target->loading)
		return;
	message_note("%s cannot be attached to by %s", target->name, attach_kind_name(t->options.attach));
	t->attach_failed++;
}

/* With PREEMPT_RT these call mutex_lock(): hooked too, they would count twice (lock_functions.h). */
static bool is_seen_inside(const struct tracer *t, const struct hook *h)
{
#define IS_IT(name, ...) || !strcmp(h->function, #name)
	return t->mutex.realtime && (false LT_LOCK_RETURN_FUNCTIONS(IS_IT));
#undef IS_IT
}

static void find_target(struct tracer *t, size_t i)
{
	const struct hook *h = &hooks[i];
	size_t count;

	if (i && !strcmp(h->function, hooks[i - 1].function)) {
		targets[i] = targets[i - 1];
		return;
	}
	if (is_seen_inside(t, h))
		return;
	count = find_function(t, h->module, h->function, &targets[i]);
	if (!count)
		message_note("%s is not in this kernel", h->function);
	if (count <= 1)
		return;
	message_info("%zu functions are called %s; none of them is attached to", count, h->function);
	t->attach_failed++;
}

/* Several functions of one name cannot be told apart by a kprobe, and BTF has one of them. */
static bool call_is_possible(const char *function, const struct named_symbol *symbol, size_t count)
{
	if (count > 1)
		message_info("%zu symbols are called %s; the rules that speak of it are not checked", count,
			     function);
	else if (!strchr("tTwW", symbol->type))
		message_info("%s is no function; the rules that speak of it are not checked", function);
	else
		return true;
	return false;
}

static bool find_call(struct tracer *t, size_t slot)
{
	const char *function = t->options.calls[slot].function;
	struct call_state *call = &t->calls[slot];
	struct named_symbol symbol;
	size_t count;

	count = kallsyms_named(t->symbols, function, &symbol);
	if (!count)
		return false;
	snprintf(call->module, sizeof(call->module), "%s", symbol.module);
	call->module_id = module_id(symbol.module);
	if (!call_is_possible(function, &symbol, count)) {
		call->refused = true;
		t->attach_failed++;
		return false;
	}
	if (module_state(t->symbols, symbol.module) == MODULE_ABSENT)
		return false;
	find_function(t, call->module, function, &call_targets[slot]);
	take_first_kind(t, &call_targets[slot]);
	call->refused = !call_targets[slot].loading;
	return call_targets[slot].loading;
}

size_t targets_find_calls(struct tracer *t)
{
	size_t count = 0;

	if (t->by_contention)
		return 0;
	memset(call_targets, 0, sizeof(call_targets));
	for (size_t i = 0; i < t->options.call_count; i++) {
		const struct call_state *call = &t->calls[i];

		count += t->options.calls[i].wanted && !call->attached && !call->refused && find_call(t, i);
	}
	return count;
}

/*
 * What cannot be done without: the lock functions (a kernel with lockdep has them
 * under other names), and where VMs, vCPUs and devices are born.
 */
int targets_check_required(struct tracer *t)
{
	static const char *const locks[] = { "mutex_lock", "mutex_lock_interruptible", "mutex_lock_killable",
					     "mutex_trylock" };
	static const char *const births[] = { "kvm_arch_init_vm", "kvm_arch_vcpu_create", "kvm_vfio_create",
					      "vfio_register_group_dev" };

	for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		if (kallsyms_address(t->symbols, "", locks[i]))
			continue;
		message_error(
			"this kernel has no function %s: kernels built with lockdep "
			"(CONFIG_DEBUG_LOCK_ALLOC) have others in its place, and locktrace does not follow "
			"those yet. Such a kernel finds its own lock-order bugs: see dmesg.",
			locks[i]);
		return -ENOTSUP;
	}
	for (size_t i = 0; i < hook_count; i++) {
		for (size_t k = 0; k < sizeof(births) / sizeof(births[0]); k++) {
			if (hooks[i].form != FORM_KRETPROBE || strcmp(hooks[i].function, births[k]) != 0 ||
			    !t->new_modules[hook_module_index(hooks[i].module)] || targets[i].exists)
				continue;
			message_info("%s is not a function of its own here: what is born there is not seen",
				     births[k]);
			t->attach_failed++;
		}
	}
	return 0;
}

/*
 * The hooks of one function that have one role and stand in one table are neighbours, and are all attached by
 * the same kind: an entry without its return would be worse than none of the two. (What an object's death
 * does at a function's entry and at its exit are two such groups: each is of use without the other.)
 */
size_t targets_group_end(size_t first)
{
	size_t end = first + 1;

	while (end < hook_count && hooks[end].role == hooks[first].role &&
	       !strcmp(hooks[end].function, hooks[first].function))
		end++;
	return end;
}

void targets_share_kind(size_t first)
{
	for (size_t i = first + 1; i < targets_group_end(first); i++)
		targets[i] = targets[first];
}

static void find_targets(struct tracer *t)
{
	const struct hook_options options = { t->options.check_unlock, t->options.rwsem };

	memset(targets, 0, sizeof(targets));
	for (size_t i = 0; i < hook_count; i++)
		if (t->new_modules[hook_module_index(hooks[i].module)])
			find_target(t, i);
	for (size_t i = 0; i < hook_count; i = targets_group_end(i)) {
		if (!targets[i].exists || !hook_role_is_wanted(hooks[i].role, &options))
			continue;
		for (size_t k = i; k < targets_group_end(i); k++)
			targets[i].arguments += hooks[k].arguments; /* one of them has it */
		take_first_kind(t, &targets[i]);
		targets_share_kind(i);
	}
}

void targets_plan(struct tracer *t, const bool *modules)
{
	t->new_modules = modules;
	find_targets(t);
}

/* Does this form of a program belong to the kind that its function is attached to by? */
bool target_is_wanted(const struct target *target, enum hook_form form)
{
	return target->loading && (form == FORM_FENTRY) == (*target->kind == ATTACH_FENTRY);
}

bool targets_hook_exists(size_t i)
{
	return targets[i].exists;
}

enum attach_kind targets_hook_kind(size_t i)
{
	return target_is_wanted(&targets[i], hooks[i].form) ? *targets[i].kind : ATTACH_AUTO;
}

/* The program for a slot. */
bool targets_call_program(size_t slot, enum hook_form form, char *name, size_t size)
{
	snprintf(name, size, "%s_call_%zu", form == FORM_FENTRY ? "fentry" : "kprobe", slot);
	return target_is_wanted(&call_targets[slot], form);
}

/* A kind does not reach a function: the next one is tried, in an instance of its own; none left is told. */
static void fall_back(struct tracer *t, struct target *target, const char *trouble, int err)
{
	const char *kind = attach_kind_name(*target->kind);

	choose_kind(t, target, target->kind + 1);
	if (target->loading) {
		message_note("%s by %s: %s: %s; %s is used", target->name, kind, trouble, strerror(-err),
			     attach_kind_name(*target->kind));
		return;
	}
	message_info("cannot attach to %s by %s: %s: %s", target->name, kind, trouble, strerror(-err));
	t->attach_failed++;
}

void targets_fall_back_hooks(struct tracer *t, size_t first, const char *trouble, int err)
{
	fall_back(t, &targets[first], trouble, err);
	targets_share_kind(first);
}

void targets_fall_back_call(struct tracer *t, size_t slot, const char *trouble, int err)
{
	fall_back(t, &call_targets[slot], trouble, err);
	t->calls[slot].refused = !call_targets[slot].loading;
}

/* Whether the program that was refused is one that can be done without. */
bool targets_do_without(struct tracer *t, const char *program, int err)
{
	static const char trouble[] = "its program is refused";
	size_t slot, end;

	if (sscanf(program, "fentry_call_%zu", &slot) == 1 ||
	    sscanf(program, "kprobe_call_%zu", &slot) == 1) {
		targets_fall_back_call(t, slot, trouble, err);
		return true;
	}
	for (size_t first = 0; first < hook_count; first = end) {
		end = targets_group_end(first);
		for (size_t i = first; i < end; i++) {
			if (strcmp(hooks[i].program, program) != 0)
				continue;
			targets_fall_back_hooks(t, first, trouble, err);
			return true;
		}
	}
	return false;
}

/* How many functions are left for which another kind is to be tried. */
uint64_t targets_left(const struct tracer *t)
{
	uint64_t count = 0;

	for (size_t slot = 0; slot < t->options.call_count; slot++)
		count += call_targets[slot].loading;
	for (size_t i = 0; i < hook_count; i = targets_group_end(i))
		count += targets[i].loading;
	return count;
}

void targets_name_kinds(const size_t count[ATTACH_KINDS], char *out, size_t size)
{
	size_t left[ATTACH_KINDS], length = 0;

	memcpy(left, count, sizeof(left));
	out[0] = '\0';
	for (;;) {
		enum attach_kind most = ATTACH_AUTO;

		for (enum attach_kind kind = ATTACH_FENTRY; kind < ATTACH_KINDS; kind++)
			most = left[kind] > (most ? left[most] : 0) ? kind : most;
		if (most == ATTACH_AUTO || length >= size)
			return;
		length += (size_t)snprintf(out + length, size - length, "%s%s", length ? ", " : "",
					   attach_kind_name(most));
		left[most] = 0;
	}
}
