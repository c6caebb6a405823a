// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* The order and the words of "list". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/list.h"

#define VM 0x1000
#define GROUP 0x2000
#define DEVICE 0x3000

static struct lt_record_object object(uint32_t kind, uint64_t addr, uint64_t parent, uint32_t number,
				      const char *name)
{
	struct lt_record_object o = { .header = { .type = LT_RECORD_OBJECT, .size = sizeof(o) },
				      .kind = kind,
				      .event = LT_OBJECT_FOUND,
				      .addr = addr,
				      .parent = parent,
				      .pid = kind == LT_OBJECT_VM ? 77 : 0,
				      .number = number };

	snprintf(o.name, sizeof(o.name), "%s", name);
	return o;
}

static const char *vm_name(void *context, uint32_t pid)
{
	(void)context;
	return pid == 77 ? "demo" : NULL;
}

static struct lt_task owner = { .id = 1, .pid = 77, .tid = 78, .comm = "CPU 0/KVM" };

/* As text, to be freed. */
static char *told(const struct lt_record_object *objects, size_t count, const struct list_lock *locks,
		  size_t lock_count, const char *trouble)
{
	const struct model_options options = { 0 };
	struct model *model = model_new(&options);
	struct list_report r = {
		.base = { .model = model, .kernel = "6.1", .taint = "not tainted", .vm_name = vm_name },
		.objects = objects,
		.object_count = count,
		.locks = locks,
		.lock_count = lock_count,
		.trouble = trouble
	};
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < count; i++)
		assert_int_equal(model_feed(model, &objects[i].header, sizeof(objects[i])), 0);
	assert_int_equal(text_list(&r, out), 0);
	fclose(out);
	model_free(model);
	return text;
}

static void what_lies_in_an_object_comes_after_it(void **state)
{
	const struct lt_record_object objects[] = {
		object(LT_OBJECT_DEV_SET, 0x4000, DEVICE, 0, ""),
		object(LT_OBJECT_VCPU, 0x1210, VM, 10, ""),
		object(LT_OBJECT_GROUP, GROUP, 0, 0, "7"),
		object(LT_OBJECT_VCPU, 0x1220, VM, 9, ""),
		object(LT_OBJECT_DEVICE, DEVICE, GROUP, 0, "0000:00:04.0"),
		object(LT_OBJECT_PCI, DEVICE, DEVICE, 0, ""),
		object(LT_OBJECT_VM, VM, 0, 0, ""),
		object(LT_OBJECT_VM, VM, 0, 0, ""),
	};
	static const struct {
		uint32_t kind, number;
		unsigned int level;
	} expected[] = { { LT_OBJECT_VM, 0, 0 },    { LT_OBJECT_VCPU, 9, 1 },   { LT_OBJECT_VCPU, 10, 1 },
			 { LT_OBJECT_GROUP, 0, 0 }, { LT_OBJECT_DEVICE, 0, 1 }, { LT_OBJECT_DEV_SET, 0, 2 },
			 { LT_OBJECT_PCI, 0, 2 } };
	const struct list_report r = { .objects = objects, .object_count = 8 };
	struct list_item items[8];

	(void)state;
	assert_int_equal(list_order(&r, items), 7);
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(items[i].object->kind, expected[i].kind);
		assert_int_equal(items[i].object->number, expected[i].number);
		assert_int_equal(items[i].level, expected[i].level);
	}
}

static void one_whose_parent_is_not_there_stands_alone(void **state)
{
	/* The last one says that it lies in itself. */
	const struct lt_record_object objects[] = { object(LT_OBJECT_VCPU, 0x1210, VM, 0, ""),
						    object(LT_OBJECT_DEVICE, DEVICE, DEVICE, 0, "x") };
	const struct list_report r = { .objects = objects, .object_count = 2 };
	struct list_item items[2];

	(void)state;
	assert_int_equal(list_order(&r, items), 2);
	assert_int_equal(items[0].level, 0);
	assert_int_equal(items[1].level, 0);
}

static void locks_are_told_with_owner_and_waiters(void **state)
{
	const struct lt_record_object objects[] = { object(LT_OBJECT_VM, VM, 0, 0, ""),
						    object(LT_OBJECT_VCPU, 0x1210, VM, 0, "") };
	const struct list_lock locks[] = {
		{ .addr = 5, .class = "kvm_lock", .held = LIST_UNKNOWN },
		{ .addr = 1,
		  .object = VM,
		  .kind = LT_OBJECT_VM,
		  .class = "kvm.lock",
		  .held = LIST_UNSEEN,
		  .waiters = 1 },
		{ .addr = 2,
		  .object = VM,
		  .kind = LT_OBJECT_VM,
		  .class = "kvm.slots_lock",
		  .held = LIST_FREE },
		{ .addr = 3,
		  .object = 0x1210,
		  .kind = LT_OBJECT_VCPU,
		  .class = "kvm_vcpu.mutex",
		  .held = LIST_TASK,
		  .owner = &owner,
		  .waiters = 2 },
	};
	char *text = told(objects, 2, locks, 4, NULL);

	(void)state;
	assert_non_null(strstr(text, "\nVM 77 'demo'\n  kvm.lock "));
	assert_non_null(strstr(text, " held by a task that was not seen; 1 task waits\n"));
	assert_non_null(strstr(text, "  kvm.slots_lock                   free\n"));
	assert_non_null(strstr(text, "\n  vCPU 0 of VM 77 'demo'\n    kvm_vcpu.mutex "));
	assert_non_null(strstr(text, " held by CPU 0/KVM/78 (process 77, VM 'demo'); 2 tasks wait\n"));
	assert_non_null(strstr(text, "\nstatic locks\n  kvm_lock                         cannot be read\n"));
	assert_null(strstr(text, "NOT complete"));
	free(text);
}

static void an_empty_host_and_what_is_missing_are_said(void **state)
{
	char *text = told(NULL, 0, NULL, 0, "It took too long.");

	(void)state;
	assert_non_null(strstr(text, "No VMs, groups or devices were found.\n"));
	assert_null(strstr(text, "static locks"));
	assert_non_null(strstr(text, "NOT complete: It took too long.\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_lies_in_an_object_comes_after_it),
		cmocka_unit_test(one_whose_parent_is_not_there_stands_alone),
		cmocka_unit_test(locks_are_told_with_owner_and_waiters),
		cmocka_unit_test(an_empty_host_and_what_is_missing_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
