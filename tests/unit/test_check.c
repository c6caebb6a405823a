// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* What "check" makes of what a kernel offers: the verdict, the exit status, the reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "report/check.h"

static struct feature features[FEATURE_COUNT];
static struct plan plan;
static struct check_verdict verdict;

/* A kernel that has everything, all reached by fentry. */
static int all_there(void **state)
{
	static const struct feature rows[] = {
#define ROW(id, group, name, words, ...) { GROUP_##group, name, words, FEATURE_YES, "" },
		LT_FEATURES(ROW)
#undef ROW
	};

	(void)state;
	memcpy(features, rows, sizeof(features));
	plan = (struct plan){ .attach = "fentry", .kinds = "fentry", .misses_counted = true };
	plan.functions[plan.function_count++] =
		(struct planned_function){ "mutex_lock", "", ROLE_LOCK, FUNCTION_REACHED, "fentry" };
	plan.functions[plan.function_count++] =
		(struct planned_function){ "vfio_fops_open", "vfio", ROLE_SCOPE, FUNCTION_WAITING, NULL };
	plan.functions[plan.function_count++] =
		(struct planned_function){ "kvm_vfio_release", "kvm", ROLE_OBJECT, FUNCTION_MISSING, NULL };
	plan.classes[plan.class_count++] = (struct planned_class){ "kvm.lock", CLASS_WATCHED };
	plan.classes[plan.class_count++] = (struct planned_class){ "kvm_usage_lock", CLASS_MISSING };
	return 0;
}

static void lose(enum feature_id id)
{
	features[id].state = FEATURE_NO;
}

static void expect(int status, enum check_level watch, enum check_level hang, enum check_level list,
		   size_t problems)
{
	check_judge(features, &plan, &verdict);
	assert_int_equal(verdict.level[CHECK_WATCH], watch);
	assert_int_equal(verdict.level[CHECK_HANG], hang);
	assert_int_equal(verdict.level[CHECK_LIST], list);
	assert_int_equal(verdict.problem_count, problems);
	assert_int_equal(check_status(&verdict), status);
}

static void with_everything_all_is_full(void **state)
{
	(void)state;
	expect(0, CHECK_FULL, CHECK_FULL, CHECK_FULL, 0);
	assert_string_equal(verdict.attach, "fentry");
}

static void what_waits_or_is_unknown_is_no_problem(void **state)
{
	(void)state;
	features[FEATURE_BTF_VFIO_ID].state = FEATURE_WAITING;
	features[FEATURE_LOCKDOWN_ID].state = FEATURE_UNKNOWN;
	features[FEATURE_PREEMPTION_ID].state = FEATURE_UNKNOWN;
	expect(0, CHECK_FULL, CHECK_FULL, CHECK_FULL, 0);
}

/* A watch and a list that do not need them; tasks that do not say what they wait for are looked at. */
static void members_of_tasks_that_are_not_there_are_no_problem(void **state)
{
	(void)state;
	lose(FEATURE_BLOCKED_ON_ID);
	lose(FEATURE_BLOCKER_ID);
	lose(FEATURE_KPROBE_MULTI_ID);
	lose(FEATURE_CONTENTION_ID);
	lose(FEATURE_CAPABILITIES_ID);
	lose(FEATURE_BTF_OBJECTS_ID);
	expect(0, CHECK_FULL, CHECK_FULL, CHECK_FULL, 0);
}

static void kprobes_whose_misses_nobody_counts_are_less(void **state)
{
	(void)state;
	plan.attach = "kprobe";
	strcpy(plan.kinds, "kprobe, fentry");
	plan.misses_counted = false;
	expect(1, CHECK_DEGRADED, CHECK_FULL, CHECK_FULL, 1);
	assert_string_equal(verdict.attach, "kprobe, fentry");
}

static void refused_trampolines_leave_kprobes(void **state)
{
	(void)state;
	lose(FEATURE_FENTRY_ID);
	assert_string_equal(check_attach(features, "fentry"), "kprobe");
	lose(FEATURE_KPROBE_ID);
	assert_null(check_attach(features, "fentry"));
	features[FEATURE_FENTRY_ID].state = FEATURE_YES;
	assert_string_equal(check_attach(features, "kprobe"), "fentry");
	lose(FEATURE_FEXIT_ID);
	assert_null(check_attach(features, "fentry"));
	assert_string_equal(check_attach(features, "kprobe.multi"), "kprobe.multi");
	assert_null(check_attach(features, NULL));
	assert_true(check_can(features, "kprobe.multi"));
	assert_false(check_can(features, "kprobe"));
	assert_false(check_can(features, "contention"));
}

