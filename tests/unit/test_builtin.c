// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * The built-in rules that no kernel of the lab can break: those of other
 * architectures, of kernels between releases, and those that need locks that are
 * not followed yet. Made-up records of made-up kernels. docs/builtin-rules.md says which.
 */
#include "chain_builder.h"

#include "builtin_rules.h"

/* Functions that tasks are in, at FUNCTIONS + index << 12. */
#define FUNCTIONS 0xffffffff91000000ULL
static const char *const functions[] = {
	"kvm_psci_call",
	"kvm_reset_vcpu",
	"kvm_vgic_map_resources",
	"kvm_vgic_destroy",
};

/* The foreign locks that rules name; U and those of begin() are declared. */
static const struct {
	char letter;
	const char *name;
} foreign[] = {
	{ 'C', "&kvm->arch.config_lock" },
	{ 'D', "&its->cmd_lock" },
	{ 'E', "&its->its_lock" },
	{ 'H', "cpu_hotplug_lock" },
	{ 'M', "&mm->mmap_lock" },
	{ 'N', "&vdev->vma_lock" },
	{ 'P', "pci_bus_sem" },
	{ 'R', "kvm.srcu" },
};

enum { DESTROY_VM, ARCH_DESTROY_VM };

static int find_function(void *context, uint64_t address, struct symbol *out)
{
	uint64_t index = (address - FUNCTIONS) >> 12;

	(void)context;
	if (address < FUNCTIONS || index >= sizeof(functions) / sizeof(functions[0]))
		return -1;
	memset(out, 0, sizeof(*out));
	snprintf(out->name, sizeof(out->name), "%s", functions[index]);
	out->type = 't';
	return 0;
}

static void name_lock(struct scene *scene, char letter, const char *name)
{
	struct lt_record_lock lock = {
		.header = { LT_RECORD_LOCK, sizeof(lock), ++scene->now },
		.addr = lock_address(letter, 0),
		.generation = 1,
	};

	snprintf(lock.init_name, sizeof(lock.init_name), "%s", name);
	assert_int_equal(model_feed(scene->model, &lock.header, sizeof(lock)), 0);
	scene->class_id[letter - 'A'] = LT_CLASS_FOREIGN;
}

/* present: what the kernel has. */
static void begin(struct scene *scene, const char *present)
{
	const struct symbol_source symbols = { NULL, find_function };
	static char text[64 * 1024];
	size_t i;

	text[0] = '\0';
	for (i = 0; i < sizeof(builtin_rules) / sizeof(builtin_rules[0]); i++) {
		assert_true(strlen(text) + builtin_rules[i].size < sizeof(text));
		strcat(text, builtin_rules[i].text);
	}
	scene_begin_ruled(scene, symbols, text);
	scene->present = present;
	scene_refresh(scene);
	scene->class_id['K' - 'A'] = LT_CLASS_KVM_LOCK;
	scene->class_id['V' - 'A'] = LT_CLASS_KVM_VCPU_MUTEX;
	scene->class_id['W' - 'A'] = LT_CLASS_KVM_SLOTS_LOCK;
	scene->class_id['U' - 'A'] = LT_CLASS_STATIC_KVM_LOCK;
	scene->class_id['G' - 'A'] = LT_CLASS_VFIO_GROUP_GROUP_LOCK;
	scene->class_id['S' - 'A'] = LT_CLASS_VFIO_DEVICE_SET_LOCK;
	scene->class_id['O' - 'A'] = LT_CLASS_VFIO_PCI_MEMORY_LOCK;
	for (i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		name_lock(scene, foreign[i].letter, foreign[i].name);
	assert_int_equal(model_name_function(scene->model, DESTROY_VM, "kvm_destroy_vm"), 0);
	assert_int_equal(model_name_function(scene->model, ARCH_DESTROY_VM, "kvm_arch_destroy_vm"), 0);
}

/* The words of a chain, "A B"; with a function the task is in it. */
static void takes_in(struct scene *scene, unsigned int task, const char *function, const char *text)
{
	size_t i = 0;

	while (function && strcmp(functions[i], function) != 0)
		i++;
	scene->in = function ? FUNCTIONS + (i << 12) : 0;
	task_takes(scene, task, text);
	scene->in = 0;
}

static void orders_of_arm64(void **state)
{
	static const char *const wrong[] = { "C V", "C W", "D C", "E D", "E C" };
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		begin(&scene, "kvm_arch.config_lock");
		task_takes(&scene, 1, wrong[i]);
		assert_int_equal(the_finding(&scene)->kind, FINDING_ORDER);
		scene_end(&scene);
		begin(&scene, "");
		task_takes(&scene, 1, wrong[i]);
		assert_int_equal(findings(&scene), 0);
		scene_end(&scene);
	}
}

static void known_orders_of_arm64(void **state)
{
	static const struct {
		const char *present, *fixed, *function, *chain, *commit;
	} bugs[] = {
		{ "kvm_psci_call", "kvm_psci_call kvm_vcpu_arch.mp_state_lock", "kvm_psci_call", "V K",
		  "0acc7239c20a" },
		{ "kvm_reset_vcpu", "kvm_reset_vcpu kvm_arch.config_lock", "kvm_reset_vcpu", "V K",
		  "c43120afb5c6" },
		{ "kvm_arch.config_lock", NULL, "kvm_vgic_map_resources", "C W", "59112e9c390b" },
	};
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++) {
		begin(&scene, bugs[i].present);
		takes_in(&scene, 1, bugs[i].function, bugs[i].chain);
		assert_int_equal(the_finding(&scene)->kind, FINDING_ORDER);
		assert_non_null(the_finding(&scene)->known);
		assert_string_equal(the_finding(&scene)->known->commit, bugs[i].commit);
		scene_end(&scene);
		/* Elsewhere, or with the fix, it is not that bug. */
		begin(&scene, bugs[i].present);
		takes_in(&scene, 1, NULL, bugs[i].chain);
		assert_null(the_finding(&scene)->known);
		scene_end(&scene);
		begin(&scene, bugs[i].fixed);
		takes_in(&scene, 1, bugs[i].function, bugs[i].chain);
		assert_true(!bugs[i].fixed || !the_finding(&scene)->known);
		scene_end(&scene);
	}
}

