// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * Records that nobody honest sends: refused, or taken without harm. Each is
 * given in memory that ends where the record does, so that the sanitizers see
 * any byte read beyond it.
 */
#include "chain_builder.h"

#include <errno.h>

static int feed_bytes(struct scene *scene, const void *bytes, size_t size)
{
	void *copy = malloc(size ? size : 1);
	int error;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	error = model_feed(scene->model, copy, size);
	free(copy);
	return error;
}

static void nothing_was_changed(const struct scene *scene)
{
	struct model_counts counts, none = { 0 };

	model_count(scene->model, &counts);
	assert_memory_equal(&counts, &none, sizeof(counts));
	assert_int_equal(scene->told_count, 0);
}

/* "A B", to be spoiled. */
static void valid_chain(struct scene *scene, struct lt_record_chain *chain)
{
	uint32_t flags = 0;

	chain_begin(scene, chain, 1);
	held_read(scene, "A", &chain->held[0], &flags);
	held_read(scene, "B", &chain->held[1], &flags);
	chain->held_count = 1;
}

static void sizes_that_do_not_fit(void **state)
{
	struct lt_record_chain chain;
	struct lt_record_lock lock = { .header = { LT_RECORD_LOCK, sizeof(lock), 1 }, .addr = 1 };
	struct lt_record_object object = {
		.header = { LT_RECORD_OBJECT, sizeof(object), 1 },
		.kind = LT_OBJECT_VM,
		.event = LT_OBJECT_BORN,
		.addr = 1,
	};
	struct scene scene;
	size_t size;

	(void)state;
	scene_begin(&scene);
	valid_chain(&scene, &chain);
	assert_int_equal(model_feed(scene.model, NULL, 100), -EINVAL);
	for (size = 0; size < sizeof(chain); size++)
		assert_int_equal(feed_bytes(&scene, &chain, size), -EINVAL);
	for (size = 0; size < sizeof(lock); size++)
		assert_int_equal(feed_bytes(&scene, &lock, size), -EINVAL);
	for (size = 0; size < sizeof(object); size++)
		assert_int_equal(feed_bytes(&scene, &object, size), -EINVAL);
	/* The record's own size is a lie. */
	for (size = 0; size < sizeof(chain) + 64; size++) {
		chain.header.size = (uint32_t)size;
		if (size >= offsetof(struct lt_record_chain, stack[chain.stack_count]) &&
		    size <= sizeof(chain))
			continue;
		assert_int_equal(feed_bytes(&scene, &chain, sizeof(chain)), -EINVAL);
	}
	chain.header.size = UINT32_MAX;
	assert_int_equal(feed_bytes(&scene, &chain, sizeof(chain)), -EINVAL);
	lock.header.size--;
	assert_int_equal(feed_bytes(&scene, &lock, sizeof(lock)), -EINVAL);
	object.header.size -= 8;
	assert_int_equal(feed_bytes(&scene, &object, sizeof(object)), -EINVAL);
	nothing_was_changed(&scene);
	scene_end(&scene);
}

static void a_chain_may_end_with_its_stack(void **state)
{
	struct lt_record_chain chain;
	struct scene scene;
	size_t size;

	(void)state;
	scene_begin(&scene);
	valid_chain(&scene, &chain);
	size = offsetof(struct lt_record_chain, stack[chain.stack_count]);
	chain.header.size = (uint32_t)size;
	assert_int_equal(feed_bytes(&scene, &chain, size), 0);
	assert_int_equal(feed_bytes(&scene, &chain, sizeof(chain)), 0);
	chain.stack_count++;
	assert_int_equal(feed_bytes(&scene, &chain, sizeof(chain)), -EINVAL);
	scene_end(&scene);
}

static void unknown_types(void **state)
{
	struct lt_record_header header = { 0, sizeof(header), 1 };
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	assert_int_equal(feed_bytes(&scene, &header, sizeof(header)), -ENOTSUP);
	header.type = LT_RECORD_CALL + 1;
	assert_int_equal(feed_bytes(&scene, &header, sizeof(header)), -ENOTSUP);
	header.type = UINT32_MAX;
	assert_int_equal(feed_bytes(&scene, &header, sizeof(header)), -ENOTSUP);
	header.size = sizeof(header) + 1;
	assert_int_equal(feed_bytes(&scene, &header, sizeof(header)), -EINVAL);
	nothing_was_changed(&scene);
	scene_end(&scene);
}

