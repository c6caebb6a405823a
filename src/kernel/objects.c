/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * See objects.h. A tracer that has loaded only what looks round: the same programs, tables
 * and walks (discover.c) as at the start of a watch, without hooks.
 */
#include "kernel/objects.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/tracer_internal.h"
#include "locktrace/kernel_side.h"
#include "message.h"

/* All objects are told before the first record is read: room for 130,000 of them. */
#define RING_SIZE (16U << 20)

struct objects {
	struct tracer *tracer;
	record_handler handler;
	void *context;
};

static void select_programs(struct locktrace_bpf *object)
{
	struct bpf_program *program;

	bpf_object__for_each_program (program, object->obj) {
		bool wanted = program == object->progs.find_files || program == object->progs.introduce ||
			      program == object->progs.peek;

		bpf_program__set_autoload(program, wanted);
	}
}

/* Maps that only hooks fill: some are large, and their memory is taken when they are made. */
static void shrink_maps(struct locktrace_bpf *object)
{
	bpf_map__set_max_entries(object->maps.held, 1);
	bpf_map__set_max_entries(object->maps.chains, 1);
	bpf_map__set_max_entries(object->maps.inits, 1);
	bpf_map__set_max_entries(object->maps.calls, 1);
	bpf_map__set_max_entries(object->maps.owners, 1);
	bpf_map__set_max_entries(object->maps.records, RING_SIZE);
}

static int record_arrived(void *context, void *data, size_t size)
{
	const struct lt_record_header *record = data;
	struct objects *o = context;

	if (size < sizeof(*record) || record->type != LT_RECORD_OBJECT)
		return 0;
	return o->handler(o->context, record, size);
}

static int load(struct objects *o)
{
	struct tracer *t = o->tracer;
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = types_custom_path(t->types));
	struct locktrace_bpf *object;
	int err = load_prepare();

	if (err)
		return err;
	object = locktrace_bpf__open_opts(&opts);
	if (!object)
		return -errno;
	t->instances[t->instance_count++].object = object;
	select_programs(object);
	load_select_iterators(t, object);
	shrink_maps(object);
	err = locktrace_bpf__load(object);
	if (err)
		return err;
	t->ring = ring_buffer__new(bpf_map__fd(object->maps.records), record_arrived, o, NULL);
	return t->ring ? 0 : -errno;
}

int objects_open(const struct tracer_options *options, struct kallsyms *symbols, struct types *types,
		 struct objects **out)
{
	struct objects *o = calloc(1, sizeof(*o));
	int err = -ENOMEM;

	if (!o)
		return err;
	o->tracer = calloc(1, sizeof(*o->tracer));
	if (!o->tracer)
		goto cleanup;
	o->tracer->options = *options;
	o->tracer->symbols = symbols;
	o->tracer->types = types;
	/* Without it the locks cannot be read, and that is told of each. */
	mutex_layout_find(types, &o->tracer->mutex);
	err = load(o);
	if (err) {
		message_error("cannot load the BPF programs that look for VMs and devices: %s",
			      strerror(-err));
		goto cleanup;
	}
	discover_fill_tables(o->tracer);
	err = discover_objects(o->tracer);
	if (err)
		goto cleanup;
	*out = o;
	return 0;
cleanup:
	objects_close(o);
	return err;
}

void objects_close(struct objects *objects)
{
	if (!objects)
		return;
	tracer_close(objects->tracer);
	free(objects);
}

int objects_each(struct objects *objects, record_handler handler, void *context)
{
	objects->handler = handler;
	objects->context = context;
	return ring_buffer__consume(objects->tracer->ring);
}

int objects_each_lock(struct objects *objects, int (*visit)(void *context, const struct object_lock *lock),
		      void *context)
{
	int fd = bpf_map__fd(tracer_first(objects->tracer)->maps.watched), err = 0;
	uint64_t key, next;
	void *last = NULL;

	while (!err && !bpf_map_get_next_key(fd, last, &next)) {
		struct lt_watched watched;

		if (!bpf_map_lookup_elem(fd, &next, &watched)) {
			struct object_lock lock = { .addr = next,
						    .object = watched.object,
						    .class_id = watched.class_id };

			lock.readable = !tracer_lock_owner(objects->tracer, next, &lock.owner);
			if (!lock.readable)
				lock.owner = 0;

			err = visit(context, &lock);
		}
		key = next;
		last = &key;
	}
	return err;
}

uint64_t objects_lost(const struct objects *objects)
{
	const struct locktrace_bpf *object = tracer_first(objects->tracer);

	return object->bss->lost[LT_LOST_RING_BUFFER] + object->bss->lost[LT_LOST_WATCHED] +
	       objects->tracer->objects_missed;
}

struct tracer *objects_reader(struct objects *objects)
{
	return objects->tracer;
}
