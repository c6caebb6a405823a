// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* The grades, each rise from one to the next, and what a finding shows and counts. */
#include <errno.h>

#include "chain_builder.h"

static void expect_told(const struct scene *scene, uint32_t nth, enum finding_grade grade,
			enum finding_grade previous)
{
	assert_true(nth < scene->told_count);
	assert_int_equal(scene->told[nth].grade, grade);
	assert_int_equal(scene->told[nth].previous_grade, previous);
}

static void two_tasks_with_the_same_locks_are_likely(void **state)
{
	struct scene scene;
	const struct finding *finding;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A B");
	task_takes(&scene, 2, "B A");
	finding = the_finding(&scene);
	assert_int_equal(scene.told_count, 1);
	expect_told(&scene, 0, GRADE_LIKELY, GRADE_NONE);
	assert_int_equal(finding->edges[0].sighting->task.pid, 1001);
	assert_int_equal(finding->edges[1].sighting->task.pid, 1002);
	assert_ptr_equal(finding->edges[0].from_lock, finding->edges[1].to_lock);
	assert_ptr_equal(finding->edges[0].to_lock, finding->edges[1].from_lock);
	assert_int_equal(finding->time_ns, 2);
	scene_end(&scene);
}

static void different_locks_are_possible(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A1 B1");
	task_takes(&scene, 2, "B2 A2");
	assert_int_equal(the_finding(&scene)->grade, GRADE_POSSIBLE);
	/* And half of a pair each time, never both of one. */
	task_takes(&scene, 2, "B1 A2");
	task_takes(&scene, 3, "A1 B2");
	task_takes(&scene, 3, "A3 B3");
	assert_int_equal(the_finding(&scene)->grade, GRADE_POSSIBLE);
	task_takes(&scene, 3, "B3 A3"); /* one task */
	assert_int_equal(the_finding(&scene)->grade, GRADE_POSSIBLE);
	task_takes(&scene, 4, "B1 A1");
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	assert_int_equal(the_finding(&scene)->edges[0].from_lock->addr, lock_address('A', 1));
	assert_int_equal(the_finding(&scene)->edges[0].sighting->task.pid, 1001);
	assert_int_equal(the_finding(&scene)->edges[1].sighting->task.pid, 1004);
	assert_int_equal(scene.told_count, 2);
	expect_told(&scene, 1, GRADE_LIKELY, GRADE_POSSIBLE);
	scene_end(&scene);
}

static void one_task_rises_with_a_second(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A B");
	task_takes(&scene, 1, "B A");
	assert_int_equal(the_finding(&scene)->grade, GRADE_ONE_TASK);
	task_takes(&scene, 2, "B A");
	assert_int_equal(scene.told_count, 2);
	expect_told(&scene, 0, GRADE_ONE_TASK, GRADE_NONE);
	expect_told(&scene, 1, GRADE_LIKELY, GRADE_ONE_TASK);
	/* Shown are the two different tasks. */
	assert_int_equal(the_finding(&scene)->edges[0].sighting->task.pid, 1001);
	assert_int_equal(the_finding(&scene)->edges[1].sighting->task.pid, 1002);
	assert_true(the_finding(&scene)->edges[1].many_tasks);
	assert_false(the_finding(&scene)->edges[0].many_tasks);
	scene_end(&scene);
}

static void the_first_edge_can_be_the_one_with_a_second_task(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A B");
	task_takes(&scene, 1, "B A");
	task_takes(&scene, 2, "A B");
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	assert_int_equal(the_finding(&scene)->edges[0].sighting->task.pid, 1002);
	assert_int_equal(the_finding(&scene)->edges[1].sighting->task.pid, 1001);
	scene_end(&scene);
}

static void a_known_chain_by_a_second_task_tells_that_there_are_two(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A B");
	task_takes(&scene, 1, "B A");
	scene.flags = LT_CHAIN_SECOND_TASK;
	task_takes(&scene, 1, "B A"); /* even if the first one's record was lost */
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	scene_end(&scene);
}

