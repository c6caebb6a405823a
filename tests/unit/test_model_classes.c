// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* How locks come to their classes and names, what unites classes, objects, and how long things live. */
#include "chain_builder.h"

#include <malloc.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
/* As in sanitizer/allocator_interface.h, which not every distribution installs. */
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

/* A few symbols, sorted by address. */
static const struct {
	uint64_t start;
	const char *name, *module;
	char type;
} symbols[] = {
	{ 0xffffffff81000000, "do_one", "", 't' },     { 0xffffffff81001000, "do_two", "", 'T' },
	{ 0xffffffff81002000, "do_three", "", 't' },   { 0xffffffff82000000, "static_mutex", "", 'd' },
	{ 0xffffffff82001000, "big_struct", "", 'b' }, { 0xffffffffa0000000, "alpha_init", "alpha", 't' },
	{ 0xffffffffa0001000, "lock", "alpha", 'd' },  { 0xffffffffa0002000, "beta_init", "beta", 't' },
	{ 0xffffffffa0003000, "lock", "beta", 'b' },   { 0xffffffffa0004000, "only_here", "beta", 'b' },
};

static int find_symbol(void *context, uint64_t address, struct symbol *out)
{
	size_t i = sizeof(symbols) / sizeof(symbols[0]);

	(void)context;
	while (i-- > 0) {
		if (address < symbols[i].start)
			continue;
		snprintf(out->name, sizeof(out->name), "%s", symbols[i].name);
		snprintf(out->module, sizeof(out->module), "%s", symbols[i].module);
		out->offset = address - symbols[i].start;
		out->type = symbols[i].type;
		return 0;
	}
	return -2;
}

static const struct symbol_source source = { NULL, find_symbol };

struct foreign {
	uint64_t addr, generation, ip;
};

static struct foreign at(uint64_t addr, uint64_t generation, uint64_t ip)
{
	return (struct foreign){ addr, generation, ip };
}

static void foreign_named(struct scene *scene, uint64_t addr, uint64_t generation, uint64_t init_ip,
			  uint64_t first_ip, const char *init_name, const char *slab, uint32_t offset)
{
	struct lt_record_lock lock = {
		.header = { LT_RECORD_LOCK, sizeof(lock), ++scene->now },
		.addr = addr,
		.generation = generation,
		.init_ip = init_ip,
		.first_ip = first_ip,
		.slab_offset = offset,
	};

	snprintf(lock.init_name, sizeof(lock.init_name), "%s", init_name);
	snprintf(lock.slab, sizeof(lock.slab), "%s", slab);
	assert_int_equal(model_feed(scene->model, &lock.header, sizeof(lock)), 0);
}

static void held_foreign(struct lt_held *held, const struct foreign *lock)
{
	memset(held, 0, sizeof(*held));
	held->addr = held->last_addr = lock->addr;
	held->generation = lock->generation;
	held->ip = lock->ip;
	held->count = 1;
}

static void task_takes_foreign(struct scene *scene, unsigned int task, struct foreign outer,
			       struct foreign inner)
{
	struct lt_record_chain chain;

	chain_begin(scene, &chain, task);
	held_foreign(&chain.held[0], &outer);
	held_foreign(&chain.held[1], &inner);
	chain.held_count = 1;
	assert_int_equal(scene_feed(scene, &chain), 0);
}

/* The class of a lock: closes a cycle of it and a class of our own, fresh each time, and looks at that. */
static const struct lock_class *class_of(struct scene *scene, struct foreign lock)
{
	char partner[2] = { (char)('A' + scene->probes++), '\0' };
	struct lt_record_chain chain;
	const struct finding *finding;
	uint32_t flags = 0, id;

	chain_begin(scene, &chain, 1);
	held_read(scene, partner, &chain.held[0], &flags);
	held_foreign(&chain.held[1], &lock);
	chain.held_count = 1;
	assert_int_equal(scene_feed(scene, &chain), 0);
	chain_begin(scene, &chain, 2);
	held_foreign(&chain.held[0], &lock);
	held_read(scene, partner, &chain.held[1], &flags);
	chain.held_count = 1;
	assert_int_equal(scene_feed(scene, &chain), 0);
	id = findings(scene);
	finding = model_finding(scene->model, id);
	assert_non_null(finding);
	assert_int_equal(finding->edge_count, 2);
	assert_string_equal(finding->edges[0].from->name, partner);
	assert_int_equal(finding->edges[0].to_lock->addr, lock.addr);
	return finding->edges[0].to;
}

/* Classes of foreign locks. */
static uint64_t classes(const struct scene *scene)
{
	struct model_counts counts;

	model_count(scene->model, &counts);
	return counts.classes - scene->probes;
}

