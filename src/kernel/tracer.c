/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Loading and attaching. The object is opened once for all modules that are
 * there, and once more for each that comes later: its types can only be
 * relocated then. All instances share the maps of the first. See tracer.h.
 */
#include "kernel/tracer.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel/hooks.h"
#include "kernel/tracer_internal.h"
#include "locktrace/kernel_side.h"
#include "message.h"

/* A program that the verifier refuses is left out and the rest tried again, this often. */
#define LOAD_TRIES 4
/* Foreign locks are looked over this often, and let go when taken so often without one under them. */
#define SWEEP_MS 10000
#define LET_GO_AFTER 10000

static const char *const attach_names[] = { "auto", "fentry", "kprobe" };

const char *attach_kind_name(enum attach_kind kind)
{
	return attach_names[kind];
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

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

static int module_index(const char *module)
{
	for (size_t i = 0; i < hook_module_count; i++)
		if (!strcmp(hook_modules[i], module))
			return (int)i;
	return -1;
}

/* A module is usable when it is live, not while its init still runs; built in, it always is. */
static bool module_present(struct tracer *t, const char *module)
{
	char path[128], state[16] = "";
	FILE *file;

	if (!*module)
		return true;
	snprintf(path, sizeof(path), "/sys/module/%s/initstate", module);
	file = fopen(path, "re");
	if (file) {
		if (!fgets(state, sizeof(state), file))
			state[0] = '\0';
		fclose(file);
		return !strncmp(state, "live", 4);
	}
	for (size_t i = 0; i < hook_count; i++)
		if (!strcmp(hooks[i].module, module) && kallsyms_address(t->symbols, "", hooks[i].function))
			return true;
	return false;
}

bool tracer_has_module(const struct tracer *tracer, const char *module)
{
	int i = module_index(module);

	return i >= 0 && tracer->module_attached[i];
}

enum attach_kind tracer_attach_kind(const struct tracer *tracer)
{
	return tracer->attach;
}

bool tracer_counts_misses(const struct tracer *tracer)
{
	return !tracer->uses_kprobes;
}

/*
 * For each hook whether and how its function can be reached, found once for an
 * instance: the look-up in the kernel's BTF is a long one.
 */
static struct target {
	bool exists, in_btf;
	uint32_t btf_id;
	int btf_fd;
} targets[HOOKS_MAX];

static void find_targets(struct tracer *t, const bool *new_modules)
{
	for (size_t i = 0; i < hook_count; i++) {
		const struct hook *h = &hooks[i];

		memset(&targets[i], 0, sizeof(targets[i]));
		if (!new_modules[module_index(h->module)])
			continue;
		if (i && !strcmp(h->function, hooks[i - 1].function)) {
			targets[i] = targets[i - 1];
			continue;
		}
		targets[i].exists = kallsyms_address(t->symbols, h->module, h->function) != 0;
		if (!targets[i].exists)
			message_note("%s is not in this kernel", h->function);
		else if (t->attach == ATTACH_FENTRY)
			targets[i].in_btf = !types_function(t->types, h->module, h->function,
							    &targets[i].btf_id, &targets[i].btf_fd);
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

	if (!targets[i].exists)
		return false;
	if (hooks[i].form == FORM_FENTRY) {
		if (t->options.attach == ATTACH_FENTRY && !targets[i].in_btf) {
			message_note("%s is in no BTF, so fentry cannot reach it", hooks[i].function);
			t->attach_failed++;
		}
		return fentry;
	}
	return !fentry && t->options.attach != ATTACH_FENTRY;
}

/*
 * libbpf looks a target up in the kernel's BTF first and in that of each module
 * then, anew for each program. We know it already, and in which module.
 */
static int set_target(struct bpf_program *program, struct bpf_prog_load_opts *opts, long cookie)
{
	(void)cookie;
	for (size_t i = 0; i < hook_count; i++) {
		if (strcmp(hooks[i].program, bpf_program__name(program)) != 0)
			continue;
		opts->attach_btf_id = targets[i].btf_id;
		opts->attach_btf_obj_fd = (uint32_t)targets[i].btf_fd;
		return 0;
	}
	return -ENOENT;
}

static int register_sections(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = set_target);

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
	uint64_t start = symbol(t, "_stext");

	object->rodata->every_lock = t->options.every_lock;
	object->rodata->image_start = start;
	object->rodata->image_size = symbol(t, "_end") - start;
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
	if (err == -EPERM && geteuid() == 0 && t->attach == ATTACH_FENTRY)
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
static int load_instance(struct tracer *t, const bool *new_modules)
{
	char denied[LOAD_TRIES][64];
	size_t denied_count = 0;
	int err;

	find_targets(t, new_modules);
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
	link = attach_hook(h, program);
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

/* Locks last: what they see is then understood from the first call on. */
static int attach_instance(struct tracer *t, struct instance *instance)
{
	static const enum hook_role order[] = { ROLE_INIT, ROLE_OBJECT, ROLE_SCOPE, ROLE_LOCK };
	bool refused = false;

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

static int run_setup(struct tracer *t)
{
	uint64_t args[1] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));
	struct locktrace_bpf *object = tracer_first(t);
	struct bpf_link *link;
	int err;

	err = bpf_prog_test_run_opts(bpf_program__fd(object->progs.setup), &opts);
	if (err || opts.retval || !object->bss->anchor_addr) {
		message_error("the kernel does not run BPF programs on request (BPF_PROG_TEST_RUN: %s).",
			      strerror(-err));
		return err ? err : -EIO;
	}
	link = bpf_program__attach(object->progs.task_free);
	err = (int)libbpf_get_error(link);
	if (err) {
		message_error("cannot attach to the tracepoint sched_process_free: %s", strerror(-err));
		return err;
	}
	t->instances[0].links[t->instances[0].link_count++] = link;
	return 0;
}

static int record_arrived(void *context, void *data, size_t size)
{
	struct tracer *t = context;

	if (t->handler && size >= sizeof(struct lt_record_header))
		t->handler(t->handler_context, data, size);
	return 0;
}

/* Loads, attaches and looks round for the modules marked. */
static int bring_up(struct tracer *t, const bool *new_modules)
{
	uint64_t start = now_ms(), loaded, attached;
	int err = load_instance(t, new_modules);

	if (err)
		return err;
	loaded = now_ms();
	if (t->instance_count == 1) {
		err = run_setup(t);
		if (err)
			return err;
		t->ring =
			ring_buffer__new(bpf_map__fd(tracer_first(t)->maps.records), record_arrived, t, NULL);
		if (!t->ring) {
			message_error("cannot read the ring buffer: %s", strerror(errno));
			return -errno;
		}
	}
	discover_fill_tables(t);
	err = attach_instance(t, &t->instances[t->instance_count - 1]);
	if (err)
		return err;
	for (size_t i = 0; i < hook_module_count; i++)
		t->module_attached[i] = t->module_attached[i] || new_modules[i];
	attached = now_ms();
	/* Our own programs and trampolines are among the symbols now: to know them in stack traces. */
	kallsyms_invalidate(t->symbols);
	err = discover_all(t);
	message_note("loaded in %llu ms, attached in %llu ms, looked round in %llu ms",
		     (unsigned long long)(loaded - start), (unsigned long long)(attached - loaded),
		     (unsigned long long)(now_ms() - attached));
	return err;
}

static size_t round_ring(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), rounded = page;

	while (rounded < size && rounded < (1UL << 30))
		rounded *= 2;
	return rounded;
}

int tracer_open(const struct tracer_options *options, struct kallsyms *symbols, struct types *types,
		struct tracer **out)
{
	bool present[MODULES_MAX] = { false };
	struct tracer *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->options = *options;
	if (t->options.ring_size)
		t->options.ring_size = round_ring(t->options.ring_size);
	t->symbols = symbols;
	t->types = types;
	t->attach = options->attach == ATTACH_AUTO ? ATTACH_FENTRY : options->attach;
	libbpf_set_print(libbpf_message);
	err = register_sections();
	if (err) {
		message_error("libbpf is too old: it does not let us name the targets of programs");
		tracer_close(t);
		return err;
	}
	for (size_t i = 0; i < hook_module_count; i++)
		present[i] = module_present(t, hook_modules[i]);
	err = bring_up(t, present);
	if (err) {
		tracer_close(t);
		return err;
	}
	*out = t;
	return 0;
}

void tracer_close(struct tracer *tracer)
{
	if (!tracer)
		return;
	for (size_t i = tracer->instance_count; i-- > 0;) {
		struct instance *instance = &tracer->instances[i];

		for (size_t k = instance->link_count; k-- > 0;)
			bpf_link__destroy(instance->links[k]);
	}
	ring_buffer__free(tracer->ring);
	for (size_t i = tracer->instance_count; i-- > 0;)
		locktrace_bpf__destroy(tracer->instances[i].object);
	free(tracer);
}

int tracer_set_handler(struct tracer *tracer, record_handler handler, void *context)
{
	tracer->handler = handler;
	tracer->handler_context = context;
	return 0;
}

int tracer_poll(struct tracer *tracer, int timeout_ms)
{
	return ring_buffer__poll(tracer->ring, timeout_ms);
}

static void filter_move(struct tracer *t, uint64_t address, uint32_t change)
{
	__atomic_fetch_add(&tracer_first(t)->bss->filter[lt_filter_index(address)], change, __ATOMIC_RELAXED);
}

/* A busy foreign lock that never has one under it leaves the filter; one that got one comes back. */
static void sweep_one(struct tracer *t, int fd, uint64_t address, struct lt_watched *w)
{
	bool gone = w->flags & LT_WATCHED_LET_GO, outer = w->flags & LT_WATCHED_OUTER;

	if (w->class_id != LT_CLASS_FOREIGN || gone == (!outer && (gone || w->taken >= LET_GO_AFTER)))
		return;
	w->flags ^= LT_WATCHED_LET_GO;
	if (bpf_map_update_elem(fd, &address, w, BPF_EXIST))
		return;
	filter_move(t, address, gone ? 1 : (uint32_t)-1);
	t->numbers.let_go += !gone;
}

static void sweep(struct tracer *t)
{
	int fd = bpf_map__fd(tracer_first(t)->maps.watched);
	uint64_t key, next;
	void *last = NULL;
	struct lt_watched w;

	if (now_ms() - t->last_sweep_ms < SWEEP_MS)
		return;
	t->last_sweep_ms = now_ms();
	while (!bpf_map_get_next_key(fd, last, &next)) {
		if (!bpf_map_lookup_elem(fd, &next, &w))
			sweep_one(t, fd, next, &w);
		key = next;
		last = &key;
	}
}

int tracer_tick(struct tracer *tracer)
{
	bool arrived[MODULES_MAX] = { false };
	int count = 0, err;

	sweep(tracer);
	for (size_t i = 0; i < hook_module_count; i++) {
		if (tracer->module_attached[i] || !module_present(tracer, hook_modules[i]))
			continue;
		arrived[i] = true;
		count++;
	}
	if (!count || tracer->instance_count == INSTANCES_MAX)
		return 0;
	kallsyms_reload(tracer->symbols);
	err = bring_up(tracer, arrived);
	for (size_t i = 0; i < hook_module_count; i++) {
		if (!arrived[i])
			continue;
		/* What ran in it before is not known; what failed is not tried again and again. */
		snprintf(tracer->late_modules + strlen(tracer->late_modules),
			 sizeof(tracer->late_modules) - strlen(tracer->late_modules), "%s%s",
			 *tracer->late_modules ? ", " : "", hook_modules[i]);
		tracer->module_attached[i] = true;
		tracer->attach_failed += err != 0;
	}
	return count;
}

const char *tracer_late_modules(const struct tracer *tracer)
{
	return tracer->late_modules;
}

/* Calls that a trampoline program skipped because another task was inside it (ca06f55b9002, 5.12). */
static uint64_t recursion_misses(const struct tracer *t)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->instance_count; i++) {
		struct bpf_program *program;

		bpf_object__for_each_program (program, t->instances[i].object->obj) {
			struct bpf_prog_info info = { 0 };
			uint32_t size = sizeof(info);

			if (bpf_program__fd(program) >= 0 &&
			    !bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
				sum += info.recursion_misses;
		}
	}
	return sum;
}