static void a_record_out_of_line(void **state)
{
	static _Alignas(8) char bytes[sizeof(struct lt_record_chain) + 8];
	struct lt_record_chain chain;
	struct scene scene;
	int shift;

	(void)state;
	scene_begin(&scene);
	valid_chain(&scene, &chain);
	for (shift = 1; shift < 8; shift++) {
		memcpy(bytes + shift, &chain, sizeof(chain));
		assert_int_equal(model_feed(scene.model, (const void *)(bytes + shift), sizeof(chain)),
				 -EINVAL);
	}
	nothing_was_changed(&scene);
	scene_end(&scene);
}

static void refused(struct scene *scene, const struct lt_record_chain *chain)
{
	assert_int_equal(feed_bytes(scene, chain, sizeof(*chain)), -EINVAL);
	nothing_was_changed(scene);
}

static void chains_with_impossible_entries(void **state)
{
	static const uint32_t class_ids[] = { LT_CLASS_DECLARED_END, LT_CLASS_USER - 1, LT_CLASS_USER_MAX,
					      UINT32_MAX };
	struct lt_record_chain good, chain;
	struct scene scene;
	size_t i;

	(void)state;
	scene_begin(&scene);
	valid_chain(&scene, &good);
	chain = good, chain.held_count = LT_HELD_MAX + 1;
	refused(&scene, &chain);
	/* The same, where what follows would pass for an entry. */
	for (i = 0; i <= LT_HELD_MAX; i++)
		chain.held[i] = good.held[i % 2];
	memcpy(chain.stack, &good.held[1], sizeof(good.held[1]));
	refused(&scene, &chain);
	chain = good, chain.held_count = UINT16_MAX;
	refused(&scene, &chain);
	chain = good, chain.stack_count = LT_STACK_MAX + 1;
	refused(&scene, &chain);
	chain = good, chain.stack_count = UINT16_MAX;
	refused(&scene, &chain);
	for (i = 0; i < 2; i++) {
		chain = good, chain.held[i].addr = 0;
		refused(&scene, &chain);
		chain = good, chain.held[i].count = 0;
		refused(&scene, &chain);
		chain = good, chain.held[i].count = 3, chain.held[i].last_addr = 0;
		refused(&scene, &chain);
	}
	chain = good, chain.held[1].count = 2; /* the lock being taken is one lock */
	refused(&scene, &chain);
	for (i = 0; i < sizeof(class_ids) / sizeof(class_ids[0]); i++) {
		chain = good, chain.held[i % 2].class_id = class_ids[i];
		refused(&scene, &chain);
	}
	chain = good, chain.held_count = 2; /* the third entry is all zero */
	refused(&scene, &chain);
	for (i = 1; i < LT_CALL_KINDS + 1; i++) {
		chain = good, chain.call.what = (uint32_t)i; /* a chain is no call */
		refused(&scene, &chain);
	}
	chain = good, chain.call.reserved = 1, chain.call.function = UINT32_MAX;
	assert_int_equal(feed_bytes(&scene, &chain, sizeof(chain)), 0);
	scene_end(&scene);
}

static void calls_that_cannot_be(void **state)
{
	struct lt_record_chain good, call;
	struct scene scene;
	uint32_t what;

	(void)state;
	scene_begin_ruled(&scene, (struct symbol_source){ 0 }, "forbid call f under A\n");
	for (what = 0; what < LT_CALL_KINDS + 2; what++) {
		bool misuse = what >= LT_CALL_FREED && what < LT_CALL_KINDS;
		bool known = what && what < LT_CALL_KINDS;
		size_t size;

		call_begin(&scene, &good, 1, what, 0, misuse ? "A B" : "A");
		good.held_count = 1;
		if (!known) {
			held_read(&scene, "B", &good.held[1], &good.flags);
			refused(&scene, &good);
			good.call.what = UINT32_MAX;
			refused(&scene, &good);
			continue;
		}
		for (size = 0; size < sizeof(good); size++)
			assert_int_equal(feed_bytes(&scene, &good, size), -EINVAL);
		call = good, call.header.size = (uint32_t)offsetof(struct lt_record_chain, stack[1]);
		refused(&scene, &call); /* it has two frames */
		call = good, call.held_count = LT_HELD_MAX + 1;
		refused(&scene, &call);
		call = good, call.held_count = UINT16_MAX;
		refused(&scene, &call);
		call = good, call.stack_count = LT_STACK_MAX + 1;
		refused(&scene, &call);
		call = good, call.held[0].addr = 0;
		refused(&scene, &call);
		call = good, call.held[0].class_id = LT_CLASS_USER - 1;
		refused(&scene, &call);
		call = good, call.held_count = 3; /* some are all zero */
		refused(&scene, &call);
		call = good, call.held[1].addr = 0;
		if (misuse)
			refused(&scene, &call);
		call = good, call.held[1].class_id = UINT32_MAX;
		if (misuse)
			refused(&scene, &call);
		call = good, call.held[1].count = 2;
		if (misuse)
			refused(&scene, &call);
		call = good, call.call.function = MODEL_FUNCTIONS_MAX;
		if (!misuse)
			refused(&scene, &call);
	}
	scene_end(&scene);
}