static void declared_classes_have_the_names_of_the_table(void **state)
{
	static const struct {
		uint32_t id;
		const char *name, *lockdep_name;
	} expected[] = {
		{ LT_CLASS_KVM_LOCK, "kvm.lock", "&kvm->lock" },
		{ LT_CLASS_KVM_VCPU_MUTEX, "kvm_vcpu.mutex", "&vcpu->mutex" },
		{ LT_CLASS_VFIO_PCI_IOEVENTFDS_LOCK, "vfio_pci_core_device.ioeventfds_lock",
		  "&vdev->ioeventfds_lock" },
		{ LT_CLASS_STATIC_KVM_LOCK, "kvm_lock", "kvm_lock" },
		{ LT_CLASS_STATIC_VFIO_GROUP_LOCK, "vfio.group_lock", "&vfio.group_lock" },
		{ LT_CLASS_USER + 2, "C", NULL },
		{ LT_CLASS_USER + 60, "user class 124", NULL },
	};
	struct lt_record_chain chain;
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const struct lock_class *class;

		scene_begin_with(&scene, source);
		chain_begin(&scene, &chain, 1);
		chain.held[0] = (struct lt_held){ .addr = 0x1000, .class_id = expected[i].id, .count = 1 };
		chain.flags = LT_CHAIN_OWNED;
		assert_int_equal(scene_feed(&scene, &chain), 0);
		class = the_finding(&scene)->edges[0].from;
		assert_string_equal(class->name, expected[i].name);
		assert_int_equal(class->declared, expected[i].id);
		if (expected[i].lockdep_name)
			assert_string_equal(class->lockdep_name, expected[i].lockdep_name);
		else
			assert_null(class->lockdep_name);
		scene_end(&scene);
	}
}

static void user_classes_are_named_before_they_are_used(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	assert_int_equal(model_name_class(scene.model, LT_CLASS_USER + 1, "again"), 0);
	assert_int_equal(model_name_class(scene.model, LT_CLASS_USER - 1, "low"), -22);
	assert_int_equal(model_name_class(scene.model, LT_CLASS_USER_MAX, "high"), -22);
	assert_int_equal(model_name_class(scene.model, LT_CLASS_KVM_LOCK, "kvm"), -22);
	assert_int_equal(model_name_class(scene.model, LT_CLASS_USER + 1, ""), -22);
	assert_int_equal(model_name_class(scene.model, LT_CLASS_USER + 1, NULL), -22);
	task_takes(&scene, 1, "A B");
	assert_int_equal(model_name_class(scene.model, LT_CLASS_USER + 1, "late"), -22);
	task_takes(&scene, 1, "B A");
	assert_classes(the_finding(&scene), "A again");
	scene_end(&scene);
}

static void a_static_lock_is_named_by_its_symbol(void **state)
{
	struct scene scene;
	const struct lock_class *class;

	(void)state;
	scene_begin_with(&scene, source);
	class = class_of(&scene, at(0xffffffff82000000, 0, 0xffffffff81000010));
	assert_string_equal(class->name, "static_mutex");
	assert_string_equal(class->lockdep_name, "static_mutex");
	assert_int_equal(class->declared, LT_CLASS_FOREIGN);
	foreign_named(&scene, 0xffffffff82001040, 5, 0, 0, "&big->lock", "", 0);
	class = class_of(&scene, at(0xffffffff82001040, 5, 0xffffffff81000010));
	assert_string_equal(class->name, "big_struct+0x40");
	assert_string_equal(class->lockdep_name, "&big->lock");
	scene_end(&scene);
}

/* It gets a generation only when closure makes it watched: the same lock before and after. */
static void a_static_lock_is_the_same_whatever_its_generation(void **state)
{
	struct foreign before = at(0xffffffff82000000, 0, 0xffffffff81000010), after = before;
	struct foreign other = at(0xffff888000001000, 7, 0xffffffff81000020);
	struct scene scene;

	(void)state;
	after.generation = 9;
	scene_begin_with(&scene, source);
	task_takes_foreign(&scene, 1, before, other);
	task_takes_foreign(&scene, 2, other, after);
	assert_int_equal(findings(&scene), 1);
	assert_int_equal(model_finding(scene.model, 1)->grade, GRADE_LIKELY);
	scene_end(&scene);
}

static void a_symbol_far_away_or_of_code_is_not_believed(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin_with(&scene, source);
	/* Behind the last symbol of all by more than any variable is large. */
	assert_string_equal(class_of(&scene, at(0xffffffffa0004000 + (1 << 20), 5, 0))->name,
			    "only_here+0x100000");
	assert_string_equal(class_of(&scene, at(0xffffffffa0004001 + (1 << 20), 5, 0))->name,
			    "lock 0xffffffffa0104001");
	assert_string_equal(class_of(&scene, at(0xffffffff81000100, 5, 0))->name, "lock 0xffffffff81000100");
	scene_end(&scene);
}

static void static_locks_of_one_name_show_their_modules(void **state)
{
	struct scene scene;
	const struct lock_class *alpha, *beta;

	(void)state;
	scene_begin_with(&scene, source);
	alpha = class_of(&scene, at(0xffffffffa0001000, 1, 0));
	assert_string_equal(alpha->name, "lock");
	beta = class_of(&scene, at(0xffffffffa0003000, 1, 0));
	assert_string_equal(alpha->name, "lock [alpha]");
	assert_string_equal(beta->name, "lock [beta]");
	assert_string_equal(beta->lockdep_name, "lock");
	assert_string_equal(class_of(&scene, at(0xffffffffa0004000, 1, 0))->name, "only_here");
	scene_end(&scene);
}

