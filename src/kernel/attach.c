/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Attaching what was loaded, function by function, and again, in one more instance, what
 * another kind is to be tried for. See tracer_internal.h. Called by tracer.c.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "kernel/contention.h"
#include "kernel/kprobe_multi.h"
#include "kernel/modules.h"
#include "kernel/targets.h"
#include "kernel/tracer_internal.h"
#include "message.h"

static struct bpf_link *attach_hook(const struct hook *h, const struct target *target,
				    struct bpf_program *program)
{
	bool at_return = h->form == FORM_KRETPROBE;

	switch (*target->kind) {
	case ATTACH_FENTRY:
		return bpf_program__attach_trace(program);
	case ATTACH_KPROBE_MULTI:
		return kprobe_multi_attach(program, target->address, at_return);
	default:
		return bpf_program__attach_kprobe(program, at_return, h->function);
	}
}

/*
 * The kernel keeps the module that an fentry or kprobe.multi program is for as long as that is attached. Told
 * once, when it is so.
 */
static void say_held(struct tracer *t, const struct target *target)
{
	if (t->holds_modules || *target->kind == ATTACH_KPROBE || !target->module || !*target->module ||
	    module_state(t->symbols, target->module) != MODULE_LIVE)
		return;
	t->holds_modules = true;
	message_info("while it runs, the kernel does not let modules that it is attached to by %s be "
		     "unloaded: end it first, or run it with --attach kprobe",
		     attach_kind_name(*target->kind));
}

static int attach_program(struct tracer *t, struct instance *instance, const struct hook *h,
			  const struct target *target)
{
	struct bpf_program *program = load_program(instance->object, h->program);
	struct bpf_link *link;
	int err;

	link = instance->link_count < LINKS_MAX ? attach_hook(h, target, program) : (errno = E2BIG, NULL);
	err = (int)libbpf_get_error(link);
	if (err)
		return err;
	instance->links[instance->link_count++] = link;
	t->release_attached |= h->role == ROLE_RELEASE && !strcmp(h->function, "up_read");
	t->numbers.hooks_attached++;
	say_held(t, target);
	return 0;
}

/* The hooks of a function, all or none of them. */
static int attach_group(struct tracer *t, struct instance *instance, size_t first)
{
	size_t links = instance->link_count;
	int err = 0;

	for (size_t i = first; i < targets_group_end(first) && !err; i++)
		if (target_is_wanted(&targets[i], hooks[i].form))
			err = attach_program(t, instance, &hooks[i], &targets[i]);
	if (!err) {
		t->attached[*targets[first].kind]++;
		targets[first].loading = false;
		targets_share_kind(first);
		return 0;
	}
	t->numbers.hooks_attached -= instance->link_count - links;
	while (instance->link_count > links)
		bpf_link__destroy(instance->links[--instance->link_count]);
	targets_fall_back_hooks(t, first, "attaching fails", err);
	return err;
}

/* The function of one slot. */
static void attach_call(struct tracer *t, struct instance *instance, size_t slot)
{
	struct target *target = &call_targets[slot];
	enum hook_form form = *target->kind == ATTACH_FENTRY ? FORM_FENTRY : FORM_KPROBE;
	struct hook hook = { .function = t->options.calls[slot].function, .form = form };
	struct call_state *call = &t->calls[slot];
	char name[32];
	int err;

	targets_call_program(slot, form, name, sizeof(name));
	hook.program = name;
	err = attach_program(t, instance, &hook, target);
	if (err) {
		targets_fall_back_call(t, slot, "attaching fails", err);
		return;
	}
	t->attached[*target->kind]++;
	target->loading = false;
	call->attached = true;
	if (t->started)
		tracer_add_late(t, call->module);
}

/* What is marked. Locks last: what they see is then understood from the first call on. */
static void attach_marked(struct tracer *t, struct instance *instance, bool *refused)
{
	static const enum hook_role order[] = { ROLE_INIT,    ROLE_RWSEM_INIT, ROLE_OBJECT, ROLE_CONTAINER,
						ROLE_SCOPE,   ROLE_PUT,        ROLE_UNLOCK, ROLE_RWSEM_UNLOCK,
						ROLE_RELEASE, ROLE_RWSEM,      ROLE_LOCK };

	for (size_t slot = 0; slot < t->options.call_count; slot++)
		if (call_targets[slot].loading)
			attach_call(t, instance, slot);
	for (size_t r = 0; r < sizeof(order) / sizeof(order[0]); r++) {
		for (size_t i = 0; i < hook_count; i = targets_group_end(i))
			if (hooks[i].role == order[r] && targets[i].loading)
				*refused |= attach_group(t, instance, i) == -EPERM;
		if (order[r] == ROLE_RELEASE)
			readers_start(t);
	}
}

int attach_all(struct tracer *t)
{
	bool refused = false;
	int err = 0;

	if (t->by_contention)
		return contention_attach(t, &t->instances[t->instance_count - 1]);
	attach_marked(t, &t->instances[t->instance_count - 1], &refused);
	while (!err && targets_left(t)) {
		err = t->instance_count < INSTANCES_MAX ? load_marked(t) : -ENOSPC;
		if (!err)
			attach_marked(t, &t->instances[t->instance_count - 1], &refused);
	}
	targets_name_kinds(t->attached, t->attach_kinds, sizeof(t->attach_kinds));
	if (t->options.rwsem && !t->release_attached)
		message_info("up_read cannot be attached to: who reads an rwsem is not followed");
	if (targets_left(t) && t->numbers.hooks_attached)
		message_info("%" PRIu64 " functions are not attached to: %s", targets_left(t),
			     strerror(-err));
	t->attach_failed += targets_left(t);
	if (t->numbers.hooks_attached)
		return 0;
	if (err)
		load_explain_failure(err);
	else if (refused)
		message_error("this kernel refuses to attach BPF programs to functions (%s, EPERM). "
			      "Try another --attach kind.",
			      attach_kind_name(t->options.attach));
	else
		message_error("no lock function could be attached to (--attach %s). Run with -v for why.",
			      attach_kind_name(t->options.attach));
	return err ? err : refused ? -EPERM : -ENOENT;
}