static void one_address_of_a_task_is_not_one_task(void **state)
{
	struct lt_record_chain chain;
	struct scene scene;
	uint32_t flags = 0;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A B");
	chain_begin(&scene, &chain, 1);
	chain.task.tid = 77; /* the task_struct is used again */
	held_read(&scene, "B", &chain.held[0], &flags);
	held_read(&scene, "A", &chain.held[1], &flags);
	chain.held_count = 1;
	assert_int_equal(scene_feed(&scene, &chain), 0);
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	assert_false(the_finding(&scene)->edges[1].many_tasks);
	chain.task.tid = 78;
	assert_int_equal(scene_feed(&scene, &chain), 0);
	model_refresh(scene.model, the_finding(&scene));
	assert_true(the_finding(&scene)->edges[1].many_tasks);
	scene_end(&scene);
}

static void one_task_rises_to_guarded_and_likely(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "G A B");
	task_takes(&scene, 1, "G B A");
	task_takes(&scene, 2, "G B A");
	expect_told(&scene, 0, GRADE_ONE_TASK, GRADE_NONE);
	expect_told(&scene, 1, GRADE_GUARDED, GRADE_ONE_TASK);
	assert_int_equal(the_finding(&scene)->guard->addr, lock_address('G', 0));
	assert_false(the_finding(&scene)->guard_per_object);
	task_takes(&scene, 3, "B A"); /* without the gate */
	expect_told(&scene, 2, GRADE_LIKELY, GRADE_GUARDED);
	assert_null(the_finding(&scene)->guard);
	assert_int_equal(the_finding(&scene)->edges[1].sighting->task.pid, 1003);
	assert_int_equal(scene.told_count, 3);
	scene_end(&scene);
}

static void guarded_rises_to_possible_when_other_locks_lack_the_gate(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "G A1 B1");
	task_takes(&scene, 2, "G B1 A1");
	task_takes(&scene, 3, "A2 B2");
	expect_told(&scene, 0, GRADE_GUARDED, GRADE_NONE);
	expect_told(&scene, 1, GRADE_POSSIBLE, GRADE_GUARDED); /* the locks 1 are still guarded */
	assert_int_equal(the_finding(&scene)->edges[0].sighting->task.pid, 1003); /* what made it rise */
	task_takes(&scene, 3, "A1 B1");
	expect_told(&scene, 2, GRADE_LIKELY, GRADE_POSSIBLE);
	scene_end(&scene);
}

static void one_task_rises_to_possible(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A1 B1");
	task_takes(&scene, 1, "B2 A2");
	task_takes(&scene, 2, "B2 A2");
	expect_told(&scene, 0, GRADE_ONE_TASK, GRADE_NONE);
	expect_told(&scene, 1, GRADE_POSSIBLE, GRADE_ONE_TASK);
	task_takes(&scene, 3, "B2 A2");
	assert_int_equal(scene.told_count, 2);
	scene_end(&scene);
}

static void no_grade_ever_falls(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A B");
	task_takes(&scene, 2, "B A");
	task_takes(&scene, 1, "G A B");
	task_takes(&scene, 1, "G B A");
	scene.generation[0] = 2; /* the lock A dies */
	task_takes(&scene, 1, "G B A");
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	assert_int_equal(scene.told_count, 1);
	scene_end(&scene);
}

static void what_does_not_guard(void **state)
{
	static const char *const pairs[][2] = {
		{ "G1 A B", "G2 B A" },   /* two locks of one class */
		{ "Gr A B", "Gr B A" },   /* readers let each other in */
		{ "G A B", "Gr B A" },    /* exclusive in one only */
		{ "G0x2 A B", "G1 B A" }, /* which lock of a run is still held is not known */
		{ "G A B", "B A" },       /* not in every observation */
	};
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		scene_begin(&scene);
		task_takes(&scene, 1, pairs[i][0]);
		task_takes(&scene, 2, pairs[i][1]);
		assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
		scene_end(&scene);
	}
}

static void what_guards(void **state)
{
	static const char *const pairs[][2] = {
		{ "G A B", "G B A" },   { "G H A B", "H G B A" }, /* either; order does not matter here */
		{ "G? A B", "G* B A" },                           /* however it was taken: it is held */
		{ "A G? B", "B G? A" }, /* in between too: both would have to hold it while they wait */
		{ "A1 A B", "A1 B A" }, /* another lock of a class of the cycle */
	};
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		scene_begin(&scene);
		task_takes(&scene, 1, pairs[i][0]);
		task_takes(&scene, 2, pairs[i][1]);
		assert_int_equal(model_finding(scene.model, 1)->grade, GRADE_GUARDED);
		finding_assert_sound(model_finding(scene.model, 1));
		scene_end(&scene);
	}
}

