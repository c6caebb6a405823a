/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The kernel side from its start to its end: loads (load.c), attaches (attach.c), looks round
 * (discover.c), hands out records, keeps house, counts. See tracer.h.
 */
#include "kernel/tracer.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel/attach_order.h"
#include "kernel/attach_probe.h"
#include "kernel/contention.h"
#include "kernel/hooks.h"
#include "kernel/modules.h"
#include "kernel/targets.h"
#include "kernel/tracer_internal.h"
#include "locktrace/kernel_side.h"
#include "message.h"

/* Foreign locks are looked over this often, and let go when taken so often without one under them. */
#define SWEEP_MS 10000
#define LET_GO_AFTER 10000

static const char *const attach_names[] = { "auto", "fentry", "kprobe", "kprobe.multi", "contention" };

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

bool tracer_has_module(const struct tracer *tracer, const char *module)
{
	int i = hook_module_index(module);

	return i >= 0 && tracer->module_attached[i];
}

const char *tracer_attach_kinds(const struct tracer *tracer)
{
	return tracer->attach_kinds;
}

bool tracer_by_contention(const struct tracer *tracer)
{
	return tracer->by_contention;
}

bool tracer_counts_misses(const struct tracer *tracer)
{
	return tracer->misses.counted ||
	       (!tracer->attached[ATTACH_KPROBE] && !tracer->attached[ATTACH_KPROBE_MULTI]);
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
	static struct lt_record_chain copy;
	struct tracer *t = context;

	if (t->handler && size >= sizeof(struct lt_record_header))
		return t->handler(t->handler_context, readers_sift(t, data, size, &copy), size);
	return 0;
}

/*
 * Whether a module can be attached to. Its id comes first: it may go and come back while it is attached to.
 * It may also have come after the symbols were read: they are then read again.
 */
