// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* What the reports say of findings that no cycle is needed for, as text and as JSON. */
#include "chain_builder.h"

#include <jansson.h>

#include "report/report.h"

#define VM 0xffff888300001000ULL

/* Only the parts of a report that the tests look at are compared: the text must have the words. */
struct paper {
	struct report_context context;
	char *text;
	size_t size;
	FILE *stream;
};

static const char *vm_name(void *context, uint32_t pid)
{
	(void)context;
	return pid == 42 ? "demo" : NULL;
}

static int find_symbol(void *context, uint64_t address, struct symbol *out)
{
	(void)context;
	if (address < 0xffffffff81000000ULL)
		return -1;
	memset(out, 0, sizeof(*out));
	snprintf(out->name, sizeof(out->name), "function");
	out->type = 't';
	return 0;
}

static const struct symbol_source symbols = { NULL, find_symbol };

static void begin(struct scene *scene, const char *rules)
{
	scene_begin_ruled(scene, symbols, rules);
	scene->class_id['K' - 'A'] = LT_CLASS_KVM_LOCK;
	scene->object['K' - 'A'] = VM;
	assert_int_equal(model_name_function(scene->model, 0, "kvm_destroy_vm"), 0);
	assert_int_equal(model_name_function(scene->model, 1, "kvm_put_kvm"), 0);
	object_event(scene, LT_OBJECT_BORN, LT_OBJECT_VM, VM, 0, 42, 0, NULL);
}

static void paper_begin(struct paper *paper, const struct scene *scene)
{
	*paper = (struct paper){ .context = { .model = scene->model,
					      .symbols = symbols,
					      .kernel = "6.1",
					      .taint = "not tainted",
					      .vm_name = vm_name } };
	paper->stream = open_memstream(&paper->text, &paper->size);
	assert_non_null(paper->stream);
}

static void paper_has(const struct paper *paper, const char *words)
{
	fflush(paper->stream);
	if (!strstr(paper->text, words))
		fail_msg("no '%s' in:\n%s", words, paper->text);
}

static void paper_lacks(const struct paper *paper, const char *words)
{
	fflush(paper->stream);
	if (strstr(paper->text, words))
		fail_msg("'%s' in:\n%s", words, paper->text);
}

static void paper_end(struct paper *paper)
{
	fclose(paper->stream);
	free(paper->text);
}

/* A finding as text; then the paper is compared and thrown away. */
static void print(struct paper *paper, const struct scene *scene, uint32_t id)
{
	const struct report_trust trust = { .followed = "mutex", .not_followed = "rw_semaphore" };

	paper_begin(paper, scene);
	model_refresh(scene->model, model_finding(scene->model, id));
	text_finding(&paper->context, model_finding(scene->model, id), &trust, paper->stream);
}

/* The one line of JSON that was written, to be freed by json_decref(). */
static json_t *paper_json(struct paper *paper)
{
	json_t *line;

	fflush(paper->stream);
	line = json_loads(paper->text, 0, NULL);
	assert_non_null(line);
	return line;
}

static json_t *finding_json(const struct scene *scene, uint32_t id)
{
	struct paper paper;
	json_t *line;

	paper_begin(&paper, scene);
	assert_int_equal(json_finding(&paper.context, model_finding(scene->model, id), paper.stream), 0);
	line = paper_json(&paper);
	paper_end(&paper);
	return line;
}

static void calls(struct scene *scene, unsigned int task, uint32_t what, uint64_t argument, const char *text)
{
	struct lt_record_chain chain;

	call_begin(scene, &chain, task, what, 0, text);
	chain.call.argument = argument;
	assert_int_equal(scene_feed(scene, &chain), 0);
}

static void misuses(struct scene *scene, uint32_t what, uint64_t owner, uint32_t tid, const char *text)
{
	struct lt_record_chain chain;

	call_begin(scene, &chain, 1, what, 0, text);
	chain.call.argument = what == LT_CALL_FREED ? VM : 0;
	chain.call.owner = owner;
	chain.call.owner_tid = tid;
	if (tid)
		strcpy(chain.call.owner_comm, "owner");
	assert_int_equal(scene_feed(scene, &chain), 0);
}

static void information_reads_as_information(void **state)
{
	struct scene scene;
	struct paper paper;

	(void)state;
	begin(&scene, "note call kvm_destroy_vm under A because \"it cannot hang\"\n");
	calls(&scene, 1, LT_CALL_FUNCTION, VM, "A");
	print(&paper, &scene, 1);
	paper_has(&paper, "Finding 1: call worth knowing under a lock [information]");
	paper_has(&paper, "Grade:      information, because it cannot hang");
	paper_has(&paper, "What to do: Nothing at once, unless the reason");
	paper_lacks(&paper, "detected");
	paper_lacks(&paper, "should not");
	paper_end(&paper);
	scene_end(&scene);
}