static void all_edges_need_the_same_gate(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "G A B");
	task_takes(&scene, 2, "G H B C");
	task_takes(&scene, 3, "H C A");
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	scene_end(&scene);

	scene_begin(&scene);
	task_takes(&scene, 1, "G H A B");
	task_takes(&scene, 2, "G H B C");
	task_takes(&scene, 3, "H C A");
	assert_int_equal(the_finding(&scene)->grade, GRADE_GUARDED);
	assert_int_equal(the_finding(&scene)->guard->addr, lock_address('H', 0));
	task_takes(&scene, 3, "B C");
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	scene_end(&scene);
}

/* VMs 0 to 2, each with its own kvm.lock, slots_lock and vCPU mutex. */
static void vm_takes(struct scene *scene, unsigned int task, unsigned int vm, const char *text)
{
	struct lt_record_chain chain;
	uint32_t count = 0;

	chain_begin(scene, &chain, task);
	for (; *text; text++, count++) {
		struct lt_held *held = &chain.held[count];

		held->class_id = *text == 'k'   ? LT_CLASS_KVM_LOCK
				 : *text == 's' ? LT_CLASS_KVM_SLOTS_LOCK
						: LT_CLASS_KVM_VCPU_MUTEX;
		held->object = (*text == 'v' ? 0xffffc90000010000 : 0xffffc90000000000) + vm * 0x100000;
		held->addr = held->last_addr = held->object + held->class_id * 0x40;
		held->generation = 1;
		held->count = 1;
	}
	chain.held_count = (uint16_t)(count - 1);
	assert_int_equal(scene_feed(scene, &chain), 0);
}

static void three_vms(struct scene *scene)
{
	unsigned int vm;

	scene_begin(scene);
	for (vm = 0; vm < 3; vm++) {
		uint64_t kvm = 0xffffc90000000000 + vm * 0x100000;

		object_event(scene, LT_OBJECT_BORN, LT_OBJECT_VM, kvm, 0, 500 + vm, 0, NULL);
		object_event(scene, LT_OBJECT_BORN, LT_OBJECT_VCPU, kvm + 0x10000, kvm, 0, 0, NULL);
	}
}

static void the_own_lock_of_each_vm_guards(void **state)
{
	struct scene scene;
	const struct finding *finding;

	(void)state;
	three_vms(&scene);
	vm_takes(&scene, 1, 0, "kvs");
	vm_takes(&scene, 2, 0, "ksv");
	finding = the_finding(&scene);
	assert_int_equal(finding->grade, GRADE_GUARDED);
	assert_false(finding->guard_per_object);
	/* The second VM does what the first does: nothing new. */
	vm_takes(&scene, 3, 1, "kvs");
	vm_takes(&scene, 4, 1, "ksv");
	assert_int_equal(finding->grade, GRADE_GUARDED);
	assert_int_equal(scene.told_count, 1);
	vm_takes(&scene, 4, 1, "sv");
	assert_int_equal(finding->grade, GRADE_LIKELY);
	assert_string_equal(finding->edges[0].from->name, "kvm_vcpu.mutex");
	scene_end(&scene);
}

static void the_own_lock_of_each_vm_guards_from_the_start(void **state)
{
	struct scene scene;
	const struct finding *finding;

	(void)state;
	three_vms(&scene);
	vm_takes(&scene, 1, 0, "kvs");
	vm_takes(&scene, 3, 1, "ksv");
	finding = the_finding(&scene);
	assert_int_equal(finding->grade, GRADE_GUARDED);
	assert_true(finding->guard_per_object);
	assert_string_equal(finding->guard->class->name, "kvm.lock");
	assert_int_equal(finding->guard->object->pid, 501);
	vm_takes(&scene, 3, 1, "sv");
	assert_int_equal(finding->grade, GRADE_POSSIBLE); /* no VM has been seen to do both halves */
	assert_false(finding->guard_per_object);
	scene_end(&scene);
}