static void a_lock_is_named_as_it_was_initialised(void **state)
{
	struct scene scene;
	const struct lock_class *alpha, *beta;

	(void)state;
	scene_begin_with(&scene, source);
	foreign_named(&scene, 0x1000, 1, 0xffffffffa0000010, 0, "&dev->lock", "cache", 8);
	foreign_named(&scene, 0x2000, 1, 0xffffffffa0000020, 0, "&dev->lock", "cache", 8);
	foreign_named(&scene, 0x3000, 1, 0xffffffffa0002010, 0, "&dev->lock", "cache", 8);
	alpha = class_of(&scene, at(0x1000, 1, 0xffffffff81000010));
	assert_string_equal(alpha->name, "&dev->lock");
	assert_string_equal(alpha->lockdep_name, "&dev->lock");
	assert_ptr_equal(class_of(&scene, at(0x2000, 1, 0)), alpha);
	beta = class_of(&scene, at(0x3000, 1, 0));
	assert_ptr_not_equal(alpha, beta);
	assert_string_equal(alpha->name, "&dev->lock (alpha_init [alpha])");
	assert_string_equal(beta->name, "&dev->lock (beta_init [beta])");
	assert_string_equal(beta->lockdep_name, "&dev->lock");
	scene_end(&scene);
}

static void a_lock_is_named_by_its_slab(void **state)
{
	struct scene scene;
	const struct lock_class *class;

	(void)state;
	scene_begin_with(&scene, source);
	foreign_named(&scene, 0x1000, 1, 0, 0, "", "task_group", 0x40);
	foreign_named(&scene, 0x2000, 1, 0, 0, "", "task_group", 0x40);
	foreign_named(&scene, 0x3000, 1, 0, 0, "", "task_group", 0x48);
	class = class_of(&scene, at(0x1000, 1, 0xffffffff81000010));
	assert_string_equal(class->name, "slab task_group+0x40");
	assert_null(class->lockdep_name);
	assert_ptr_equal(class_of(&scene, at(0x2000, 1, 0xffffffff81001010)), class);
	assert_string_equal(class_of(&scene, at(0x3000, 1, 0))->name, "slab task_group+0x48");
	scene_end(&scene);
}

static void a_general_slab_is_no_name(void **state)
{
	static const char *const slabs[] = { "kmalloc-64", "kmalloc-cg-1k", "dma-kmalloc-96", "" };
	struct scene scene;
	uint64_t i;

	(void)state;
	scene_begin_with(&scene, source);
	for (i = 0; i < 4; i++) {
		foreign_named(&scene, 0x1000 * (i + 1), 1, 0, 0, "", slabs[i], 0x40);
		assert_string_equal(class_of(&scene, at(0x1000 * (i + 1), 1, 0xffffffff81000012))->name,
				    "at do_one+0x12");
	}
	scene_end(&scene);
}

static void a_lock_is_named_by_where_it_was_first_taken(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin_with(&scene, source);
	foreign_named(&scene, 0x1000, 1, 0, 0xffffffffa0000044, "", "", 0);
	assert_string_equal(class_of(&scene, at(0x1000, 1, 0xffffffff81000012))->name,
			    "at alpha_init+0x44 [alpha]");
	assert_string_equal(class_of(&scene, at(0x2000, 1, 0xffffffff81001012))->name, "at do_two+0x12");
	assert_string_equal(class_of(&scene, at(0x3000, 1, 0x5000))->name, "at 0x5000");
	scene_end(&scene);
}

static void a_lock_of_which_nothing_is_known_is_its_own_class(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin_with(&scene, source);
	assert_string_equal(class_of(&scene, at(0xdead0000, 1, 0))->name, "lock 0xdead0000");
	assert_string_equal(class_of(&scene, at(0xdead0040, 1, 0))->name, "lock 0xdead0040");
	assert_int_equal(classes(&scene), 2);
	scene_end(&scene);
}

static void a_name_that_comes_late_is_ignored(void **state)
{
	struct scene scene;
	const struct lock_class *class;

	(void)state;
	scene_begin_with(&scene, source);
	class = class_of(&scene, at(0x1000, 1, 0xffffffff81000012));
	foreign_named(&scene, 0x1000, 1, 0, 0, "&late->lock", "", 0);
	task_takes_foreign(&scene, 3, at(0x1000, 1, 0xffffffff81000012), at(0x2000, 1, 0));
	assert_string_equal(class->name, "at do_one+0x12");
	foreign_named(&scene, 0x1000, 2, 0, 0, "&late->lock", "", 0); /* another lock by now */
	assert_string_equal(class_of(&scene, at(0x1000, 2, 0))->name, "&late->lock");
	scene_end(&scene);
}

static void a_lock_that_turns_out_to_be_declared(void **state)
{
	struct lt_record_chain chain;
	struct scene scene;
	struct model_counts counts;
	uint32_t flags = 0;

	(void)state;
	scene_begin_with(&scene, source);
	task_takes_foreign(&scene, 1, at(lock_address('A', 0), 1, 0xffffffff81000012),
			   at(0x2000, 1, 0xffffffff81001012));
	chain_begin(&scene, &chain, 2);
	held_foreign(&chain.held[0], &(struct foreign){ 0x2000, 1, 0xffffffff81001012 });
	held_read(&scene, "A", &chain.held[1], &flags);
	chain.held_count = 1;
	assert_int_equal(scene_feed(&scene, &chain), 0);
	assert_int_equal(findings(&scene), 0); /* what it was before is another class */
	model_count(scene.model, &counts);
	assert_int_equal(counts.locks, 2);
	scene_end(&scene);
}

/* Sites one, two, three. */
#define SITE(n) (0xffffffff81000000 + ((n)-1) * 0x1000 + 0x12)