static void kprobes_that_are_refused_leave_modules_out(void **state)
{
	(void)state;
	lose(FEATURE_KPROBE_ID);
	expect(0, CHECK_FULL, CHECK_FULL, CHECK_FULL, 0);
	plan.misses_counted = false;
	plan.functions[plan.function_count++] =
		(struct planned_function){ "kvm_arch_init_vm", "kvm", ROLE_OBJECT, FUNCTION_REFUSED, NULL };
	expect(1, CHECK_DEGRADED, CHECK_FULL, CHECK_FULL, 1);
	assert_string_equal(verdict.problems[0].name, "kprobe");
	assert_string_equal(verdict.attach, "fentry");
}

static void without_functions_contention_is_left(void **state)
{
	(void)state;
	lose(FEATURE_FENTRY_ID);
	lose(FEATURE_FEXIT_ID);
	lose(FEATURE_KPROBE_ID);
	expect(1, CHECK_DEGRADED, CHECK_FULL, CHECK_FULL, 1);
	assert_string_equal(verdict.attach, "contention");
	assert_non_null(strstr(verdict.problems[0].means, "not seen"));
	lose(FEATURE_CONTENTION_ID);
	expect(1, CHECK_IMPOSSIBLE, CHECK_FULL, CHECK_FULL, 1);
	assert_null(verdict.attach);
}

static void by_contention_real_time_mutexes_are_not_seen(void **state)
{
	(void)state;
	lose(FEATURE_FENTRY_ID);
	lose(FEATURE_FEXIT_ID);
	lose(FEATURE_KPROBE_ID);
	plan.realtime = true;
	expect(1, CHECK_IMPOSSIBLE, CHECK_FULL, CHECK_FULL, 1);
	assert_null(verdict.attach);
}

static void fentry_where_tasks_are_preempted_is_less(void **state)
{
	(void)state;
	plan.preempts = true;
	expect(1, CHECK_DEGRADED, CHECK_FULL, CHECK_FULL, 1);
	assert_string_equal(verdict.problems[0].name, "preemption");
	plan.functions[0].attach = "kprobe.multi";
	expect(0, CHECK_FULL, CHECK_FULL, CHECK_FULL, 0);
}

static void a_kernel_with_lockdep_is_not_watched(void **state)
{
	(void)state;
	plan.locks_missing = true;
	plan.attach = NULL;
	/* What they are tried on is not there either. */
	lose(FEATURE_FENTRY_ID);
	lose(FEATURE_FEXIT_ID);
	lose(FEATURE_KPROBE_ID);
	lose(FEATURE_KPROBE_MULTI_ID);
	expect(1, CHECK_IMPOSSIBLE, CHECK_FULL, CHECK_FULL, 1);
	assert_non_null(strstr(verdict.problems[0].means, "lockdep"));
}

static void modules_without_types_are_told_together(void **state)
{
	(void)state;
	lose(FEATURE_BTF_KVM_ID);
	lose(FEATURE_BTF_VFIO_ID);
	expect(1, CHECK_DEGRADED, CHECK_DEGRADED, CHECK_DEGRADED, 1);
	assert_string_equal(verdict.problems[0].name, "btf_kvm btf_vfio");
	assert_string_equal(verdict.problems[0].what, "types of kvm, types of vfio");
}

static void without_privileges_one_reason_is_told_not_all(void **state)
{
	(void)state;
	for (int id = 0; id < FEATURE_COUNT; id++)
		if (features[id].group == GROUP_BPF || features[id].group == GROUP_ATTACH)
			lose(id);
	expect(2, CHECK_IMPOSSIBLE, CHECK_IMPOSSIBLE, CHECK_IMPOSSIBLE, 1);
	assert_string_equal(verdict.problems[0].name, "program_load");
	assert_null(verdict.attach);
}

static void lockdown_is_told_once(void **state)
{
	(void)state;
	lose(FEATURE_LOCKDOWN_ID);
	lose(FEATURE_READ_MEMORY_ID);
	lose(FEATURE_KPROBE_ID);
	expect(2, CHECK_IMPOSSIBLE, CHECK_IMPOSSIBLE, CHECK_IMPOSSIBLE, 1);
	assert_string_equal(verdict.problems[0].name, "lockdown");
}

