/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * One load of the object: which programs, with which knobs and targets, and their
 * attaching. The object is loaded once for all modules that are there, and once
 * more for each that comes later: its types can only be relocated then. All
 * instances share the maps of the first. Called by tracer.c.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/hooks.h"
#include "kernel/modules.h"
#include "kernel/tracer_internal.h"
#include "locktrace/kernel_side.h"
#include "message.h"

/* A program that the verifier refuses is left out and the rest tried again, this often. */
#define LOAD_TRIES 4

/* libbpf's messages: shown with -v; the program that failed to load is picked out. */
static char failed_program[64];

static int libbpf_message(enum libbpf_print_level level, const char *format, va_list args)
{
	char name[64], *text;

	if (level == LIBBPF_DEBUG || vasprintf(&text, format, args) < 0)
		return 0;
	if (sscanf(text, "libbpf: prog '%63[^']': failed to load", name) == 1)
		snprintf(failed_program, sizeof(failed_program), "%s", name);
	if (*text && text[strlen(text) - 1] == '\n')
		text[strlen(text) - 1] = '\0';
	message_note("%s", text);
	free(text);
	return 0;
}

int load_module_index(const char *module)
{
	for (size_t i = 0; i < hook_module_count; i++)
		if (!strcmp(hook_modules[i], module))
			return (int)i;
	return -1;
}

/*
 * For each hook whether and how its function can be reached, found once for an
 * instance: the look-up in the kernel's BTF is a long one.
 */
struct target {
	bool exists, in_btf;
	struct type_function function;
};

static struct target targets[HOOKS_MAX];

/* The same for the functions that rules speak of, by slot. */
static struct target call_targets[LT_CALL_SLOTS];

static void find_function(struct tracer *t, const char *module, const char *function, struct target *out)
{
	out->exists = kallsyms_address(t->symbols, module, function) != 0;
	if (out->exists && t->attach == ATTACH_FENTRY)
		out->in_btf = !types_function(t->types, module, function, &out->function);
}

static void find_target(struct tracer *t, size_t i)
{
	const struct hook *h = &hooks[i];

	if (i && !strcmp(h->function, hooks[i - 1].function)) {
		targets[i] = targets[i - 1];
		return;
	}
	find_function(t, h->module, h->function, &targets[i]);
	if (!targets[i].exists)
		message_note("%s is not in this kernel", h->function);
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
	return true;
}

size_t load_find_calls(struct tracer *t)
{
	size_t count = 0;

	memset(call_targets, 0, sizeof(call_targets));
	for (size_t i = 0; i < t->options.call_count; i++) {
		struct call_state *call = &t->calls[i];

		call->loading =
			t->options.calls[i].wanted && !call->attached && !call->refused && find_call(t, i);
		count += call->loading;
	}
	return count;
}

/* With another number of arguments the result would be looked for in the wrong place. */
static void check_arguments(size_t i)
{
	if (!targets[i].in_btf || !hooks[i].arguments || hooks[i].arguments == targets[i].function.arguments)
		return;
	message_note("%s has %d arguments here, not %d: fexit is not used", hooks[i].function,
		     targets[i].function.arguments, hooks[i].arguments);
	for (size_t k = 0; k < hook_count; k++)
		if (!strcmp(hooks[k].function, hooks[i].function))
			targets[k].in_btf = false;
}

/*
 * What cannot be done without: the lock functions (a kernel with lockdep has them
 * under other names), and where VMs, vCPUs and devices are born.
 */
static int check_required(struct tracer *t)
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
			    !t->new_modules[load_module_index(hooks[i].module)] || targets[i].exists)
				continue;
			message_info("%s is not a function of its own here: what is born there is not seen",
				     births[k]);
			t->attach_failed++;
		}
	}
	return 0;
}