static void calls_with_what_is_not_looked_at(void **state)
{
	struct lt_record_chain call;
	struct scene scene;

	(void)state;
	scene_begin_ruled(&scene, (struct symbol_source){ 0 }, "forbid call f under A\n");
	assert_int_equal(model_name_function(scene.model, MODEL_FUNCTIONS_MAX - 1, "f"), 0);
	call_begin(&scene, &call, 1, LT_CALL_FUNCTION, MODEL_FUNCTIONS_MAX - 1, "A");
	memset(&call.held[1], 0xff, sizeof(call.held[1]));
	call.call.reserved = 1;
	call.call.owner_tid = 2;
	call.call.what = LT_CALL_NOT_LAST;
	assert_int_equal(feed_bytes(&scene, &call, sizeof(call)), 0);
	assert_int_equal(findings(&scene), 0);
	call.call.what = LT_CALL_FUNCTION;
	call.header.size = (uint32_t)offsetof(struct lt_record_chain, stack[call.stack_count]);
	assert_int_equal(feed_bytes(&scene, &call, call.header.size), 0);
	assert_int_equal(the_finding(&scene)->kind, FINDING_FORBIDDEN_CALL);
	assert_int_equal(the_finding(&scene)->owner_tid, 0);
	assert_null(the_finding(&scene)->edges[0].sighting->locks[1]);
	assert_int_equal(the_finding(&scene)->edges[0].sighting->held[1].addr, 0);
	scene_end(&scene);
}

/* A full stack: the lock concerned stands in the last place that there is. */
static void a_call_with_as_much_as_can_be(void **state)
{
	struct lt_record_chain call;
	struct scene scene;
	uint32_t what, i;

	(void)state;
	scene_begin_ruled(&scene, (struct symbol_source){ 0 },
			  "note call f under Z\nforbid call f under A\n");
	assert_int_equal(model_name_function(scene.model, 0, "f"), 0);
	for (what = LT_CALL_FUNCTION; what < LT_CALL_KINDS; what++) {
		call_begin(&scene, &call, 1, what, 0, "A A");
		for (i = 0; i <= LT_HELD_MAX; i++) {
			call.held[i] = call.held[0];
			call.held[i].addr += i * 0x10000;
		}
		call.held_count = LT_HELD_MAX;
		call.stack_count = LT_STACK_MAX;
		assert_int_equal(feed_bytes(&scene, &call, sizeof(call)), 0);
	}
	assert_int_equal(findings(&scene), 4);
	scene_end(&scene);
}

static void locks_and_objects_that_cannot_be(void **state)
{
	struct lt_record_lock lock = { .header = { LT_RECORD_LOCK, sizeof(lock), 1 } };
	const struct lt_record_object good = {
		.header = { LT_RECORD_OBJECT, sizeof(good), 1 },
		.kind = LT_OBJECT_VM,
		.event = LT_OBJECT_BORN,
		.addr = 1,
	};
	struct lt_record_object object;
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	assert_int_equal(feed_bytes(&scene, &lock, sizeof(lock)), -EINVAL);
	object = good, object.addr = 0;
	assert_int_equal(feed_bytes(&scene, &object, sizeof(object)), -EINVAL);
	object = good, object.kind = 0;
	assert_int_equal(feed_bytes(&scene, &object, sizeof(object)), -EINVAL);
	object = good, object.kind = LT_OBJECT_KINDS;
	assert_int_equal(feed_bytes(&scene, &object, sizeof(object)), -EINVAL);
	object = good, object.event = 0;
	assert_int_equal(feed_bytes(&scene, &object, sizeof(object)), -EINVAL);
	object = good, object.event = LT_OBJECT_DEAD + 1;
	assert_int_equal(feed_bytes(&scene, &object, sizeof(object)), -EINVAL);
	nothing_was_changed(&scene);
	scene_end(&scene);
}