/* securityfs is not mounted: what lockdown does shows all the same. */
static void lockdown_shows_without_its_file(void **state)
{
	(void)state;
	features[FEATURE_LOCKDOWN_ID].state = FEATURE_UNKNOWN;
	lose(FEATURE_READ_MEMORY_ID);
	expect(2, CHECK_IMPOSSIBLE, CHECK_IMPOSSIBLE, CHECK_IMPOSSIBLE, 1);
	assert_non_null(strstr(verdict.problems[0].fix, "lockdown=integrity"));
}

static void types_from_a_file_do_not_bring_iterators(void **state)
{
	(void)state;
	lose(FEATURE_BTF_OWN_ID);
	lose(FEATURE_ITERATE_TASKS_ID);
	lose(FEATURE_ITERATE_FILES_ID);
	lose(FEATURE_ITERATE_MAP_ID);
	lose(FEATURE_FENTRY_ID);
	lose(FEATURE_FEXIT_ID);
	plan.attach = "kprobe";
	strcpy(plan.kinds, "kprobe, fentry");
	plan.misses_counted = false;
	expect(1, CHECK_DEGRADED, CHECK_IMPOSSIBLE, CHECK_DEGRADED, 2);
	assert_string_equal(verdict.problems[0].name, "btf_own");
}

/* What a lack of each makes of watch, hang and list; those that are not here make nothing of any. */
static const struct {
	enum feature_id id;
	enum check_level level[CHECK_COMMANDS];
} alone[] = {
#define FULL CHECK_FULL
#define DEGRADED CHECK_DEGRADED
#define IMPOSSIBLE CHECK_IMPOSSIBLE
	{ FEATURE_PID_NAMESPACE_ID, { IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE } },
	{ FEATURE_LIVEPATCH_ID, { DEGRADED, FULL, FULL } },
	{ FEATURE_LOCKDOWN_ID, { IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE } },
	{ FEATURE_ADDRESSES_ID, { IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE } },
	{ FEATURE_DATA_SYMBOLS_ID, { DEGRADED, DEGRADED, DEGRADED } },
	{ FEATURE_BTF_ID, { IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE } },
	{ FEATURE_BTF_OWN_ID, { DEGRADED, IMPOSSIBLE, DEGRADED } },
	{ FEATURE_BTF_KVM_ID, { DEGRADED, DEGRADED, DEGRADED } },
	{ FEATURE_BTF_VFIO_ID, { DEGRADED, DEGRADED, DEGRADED } },
	{ FEATURE_BTF_VFIO_PCI_ID, { DEGRADED, DEGRADED, DEGRADED } },
	{ FEATURE_BTF_TYPE1_ID, { DEGRADED, DEGRADED, DEGRADED } },
	{ FEATURE_LOAD_ID, { IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE } },
	{ FEATURE_TEST_RUN_ID, { IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE } },
	{ FEATURE_READ_MEMORY_ID, { IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE } },
	{ FEATURE_RING_BUFFER_ID, { IMPOSSIBLE, FULL, IMPOSSIBLE } },
	{ FEATURE_ITERATE_TASKS_ID, { IMPOSSIBLE, IMPOSSIBLE, DEGRADED } },
	{ FEATURE_ITERATE_FILES_ID, { IMPOSSIBLE, DEGRADED, IMPOSSIBLE } },
	{ FEATURE_ITERATE_MAP_ID, { IMPOSSIBLE, FULL, FULL } },
	{ FEATURE_TASK_END_ID, { IMPOSSIBLE, FULL, FULL } },
	{ FEATURE_MUTEX_OWNER_ID, { IMPOSSIBLE, DEGRADED, DEGRADED } },
	{ FEATURE_MUTEX_WAITERS_ID, { FULL, DEGRADED, DEGRADED } },
	{ FEATURE_RWSEM_WAITERS_ID, { FULL, DEGRADED, FULL } },
#undef FULL
#undef DEGRADED
#undef IMPOSSIBLE
};

static void each_feature_alone_has_its_level(void **state)
{
	(void)state;
	for (int id = 0; id < FEATURE_COUNT; id++) {
		const enum check_level *level = NULL;

		for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
			if (alone[i].id == (enum feature_id)id)
				level = alone[i].level;
		all_there(NULL);
		lose(id);
		check_judge(features, &plan, &verdict);
		assert_int_equal(verdict.problem_count, level ? 1 : 0);
		for (int k = 0; level && k < CHECK_COMMANDS; k++)
			assert_int_equal(verdict.level[k], level[k]);
	}
}

static void each_problem_says_what_it_means_and_what_mends_it(void **state)
{
	(void)state;
	for (int id = 0; id < FEATURE_COUNT; id++) {
		all_there(NULL);
		lose(id);
		check_judge(features, &plan, &verdict);
		for (size_t i = 0; i < verdict.problem_count; i++) {
			assert_true(strlen(verdict.problems[i].means) > 20);
			assert_true(strlen(verdict.problems[i].fix) > 10);
			assert_int_not_equal(check_status(&verdict), 0);
		}
	}
}

