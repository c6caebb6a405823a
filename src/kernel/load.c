/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * One load of the object: which programs, with which knobs and targets. It is loaded once for all modules
 * that are there, and once more for each that comes later: its types can only be relocated then. All
 * instances share the maps of the first. Called by tracer.c.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/contention.h"
#include "kernel/hooks.h"
#include "kernel/kprobe_multi.h"
#include "kernel/targets.h"
#include "kernel/tracer_internal.h"
#include "locktrace/kernel_side.h"
#include "message.h"

/* What the verifier refuses is left out, or attached otherwise, and the rest tried again, this often. */
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

struct bpf_program *load_program(struct locktrace_bpf *object, const char *name)
{
	return bpf_object__find_program_by_name(object->obj, name);
}

static void select_program(struct locktrace_bpf *object, const char *name, const struct target *target,
			   bool wanted)
{
	struct bpf_program *program = load_program(object, name);

	bpf_program__set_autoload(program, wanted);
	if (wanted && *target->kind == ATTACH_KPROBE_MULTI)
		kprobe_multi_prepare(program);
}

static void select_programs(struct tracer *t, struct locktrace_bpf *object)
{
	for (size_t i = 0; i < hook_count; i++)
		select_program(object, hooks[i].program, &targets[i],
			       target_is_wanted(&targets[i], hooks[i].form));
	for (size_t slot = 0; slot < LT_CALL_SLOTS; slot++) {
		for (int form = FORM_FENTRY; form <= FORM_KPROBE; form++) {
			char name[32];
			bool wanted = targets_call_program(slot, form, name, sizeof(name));

			select_program(object, name, &call_targets[slot], wanted);
		}
	}
	bpf_program__set_autoload(object->progs.task_free, t->instance_count == 0);
	bpf_program__set_autoload(object->progs.setup, t->instance_count == 0);
	contention_select(t, object);
}

void load_select_iterators(struct tracer *t, struct locktrace_bpf *object)
{
	struct bpf_program *const iterators[] = { object->progs.find_files, object->progs.find_owners,
						  object->progs.seed_tasks };

	for (size_t i = 0; i < sizeof(iterators) / sizeof(iterators[0]); i++)
		if (!types_of_kernel_itself(t->types))
			bpf_program__set_autoload(iterators[i], false);
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
	object->rodata->owner_offset = t->mutex.owner;
	object->rodata->owner_flags = t->mutex.flags;
	object->rodata->owner_pickup = t->mutex.pickup;
	object->rodata->rwsems = t->options.rwsem;
	object->rodata->image_start = start;
	object->rodata->image_size = end - start;
	object->rodata->vmemmap_base_at = symbol(t, "vmemmap_base");
	object->rodata->page_offset_base_at = symbol(t, "page_offset_base");
	object->rodata->vmalloc_base_at = symbol(t, "vmalloc_base");
#define FUNCTION_ADDRESS(function, ...) \
	object->rodata->lock_function_addr[LT_FUNCTION_##function] = symbol(t, #function);
	LT_LOCK_FUNCTIONS(FUNCTION_ADDRESS)
	LT_LOCK_RETURN_FUNCTIONS(FUNCTION_ADDRESS)
	LT_INIT_FUNCTIONS(FUNCTION_ADDRESS)
	LT_RWSEM_FUNCTIONS(FUNCTION_ADDRESS)
	LT_READ_FUNCTIONS(FUNCTION_ADDRESS)
	LT_RWSEM_INIT_FUNCTIONS(FUNCTION_ADDRESS)
#undef FUNCTION_ADDRESS
	for (size_t i = 0; i < t->options.call_count; i++)
		object->bss->call_classes[i] = t->options.calls[i].classes;
	object->bss->put_classes = t->options.put_classes;
	contention_set_knobs(t, object);
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

static int load_once(struct tracer *t, struct locktrace_bpf **out)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = types_custom_path(t->types));
	struct locktrace_bpf *object = locktrace_bpf__open_opts(&opts);
	int err;

	if (!object)
		return -errno;
	select_programs(t, object);
	load_select_iterators(t, object);
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

void load_explain_failure(int err)
{
	bool trampoline = !strncmp(failed_program, "fentry_", 7) || !strncmp(failed_program, "fexit_", 6);

	if (err == -EPERM && geteuid() == 0 && trampoline)
		message_error(
			"this kernel refuses BPF trampolines (fentry, fexit): loading '%s' gave EPERM. "
			"This is a restriction of the kernel or of a security module, not of memory limits. "
			"Try --attach kprobe.",
			failed_program);
	else if (err == -EPERM)
		message_error(
			"loading the BPF programs was refused (EPERM). locktrace needs root, or CAP_BPF, "
			"CAP_PERFMON and CAP_SYSLOG; see locktrace check.");
	else
		message_error("loading the BPF programs failed: %s (program '%s'). Run with -v for the "
			      "verifier's words.",
			      strerror(-err), failed_program);
}

/* Loads the programs that are marked, but for those that this kernel's verifier refuses. */
int load_marked(struct tracer *t)
{
	int err, tries = 0;

	do {
		failed_program[0] = '\0';
		err = load_once(t, &t->instances[t->instance_count].object);
	} while (err && err != -EPERM && tries++ < LOAD_TRIES && targets_do_without(t, failed_program, err));
	if (!err)
		memcpy(t->instances[t->instance_count++].modules, t->new_modules,
		       sizeof(t->instances[0].modules));
	return err;
}

int load_instance(struct tracer *t, const bool *new_modules)
{
	int err;

	t->new_modules = new_modules;
	if (!t->by_contention) {
		targets_plan(t, new_modules);
		targets_find_calls(t);
		err = targets_check_required(t);
		if (err)
			return err;
	}
	err = load_marked(t);
	if (err)
		load_explain_failure(err);
	return err;
}

int load_reader(struct tracer *t)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = types_custom_path(t->types));
	struct locktrace_bpf *object = locktrace_bpf__open_opts(&opts);
	struct bpf_program *program;
	int err;

	if (!object)
		return -errno;
	bpf_object__for_each_program (program, object->obj)
		bpf_program__set_autoload(program, program == object->progs.peek);
	t->instances[t->instance_count++].object = object;
	err = locktrace_bpf__load(object);
	if (err)
		load_explain_failure(err);
	return err;
}