static void a_call_names_what_it_is_made_on(void **state)
{
	struct scene scene;
	struct paper paper;
	json_t *line;

	(void)state;
	begin(&scene, "forbid call kvm_destroy_vm under A\nforbid call kvm_destroy_vm under B\n");
	calls(&scene, 1, LT_CALL_FUNCTION, VM, "A");
	print(&paper, &scene, 1);
	paper_has(
		&paper,
		"\ntask1/1001 (process 1001) called kvm_destroy_vm on VM 42 'demo' while it held A, and rules "
		"forbid that (why: see the grade).\n");
	paper_has(&paper, " called kvm_destroy_vm on VM 42 'demo'\n    while it held 1 lock:\n");
	paper_end(&paper);
	line = finding_json(&scene, 1);
	assert_string_equal(json_string_value(json_object_get(line, "object")), "VM 42 'demo'");
	json_decref(line);
	/* And nothing where it is not known. */
	calls(&scene, 1, LT_CALL_FUNCTION, VM + 8, "B");
	print(&paper, &scene, 2);
	paper_has(&paper, " called kvm_destroy_vm while it held B, and rules");
	paper_end(&paper);
	line = finding_json(&scene, 2);
	assert_true(json_is_null(json_object_get(line, "object")));
	json_decref(line);
	scene_end(&scene);
}

static void what_was_not_counted_is_not_said(void **state)
{
	struct scene scene;
	struct paper paper;
	json_t *line, *edge;

	(void)state;
	begin(&scene, "forbid call kvm_destroy_vm under A\norder C > D\n");
	scene.hits = 7;
	calls(&scene, 1, LT_CALL_FUNCTION, VM, "A");
	task_takes(&scene, 1, "D C");
	task_takes(&scene, 1, "E F");
	task_takes(&scene, 2, "F E");
	print(&paper, &scene, 1);
	paper_has(&paper, "kvm_destroy_vm under A  (seen 7 times)\n");
	paper_end(&paper);
	print(&paper, &scene, 2);
	paper_has(&paper, " took C while it held D. By the rules C goes outside of D: ");
	paper_has(&paper, "  (seen 7 times, one task)\n");
	paper_end(&paper);
	print(&paper, &scene, 3);
	paper_has(&paper, "  (seen 7 times, 1 pair of locks, one task)\n");
	paper_end(&paper);
	line = finding_json(&scene, 1);
	edge = json_array_get(json_object_get(line, "edges"), 0);
	assert_int_equal(json_integer_value(json_object_get(line, "count")), 7);
	assert_true(json_is_null(json_object_get(edge, "instances")));
	assert_true(json_is_null(json_object_get(edge, "many_tasks")));
	json_decref(line);
	line = finding_json(&scene, 2);
	edge = json_array_get(json_object_get(line, "edges"), 0);
	assert_true(json_is_null(json_object_get(edge, "instances")));
	assert_true(json_is_false(json_object_get(edge, "many_tasks")));
	json_decref(line);
	scene_end(&scene);
}

static void a_misuse_says_whose_the_lock_is(void **state)
{
	struct scene scene;
	struct paper paper;
	json_t *line;

	(void)state;
	begin(&scene, NULL);
	scene.ip['A' - 'A'] = 0; /* the place is the owner's, and there is none */
	misuses(&scene, LT_CALL_UNLOCK, 0, 0, "A");
	misuses(&scene, LT_CALL_UNLOCK, 1, 0, "B");
	misuses(&scene, LT_CALL_UNLOCK, 1, 7, "C");
	misuses(&scene, LT_CALL_FREED, 1, 1001, "K K");
	print(&paper, &scene, 1);
	paper_has(&paper, "released A, which it does not own: nobody does.");
	paper_lacks(&paper, "taken by its owner");
	paper_end(&paper);
	print(&paper, &scene, 2);
	paper_has(&paper, "its owner is a task that is not known.");
	paper_end(&paper);
	print(&paper, &scene, 3);
	paper_has(&paper, "its owner is owner/7.");
	paper_has(&paper, " (C), taken by its owner at: function+0x");
	paper_end(&paper);
	print(&paper, &scene, 4);
	paper_has(&paper,
		  "destroyed VM 42 'demo' while kvm.lock of VM 42 'demo' was held by the same task: ");
	paper_end(&paper);
	line = finding_json(&scene, 1);
	assert_true(json_is_false(json_object_get(line, "owned")));
	assert_true(json_is_null(json_object_get(line, "owner_tid")));
	assert_null(json_object_get(line, "object"));
	json_decref(line);
	line = finding_json(&scene, 2);
	assert_true(json_is_true(json_object_get(line, "owned")));
	assert_true(json_is_null(json_object_get(line, "owner_tid")));
	json_decref(line);
	line = finding_json(&scene, 3);
	assert_non_null(strstr(json_string_value(json_object_get(line, "owner_at")), "function"));
	json_decref(line);
	line = finding_json(&scene, 4);
	assert_string_equal(json_string_value(json_object_get(line, "object")), "VM 42 'demo'");
	json_decref(line);
	scene_end(&scene);
}