static void the_lock_of_another_vm_does_not_guard(void **state)
{
	struct lt_record_chain chain;
	struct scene scene;

	(void)state;
	three_vms(&scene);
	vm_takes(&scene, 1, 0, "kvs");
	chain_begin(&scene, &chain, 2); /* VM 1's locks under VM 0's kvm.lock */
	chain.held_count = 2;
	chain.held[0] = (struct lt_held){ .addr = 0xffffc90000000000 + LT_CLASS_KVM_LOCK * 0x40,
					  .generation = 1,
					  .object = 0xffffc90000000000,
					  .class_id = LT_CLASS_KVM_LOCK,
					  .count = 1 };
	chain.held[1] = (struct lt_held){ .addr = 0xffffc90000100000 + LT_CLASS_KVM_SLOTS_LOCK * 0x40,
					  .generation = 1,
					  .object = 0xffffc90000100000,
					  .class_id = LT_CLASS_KVM_SLOTS_LOCK,
					  .count = 1 };
	chain.held[2] = (struct lt_held){ .addr = 0xffffc90000110000 + LT_CLASS_KVM_VCPU_MUTEX * 0x40,
					  .generation = 1,
					  .object = 0xffffc90000110000,
					  .class_id = LT_CLASS_KVM_VCPU_MUTEX,
					  .count = 1 };
	assert_int_equal(scene_feed(&scene, &chain), 0);
	assert_int_equal(the_finding(&scene)->grade, GRADE_GUARDED); /* one lock guards both halves: VM 0's */
	assert_false(the_finding(&scene)->guard_per_object);
	vm_takes(&scene, 3, 2, "kvs");
	assert_int_equal(the_finding(&scene)->grade, GRADE_POSSIBLE);
	vm_takes(&scene, 3, 1, "kvs"); /* each half under a kvm.lock, but not the same one */
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	scene_end(&scene);
}

static void one_half_without_the_own_lock_is_enough(void **state)
{
	struct scene scene;

	(void)state;
	three_vms(&scene);
	vm_takes(&scene, 1, 0, "kvs");
	vm_takes(&scene, 2, 1, "ksv");
	assert_int_equal(the_finding(&scene)->grade, GRADE_GUARDED);
	vm_takes(&scene, 3, 2, "vs"); /* the half that did not close the cycle */
	assert_int_equal(the_finding(&scene)->grade, GRADE_POSSIBLE);
	scene_end(&scene);
}

static struct lt_held held_member(uint32_t class_id, uint64_t object)
{
	struct lt_held held = {
		.addr = object + class_id * 0x40,
		.generation = 1,
		.object = object,
		.class_id = class_id,
		.count = 1,
	};

	return held;
}

#define KVM(vm) (0xffffc90000000000 + (vm)*0x100000)
#define VCPU(vm) (KVM(vm) + 0x10000)

/* The last of the four is taken; those of class 0 are left out. */
static void takes_members(struct scene *scene, unsigned int task, const struct lt_held members[4])
{
	struct lt_record_chain chain;
	uint32_t i, count = 0;

	chain_begin(scene, &chain, task);
	for (i = 0; i < 4; i++) {
		if (members[i].class_id)
			chain.held[count++] = members[i];
	}
	chain.held_count = (uint16_t)(count - 1);
	assert_int_equal(scene_feed(scene, &chain), 0);
}

static void the_example_is_the_lock_of_the_vm_concerned(void **state)
{
	struct scene scene;

	(void)state;
	three_vms(&scene);
	vm_takes(&scene, 1, 2, "kvs");
	takes_members(&scene, 2,
		      (const struct lt_held[4]){ held_member(LT_CLASS_KVM_LOCK, KVM(0)),
						 held_member(LT_CLASS_KVM_LOCK, KVM(1)),
						 held_member(LT_CLASS_KVM_SLOTS_LOCK, KVM(1)),
						 held_member(LT_CLASS_KVM_VCPU_MUTEX, VCPU(1)) });
	assert_true(the_finding(&scene)->guard_per_object);
	assert_int_equal(the_finding(&scene)->guard->object->addr, KVM(1));
	scene_end(&scene);
}

static void a_pair_of_two_vms_has_no_own_lock(void **state)
{
	struct scene scene;

	(void)state;
	three_vms(&scene);
	takes_members(&scene, 1,
		      (const struct lt_held[4]){ held_member(LT_CLASS_KVM_LOCK, KVM(0)),
						 held_member(LT_CLASS_KVM_VCPU_MUTEX, VCPU(0)),
						 held_member(LT_CLASS_KVM_SLOTS_LOCK, KVM(1)) });
	vm_takes(&scene, 2, 2, "ksv");
	assert_int_equal(the_finding(&scene)->grade, GRADE_POSSIBLE);
	scene_end(&scene);

	three_vms(&scene); /* nor has a pair of one VM under another's */
	takes_members(&scene, 1,
		      (const struct lt_held[4]){ held_member(LT_CLASS_KVM_LOCK, KVM(0)),
						 held_member(LT_CLASS_KVM_VCPU_MUTEX, VCPU(1)),
						 held_member(LT_CLASS_KVM_SLOTS_LOCK, KVM(1)) });
	vm_takes(&scene, 2, 2, "ksv");
	assert_int_equal(the_finding(&scene)->grade, GRADE_POSSIBLE);
	scene_end(&scene);
}