void tracer_lost(struct tracer *tracer, uint64_t lost[LT_LOST_KINDS])
{
	for (int i = 0; i < LT_LOST_KINDS; i++)
		lost[i] = __atomic_load_n(&tracer_first(tracer)->bss->lost[i], __ATOMIC_RELAXED);
	lost[LT_LOST_RECURSION] += recursion_misses(tracer);
	lost[LT_LOST_ATTACH] += tracer->attach_failed;
}

void tracer_numbers(struct tracer *tracer, struct tracer_numbers *out)
{
	*out = tracer->numbers;
	out->foreign = tracer_first(tracer)->bss->foreign_now;
	out->tasks_inside = tracer_first(tracer)->bss->tasks_inside;
}

int tracer_lock_owner(struct tracer *tracer, uint64_t address, uint64_t *owner)
{
	struct type_member member;
	int err = types_member(tracer->types, NULL, "mutex", "owner", &member);

	if (!err)
		err = discover_read(tracer, address + member.offset, owner, sizeof(*owner));
	*owner &= ~7ULL; /* MUTEX_FLAGS, kernel/locking/mutex.c */
	return err;
}

int tracer_last_call(struct tracer *tracer, uint64_t task, struct tracer_call *out)
{
	struct lt_task_held held;
	const struct lt_held *last;

	if (bpf_map_lookup_elem(bpf_map__fd(tracer_first(tracer)->maps.held), &task, &held) || !held.count ||
	    held.count > LT_HELD_MAX)
		return -ENOENT;
	last = &held.held[held.count - 1];
	if (last->flags & LT_HELD_TRYLOCK)
		return -ENOENT;
	*out = (struct tracer_call){ .lock = last->last_addr, .tid = held.tid };
	return 0;
}