static void a_lock_taken_at_two_places_unites_them(void **state)
{
	struct scene scene;
	const struct lock_class *one, *two;

	(void)state;
	scene_begin_with(&scene, source);
	one = class_of(&scene, at(0x1000, 1, SITE(1)));
	two = class_of(&scene, at(0x2000, 1, SITE(2)));
	assert_ptr_not_equal(one, two);
	assert_int_equal(classes(&scene), 2);
	assert_int_equal(findings(&scene), 2);
	task_takes_foreign(&scene, 3, at(0x9000, 1, SITE(3)), at(0x1000, 1, SITE(2)));
	assert_int_equal(classes(&scene), 2);
	assert_ptr_equal(two->united_with, one);
	assert_null(one->united_with);
	assert_int_equal(findings(&scene), 2); /* told is told; both name the one class now */
	assert_ptr_equal(model_finding(scene.model, 2)->edges[0].to, one);
	assert_ptr_equal(class_of(&scene, at(0x3000, 1, SITE(2))), one);
	scene_end(&scene);
}

static void uniting_does_not_depend_on_the_order_of_sightings(void **state)
{
	struct scene scene;
	const struct lock_class *one;

	(void)state;
	scene_begin_with(&scene, source);
	one = class_of(&scene, at(0x1000, 1, SITE(1)));
	/* Taken at site two before any class is called after that site. */
	task_takes_foreign(&scene, 3, at(0x9000, 1, SITE(3)), at(0x1000, 1, SITE(2)));
	assert_ptr_equal(class_of(&scene, at(0x2000, 1, SITE(2))), one);
	scene_end(&scene);
}

static void uniting_closes_cycles(void **state)
{
	struct scene scene;
	const struct finding *finding;

	(void)state;
	/* one -> three by task 1, three -> two by task 2; then one is two. */
	scene_begin_with(&scene, source);
	task_takes_foreign(&scene, 1, at(0x1000, 1, SITE(1)), at(0x3000, 1, SITE(3)));
	task_takes_foreign(&scene, 2, at(0x3000, 1, SITE(3)), at(0x2000, 1, SITE(2)));
	assert_int_equal(findings(&scene), 0);
	task_takes_foreign(&scene, 3, at(0x4000, 1, 0), at(0x1000, 1, SITE(2)));
	finding = the_finding(&scene);
	assert_int_equal(finding->edge_count, 2);
	assert_int_equal(finding->grade, GRADE_POSSIBLE);
	assert_int_equal(classes(&scene), 3);
	task_takes_foreign(&scene, 3, at(0x3000, 1, SITE(3)), at(0x1000, 1, SITE(1)));
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	scene_end(&scene);
}

static void uniting_merges_evidence(void **state)
{
	struct scene scene;
	const struct finding *finding;
	struct model_counts counts;

	(void)state;
	/* Both sites take locks under Z-like lock 0x9000: one edge in the end, with the evidence of both. */
	scene_begin_with(&scene, source);
	task_takes_foreign(&scene, 1, at(0x9000, 1, 0), at(0x1000, 1, SITE(1)));
	task_takes_foreign(&scene, 1, at(0x1000, 1, SITE(1)), at(0x9000, 1, 0));
	assert_int_equal(the_finding(&scene)->grade, GRADE_ONE_TASK);
	task_takes_foreign(&scene, 2, at(0x9000, 1, 0), at(0x2000, 1, SITE(2)));
	task_takes_foreign(&scene, 3, at(0x8000, 1, 0), at(0x1000, 1, SITE(2)));
	finding = the_finding(&scene);
	assert_int_equal(finding->grade, GRADE_POSSIBLE);
	assert_int_equal(finding->previous_grade, GRADE_ONE_TASK);
	model_refresh(scene.model, finding);
	assert_int_equal(finding->edges[0].count + finding->edges[1].count, 3);
	assert_int_equal(finding->edges[0].instances + finding->edges[1].instances, 3);
	model_count(scene.model, &counts);
	assert_int_equal(counts.dependencies, 3);
	scene_end(&scene);
}

static void uniting_makes_nesting_of_what_was_a_cycle(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin_with(&scene, source);
	task_takes_foreign(&scene, 1, at(0x1000, 1, SITE(1)), at(0x2000, 1, SITE(2)));
	task_takes_foreign(&scene, 2, at(0x2000, 1, SITE(2)), at(0x1000, 1, SITE(1)));
	assert_int_equal(findings(&scene), 1);
	task_takes_foreign(&scene, 3, at(0x8000, 1, 0), at(0x1000, 1, SITE(2)));
	assert_int_equal(findings(&scene), 2);
	assert_int_equal(model_finding(scene.model, 2)->kind, FINDING_RECURSIVE);
	assert_int_equal(model_finding(scene.model, 2)->grade, GRADE_LIKELY);
	scene_end(&scene);
}