static void a_device_set_belongs_to_no_group(void **state)
{
	struct scene scene;
	uint64_t base;

	(void)state;
	scene_begin(&scene);
	for (base = 0x10000; base <= 0x20000; base += 0x10000) {
		object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_GROUP, base, 0, 0, 0, "1");
		object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_DEVICE, base + 0x1000, base, 0, 0, "d");
		object_event(&scene, LT_OBJECT_BORN, LT_OBJECT_DEV_SET, base + 0x2000, base + 0x1000, 0, 0,
			     NULL);
	}
	takes_members(&scene, 1,
		      (const struct lt_held[4]){ held_member(LT_CLASS_VFIO_GROUP_GROUP_LOCK, 0x10000),
						 held_member(LT_CLASS_VFIO_DEVICE_SET_LOCK, 0x12000),
						 held_member(LT_CLASS_VFIO_GROUP_DEVICE_LOCK, 0x10000) });
	takes_members(&scene, 2,
		      (const struct lt_held[4]){ held_member(LT_CLASS_VFIO_GROUP_GROUP_LOCK, 0x20000),
						 held_member(LT_CLASS_VFIO_GROUP_DEVICE_LOCK, 0x20000),
						 held_member(LT_CLASS_VFIO_DEVICE_SET_LOCK, 0x22000) });
	assert_int_equal(the_finding(&scene)->grade, GRADE_POSSIBLE);
	scene_end(&scene);
}

static void another_vms_gate_and_tasks_do_not_count_for_these_locks(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	/* Locks 1: one task. Locks 2: another task, guarded. Each by itself is weak, the classes are not. */
	task_takes(&scene, 1, "A1 B1");
	task_takes(&scene, 1, "B1 A1");
	task_takes(&scene, 2, "G A2 B2");
	task_takes(&scene, 3, "G B2 A2");
	assert_int_equal(the_finding(&scene)->grade, GRADE_POSSIBLE);
	task_takes(&scene, 3, "B2 A2");
	assert_int_equal(the_finding(&scene)->grade, GRADE_LIKELY);
	assert_int_equal(the_finding(&scene)->edges[0].from_lock->addr, lock_address('A', 2));
	scene_end(&scene);
}

static void nesting_of_a_class_under_a_gate_is_guarded(void **state)
{
	struct scene scene;

	(void)state;
	/* lockdep's nest_lock: X; Y1 nest X; Y2 nest X. And other locks of the class, in one order. */
	scene_begin(&scene);
	task_takes(&scene, 1, "G A1 A2");
	task_takes(&scene, 2, "G A2 A1");
	task_takes(&scene, 3, "A3 A4");
	assert_int_equal(the_finding(&scene)->grade, GRADE_GUARDED);
	assert_int_equal(the_finding(&scene)->kind, FINDING_RECURSIVE);
	task_takes(&scene, 3, "A4 A3"); /* one task: weaker than what is known */
	assert_int_equal(the_finding(&scene)->grade, GRADE_GUARDED);
	task_takes(&scene, 4, "A4 A3");
	expect_told(&scene, 1, GRADE_LIKELY, GRADE_GUARDED);
	assert_int_equal(the_finding(&scene)->edges[0].from_lock->addr, lock_address('A', 3));
	scene_end(&scene);
}

static void nesting_of_a_class_rises_like_any_cycle(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "G A1 A2");
	task_takes(&scene, 1, "G A2 A1");
	task_takes(&scene, 2, "G A2 A1");
	task_takes(&scene, 2, "A2 A1");
	assert_int_equal(scene.told_count, 3);
	expect_told(&scene, 0, GRADE_ONE_TASK, GRADE_NONE);
	expect_told(&scene, 1, GRADE_GUARDED, GRADE_ONE_TASK);
	expect_told(&scene, 2, GRADE_LIKELY, GRADE_GUARDED);
	assert_int_equal(the_finding(&scene)->count, 4);
	scene_end(&scene);
}