static const char *taking_kind(const json_t *line)
{
	const json_t *edge = json_array_get(json_object_get(line, "edges"), 0);

	return json_string_value(json_object_get(json_object_get(edge, "taking"), "kind"));
}

static void rwsems_say_how_they_are_taken(void **state)
{
	struct scene scene;
	struct paper paper;
	json_t *line;

	(void)state;
	begin(&scene, "order C > D\n");
	task_takes(&scene, 1, "Ar B");
	task_takes(&scene, 2, "B Aw");
	print(&paper, &scene, 1);
	paper_has(&paper, "task1/1001 (process 1001) can hold A for reading and wait for B, while "
			  "task2/1002 (process 1002) holds B and waits for A for writing: both");
	paper_has(&paper, "rlock(A);");
	paper_has(&paper, " lock(A);");
	paper_has(&paper, " (for reading)\n");
	paper_has(&paper, " (for writing)\n");
	paper_end(&paper);
	task_takes(&scene, 1, "Dr Cw");
	print(&paper, &scene, 2);
	paper_has(&paper, " took C for writing while it held D for reading. By the rules");
	paper_end(&paper);
	task_takes(&scene, 1, "Er Er");
	print(&paper, &scene, 3);
	paper_has(&paper, " takes E for reading, which it reads already: when another task asks for it for "
			  "writing in between, both wait for ever.");
	paper_has(&paper, "the lock itself does not say who reads it");
	paper_end(&paper);
	task_takes(&scene, 1, "Fr Fw");
	print(&paper, &scene, 4);
	paper_has(&paper, " waits for F for writing, which it holds for reading itself: it waits for ever.");
	paper_end(&paper);
	task_takes(&scene, 1, "Gw Gr!");
	print(&paper, &scene, 5);
	paper_has(&paper, " waits for G for reading, which it holds for writing itself: it waits for ever.");
	paper_end(&paper);
	line = finding_json(&scene, 5);
	assert_string_equal(taking_kind(line), "rwsem_read");
	json_decref(line);
	line = finding_json(&scene, 4);
	assert_string_equal(taking_kind(line), "rwsem_write");
	json_decref(line);
	task_takes(&scene, 1, "H H!");
	print(&paper, &scene, 6);
	paper_has(&paper, " waits for H, which it holds itself: it waits for ever.");
	paper_end(&paper);
	line = finding_json(&scene, 6);
	assert_string_equal(taking_kind(line), "mutex");
	json_decref(line);
	scene_end(&scene);
}

/* The way round that the catalogue names is better than what can be said in general. */
static void a_known_bug_says_how_to_avoid_it(void **state)
{
	struct scene scene;
	struct paper paper;

	(void)state;
	begin(&scene, "order C > D\norder A > B\nknown 0123456 v6.3 \"title\": D > C avoid \"do it once\"\n"
		      "known 0123457 - \"other\": B > A\n");
	task_takes(&scene, 1, "D C");
	task_takes(&scene, 1, "B A");
	print(&paper, &scene, 1);
	paper_has(&paper, "Known bug: fixed by 0123456 (\"title\"), which is in Linux v6.3 and later.\n"
			  "            To avoid it until then: do it once\n");
	paper_lacks(&paper, "keep function");
	paper_end(&paper);
	print(&paper, &scene, 2);
	paper_has(&paper, "which is in no release yet.\n            To avoid it: keep function ");
	paper_end(&paper);
	scene_end(&scene);
}

static struct report_summary summary_of(const struct scene *scene)
{
	struct report_summary summary = { .model = scene->model,
					  .trust = { .followed = "mutex", .not_followed = "rw_semaphore" },
					  .ended = "interrupted" };
	uint32_t id;