static void what_was_a_cycle_is_left_as_it_was_told(void **state)
{
	struct scene scene;
	struct model_counts counts;

	(void)state;
	scene_begin_with(&scene, source);
	task_takes_foreign(&scene, 1, at(0x1000, 1, SITE(1)), at(0x2000, 1, SITE(2)));
	task_takes_foreign(&scene, 1, at(0x2000, 1, SITE(2)), at(0x1000, 1, SITE(1)));
	task_takes_foreign(&scene, 3, at(0x8000, 1, 0), at(0x1000, 1, SITE(2)));
	task_takes_foreign(&scene, 2, at(0x2000, 1, SITE(2)), at(0x1000, 1, SITE(1)));
	assert_int_equal(findings(&scene), 2);
	assert_int_equal(model_finding(scene.model, 1)->grade, GRADE_ONE_TASK);
	assert_int_equal(model_finding(scene.model, 2)->grade, GRADE_LIKELY);
	model_count(scene.model, &counts);
	assert_int_equal(counts.dependencies, 1); /* of 0x8000 alone */
	scene_end(&scene);
}

static void two_findings_that_become_one_rise_as_one(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin_with(&scene, source);
	task_takes_foreign(&scene, 1, at(0x1000, 1, SITE(1)), at(0x9000, 1, 0));
	task_takes_foreign(&scene, 1, at(0x9000, 1, 0), at(0x1000, 1, SITE(1)));
	task_takes_foreign(&scene, 1, at(0x2000, 1, SITE(2)), at(0x9000, 1, 0));
	task_takes_foreign(&scene, 1, at(0x9000, 1, 0), at(0x2000, 1, SITE(2)));
	assert_int_equal(findings(&scene), 2);
	task_takes_foreign(&scene, 1, at(0x8000, 1, 0), at(0x1000, 1, SITE(2)));
	assert_int_equal(scene.told_count, 2);
	task_takes_foreign(&scene, 2, at(0x9000, 1, 0), at(0x2000, 1, SITE(2)));
	assert_int_equal(findings(&scene), 2);
	assert_int_equal(scene.told_count, 3);
	assert_int_equal(model_finding(scene.model, 1)->grade, GRADE_LIKELY);
	assert_int_equal(model_finding(scene.model, 2)->grade, GRADE_ONE_TASK);
	scene_end(&scene);
}

static void uniting_merges_gates(void **state)
{
	struct lt_record_chain chain;
	struct scene scene;

	(void)state;
	/* Site one under the gate 0x7000 both ways, site two one way without. */
	scene_begin_with(&scene, source);
	chain_begin(&scene, &chain, 1);
	chain.held_count = 2;
	held_foreign(&chain.held[0], &(struct foreign){ 0x7000, 1, 0 });
	held_foreign(&chain.held[1], &(struct foreign){ 0x9000, 1, 0 });
	held_foreign(&chain.held[2], &(struct foreign){ 0x1000, 1, SITE(1) });
	assert_int_equal(scene_feed(&scene, &chain), 0);
	chain_begin(&scene, &chain, 2);
	chain.held_count = 2;
	held_foreign(&chain.held[0], &(struct foreign){ 0x7000, 1, 0 });
	held_foreign(&chain.held[1], &(struct foreign){ 0x1000, 1, SITE(1) });
	held_foreign(&chain.held[2], &(struct foreign){ 0x9000, 1, 0 });
	assert_int_equal(scene_feed(&scene, &chain), 0);
	assert_int_equal(the_finding(&scene)->grade, GRADE_GUARDED);
	task_takes_foreign(&scene, 1, at(0x9000, 1, 0), at(0x2000, 1, SITE(2)));
	assert_int_equal(the_finding(&scene)->grade, GRADE_GUARDED);
	task_takes_foreign(&scene, 3, at(0x8000, 1, 0), at(0x1000, 1, SITE(2)));
	assert_int_equal(the_finding(&scene)->grade, GRADE_POSSIBLE);
	scene_end(&scene);
}

static void only_what_is_certain_unites(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin_with(&scene, source);
	/* Generation unknown: perhaps another lock at the same address. */
	task_takes_foreign(&scene, 1, at(0x1000, 0, SITE(1)), at(0x9000, 1, 0));
	task_takes_foreign(&scene, 1, at(0x2000, 1, SITE(2)), at(0x9000, 1, 0));
	task_takes_foreign(&scene, 1, at(0x1000, 0, SITE(2)), at(0x9000, 1, 0));
	assert_int_equal(classes(&scene), 3);
	/* Another generation: another lock. */
	task_takes_foreign(&scene, 1, at(0x1000, 7, SITE(2)), at(0x9000, 1, 0));
	assert_int_equal(classes(&scene), 3);
	/* Named by more than a place: a slab, an initialiser, a symbol. */
	foreign_named(&scene, 0x3000, 1, 0, 0, "", "task_group", 0x40);
	foreign_named(&scene, 0x4000, 1, 0, 0, "&dev->lock", "", 0);
	task_takes_foreign(&scene, 1, at(0x3000, 1, SITE(1)), at(0x9000, 1, 0));
	task_takes_foreign(&scene, 1, at(0x3000, 1, SITE(2)), at(0x9000, 1, 0));
	task_takes_foreign(&scene, 1, at(0x4000, 1, SITE(1)), at(0x9000, 1, 0));
	task_takes_foreign(&scene, 1, at(0x4000, 1, SITE(2)), at(0x9000, 1, 0));
	task_takes_foreign(&scene, 1, at(0xffffffff82000000, 1, SITE(1)), at(0x9000, 1, 0));
	task_takes_foreign(&scene, 1, at(0xffffffff82000000, 1, SITE(2)), at(0x9000, 1, 0));
	assert_int_equal(classes(&scene), 6);
	scene_end(&scene);
}