static void texts_without_an_end(void **state)
{
	struct lt_record_lock lock = { .header = { LT_RECORD_LOCK, sizeof(lock), 1 }, .addr = 0x1000 };
	struct lt_record_object object = {
		.header = { LT_RECORD_OBJECT, sizeof(object), 1 },
		.kind = LT_OBJECT_GROUP,
		.event = LT_OBJECT_BORN,
		.addr = 0x2000,
	};
	struct lt_record_chain chain;
	struct scene scene;
	char text[100];

	(void)state;
	scene_begin(&scene);
	memset(lock.init_name, 'n', sizeof(lock.init_name));
	memset(lock.slab, 's', sizeof(lock.slab));
	assert_int_equal(feed_bytes(&scene, &lock, sizeof(lock)), 0);
	memset(object.name, 'g', sizeof(object.name));
	assert_int_equal(feed_bytes(&scene, &object, sizeof(object)), 0);
	model_object_describe(scene.model, model_object(scene.model, 0x2000), text, sizeof(text));
	assert_int_equal(strlen(text), strlen("group ") + LT_NAME_LEN - 1);

	valid_chain(&scene, &chain);
	memset(chain.task.comm, 'c', sizeof(chain.task.comm));
	chain.flags = LT_CHAIN_OWNED;
	chain.held[1].class_id = LT_CLASS_FOREIGN;
	chain.held[1].addr = 0x1000;
	chain.held[1].generation = 0;
	assert_int_equal(feed_bytes(&scene, &chain, sizeof(chain)), 0);
	assert_int_equal(strlen(the_finding(&scene)->edges[0].from->name), LT_NAME_LEN - 1);
	assert_int_equal(strlen(the_finding(&scene)->edges[0].sighting->task.comm), LT_COMM_LEN - 1);
	scene_end(&scene);
}

static void objects_that_contain_each_other(void **state)
{
	struct scene scene;
	char text[80];
	uint32_t kind, event;

	(void)state;
	scene_begin(&scene);
	object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_GROUP, 1, 2, 0, 0, NULL);
	object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_DEVICE, 2, 1, 0, 0, NULL);
	object_event(&scene, LT_OBJECT_FOUND, LT_OBJECT_GROUP, 1, 2, 0, 0, NULL);
	scene.object[0] = 2;
	task_takes(&scene, 1, "A B"); /* looks for what A belongs to in the end */
	object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_VM, 3, 3, 0, 0, NULL);
	/* All kinds at one address, each its own parent, over and over. */
	for (event = LT_OBJECT_FOUND; event <= 3 * LT_OBJECT_DEAD; event++) {
		for (kind = LT_OBJECT_VM; kind < LT_OBJECT_KINDS; kind++) {
			object_event(&scene, 1 + event % LT_OBJECT_DEAD, kind, 4, 4, 0, 0, NULL);
			model_object_describe(scene.model, model_object(scene.model, 4), text, sizeof(text));
		}
	}
	scene_end(&scene);
}

static void one_address_many_times_on_one_stack(void **state)
{
	struct lt_record_chain chain;
	struct scene scene;
	uint32_t i;

	(void)state;
	scene_begin(&scene);
	valid_chain(&scene, &chain);
	for (i = 0; i <= LT_HELD_MAX; i++) {
		chain.held[i] = chain.held[0];
		chain.held[i].generation = i; /* each proves the one before dead */
		chain.held[i].object = 0x1000 + i % 3;
		chain.held[i].class_id = i % 5 ? LT_CLASS_USER + i % 5 : LT_CLASS_FOREIGN;
		chain.held[i].flags = LT_HELD_TRYLOCK;
	}
	chain.held[LT_HELD_MAX].flags = 0;
	chain.held_count = LT_HELD_MAX;
	assert_int_equal(feed_bytes(&scene, &chain, sizeof(chain)), 0);
	for (i = 1; i < LT_HELD_MAX; i += 2)
		chain.held[i].addr = chain.held[i].last_addr = 0x5000;
	assert_int_equal(feed_bytes(&scene, &chain, sizeof(chain)), 0);
	findings(&scene);
	scene_end(&scene);
}

/* A small generator with its state in the test (xorshift64*). */
static uint64_t next_random(uint64_t *random)
{
	*random ^= *random >> 12;
	*random ^= *random << 25;
	*random ^= *random >> 27;
	return *random * 0x2545f4914f6cdd1dULL;
}