static void find_targets(struct tracer *t)
{
	memset(targets, 0, sizeof(targets));
	for (size_t i = 0; i < hook_count; i++)
		if (t->new_modules[load_module_index(hooks[i].module)])
			find_target(t, i);
	for (size_t i = 0; i < hook_count; i++)
		check_arguments(i);
	for (size_t i = 0; i < hook_count && t->options.attach == ATTACH_FENTRY; i++) {
		if (hooks[i].form != FORM_FENTRY || !targets[i].exists || targets[i].in_btf)
			continue;
		message_note("%s is in no BTF, so fentry cannot reach it", hooks[i].function);
		t->attach_failed++;
	}
}

/*
 * Does this hook belong to the attach kind, and is its function there? A function
 * that fentry cannot reach because it is in no BTF (a module's, before 5.11) gets
 * a kprobe, unless fentry was asked for.
 */
static bool hook_wanted(struct tracer *t, size_t i)
{
	bool fentry = t->attach == ATTACH_FENTRY && targets[i].in_btf;

	if (!targets[i].exists || (hooks[i].role == ROLE_UNLOCK && !t->options.check_unlock))
		return false;
	return hooks[i].form == FORM_FENTRY ? fentry : !fentry && t->options.attach != ATTACH_FENTRY;
}

/* The program for a slot: fentry where it can be, else a kprobe. */
static bool call_program(struct tracer *t, size_t slot, enum hook_form form, char *name, size_t size)
{
	bool fentry = t->attach == ATTACH_FENTRY && call_targets[slot].in_btf;

	snprintf(name, size, "%s_call_%zu", form == FORM_FENTRY ? "fentry" : "kprobe", slot);
	return t->calls[slot].loading && fentry == (form == FORM_FENTRY);
}

/*
 * libbpf looks a target up in the kernel's BTF first and in that of each module
 * then, anew for each program. We know it already, and in which module.
 */
static int set_target(struct bpf_program *program, struct bpf_prog_load_opts *opts, long cookie)
{
	const struct target *target = NULL;
	size_t slot;

	(void)cookie;
	if (sscanf(bpf_program__name(program), "fentry_call_%zu", &slot) == 1 && slot < LT_CALL_SLOTS)
		target = &call_targets[slot];
	for (size_t i = 0; i < hook_count && !target; i++)
		if (!strcmp(hooks[i].program, bpf_program__name(program)))
			target = &targets[i];
	if (!target)
		return -ENOENT;
	opts->attach_btf_id = target->function.id;
	opts->attach_btf_obj_fd = (uint32_t)target->function.btf_fd;
	return 0;
}