static char *told(int (*tell)(const struct check_report *report, FILE *out))
{
	const struct check_report report = {
		.version = "1.0", .features = features, .plan = &plan, .verdict = &verdict
	};
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	check_judge(features, &plan, &verdict);
	assert_int_equal(tell(&report, out), 0);
	fclose(out);
	return text;
}

static void the_text_tells_each_part(void **state)
{
	char *text;

	(void)state;
	lose(FEATURE_DATA_SYMBOLS_ID);
	snprintf(features[FEATURE_DATA_SYMBOLS_ID].detail, sizeof(features[0].detail), "functions only");
	snprintf(features[FEATURE_RELEASE_ID].detail, sizeof(features[0].detail), "Linux 6.1");
	text = told(text_check);
	assert_non_null(strstr(text, "release                      Linux 6.1\n"));
	assert_non_null(strstr(text, "symbols of data              no: functions only\n"));
	assert_non_null(strstr(text, "  locks taken, by fentry:\n    mutex_lock\n"));
	assert_non_null(strstr(text, "  file operations, when the module is loaded:\n    vfio_fops_open\n"));
	assert_non_null(strstr(
		text,
		"  births and deaths of objects, not in this kernel (what happens there is not seen, where this kernel has such objects at all):\n    kvm_vfio_release\n"));
	assert_non_null(strstr(text, "  watched:\n    kvm.lock\n"));
	assert_non_null(strstr(text, "not watched:\n    kvm_usage_lock\n"));
	assert_non_null(strstr(text, "  watch  degraded, by fentry\n"));
	assert_non_null(
		strstr(text, "Missing: symbols of data (watch degraded, hang degraded, list degraded)\n"));
	assert_non_null(strstr(text, "To mend it: A kernel with CONFIG_KALLSYMS_ALL.\n"));
	free(text);
}

static void the_json_is_one_object_a_line(void **state)
{
	char *text, *line, *rest;
	size_t lines = 0;
	json_t *last = NULL;

	(void)state;
	lose(FEATURE_BTF_VFIO_ID);
	text = told(json_check);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		json_decref(last);
		last = json_loads(line, 0, NULL);
		assert_non_null(last);
		assert_int_equal(json_integer_value(json_object_get(last, "version")), 1);
		lines++;
	}
	assert_int_equal(lines, FEATURE_COUNT + plan.function_count + plan.class_count + 1 + 1);
	assert_string_equal(json_string_value(json_object_get(last, "type")), "summary");
	assert_string_equal(json_string_value(json_object_get(last, "watch")), "degraded");
	assert_int_equal(json_integer_value(json_object_get(last, "status")), 1);
	json_decref(last);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(with_everything_all_is_full, all_there),
		cmocka_unit_test_setup(what_waits_or_is_unknown_is_no_problem, all_there),
		cmocka_unit_test_setup(members_of_tasks_that_are_not_there_are_no_problem, all_there),
		cmocka_unit_test_setup(kprobes_whose_misses_nobody_counts_are_less, all_there),
		cmocka_unit_test_setup(refused_trampolines_leave_kprobes, all_there),
		cmocka_unit_test_setup(kprobes_that_are_refused_leave_modules_out, all_there),
		cmocka_unit_test_setup(without_functions_contention_is_left, all_there),
		cmocka_unit_test_setup(by_contention_real_time_mutexes_are_not_seen, all_there),
		cmocka_unit_test_setup(fentry_where_tasks_are_preempted_is_less, all_there),
		cmocka_unit_test_setup(each_feature_alone_has_its_level, all_there),
		cmocka_unit_test_setup(a_kernel_with_lockdep_is_not_watched, all_there),
		cmocka_unit_test_setup(modules_without_types_are_told_together, all_there),
		cmocka_unit_test_setup(without_privileges_one_reason_is_told_not_all, all_there),
		cmocka_unit_test_setup(lockdown_is_told_once, all_there),
		cmocka_unit_test_setup(lockdown_shows_without_its_file, all_there),
		cmocka_unit_test_setup(types_from_a_file_do_not_bring_iterators, all_there),
		cmocka_unit_test_setup(each_problem_says_what_it_means_and_what_mends_it, all_there),
		cmocka_unit_test_setup(the_text_tells_each_part, all_there),
		cmocka_unit_test_setup(the_json_is_one_object_a_line, all_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