static uint64_t seed_of_the_run(void)
{
	const char *text = getenv("LOCKTRACE_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)(uintptr_t)&seed ^ 0x5eed;

	print_message("LOCKTRACE_SEED=%llu\n", (unsigned long long)seed);
	return seed ? seed : 1;
}

static int find_numbered(void *context, uint64_t address, struct symbol *out)
{
	(void)context;
	if (address > 2)
		return -ENOENT;
	*out = (struct symbol){ .name = "f0", .offset = 1, .type = 't' };
	out->name[1] = (char)('0' + address);
	return 0;
}

static const char random_rules[] = "order vfio_group.group_lock > kvm.lock > kvm_vcpu.mutex > G\n"
				   "order kvm_vfio.lock > H > kvm.slots_lock if there\n"
				   "nest kvm_vcpu.mutex under kvm.lock\n"
				   "nest G under H\n"
				   "nest kvm.lock in f1\n"
				   "nest kvm.slots_lock in f2 if there\n"
				   "note call f0 under kvm.lock\n"
				   "forbid call f0 under kvm.lock if there\n"
				   "forbid call f1 under G\n"
				   "ignore G > H > G if there\n"
				   "ignore call f1 under G if there\n"
				   "known 0123456789ab v6.3 \"title\": kvm.lock > G > kvm.lock in f2\n"
				   "known 0123456789ab v6.3 \"title\": H > kvm.lock\n";

/* Records of plausible sizes with few different values in them, so that they meet each other. */
static void random_records(void **state)
{
	union {
		struct lt_record_header header;
		struct lt_record_chain chain;
		struct lt_record_lock lock;
		struct lt_record_object object;
		uint64_t words[sizeof(struct lt_record_chain) / 8];
	} record;
	static const size_t sizes[] = { 0, sizeof(record.chain), sizeof(record.lock), sizeof(record.object),
					sizeof(record.chain) };
	struct model_not_last not_last;
	struct model_counts counts;
	struct scene *scene = malloc(sizeof(*scene));
	uint64_t random = seed_of_the_run();
	uint32_t turn, i, taken = 0;

	(void)state;
	scene_begin_ruled(scene, (struct symbol_source){ NULL, find_numbered }, random_rules);
	model_name_function(scene->model, 0, "f0");
	model_name_function(scene->model, 1, "f1");
	for (turn = 0; turn < 20000; turn++) {
		uint32_t type = 1 + next_random(&random) % 4;

		for (i = 0; i < sizeof(record) / 8; i++)
			record.words[i] = next_random(&random) % 4;
		record.header.type = type;
		record.header.size = (uint32_t)sizes[type];
		record.chain.held_count = (uint16_t)(next_random(&random) % 5);
		record.chain.stack_count = (uint16_t)(next_random(&random) % (LT_STACK_MAX + 1));
		if (type == LT_RECORD_CHAIN)
			record.chain.call.what = next_random(&random) % 16 == 0;
		if (type == LT_RECORD_CALL) {
			record.chain.call.what = next_random(&random) % (LT_CALL_KINDS + 1);
			record.chain.call.function = next_random(&random) % 3;
		}
		scene->present = next_random(&random) % 4 ? NULL : "there";
		for (i = 0; sizes[type] == sizeof(record.chain) && i <= record.chain.held_count; i++) {
			struct lt_held *held = &record.chain.held[i];

			held->addr = 1 + next_random(&random) % 6;
			held->last_addr = 1 + next_random(&random) % 6;
			held->class_id = (uint32_t)(next_random(&random) % 8);
			held->class_id += held->class_id > 5 ? LT_CLASS_USER : 0;
			held->count = (uint16_t)(1 + next_random(&random) % 16 / 15);
			held->flags = (uint16_t)(next_random(&random) % 8);
		}
		scene->told_count = 0;
		taken += !feed_bytes(scene, &record, record.header.size);
	}
	assert_true(taken > 1000);
	findings(scene);
	for (i = 0; model_not_last(scene->model, i, &not_last); i++)
		assert_null(not_last.under->united_with);
	model_count(scene->model, &counts);
	assert_true(counts.ignored <= counts.findings);
	scene_end(scene);
	free(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_that_do_not_fit),
		cmocka_unit_test(a_chain_may_end_with_its_stack),
		cmocka_unit_test(unknown_types),
		cmocka_unit_test(a_record_out_of_line),
		cmocka_unit_test(chains_with_impossible_entries),
		cmocka_unit_test(calls_that_cannot_be),
		cmocka_unit_test(calls_with_what_is_not_looked_at),
		cmocka_unit_test(a_call_with_as_much_as_can_be),
		cmocka_unit_test(locks_and_objects_that_cannot_be),
		cmocka_unit_test(texts_without_an_end),
		cmocka_unit_test(objects_that_contain_each_other),
		cmocka_unit_test(one_address_many_times_on_one_stack),
		cmocka_unit_test(random_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