int load_prepare(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = set_target);

	libbpf_set_print(libbpf_message);
	if (libbpf_register_prog_handler("fentry+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, &opts) < 0 ||
	    libbpf_register_prog_handler("fexit+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, &opts) < 0)
		return -EINVAL;
	return 0;
}

static struct bpf_program *program_of(struct locktrace_bpf *object, const char *name)
{
	return bpf_object__find_program_by_name(object->obj, name);
}

static void select_programs(struct tracer *t, struct locktrace_bpf *object, const char denied[][64],
			    size_t denied_count)
{
	for (size_t i = 0; i < hook_count; i++) {
		bool wanted = hook_wanted(t, i);

		for (size_t d = 0; d < denied_count; d++)
			wanted = wanted && strcmp(denied[d], hooks[i].program) != 0;
		bpf_program__set_autoload(program_of(object, hooks[i].program), wanted);
	}
	for (size_t slot = 0; slot < LT_CALL_SLOTS; slot++) {
		for (int form = FORM_FENTRY; form <= FORM_KPROBE; form++) {
			char name[32];
			bool wanted = call_program(t, slot, form, name, sizeof(name));

			for (size_t d = 0; d < denied_count; d++)
				wanted = wanted && strcmp(denied[d], name) != 0;
			bpf_program__set_autoload(program_of(object, name), wanted);
		}
	}
	bpf_program__set_autoload(object->progs.task_free, t->instance_count == 0);
	bpf_program__set_autoload(object->progs.setup, t->instance_count == 0);
}

static uint64_t symbol(struct tracer *t, const char *name)
{
	return kallsyms_address(t->symbols, "", name);
}

/* Knobs go into read-only data before the first load. */
static void set_knobs(struct tracer *t, struct locktrace_bpf *object)
{
	uint64_t start, end;

	kallsyms_image(t->symbols, &start, &end);
	object->rodata->every_lock = t->options.every_lock;
	object->rodata->image_start = start;
	object->rodata->image_size = end - start;
	object->rodata->vmemmap_base_at = symbol(t, "vmemmap_base");
	object->rodata->page_offset_base_at = symbol(t, "page_offset_base");
	object->rodata->vmalloc_base_at = symbol(t, "vmalloc_base");
#define FUNCTION_ADDRESS(function, ...) \
	object->rodata->lock_function_addr[LT_FUNCTION_##function] = symbol(t, #function);
	LT_LOCK_FUNCTIONS(FUNCTION_ADDRESS)
	LT_LOCK_RETURN_FUNCTIONS(FUNCTION_ADDRESS)
	FUNCTION_ADDRESS(__mutex_init)
	FUNCTION_ADDRESS(mutex_init_generic)
#undef FUNCTION_ADDRESS
	for (size_t i = 0; i < t->options.call_count; i++)
		object->bss->call_classes[i] = t->options.calls[i].classes;
	object->bss->put_classes = t->options.put_classes;
	if (t->options.ring_size)
		bpf_map__set_max_entries(object->maps.records, (uint32_t)t->options.ring_size);
}

/* A later instance uses the maps, global data too, of the first. */
static int share_maps(struct tracer *t, struct locktrace_bpf *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, object->obj) {
		struct bpf_map *first =
			bpf_object__find_map_by_name(tracer_first(t)->obj, bpf_map__name(map));
		int err = first ? bpf_map__reuse_fd(map, bpf_map__fd(first)) : -ENOENT;

		if (err)
			return err;
	}
	return 0;
}

static int load_once(struct tracer *t, const char denied[][64], size_t denied_count,
		     struct locktrace_bpf **out)
{
	struct locktrace_bpf *object = locktrace_bpf__open();
	int err;

	if (!object)
		return -errno;
	select_programs(t, object, denied, denied_count);
	if (t->instance_count == 0) {
		set_knobs(t, object);
		err = 0;
	} else {
		err = share_maps(t, object);
	}
	if (!err)
		err = locktrace_bpf__load(object);
	if (err) {
		locktrace_bpf__destroy(object);
		return err;
	}
	*out = object;
	return 0;
}

static void explain_load_failure(struct tracer *t, int err)
{
	bool trampoline = !strncmp(failed_program, "fentry_", 7) || !strncmp(failed_program, "fexit_", 6);

	if (err == -EPERM && geteuid() == 0 && t->attach == ATTACH_FENTRY && trampoline)
		message_error(
			"this kernel refuses BPF trampolines (fentry, fexit): loading '%s' gave EPERM. "
			"This is a restriction of the kernel or of a security module, not of memory limits. "
			"Try --attach kprobe.",
			failed_program);
	else if (err == -EPERM)
		message_error(
			"loading the BPF programs was refused (EPERM). locktrace needs root, or "
			"CAP_BPF and CAP_PERFMON and CAP_SYS_PTRACE; kernel lockdown in confidentiality "
			"mode forbids it too.");
	else
		message_error("loading the BPF programs failed: %s (program '%s'). Run with -v for the "
			      "verifier's words.",
			      strerror(-err), failed_program);
}

/* Loads the programs for the modules that are new; leaves out one that this kernel's verifier refuses. */
int load_instance(struct tracer *t, const bool *new_modules)
{
	char denied[LOAD_TRIES][64];
	size_t denied_count = 0;
	int err;

	t->new_modules = new_modules;
	find_targets(t);
	load_find_calls(t);
	err = check_required(t);
	if (err)
		return err;
	for (;;) {
		failed_program[0] = '\0';
		err = load_once(t, denied, denied_count, &t->instances[t->instance_count].object);
		if (!err || !failed_program[0] || err == -EPERM || denied_count == LOAD_TRIES)
			break;
		message_info("program '%s' does not load on this kernel (%s); going on without it",
			     failed_program, strerror(-err));
		snprintf(denied[denied_count++], sizeof(denied[0]), "%s", failed_program);
		t->attach_failed++;
	}
	if (err) {
		explain_load_failure(t, err);
		return err;
	}
	t->instance_count++;
	return 0;
}

int load_reader(struct tracer *t)
{
	struct locktrace_bpf *object = locktrace_bpf__open();
	struct bpf_program *program;
	int err;

	if (!object)
		return -errno;
	bpf_object__for_each_program (program, object->obj)
		bpf_program__set_autoload(program, program == object->progs.peek);
	t->instances[t->instance_count++].object = object;
	err = locktrace_bpf__load(object);
	if (err)
		explain_load_failure(t, err);
	return err;
}

static struct bpf_link *attach_hook(const struct hook *h, struct bpf_program *program)
{
	if (h->form == FORM_FENTRY)
		return bpf_program__attach_trace(program);
	return bpf_program__attach_kprobe(program, h->form == FORM_KRETPROBE, h->function);
}

static int attach_program(struct tracer *t, struct instance *instance, const struct hook *h)
{
	struct bpf_program *program = program_of(instance->object, h->program);
	struct bpf_link *link;
	int err;

	if (!bpf_program__autoload(program))
		return 0;
	link = instance->link_count < LINKS_MAX ? attach_hook(h, program) : (errno = E2BIG, NULL);
	err = (int)libbpf_get_error(link);
	if (err) {
		message_info("cannot attach to %s: %s", h->function, strerror(-err));
		t->attach_failed++;
		return err;
	}
	instance->links[instance->link_count++] = link;
	t->numbers.hooks_attached++;
	t->uses_kprobes = t->uses_kprobes || h->form != FORM_FENTRY;
	return 0;
}

/* The functions that rules speak of. One that cannot be attached to is told and left. */
static void attach_calls(struct tracer *t, struct instance *instance)
{
	for (size_t slot = 0; slot < t->options.call_count; slot++) {
		for (int form = FORM_FENTRY; form <= FORM_KPROBE; form++) {
			struct hook hook = { .function = t->options.calls[slot].function, .form = form };
			char name[32];

			if (!call_program(t, slot, form, name, sizeof(name)))
				continue;
			hook.program = name;
			t->calls[slot].attached = bpf_program__autoload(program_of(instance->object, name)) &&
						  !attach_program(t, instance, &hook);
			t->calls[slot].refused = !t->calls[slot].attached;
			if (t->calls[slot].attached && t->started)
				tracer_add_late(t, t->calls[slot].module);
		}
		t->calls[slot].loading = false;
	}
}

/* Locks last: what they see is then understood from the first call on. */
int load_attach(struct tracer *t, struct instance *instance)
{
	static const enum hook_role order[] = { ROLE_INIT, ROLE_OBJECT, ROLE_SCOPE,
						ROLE_PUT,  ROLE_UNLOCK, ROLE_LOCK };
	bool refused = false;

	attach_calls(t, instance);

	for (size_t r = 0; r < sizeof(order) / sizeof(order[0]); r++) {
		for (size_t i = 0; i < hook_count; i++) {
			int err;

			if (hooks[i].role != order[r])
				continue;
			err = attach_program(t, instance, &hooks[i]);
			refused = refused || err == -EPERM;
		}
	}
	if (t->numbers.hooks_attached)
		return 0;
	if (refused)
		message_error("this kernel refuses to attach BPF programs to functions (%s, EPERM). "
			      "Try the other --attach kind.",
			      attach_kind_name(t->attach));
	else
		message_error("no lock function could be attached to (%s).", attach_kind_name(t->attach));
	return refused ? -EPERM : -ENOENT;
}