static void expect_description(struct scene *scene, uint64_t addr, const char *expected)
{
	char text[80];

	assert_string_equal(model_object_describe(scene->model, model_object(scene->model, addr), text,
						  sizeof(text)),
			    expected);
}

static void objects_are_described(void **state)
{
	struct scene scene;
	struct model_counts counts;
	char text[8];

	(void)state;
	scene_begin(&scene);
	object_event(&scene, LT_OBJECT_FOUND, LT_OBJECT_VM, 0x100, 0, 1234, 0, NULL);
	object_event(&scene, LT_OBJECT_FOUND, LT_OBJECT_VCPU, 0x200, 0x100, 0, 2, NULL);
	object_event(&scene, LT_OBJECT_FOUND, LT_OBJECT_KVM_VFIO, 0x300, 0x100, 0, 0, NULL);
	object_event(&scene, LT_OBJECT_FOUND, LT_OBJECT_GROUP, 0x400, 0, 0, 0, "7");
	object_event(&scene, LT_OBJECT_FOUND, LT_OBJECT_DEVICE, 0x500, 0x400, 0, 0, "0000:00:03.0");
	object_event(&scene, LT_OBJECT_FOUND, LT_OBJECT_PCI, 0x500, 0x500, 0, 0, NULL);
	object_event(&scene, LT_OBJECT_FOUND, LT_OBJECT_DEV_SET, 0x600, 0x500, 0, 0, NULL);
	object_event(&scene, LT_OBJECT_FOUND, LT_OBJECT_IOMMU, 0x700, 0, 0, 0, NULL);
	object_event(&scene, LT_OBJECT_FOUND, LT_OBJECT_VM, 0x800, 0, 0, 0, NULL);
	object_event(&scene, LT_OBJECT_FOUND, LT_OBJECT_VCPU, 0x900, 0, 0, 1, NULL);
	expect_description(&scene, 0x100, "VM 1234");
	expect_description(&scene, 0x200, "vCPU 2 of VM 1234");
	expect_description(&scene, 0x300, "kvm-vfio device of VM 1234");
	expect_description(&scene, 0x400, "group 7");
	expect_description(&scene, 0x500, "device 0000:00:03.0");
	expect_description(&scene, 0x600, "device set of 0000:00:03.0");
	expect_description(&scene, 0x700, "type1 IOMMU 0x700");
	expect_description(&scene, 0x800, "VM 0x800");
	expect_description(&scene, 0x900, "vCPU 1 of an unknown VM");
	expect_description(&scene, 0xa00, "an unknown object");
	model_object_describe(scene.model, model_object(scene.model, 0x200), text, sizeof(text));
	assert_string_equal(text, "vCPU 2 ");
	model_count(scene.model, &counts);
	assert_int_equal(counts.objects[LT_OBJECT_VM], 2);
	assert_int_equal(counts.objects[LT_OBJECT_VCPU], 2);
	assert_int_equal(counts.objects[LT_OBJECT_DEVICE], 1);
	assert_int_equal(counts.objects[LT_OBJECT_PCI], 1);
	scene_end(&scene);
}

static void dead_objects_are_remembered_as_long_as_evidence_speaks_of_them(void **state)
{
	struct scene scene;
	const struct model_object *shown;
	struct model_counts counts;
	char text[80];

	(void)state;
	scene_begin(&scene);
	scene.object[0] = 0x200;
	object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_VM, 0x100, 0, 11, 0, NULL);
	object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_VCPU, 0x200, 0x100, 0, 5, NULL);
	task_takes(&scene, 1, "A B");
	task_takes(&scene, 2, "B A");
	object_event(&scene, LT_OBJECT_DEAD, LT_OBJECT_VM, 0x100, 0, 0, 0, NULL); /* the vCPU with it */
	model_count(scene.model, &counts);
	assert_int_equal(counts.objects[LT_OBJECT_VCPU], 0);
	object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_VM, 0x100, 0, 22, 0, NULL);
	object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_VCPU, 0x200, 0x100, 0, 6, NULL);
	shown = the_finding(&scene)->edges[0].from_lock->object;
	assert_non_null(shown);
	assert_false(shown->alive);
	model_object_describe(scene.model, shown, text, sizeof(text));
	assert_string_equal(text, "vCPU 5 of VM 11");
	expect_description(&scene, 0x200, "vCPU 6 of VM 22");
	scene.generation[0] = 2;
	task_takes(&scene, 1, "A B");
	object_event(&scene, LT_OBJECT_DEAD, LT_OBJECT_VM, 0x100, 0, 0, 0, NULL);
	expect_description(&scene, 0x200, "vCPU 6 of VM 22"); /* of two dead the newer one */
	assert_null(model_object(scene.model, 0x300));
	scene_end(&scene);
}

static void a_parent_that_was_told_late_is_remembered(void **state)
{
	struct scene scene;
	char text[80];

	(void)state;
	scene_begin(&scene);
	scene.object[0] = 0x200;
	object_event(&scene, LT_OBJECT_FOUND, LT_OBJECT_VCPU, 0x200, 0x100, 0, 5, NULL);
	object_event(&scene, LT_OBJECT_FOUND, LT_OBJECT_VM, 0x100, 0, 11, 0, NULL);
	task_takes(&scene, 1, "A B");
	task_takes(&scene, 2, "B A");
	object_event(&scene, LT_OBJECT_DEAD, LT_OBJECT_VCPU, 0x200, 0, 0, 0, NULL);
	object_event(&scene, LT_OBJECT_DEAD, LT_OBJECT_VM, 0x100, 0, 0, 0, NULL);
	object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_VM, 0x100, 0, 22, 0, NULL);
	model_object_describe(scene.model, the_finding(&scene)->edges[0].from_lock->object, text,
			      sizeof(text));
	assert_string_equal(text, "vCPU 5 of VM 11");
	scene_end(&scene);
}