	for (id = 1; model_finding(scene->model, id); id++)
		model_refresh(scene->model, model_finding(scene->model, id));
	model_count(scene->model, &summary.seen);
	return summary;
}

static void summarised(struct scene *scene)
{
	struct lt_record_chain chain;

	begin(scene, "note call kvm_destroy_vm under A\norder C > D\nignore F > E\n");
	calls(scene, 1, LT_CALL_FUNCTION, VM, "A");
	task_takes(scene, 1, "E F");
	task_takes(scene, 2, "F E"); /* ignored */
	task_takes(scene, 1, "D C");
	task_takes(scene, 1, "C D");
	task_takes(scene, 2, "C D"); /* likely: told again */
	scene->deaf = true;
	task_takes(scene, 1, "G H");
	task_takes(scene, 2, "H G");
	call_begin(scene, &chain, 1, LT_CALL_NOT_LAST, 1, "A");
	assert_int_equal(scene_feed(scene, &chain), 0);
	assert_int_equal(scene->told_count, 4);
}

static void the_summary_counts_what_was_told(void **state)
{
	struct report_summary summary;
	struct scene scene;
	struct paper paper;

	(void)state;
	summarised(&scene);
	summary = summary_of(&scene);
	paper_begin(&paper, &scene);
	text_summary(&summary, paper.stream);
	paper_has(&paper, "interrupted after 0 s: 3 findings (1 for information); ");
	paper_has(&paper, "Alive now: 1 VM, 0 vCPUs, 0 groups, 0 devices, ");
	paper_has(&paper, "\nFinding 1 [information], seen 1 time: kvm_destroy_vm under A\n");
	paper_lacks(&paper, "Finding 2");
	paper_has(&paper, "\nFinding 3 [possible], seen 1 time: D -> C\n");
	paper_has(&paper, "\nFinding 4 [likely], its dependencies seen 1 and 2 times: D -> C -> D\n");
	paper_lacks(&paper, "Finding 5");
	paper_has(&paper, "\nkvm_put_kvm under A: 1 time not the last reference. ");
	paper_has(&paper, "\nFindings that rules say to ignore: 1.\n");
	paper_has(&paper, "\nFindings that --pid or --vm leaves out: 1.\n");
	paper_end(&paper);
	scene_end(&scene);
}

static void the_json_summary_counts_the_same(void **state)
{
	struct report_summary summary;
	json_t *line, *counts;
	struct scene scene;
	struct paper paper;

	(void)state;
	summarised(&scene);
	summary = summary_of(&scene);
	paper_begin(&paper, &scene);
	assert_int_equal(json_summary(&summary, paper.stream), 0);
	line = paper_json(&paper);
	paper_end(&paper);
	assert_int_equal(json_integer_value(json_object_get(line, "findings")), 3);
	assert_int_equal(json_integer_value(json_object_get(line, "information")), 1);
	assert_int_equal(json_integer_value(json_object_get(line, "ignored")), 1);
	assert_int_equal(json_integer_value(json_object_get(line, "outside")), 1);
	counts = json_object_get(line, "counts");
	assert_int_equal(json_array_size(counts), 3);
	counts = json_array_get(counts, 2);
	assert_int_equal(json_integer_value(json_object_get(counts, "id")), 4);
	assert_int_equal(json_integer_value(json_object_get(counts, "count")), 3);
	assert_int_equal(json_array_size(json_object_get(counts, "edges")), 2);
	json_decref(line);
	scene_end(&scene);
}

static void stalls_are_counted_among_the_findings(void **state)
{
	struct report_summary summary;
	struct scene scene;
	struct paper paper;
	json_t *line;

	(void)state;
	summarised(&scene);
	summary = summary_of(&scene);
	summary.stalls = 2;
	summary.stalls_left_out = 4;
	paper_begin(&paper, &scene);
	text_summary(&summary, paper.stream);
	paper_has(&paper, " after 0 s: 5 findings (1 for information, 2 stalls); ");
	paper_has(&paper, "\nFindings that --pid or --vm leaves out: 5.\n");
	paper_end(&paper);
	paper_begin(&paper, &scene);
	assert_int_equal(json_summary(&summary, paper.stream), 0);
	line = paper_json(&paper);
	paper_end(&paper);
	assert_int_equal(json_integer_value(json_object_get(line, "findings")), 5);
	assert_int_equal(json_integer_value(json_object_get(line, "stalls")), 2);
	assert_int_equal(json_integer_value(json_object_get(line, "outside")), 5);
	assert_int_equal(json_array_size(json_object_get(line, "counts")), 3);
	json_decref(line);
	summary.seen.information = summary.seen.told = 0;
	summary.stalls = 1;
	paper_begin(&paper, &scene);
	text_summary(&summary, paper.stream);
	paper_has(&paper, " after 0 s: 1 finding (1 stall); ");
	paper_end(&paper);
	scene_end(&scene);
}