uint64_t tracer_chain_hits(struct tracer *tracer, uint64_t key)
{
	struct lt_chain_seen seen;

	if (bpf_map_lookup_elem(bpf_map__fd(tracer_first(tracer)->maps.chains), &key, &seen))
		return 0;
	return seen.hits;
}

/* A row of either class table, as far as its state is concerned. */
static const struct {
	const char *name, *module, *structure, *member, *symbol;
} class_rows[LT_CLASS_DECLARED_END] = {
#define MODULE_OF_VM "kvm"
#define MODULE_OF_VCPU "kvm"
#define MODULE_OF_KVM_VFIO "kvm"
#define MODULE_OF_GROUP "vfio"
#define MODULE_OF_DEV_SET "vfio"
#define MODULE_OF_PCI "vfio_pci_core"
#define MODULE_OF_IOMMU "vfio_iommu_type1"
#define MEMBER_ROW(id, kind, type, member, lockdep) \
	[LT_CLASS_##id] = { #type "." #member, MODULE_OF_##kind, #type, #member, NULL },
	LT_MEMBER_CLASSES(MEMBER_ROW)
#define STATIC_ROW(id, module, name, symbol, structure, member, lockdep) \
	[LT_CLASS_##id] = { name, module, structure, member, symbol },
		LT_STATIC_CLASSES(STATIC_ROW)
};

enum class_state tracer_class_state(struct tracer *tracer, uint32_t class_id, const char **name)
{
	struct type_member member;
	bool there;

	*name = class_rows[class_id].name;
	if (!tracer_has_module(tracer, class_rows[class_id].module))
		return CLASS_WAITING;
	if (class_id == LT_CLASS_STATIC_VFIO_GROUP_LOCK)
		there = tracer->vfio_lock_address != 0;
	else if (class_rows[class_id].symbol)
		there = kallsyms_address(tracer->symbols, class_rows[class_id].module,
					 class_rows[class_id].symbol) != 0;
	else
		there = !types_member(tracer->types, class_rows[class_id].module,
				      class_rows[class_id].structure, class_rows[class_id].member, &member) &&
			!strcmp(member.type_name, "mutex");
	return there ? CLASS_WATCHED : CLASS_MISSING;
}