static void an_object_can_be_told_after_its_locks(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	scene.object[0] = 0x100;
	task_takes(&scene, 1, "A B");
	task_takes(&scene, 2, "B A");
	assert_null(the_finding(&scene)->edges[0].from_lock->object);
	assert_null(model_object(scene.model, 0x100));
	object_event(&scene, LT_OBJECT_FOUND, LT_OBJECT_VM, 0x100, 0, 11, 0, NULL);
	object_event(&scene, LT_OBJECT_FOUND, LT_OBJECT_VM, 0x100, 0, 11, 0, NULL); /* found twice */
	assert_ptr_equal(the_finding(&scene)->edges[0].from_lock->object, model_object(scene.model, 0x100));
	scene_end(&scene);
}

static void the_locks_of_a_dead_object_are_dead(void **state)
{
	struct scene scene;
	struct model_counts counts;

	(void)state;
	scene_begin(&scene);
	scene.object[0] = 0x100;
	object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_VM, 0x100, 0, 11, 0, NULL);
	task_takes(&scene, 1, "A B");
	object_event(&scene, LT_OBJECT_DEAD, LT_OBJECT_VM, 0x100, 0, 0, 0, NULL);
	object_event(&scene, LT_OBJECT_DEAD, LT_OBJECT_VM, 0x100, 0, 0, 0, NULL);
	model_count(scene.model, &counts);
	assert_int_equal(counts.locks, 1);
	assert_int_equal(counts.objects[LT_OBJECT_VM], 0);
	object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_VM, 0x100, 0, 12, 0, NULL);
	task_takes(&scene, 2, "B A"); /* another lock, though address and generation are equal */
	assert_int_equal(the_finding(&scene)->grade, GRADE_POSSIBLE);
	scene_end(&scene);
}

static void birth_where_another_lives_means_that_a_death_was_missed(void **state)
{
	struct scene scene;
	struct model_counts counts;

	(void)state;
	scene_begin(&scene);
	scene.object[0] = 0x100;
	object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_VM, 0x100, 0, 11, 0, NULL);
	task_takes(&scene, 1, "A B");
	object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_VM, 0x100, 0, 12, 0, NULL);
	task_takes(&scene, 2, "B A");
	assert_int_equal(the_finding(&scene)->grade, GRADE_POSSIBLE);
	model_count(scene.model, &counts);
	assert_int_equal(counts.objects[LT_OBJECT_VM], 1);
	assert_int_equal(model_object(scene.model, 0x100)->pid, 12);
	scene_end(&scene);
}

static void a_new_generation_is_another_lock(void **state)
{
	struct scene scene;
	struct model_counts counts;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A B");
	scene.generation[0] = 2;
	task_takes(&scene, 2, "B A");
	assert_int_equal(the_finding(&scene)->grade, GRADE_POSSIBLE);
	model_count(scene.model, &counts);
	assert_int_equal(counts.locks, 2);
	scene_end(&scene);
}

static void an_unknown_generation_proves_nothing(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A B");
	scene.generation[0] = 0;
	task_takes(&scene, 1, "A C");
	scene.generation[0] = 1;
	task_takes(&scene, 2, "B A");
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	scene_end(&scene);
}

static size_t memory_in_use(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return __sanitizer_get_current_allocated_bytes();
#else
	return mallinfo2().uordblks;
#endif
}

/* How the model learns that a VM is gone. */
enum death {
	DEATH_TOLD,           /* by the object's record */
	DEATH_BY_GENERATION,  /* its locks' heirs show it; no object is known */
	DEATH_OF_PLACEHOLDER, /* the same, of an object that no record told of */
	DEATHS,
};

/* One life of a VM: its own locks, all orders, findings, and its death. */
static void live_and_die(struct scene *scene, uint64_t generation, enum death death)
{
	uint64_t addr = 0x100000 + (death == DEATH_TOLD ? generation % 7 : generation) * 0x1000;
	int i;

	for (i = 0; i < 4; i++) {
		scene->generation[i] = generation;
		scene->object[i] = death == DEATH_BY_GENERATION ? 0 : addr;
	}
	if (death == DEATH_TOLD) {
		object_event(scene, LT_OBJECT_BORN, LT_OBJECT_VM, addr, 0, (uint32_t)generation, 0, NULL);
		object_event(scene, LT_OBJECT_BORN, LT_OBJECT_VCPU, addr + 8, addr, 0, 0, NULL);
	}
	task_nests(scene, (unsigned int)generation, "Z A B");
	task_takes(scene, (unsigned int)generation + 1, "B A");
	task_nests(scene, (unsigned int)generation, "G A1 A2 C");
	task_takes(scene, (unsigned int)generation, "A2 A1");
	task_takes(scene, (unsigned int)generation + 1, "C D? A0x3 Z");
	if (death == DEATH_TOLD)
		object_event(scene, LT_OBJECT_DEAD, LT_OBJECT_VM, addr, 0, 0, 0, NULL);
}