static void a_cycle_known_by_its_locks_first(void **state)
{
	struct scene scene;
	uint32_t id;

	(void)state;
	/* A B is closed four times over by shorter ways; the locks 1 go a fifth, longer way. */
	scene_begin(&scene);
	task_takes(&scene, 1, "B1 P1");
	task_takes(&scene, 1, "P1 Q1");
	task_takes(&scene, 1, "Q1 A1");
	task_takes(&scene, 1, "B C");
	task_takes(&scene, 1, "C A");
	task_takes(&scene, 1, "B D");
	task_takes(&scene, 1, "D A");
	task_takes(&scene, 1, "B E");
	task_takes(&scene, 1, "E A");
	task_takes(&scene, 1, "B F");
	task_takes(&scene, 1, "F A");
	task_takes(&scene, 2, "A B");
	assert_int_equal(findings(&scene), 4);
	task_takes(&scene, 3, "A1 B1");
	assert_int_equal(findings(&scene), 5);
	assert_classes(model_finding(scene.model, 5), "B P Q A");
	assert_int_equal(model_finding(scene.model, 5)->grade, GRADE_LIKELY);
	for (id = 1; id <= 4; id++)
		assert_int_equal(model_finding(scene.model, id)->edge_count, 3);
	scene_end(&scene);
}

static void counts_are_those_of_the_chain_cache(void **state)
{
	struct scene scene;
	const struct finding *finding;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A B");
	task_takes(&scene, 2, "B A");
	finding = the_finding(&scene);
	assert_int_equal(finding->edges[0].count, 1);
	scene.hits = 1000;
	assert_int_equal(finding->edges[0].count, 1);
	model_refresh(scene.model, finding);
	assert_int_equal(finding->edges[0].count, 1000);
	assert_int_equal(finding->edges[1].count, 1000);
	task_takes(&scene, 1, "G A B"); /* a second chain */
	model_refresh(scene.model, finding);
	assert_int_equal(finding->edges[0].count, 2000);
	scene.hits = 10; /* the cache forgot and counts anew */
	model_refresh(scene.model, finding);
	assert_int_equal(finding->edges[0].count, 2020);
	scene.hits = 0; /* not known for a moment: what was known stays */
	model_refresh(scene.model, finding);
	assert_int_equal(finding->edges[0].count, 2020);
	scene.hits = 10;
	model_refresh(scene.model, finding);
	assert_int_equal(finding->edges[0].count, 2020);
	assert_int_equal(finding->edges[0].first_ns, 1);
	assert_int_equal(finding->edges[0].last_ns, 3);
	scene_end(&scene);
}

static void one_chain_sent_twice_is_counted_once(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	scene.hits = 50;
	scene.same_key = 7;
	task_takes(&scene, 1, "A B");
	scene.flags = LT_CHAIN_SECOND_TASK;
	task_takes(&scene, 3, "A B");
	scene.same_key = 0;
	scene.flags = 0;
	task_takes(&scene, 2, "B A");
	assert_int_equal(the_finding(&scene)->edges[0].count, 50);
	assert_true(the_finding(&scene)->edges[0].many_tasks);
	scene_end(&scene);
}

static void counts_of_many_chains_add_up(void **state)
{
	struct scene scene;
	int i;

	(void)state;
	scene_begin(&scene);
	scene.hits = 3;
	for (i = 0; i < 500; i++)
		task_takes(&scene, 1, "A B");
	task_takes(&scene, 2, "B A");
	assert_int_equal(the_finding(&scene)->edges[0].count, 1500);
	assert_int_equal(the_finding(&scene)->edges[1].count, 3);
	scene_end(&scene);
}

static void instances_are_pairs_of_locks(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	task_takes(&scene, 1, "A1 B1");
	task_takes(&scene, 1, "A1 B2");
	task_takes(&scene, 1, "A2 B1");
	task_takes(&scene, 1, "A1 B1");
	scene.generation[0] = 2;
	task_takes(&scene, 1, "A1 B1");
	task_takes(&scene, 2, "B1 A1");
	assert_int_equal(the_finding(&scene)->edges[0].instances, 4);
	assert_int_equal(the_finding(&scene)->edges[1].instances, 1);
	scene_end(&scene);
}