/* held_flag(FINDING, "before_start"): of the first lock that was held. */
static bool held_flag(const json_t *line, const char *name)
{
	const json_t *edge = json_array_get(json_object_get(line, "edges"), 0);

	return json_is_true(json_object_get(json_array_get(json_object_get(edge, "held"), 0), name));
}

static void what_was_found_held_claims_no_order(void **state)
{
	struct scene scene;
	struct paper paper;
	json_t *line;

	(void)state;
	begin(&scene, "order A > B\norder C > D\norder E > F\n");
	scene.ip['B' - 'A'] = scene.ip['D' - 'A'] = 0;
	task_takes(&scene, 1, "B^ A");
	task_takes(&scene, 1, "D* C");
	task_takes(&scene, 1, "F E");
	print(&paper, &scene, 1);
	paper_has(&paper, ", taken before: where and in which order is not known\n");
	paper_lacks(&paper, "before locktrace came");
	paper_end(&paper);
	print(&paper, &scene, 2);
	paper_has(&paper, ", taken before locktrace came\n");
	paper_end(&paper);
	line = finding_json(&scene, 1);
	assert_false(held_flag(line, "before_start") || held_flag(line, "order_known"));
	json_decref(line);
	line = finding_json(&scene, 2);
	assert_true(held_flag(line, "before_start") && !held_flag(line, "order_known"));
	json_decref(line);
	line = finding_json(&scene, 3);
	assert_true(!held_flag(line, "before_start") && held_flag(line, "order_known"));
	json_decref(line);
	scene_end(&scene);
}

static void what_is_never_seen_is_never_complete(void **state)
{
	struct report_summary summary;
	struct scene scene;
	struct paper paper;
	json_t *line;

	(void)state;
	begin(&scene, "");
	summary = summary_of(&scene);
	summary.trust.blind = "there is no light";
	report_trust_judge(&summary.trust, true, NULL);
	assert_int_equal(summary.trust.complete, COMPLETE_FALSE);
	paper_begin(&paper, &scene);
	text_summary(&summary, paper.stream);
	paper_has(&paper,
		  "NOT complete for mutex, so something can have been missed: there is no light. Not");
	paper_end(&paper);
	summary.trust.lost[LT_LOST_WAITS] = 2;
	paper_begin(&paper, &scene);
	text_summary(&summary, paper.stream);
	paper_has(&paper, "missed: there is no light; 2 waits for a lock were not looked at, ");
	paper_end(&paper);
	paper_begin(&paper, &scene);
	assert_int_equal(json_summary(&summary, paper.stream), 0);
	line = paper_json(&paper);
	paper_end(&paper);
	assert_true(json_is_false(json_object_get(line, "complete")));
	assert_string_equal(json_string_value(json_object_get(line, "not_seen")), "there is no light");
	json_decref(line);
	scene_end(&scene);
}

static void a_rule_is_shown_with_its_source(void **state)
{
	struct scene scene;
	struct paper paper;

	(void)state;
	begin(&scene, "order A > B\nsource \"locking.rst\"\norder C > D if absent\n");
	paper_begin(&paper, &scene);
	text_rule(rules_get(scene.rules, 0), paper.stream);
	text_rule(rules_get(scene.rules, 1), paper.stream);
	paper_has(&paper, "in force  test:1: order A > B\n"
			  "not here  test:3: order C > D if absent\n          source: locking.rst\n");
	paper_end(&paper);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(information_reads_as_information),
		cmocka_unit_test(a_call_names_what_it_is_made_on),
		cmocka_unit_test(what_was_not_counted_is_not_said),
		cmocka_unit_test(a_misuse_says_whose_the_lock_is),
		cmocka_unit_test(rwsems_say_how_they_are_taken),
		cmocka_unit_test(a_known_bug_says_how_to_avoid_it),
		cmocka_unit_test(the_summary_counts_what_was_told),
		cmocka_unit_test(the_json_summary_counts_the_same),
		cmocka_unit_test(stalls_are_counted_among_the_findings),
		cmocka_unit_test(what_was_found_held_claims_no_order),
		cmocka_unit_test(what_is_never_seen_is_never_complete),
		cmocka_unit_test(a_rule_is_shown_with_its_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