static void memory_stays_flat_when_vms_come_and_go(void **state)
{
	struct scene *scene = malloc(sizeof(*scene));
	struct model_counts counts;
	size_t before, after;
	uint64_t i;
	int death;

	(void)state;
	for (death = 0; death < DEATHS; death++) {
		scene_begin(scene);
		for (i = 2; i < 1000; i++)
			live_and_die(scene, i, death);
		before = memory_in_use();
		for (; i < 11000; i++)
			live_and_die(scene, i, death);
		after = memory_in_use();
		assert_true(after < before + 4096);
		model_count(scene->model, &counts);
		assert_in_range(counts.locks, 2, 16);
		assert_int_equal(counts.classes, 6);
		assert_true(findings(scene) >= 3);
		scene_end(scene);
	}
	free(scene);
}

static void ten_thousand_locks(void **state)
{
	struct scene *scene = malloc(sizeof(*scene));
	struct model_counts counts;
	char text[64];
	unsigned int i;

	(void)state;
	/* One static lock over all, and three locks for each of 3,333 VMs. */
	scene_begin(scene);
	for (i = 0; i < 3333; i++) {
		snprintf(text, sizeof(text), "S A%u", i);
		task_takes(scene, i + 1, text);
		snprintf(text, sizeof(text), "A%u B%u C%u", i, i, i);
		task_nests(scene, i + 1, text);
		snprintf(text, sizeof(text), "C%u S", i);
		if (i == 3000)
			task_takes(scene, i, text);
	}
	model_count(scene->model, &counts);
	assert_int_equal(counts.locks, 10000);
	assert_int_equal(counts.classes, 4);
	assert_classes(the_finding(scene), "S A B C");
	assert_int_equal(the_finding(scene)->grade, GRADE_LIKELY);
	model_refresh(scene->model, the_finding(scene));
	assert_int_equal(the_finding(scene)->edges[0].instances, 3333);
	scene_end(scene);
	free(scene);
}

static void symbols_are_formatted(void **state)
{
	char text[64];

	(void)state;
	assert_int_equal(symbol_format(&source, 0xffffffffa0000044, 0, text, sizeof(text)), 0);
	assert_string_equal(text, "alpha_init+0x44 [alpha]");
	symbol_format(&source, 0xffffffff81000000, 0, text, sizeof(text));
	assert_string_equal(text, "do_one");
	symbol_format(&source, 0xffffffff81000000, 1, text, sizeof(text));
	assert_string_equal(text, "do_one+0x0");
	assert_int_equal(symbol_format(&source, 0x44, 0, text, sizeof(text)), -2);
	assert_string_equal(text, "0x44");
	assert_int_equal(symbol_format(&(struct symbol_source){ 0 }, 0x44, 0, text, sizeof(text)), -2);
	assert_int_equal(symbol_format(&source, 0xffffffffa0000044, 0, text, 5), 0);
	assert_string_equal(text, "alph");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(declared_classes_have_the_names_of_the_table),
		cmocka_unit_test(user_classes_are_named_before_they_are_used),
		cmocka_unit_test(a_static_lock_is_named_by_its_symbol),
		cmocka_unit_test(a_static_lock_is_the_same_whatever_its_generation),
		cmocka_unit_test(a_symbol_far_away_or_of_code_is_not_believed),
		cmocka_unit_test(static_locks_of_one_name_show_their_modules),
		cmocka_unit_test(a_lock_is_named_as_it_was_initialised),
		cmocka_unit_test(a_lock_is_named_by_its_slab),
		cmocka_unit_test(a_general_slab_is_no_name),
		cmocka_unit_test(a_lock_is_named_by_where_it_was_first_taken),
		cmocka_unit_test(a_lock_of_which_nothing_is_known_is_its_own_class),
		cmocka_unit_test(a_name_that_comes_late_is_ignored),
		cmocka_unit_test(a_lock_that_turns_out_to_be_declared),
		cmocka_unit_test(a_lock_taken_at_two_places_unites_them),
		cmocka_unit_test(uniting_does_not_depend_on_the_order_of_sightings),
		cmocka_unit_test(uniting_closes_cycles),
		cmocka_unit_test(uniting_merges_evidence),
		cmocka_unit_test(uniting_makes_nesting_of_what_was_a_cycle),
		cmocka_unit_test(what_was_a_cycle_is_left_as_it_was_told),
		cmocka_unit_test(two_findings_that_become_one_rise_as_one),
		cmocka_unit_test(uniting_merges_gates),
		cmocka_unit_test(only_what_is_certain_unites),
		cmocka_unit_test(a_parent_that_was_told_late_is_remembered),
		cmocka_unit_test(an_unknown_generation_proves_nothing),
		cmocka_unit_test(objects_are_described),
		cmocka_unit_test(dead_objects_are_remembered_as_long_as_evidence_speaks_of_them),
		cmocka_unit_test(an_object_can_be_told_after_its_locks),
		cmocka_unit_test(the_locks_of_a_dead_object_are_dead),
		cmocka_unit_test(birth_where_another_lives_means_that_a_death_was_missed),
		cmocka_unit_test(a_new_generation_is_another_lock),
		cmocka_unit_test(memory_stays_flat_when_vms_come_and_go),
		cmocka_unit_test(ten_thousand_locks),
		cmocka_unit_test(symbols_are_formatted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
