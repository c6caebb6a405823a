/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See contention.h; the kernel side of it is bpf/contention.bpf.h. */
#include "kernel/contention.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "locktrace/kernel_side.h"
#include "message.h"

#define LOOK_MS 1000
/* A foreign lock that nobody met for so long leaves: what is in its memory by then is not told to us. */
#define FOREIGN_KEPT_NS 60000000000ULL
/* Objects that live at a time. */
#define OBJECTS_MAX 16384
/* Functions are aligned to it. */
#define TEXT_STEP 16

static uint64_t clock_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

int contention_prepare(struct tracer *t)
{
	/* 16edd9b511a1 */
	if (!kallsyms_address(t->symbols, "", "__bpf_trace_contention_begin")) {
		message_error(
			"this kernel has no tracepoint contention_begin (new in Linux 5.19), so --attach "
			"contention cannot work here. Use auto, fentry or kprobe.");
		return -ENOTSUP;
	}
	if (t->options.attach == ATTACH_AUTO)
		message_info(
			"this kernel refuses BPF trampolines (fentry, fexit: EPERM) and has no kprobes; going "
			"on by the tracepoint contention_begin.");
	message_info("NOT all is seen: " CONTENTION_BLIND ".");
	if (t->options.every_lock)
		message_info("--every-lock is not possible by contention: left out");
	if (t->options.check_unlock)
		message_info("--check-unlock is not possible by contention: left out");
	t->options.every_lock = t->options.check_unlock = false;
	return 0;
}

void contention_select(struct tracer *t, struct locktrace_bpf *object)
{
	bool used = t->by_contention;

	bpf_program__set_autoload(object->progs.contention_begin, used && t->instance_count == 0);
	bpf_program__set_autoload(object->progs.take_leave, used);
}

/* Two kinds of mutex share their code but for this; ww_mutexes have an order of their own. */
static void find_ww_code(struct tracer *t, struct locktrace_bpf *object)
{
	uint64_t start = object->rodata->lock_text_start, end = object->rodata->lock_text_end, before = 0;
	struct lt_text_range *range = NULL;
	struct symbol symbol;
	size_t count = 0;

	for (uint64_t at = start; at < end; at += TEXT_STEP) {
		if (kallsyms_find(t->symbols, at, &symbol) || !strstr(symbol.name, "ww_mutex"))
			continue;
		if (!range || at != before + TEXT_STEP) {
			if (count == LT_WW_RANGES)
				return;
			range = &object->rodata->ww_text[count++];
			range->start = at;
		}
		range->size = at + TEXT_STEP - range->start;
		before = at;
	}
}

void contention_set_knobs(struct tracer *t, struct locktrace_bpf *object)
{
	if (!t->by_contention)
		return;
	object->rodata->looks_again = true;
	object->rodata->lock_text_start = kallsyms_address(t->symbols, "", "__sched_text_start");
	object->rodata->lock_text_end = kallsyms_address(t->symbols, "", "__sched_text_end");
	find_ww_code(t, object);
	bpf_map__set_max_entries(object->maps.watched, LT_WALK_MAX);
	bpf_map__set_max_entries(object->maps.sightings, OBJECTS_MAX);
}

int contention_attach(struct tracer *t, struct instance *instance)
{
	struct bpf_link *link;
	int err;

	if (!bpf_program__autoload(instance->object->progs.contention_begin))
		return 0;
	link = bpf_program__attach(instance->object->progs.contention_begin);
	err = (int)libbpf_get_error(link);
	if (err) {
		message_error("cannot attach to the tracepoint contention_begin: %s", strerror(-err));
		return err;
	}
	instance->links[instance->link_count++] = link;
	t->numbers.hooks_attached++;
	return 0;
}

/* Calls visit with each key of a map; it may delete that key. */
static void each_key(int fd, void *key, void *next, size_t size,
		     void (*visit)(struct tracer *t, const void *key), struct tracer *t)
{
	int err = bpf_map_get_next_key(fd, NULL, next);

	while (!err) {
		memcpy(key, next, size);
		err = bpf_map_get_next_key(fd, key, next);
		visit(t, key);
	}
}

static void leave_if_not_met(struct tracer *t, const void *key)
{
	int fd = bpf_map__fd(tracer_first(t)->maps.sightings);
	const struct lt_sighted_object *object = key;
	struct lt_sighting sighting;

	if (bpf_map_lookup_elem(fd, object, &sighting) || sighting.look == tracer_first(t)->bss->look_number)
		return;
	discover_object_gone(t, object->kind, object->addr);
	bpf_map_delete_elem(fd, object);
}

/* What is in the kernel image stays what it is. */
static bool is_stale(struct tracer *t, uint64_t address, const struct lt_watched *w)
{
	const struct locktrace_bpf *object = tracer_first(t);

	return w->class_id == LT_CLASS_FOREIGN &&
	       address - object->rodata->image_start >= object->rodata->image_size &&
	       clock_of(CLOCK_MONOTONIC) > w->met_ns + FOREIGN_KEPT_NS;
}

static void list_or_leave(struct tracer *t, const void *key)
{
	struct locktrace_bpf *object = tracer_first(t);
	struct lt_walk_list *list = &object->bss->walk_lists[!object->bss->walk_now];
	const uint64_t *address = key;
	struct lt_watched w;

	if (bpf_map_lookup_elem(bpf_map__fd(object->maps.watched), address, &w))
		return;
	if (is_stale(t, *address, &w))
		discover_foreign_gone(t, *address);
	else if (list->count < LT_WALK_MAX)
		list->lock[list->count++] = *address;
}

/* What the kernel side added to the list in use meanwhile may not have been met. */
static void list_watched(struct tracer *t)
{
	struct locktrace_bpf *object = tracer_first(t);
	struct lt_walk_list *now = &object->bss->walk_lists[object->bss->walk_now];
	struct lt_walk_list *next = &object->bss->walk_lists[!object->bss->walk_now];
	uint64_t from = now->count, key, scratch;

	next->count = 0;
	each_key(bpf_map__fd(object->maps.watched), &key, &scratch, sizeof(key), list_or_leave, t);
	for (; from < now->count && from < LT_WALK_MAX && next->count < LT_WALK_MAX; from++)
		next->lock[next->count++] = now->lock[from];
	__atomic_store_n(&object->bss->walk_now, !object->bss->walk_now, __ATOMIC_RELEASE);
}

int contention_look(struct tracer *t)
{
	struct locktrace_bpf *object = tracer_first(t);
	struct lt_sighted_object key, next;
	int err;

	t->last_look_ms = clock_of(CLOCK_MONOTONIC) / 1000000;
	object->bss->look_number++;
	err = discover_objects(t);
	/* A look that failed half way has not met all that lives. */
	if (!err)
		each_key(bpf_map__fd(object->maps.sightings), &key, &next, sizeof(key), leave_if_not_met, t);
	list_watched(t);
	return err;
}

void contention_tick(struct tracer *t)
{
	if (clock_of(CLOCK_MONOTONIC) / 1000000 - t->last_look_ms >= LOOK_MS && contention_look(t))
		t->objects_missed++;
}

/*
 * A mutex is waited for by a task, with preemption off: its call cannot come on top of another one.
 * What the guard skips is a spinlock's, and those are not looked at anyway.
 */
bool contention_misses_nothing(const struct bpf_program *program)
{
	return !strcmp(bpf_program__name(program), "contention_begin");
}