static void names_of_kinds_and_grades(void **state)
{
	(void)state;
	assert_string_equal(finding_kind_name(FINDING_CIRCULAR), "circular");
	assert_string_equal(finding_kind_name(FINDING_RECURSIVE), "recursive");
	assert_string_equal(finding_kind_name(FINDING_ORDER), "order");
	assert_string_equal(finding_kind_name(FINDING_FORBIDDEN_CALL), "forbidden_call");
	assert_string_equal(finding_kind_name(FINDING_BAD_UNLOCK), "bad_unlock");
	assert_string_equal(finding_kind_name(FINDING_FREED_HELD), "freed_held");
	assert_string_equal(finding_kind_name(FINDING_REINIT_HELD), "reinit_held");
	assert_string_equal(finding_grade_name(GRADE_INFORMATION), "information");
	assert_string_equal(finding_grade_name(GRADE_DANGER), "danger");
	assert_string_equal(finding_grade_name(GRADE_ONE_TASK), "one_task");
	assert_string_equal(finding_grade_name(GRADE_GUARDED), "guarded");
	assert_string_equal(finding_grade_name(GRADE_POSSIBLE), "possible");
	assert_string_equal(finding_grade_name(GRADE_LIKELY), "likely");
	assert_string_equal(finding_grade_name(GRADE_DEADLOCK), "deadlock");
}

static void a_cycle_seen_to_hang_is_a_deadlock(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene);
	assert_int_equal(model_confirm_deadlock(scene.model, 1), -ENOENT);
	task_takes(&scene, 1, "A B");
	task_takes(&scene, 2, "B A");
	assert_int_equal(model_confirm_deadlock(scene.model, 0), -ENOENT);
	assert_int_equal(model_confirm_deadlock(scene.model, 1), 0);
	assert_int_equal(scene.told_count, 2);
	assert_int_equal(scene.told[1].grade, GRADE_DEADLOCK);
	assert_int_equal(scene.told[1].previous_grade, GRADE_LIKELY);
	assert_int_equal(model_confirm_deadlock(scene.model, 1), -EALREADY);
	assert_int_equal(scene.told_count, 2);
	/* Only circles have two tasks that can be seen to wait for each other. */
	task_takes(&scene, 3, "C1 C2");
	task_takes(&scene, 4, "C2 C1");
	assert_int_equal(model_finding(scene.model, 2)->kind, FINDING_RECURSIVE);
	assert_int_equal(model_confirm_deadlock(scene.model, 2), -ENOENT);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_tasks_with_the_same_locks_are_likely),
		cmocka_unit_test(a_cycle_seen_to_hang_is_a_deadlock),
		cmocka_unit_test(different_locks_are_possible),
		cmocka_unit_test(one_task_rises_with_a_second),
		cmocka_unit_test(the_first_edge_can_be_the_one_with_a_second_task),
		cmocka_unit_test(a_known_chain_by_a_second_task_tells_that_there_are_two),
		cmocka_unit_test(one_address_of_a_task_is_not_one_task),
		cmocka_unit_test(one_task_rises_to_guarded_and_likely),
		cmocka_unit_test(guarded_rises_to_possible_when_other_locks_lack_the_gate),
		cmocka_unit_test(one_task_rises_to_possible),
		cmocka_unit_test(no_grade_ever_falls),
		cmocka_unit_test(what_does_not_guard),
		cmocka_unit_test(what_guards),
		cmocka_unit_test(all_edges_need_the_same_gate),
		cmocka_unit_test(the_own_lock_of_each_vm_guards),
		cmocka_unit_test(the_own_lock_of_each_vm_guards_from_the_start),
		cmocka_unit_test(the_lock_of_another_vm_does_not_guard),
		cmocka_unit_test(one_half_without_the_own_lock_is_enough),
		cmocka_unit_test(the_example_is_the_lock_of_the_vm_concerned),
		cmocka_unit_test(a_pair_of_two_vms_has_no_own_lock),
		cmocka_unit_test(a_device_set_belongs_to_no_group),
		cmocka_unit_test(another_vms_gate_and_tasks_do_not_count_for_these_locks),
		cmocka_unit_test(nesting_of_a_class_under_a_gate_is_guarded),
		cmocka_unit_test(nesting_of_a_class_rises_like_any_cycle),
		cmocka_unit_test(a_cycle_known_by_its_locks_first),
		cmocka_unit_test(counts_are_those_of_the_chain_cache),
		cmocka_unit_test(one_chain_sent_twice_is_counted_once),
		cmocka_unit_test(counts_of_many_chains_add_up),
		cmocka_unit_test(instances_are_pairs_of_locks),
		cmocka_unit_test(names_of_kinds_and_grades),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