static bool has_come(struct tracer *t, size_t module)
{
	enum module_state state;

	t->module_ids[module] = module_id(hook_modules[module]);
	state = module_state(t->symbols, hook_modules[module]);
	if (state == MODULE_LIVE && !kallsyms_knows_module(t->symbols, hook_modules[module]))
		kallsyms_modules_changed(t->symbols);
	return state != MODULE_ABSENT;
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
	err = attach_all(t);
	if (err)
		return err;
	for (size_t i = 0; i < hook_module_count; i++)
		t->module_attached[i] = t->module_attached[i] || new_modules[i];
	attached = now_ms();
	/* Our own programs and trampolines are among the symbols now: to know them in stack traces. */
	kallsyms_invalidate(t->symbols);
	err = t->by_contention ? contention_look(t) : discover_all(t);
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

void tracer_choose_kinds(struct tracer *t)
{
	const char *how;
	enum preemption mode = preemption_mode(t->types, t->symbols, &how);
	bool no_fentry = t->options.attach == ATTACH_AUTO && attach_probe_refuses_fentry(t->types);

	t->preempts = preemption_preempts(mode);
	t->order = attach_order(t->options.attach, mode, no_fentry);
	message_note("preemption: %s (%s)%s", preemption_name(mode), how,
		     t->preempts ? ": fentry programs can skip calls here" : "");
	if (no_fentry)
		message_note("this kernel refuses BPF trampolines (fentry, fexit): they are not tried");
	misses_find(t->types, &t->misses);
}

static int choose_attach(struct tracer *t)
{
	t->by_contention = t->options.attach == ATTACH_CONTENTION ||
			   (t->options.attach == ATTACH_AUTO && attach_probe_refuses_all(t->types));
	if (t->by_contention && t->mutex.realtime) {
		message_error(
			"by contention the mutexes of a PREEMPT_RT kernel are not seen, and nothing can be "
			"attached to its functions otherwise.");
		return -ENOTSUP;
	}
	if (t->by_contention) {
		snprintf(t->attach_kinds, sizeof(t->attach_kinds), "%s", attach_kind_name(ATTACH_CONTENTION));
		return contention_prepare(t);
	}
	tracer_choose_kinds(t);
	return 0;
}

static int find_mutexes(struct tracer *t)
{
	int err = mutex_layout_find(t->types, &t->mutex);

	if (err)
		message_error("this kernel's struct mutex has no owner that locktrace knows of (PREEMPT_RT "
			      "before 5.15 has a mutex of its own): who holds a lock cannot be told here.");
	return err;
}

const char *tracer_rwsems_refused(const struct tracer *t)
{
	if (t->mutex.realtime)
		return "rwsems of a PREEMPT_RT kernel are other structures, and who reads them is not known there";
	if (t->by_contention)
		return "only the tracepoint contention_begin is attached to, which does not tell who holds an rwsem";
	/* A map's system call that is preempted lets kprobes on its CPU be skipped: bpf_prog_active. */
	if (t->preempts && *t->order != ATTACH_FENTRY && !t->misses.counted)
		return "this kernel preempts tasks in its own code and does not tell which calls kprobes miss, so that a "
		       "read may seem to last that is over. With --attach fentry, or without preemption "
		       "(preempt=voluntary), it is";
	return NULL;
}

/* What is asked for and cannot be is refused: a watch that goes on without it looks like one with it. */
static int check_rwsems(struct tracer *t)
{
	const char *why = t->options.rwsem ? tracer_rwsems_refused(t) : NULL;

	if (why)
		message_error("--rwsem is not possible here: %s. Run it without --rwsem.", why);
	return why ? -ENOTSUP : 0;
}

int tracer_open_reader(struct kallsyms *symbols, struct types *types, struct tracer **out)
{
	struct tracer *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->symbols = symbols;
	t->types = types;
	err = find_mutexes(t);
	if (!err)
		err = load_prepare();
	if (!err)
		err = load_reader(t);
	if (err) {
		tracer_close(t);
		return err;
	}
	*out = t;
	return 0;
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
	err = find_mutexes(t);
	if (!err)
		err = choose_attach(t);
	if (!err)
		err = check_rwsems(t);
	if (err) {
		tracer_close(t);
		return err;
	}
	err = load_prepare();
	if (err) {
		message_error("libbpf is too old: it does not let us name the targets of programs");
		tracer_close(t);
		return err;
	}
	t->modules_hash = options->modules;
	for (size_t i = 0; i < hook_module_count; i++)
		present[i] = has_come(t, i);
	err = targets_check_kind(t);
	if (!err)
		err = bring_up(t, present);
	if (err) {
		tracer_close(t);
		return err;
	}
	t->started = true;
	*out = t;
	return 0;
}

void tracer_detach(struct tracer *tracer)
{
	tracer->missed_by_detached = misses_of_links(tracer);
	for (size_t i = tracer->instance_count; i-- > 0;) {
		struct instance *instance = &tracer->instances[i];

		while (instance->link_count)
			bpf_link__destroy(instance->links[--instance->link_count]);
	}
}

void tracer_close(struct tracer *tracer)
{
	if (!tracer)
		return;
	if (tracer->measuring)
		close(tracer->stats_fd);
	tracer_detach(tracer);
	ring_buffer__free(tracer->ring);
	for (size_t i = tracer->instance_count; i-- > 0;)
		locktrace_bpf__destroy(tracer->instances[i].object);
	free(tracer->late_modules);
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
	__atomic_fetch_add(&tracer_first(t)->bss->let_go_now, gone ? (uint64_t)-1 : 1, __ATOMIC_RELAXED);
	t->numbers.let_go += !gone;
}

static void sweep(struct tracer *t)
{
	int fd = bpf_map__fd(tracer_first(t)->maps.watched);
	uint64_t key, next;
	void *last = NULL;
	struct lt_watched w;

	if (t->by_contention || now_ms() - t->last_sweep_ms < SWEEP_MS)
		return;
	t->last_sweep_ms = now_ms();
	while (!bpf_map_get_next_key(fd, last, &next)) {
		if (!bpf_map_lookup_elem(fd, &next, &w))
			sweep_one(t, fd, next, &w);
		key = next;
		last = &key;
	}
}

/* What was known of a module is not true any more. */
static void forget_module(struct tracer *t, const char *module)
{
	types_forget(t->types, module);
	kallsyms_modules_changed(t->symbols);
	t->modules_hash = 0; /* it may have come back already: that is a change too */
}

/* The first one owns the maps; one with a call in it may be for a module that is not among these. */
static bool is_instance_done(const struct tracer *t, size_t i)
{
	bool any = false;

	for (size_t k = 0; k < hook_module_count; k++) {
		if (t->instances[i].modules[k] && t->module_attached[k])
			return false;
		any = any || t->instances[i].modules[k];
	}
	return i && any;
}

/* Modules may come and go often: what was attached to those that went makes room. */
static void release_instances(struct tracer *t)
{
	for (size_t i = t->instance_count; i-- > 1;) {
		struct instance *instance = &t->instances[i];

		if (!is_instance_done(t, i))
			continue;
		t->missed_by_detached += misses_of_instance_links(t, instance);
		t->missed_by_unloaded += misses_of_instance_programs(instance);
		while (instance->link_count)
			bpf_link__destroy(instance->links[--instance->link_count]);
		locktrace_bpf__destroy(instance->object);
		memmove(instance, instance + 1, (--t->instance_count - i) * sizeof(*instance));
	}
}

static void notice_hooks_unloaded(struct tracer *t)
{
	bool gone = false;

	for (size_t i = 0; i < hook_module_count; i++) {
		if (!t->module_attached[i] || (module_state(t->symbols, hook_modules[i]) != MODULE_ABSENT &&
					       module_id(hook_modules[i]) == t->module_ids[i]))
			continue;
		message_info("module %s was unloaded; it is attached to again when it comes back",
			     hook_modules[i]);
		t->module_attached[i] = false;
		t->attach_failed += !t->by_contention;
		discover_module_gone(t, hook_modules[i]);
		forget_module(t, hook_modules[i]);
		gone = true;
	}
	if (gone)
		release_instances(t);
}

/* Kprobes do not keep a module from being unloaded; they, and what was watched in it, go with it. */
static void notice_unloaded(struct tracer *t)
{
	notice_hooks_unloaded(t);
	for (size_t i = 0; i < t->options.user_class_count; i++) {
		const struct user_class_state *state = &t->user_classes[i];

		if (!state->placed || module_id(state->place.module) == state->module_id)
			continue;
		message_info("module %s was unloaded; %s is watched again when it comes back",
			     state->place.module, t->options.user_classes[i].lock.name);
		forget_module(t, state->place.module);
		discover_user_class_gone(t, i);
	}
	for (size_t i = 0; i < t->options.call_count; i++) {
		struct call_state *call = &t->calls[i];

		if ((!call->attached && !call->refused) || module_id(call->module) == call->module_id)
			continue;
		forget_module(t, call->module);
		memset(call, 0, sizeof(*call));
	}
}

/* Only the functions that rules speak of, in modules that none of our hooks are for. */
static int bring_up_calls(struct tracer *t)
{
	static const bool no_modules[MODULES_MAX];
	int err = load_instance(t, no_modules);

	if (!err)
		err = attach_all(t);
	kallsyms_invalidate(t->symbols);
	return err;
}

/* What the user's rules speak of may be there now. */
static void look_for_own(struct tracer *t)
{
	if (t->look_for_calls && targets_find_calls(t) &&
	    (t->instance_count == INSTANCES_MAX || bring_up_calls(t)))
		t->attach_failed++;
	t->look_for_calls = false;
	discover_user_classes(t);
}

bool tracer_modules_changed(struct tracer *tracer)
{
	uint64_t hash;

	notice_unloaded(tracer);
	hash = modules_hash();
	if (hash == tracer->modules_hash)
		return false;
	tracer->modules_hash = hash;
	tracer->look_for_calls = true;
	kallsyms_modules_changed(tracer->symbols);
	types_forget_gone(tracer->types);
	for (size_t i = 0; i < tracer->options.user_class_count; i++)
		tracer->user_classes[i].refused = false;
	return true;
}

static bool is_late(const struct tracer *t, const char *module)
{
	size_t length = strlen(module);

	for (const char *at = t->late_modules; at; at = strstr(at, ", ")) {
		at += at == t->late_modules ? 0 : strlen(", ");
		if (!strncmp(at, module, length) && (!at[length] || at[length] == ','))
			return true;
	}
	return false;
}

void tracer_add_late(struct tracer *t, const char *module)
{
	char *longer;

	t->late_count += *module != '\0';
	if (!*module || is_late(t, module))
		return;
	if (asprintf(&longer, "%s%s%s", tracer_late_modules(t), t->late_modules ? ", " : "", module) < 0)
		return;
	free(t->late_modules);
	t->late_modules = longer;
}

int tracer_tick(struct tracer *tracer)
{
	bool arrived[MODULES_MAX] = { false };
	uint64_t late = tracer->late_count;
	int count = 0, err;

	readers_check(tracer);
	sweep(tracer);
	if (tracer->by_contention)
		contention_tick(tracer);
	for (size_t i = 0; i < hook_module_count; i++) {
		if (tracer->module_attached[i] || !has_come(tracer, i))
			continue;
		arrived[i] = true;
		count++;
	}
	if (!count) {
		look_for_own(tracer);
		return (int)(tracer->late_count - late);
	}
	if (tracer->instance_count == INSTANCES_MAX) {
		tracer->attach_failed += (uint64_t)count;
		for (size_t i = 0; i < hook_module_count; i++)
			tracer->module_attached[i] = tracer->module_attached[i] || arrived[i];
		return -ENOSPC;
	}
	err = bring_up(tracer, arrived);
	tracer->look_for_calls = tracer->look_for_calls && err;
	for (size_t i = 0; i < hook_module_count; i++) {
		if (!arrived[i])
			continue;
		/* What ran in it before is not known; what failed is not tried again and again. */
		tracer_add_late(tracer, hook_modules[i]);
		tracer->module_attached[i] = true;
		tracer->attach_failed += err != 0;
	}
	return err ? err : count;
}

void tracer_rules_changed(struct tracer *tracer)
{
	__atomic_fetch_add(&tracer_first(tracer)->bss->rules_epoch, 1, __ATOMIC_RELAXED);
}

const char *tracer_late_modules(const struct tracer *tracer)
{
	return tracer->late_modules ? tracer->late_modules : "";
}

void tracer_lost(struct tracer *tracer, uint64_t lost[LT_LOST_KINDS])
{
	for (int i = 0; i < LT_LOST_KINDS; i++)
		lost[i] = __atomic_load_n(&tracer_first(tracer)->bss->lost[i], __ATOMIC_RELAXED);
	lost[LT_LOST_RECURSION] += misses_count(tracer);
	lost[LT_LOST_ATTACH] += tracer->attach_failed;
	lost[LT_LOST_OBJECTS] += tracer->objects_missed;
	lost[LT_LOST_WATCHED] += tracer->watched_failed;
}

void tracer_numbers(struct tracer *tracer, struct tracer_numbers *out)
{
	*out = tracer->numbers;
	out->foreign = tracer_first(tracer)->bss->foreign_now;
	out->tasks_inside = tracer_first(tracer)->bss->tasks_inside;
}

static bool is_rwsem(struct tracer *t, uint64_t address)
{
	struct lt_watched watched;

	return !bpf_map_lookup_elem(bpf_map__fd(tracer_first(t)->maps.watched), &address, &watched) &&
	       watched.flags & LT_WATCHED_RWSEM;
}

static int read_rwsem(struct tracer *t, uint64_t address, const char *name, uint64_t *value)
{
	struct type_member member;
	int err = types_member(t->types, NULL, "rw_semaphore", name, &member);

	return err ? err : discover_read(t, address + member.offset, value, sizeof(*value));
}

int tracer_lock_owner(struct tracer *tracer, uint64_t address, uint64_t *owner)
{
	int err;

	if (!is_rwsem(tracer, address)) {
		if (!tracer->mutex.flags)
			return -ENOENT;
		err = discover_read(tracer, address + tracer->mutex.owner, owner, sizeof(*owner));
		*owner &= ~tracer->mutex.flags;
		return err;
	}
	err = read_rwsem(tracer, address, "owner", owner);
	/* RWSEM_READER_OWNED, RWSEM_OWNER_FLAGS_MASK: kernel/locking/rwsem.c */
	*owner = *owner & 1 ? 0 : *owner & ~7ULL;
	return err;
}

int tracer_readers(struct tracer *tracer, uint64_t address, uint64_t *readers)
{
	uint64_t count;
	int err = read_rwsem(tracer, address, "count", &count);

	/* RWSEM_WRITER_LOCKED, RWSEM_READER_SHIFT, RWSEM_FLAG_READFAIL */
	if (!err)
		*readers = count & 1 ? 0 : (count & ~(1ULL << 63)) >> 8;
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
	if (last->flags & (LT_HELD_TRYLOCK | LT_HELD_RELEASED))
		return -ENOENT;
	*out = (struct tracer_call){ .lock = last->last_addr,
				     .tid = held.tid,
				     .writing =
					     last->flags & LT_HELD_RWSEM && !(last->flags & LT_HELD_READ) };
	return 0;
}

void tracer_each_call(struct tracer *tracer,
		      void (*visit)(void *context, uint64_t task, const struct tracer_call *call),
		      void *context)
{
	struct bpf_map *held = tracer_first(tracer)->maps.held;
	uint64_t task, next;
	void *last = NULL;

	/* Behind a task that has gone meanwhile the kernel begins anew: so not more than can be there. */
	for (uint32_t i = 0; i < bpf_map__max_entries(held); i++) {
		struct tracer_call call;

		if (bpf_map_get_next_key(bpf_map__fd(held), last, &next))
			break;
		if (!tracer_last_call(tracer, next, &call))
			visit(context, next, &call);
		task = next;
		last = &task;
	}
}

int tracer_watched(const struct tracer *tracer, uint64_t address, uint32_t *class_id, uint64_t *object)
{
	struct lt_watched watched;

	if (bpf_map_lookup_elem(bpf_map__fd(tracer_first(tracer)->maps.watched), &address, &watched))
		return -ENOENT;
	*class_id = watched.class_id;
	*object = watched.object;
	return 0;
}

enum class_state tracer_user_class_state(const struct tracer *tracer, size_t index, const char **why)
{
	const struct user_class_state *state = &tracer->user_classes[index];

	*why = state->why;
	if (state->watched)
		return CLASS_WATCHED;
	return state->refused ? CLASS_MISSING : CLASS_WAITING;
}

bool tracer_call_attached(const struct tracer *tracer, size_t index)
{
	return tracer->calls[index].attached;
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
#define MODULE_OF_CONTAINER "vfio"
	LT_MEMBER_CLASSES(MEMBER_ROW) LT_RWSEM_CLASSES(MEMBER_ROW)
#define STATIC_ROW(id, module, name, symbol, structure, member, lockdep) \
	[LT_CLASS_##id] = { name, module, structure, member, symbol },
		LT_STATIC_CLASSES(STATIC_ROW)
};

uint32_t tracer_class_id(const char *name)
{
	for (uint32_t id = LT_CLASS_FOREIGN + 1; id < LT_CLASS_DECLARED_END; id++)
		if (!strcmp(class_rows[id].name, name))
			return id;
	return LT_CLASS_FOREIGN;
}

const char *tracer_class_name(uint32_t class_id)
{
	return class_id > LT_CLASS_FOREIGN && class_id < LT_CLASS_DECLARED_END ? class_rows[class_id].name
									       : NULL;
}

enum class_state tracer_class_state(struct tracer *tracer, uint32_t class_id, const char **name)
{
	bool rwsem = lt_class_is_rwsem(class_id), there;
	struct type_member member;

	*name = class_rows[class_id].name;
	if (class_rows[class_id].symbol && !kallsyms_has_data(tracer->symbols))
		return CLASS_MISSING;
	if (!tracer_has_module(tracer, class_rows[class_id].module))
		return CLASS_WAITING;
	if (class_id == LT_CLASS_STATIC_VFIO_GROUP_LOCK)
		there = tracer->statics[class_id] != 0;
	else if (class_rows[class_id].symbol)
		there = kallsyms_address(tracer->symbols, class_rows[class_id].module,
					 class_rows[class_id].symbol) != 0;
	else
		there = !types_member(tracer->types, class_rows[class_id].module,
				      class_rows[class_id].structure, class_rows[class_id].member, &member) &&
			!strcmp(member.type_name, rwsem ? "rw_semaphore" : "mutex");
	if (there && rwsem && !tracer->options.rwsem)
		return CLASS_UNFOLLOWED;
	return there ? CLASS_WATCHED : CLASS_MISSING;
}