static void known_circles_through_locks_not_followed_yet(void **state)
{
	static const struct {
		const char *present, *function, *chains[4], *commit;
	} bugs[] = {
		{ "vfio_pci_core_device.vma_lock", NULL, { "P M", "M N", "N O", "O P" }, "f6944d4a0b87" },
		{ "kvm_lock", NULL, { "U W", "W R", "R H", "H U" }, "44d174596260" },
		{ "kvm_arch.config_lock", "kvm_vgic_destroy", { "C R", "R C" }, "f616506754d3" },
	};
	struct scene scene;
	unsigned int task;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++) {
		begin(&scene, bugs[i].present);
		for (task = 0; task < 4 && bugs[i].chains[task]; task++)
			takes_in(&scene, task, task ? NULL : bugs[i].function, bugs[i].chains[task]);
		assert_int_equal(the_finding(&scene)->kind, FINDING_CIRCULAR);
		assert_non_null(the_finding(&scene)->known);
		assert_string_equal(the_finding(&scene)->known->commit, bugs[i].commit);
		scene_end(&scene);
	}
}

#define INLINED "kvm_arch_destroy_vm kvm_vfio_ops "
#define DESTROYS "kvm_device_ops.destroy@kvm_vfio_ops "
#define HIDDEN "kvm_arch_destroy_vm ?kvm_device_ops.destroy@kvm_vfio_ops "

static void calls_where_kvm_destroy_vm_is_inlined(void **state)
{
	static const struct {
		const char *present, *held;
		enum finding_grade grade;
		const char *known, *because;
	} calls[] = {
		{ INLINED DESTROYS "vfio_group.group_lock", "G", GRADE_DANGER, "51cdc8bc120e",
		  "waits for itself" },
		{ INLINED DESTROYS "vfio_group.group_lock", "S", GRADE_INFORMATION, NULL,
		  "no deadlock by itself" },
		{ INLINED DESTROYS "vfio_group.group_lock vfio_device_set_group", "S", GRADE_DANGER, NULL,
		  "outside of the lock of the device set" },
		{ INLINED "vfio_group.group_lock", "G", GRADE_INFORMATION, NULL, "has .release" },
		{ INLINED "vfio_group.group_lock", "S", GRADE_INFORMATION, NULL, "has .release" },
		{ INLINED DESTROYS "vfio_group.kvm_ref_lock", "G", GRADE_INFORMATION, NULL, "kvm_ref_lock" },
		{ INLINED DESTROYS "vfio_group.kvm_ref_lock", "S", GRADE_INFORMATION, NULL, "kvm_ref_lock" },
		{ HIDDEN "vfio_group.group_lock", "G", GRADE_INFORMATION, NULL, "cannot be read" },
		{ HIDDEN "vfio_group.group_lock", "S", GRADE_INFORMATION, NULL, "cannot be read" },
		{ HIDDEN "vfio_group.kvm_ref_lock", "G", GRADE_INFORMATION, NULL, "kvm_ref_lock" },
	};
	const struct finding *f;
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		begin(&scene, calls[i].present);
		task_calls(&scene, 1, ARCH_DESTROY_VM, calls[i].held);
		f = the_finding(&scene);
		assert_int_equal(f->grade, calls[i].grade);
		assert_int_equal(f->rule_count, 1);
		assert_non_null(strstr(f->rules[0]->because, calls[i].because));
		assert_int_equal(f->known != NULL, calls[i].known != NULL);
		if (f->known)
			assert_string_equal(f->known->commit, calls[i].known);
		scene_end(&scene);
	}
	/* Where it is a function of its own nothing is said of what it calls. */
	begin(&scene, INLINED "kvm_destroy_vm vfio_group.group_lock");
	task_calls(&scene, 1, ARCH_DESTROY_VM, "S G");
	assert_int_equal(findings(&scene), 0);
	scene_end(&scene);
}

static void the_call_between_two_releases(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, "kvm_destroy_vm kvm_vfio_ops " DESTROYS "vfio_group.group_lock vfio_device_set_group");
	task_calls(&scene, 1, DESTROY_VM, "S");
	assert_int_equal(the_finding(&scene)->grade, GRADE_DANGER);
	scene_end(&scene);
	/* Whether kvm-vfio has .destroy cannot be read: no danger is said, and not nothing. */
	begin(&scene, "kvm_destroy_vm ?" DESTROYS "vfio_group.group_lock vfio_device_set_group");
	task_calls(&scene, 1, DESTROY_VM, "S");
	assert_int_equal(the_finding(&scene)->grade, GRADE_INFORMATION);
	assert_non_null(strstr(the_finding(&scene)->rules[0]->because, "cannot be read"));
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_of_arm64),
		cmocka_unit_test(known_orders_of_arm64),
		cmocka_unit_test(known_circles_through_locks_not_followed_yet),
		cmocka_unit_test(calls_where_kvm_destroy_vm_is_inlined),
		cmocka_unit_test(the_call_between_two_releases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
