// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* The words of "hang": rwsems, deadlocks, who holds up others, what to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/rules.h"
#include "report/hang.h"

#define TASKS 40
#define NOW_NS 900000000000ULL

struct scene {
	struct wait_task tasks[TASKS];
	struct wait_look look;
	struct wait_graph *graph;
	struct hang_report report;
};

/* The functions of this kernel: each is 0x100 long. */
static const char *const functions[] = {
	"__schedule",
	"schedule",
	"schedule_preempt_disabled",
	"__mutex_lock.constprop.0",
	"kvm_vfio_release",
	"rwsem_down_write_slowpath",
	"down_write",
	"ext4_write",
	"wait_for_completion",
	"synchronize_srcu",
	"handle_userfault",
};

#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static uint64_t in(const char *function)
{
	for (size_t i = 0; i < FUNCTIONS; i++)
		if (!strcmp(functions[i], function))
			return 0x1000 + i * 0x100 + 0x12;
	fail_msg("no function %s", function);
	return 0;
}

static int find_symbol(void *context, uint64_t address, struct symbol *out)
{
	(void)context;
	if (address < 0x1000 || (address - 0x1000) / 0x100 >= FUNCTIONS)
		return -2;
	*out = (struct symbol){ .offset = address % 0x100, .type = 't' };
	snprintf(out->name, sizeof(out->name), "%s", functions[(address - 0x1000) / 0x100]);
	return 0;
}

static const char *vm_name(void *context, uint32_t pid)
{
	(void)context;
	return pid == 1000 ? "demo" : NULL;
}

/* Locks 1 and 2 have names, 2 belongs to a group. */
static const char *lock_name(void *context, uint64_t addr, char *out, size_t size)
{
	(void)context;
	if (addr > 2)
		return NULL;
	snprintf(out, size, "%s", addr == 1 ? "kvm.lock" : "vfio_group.group_lock");
	return out;
}

static const char *object_name(void *context, uint64_t addr, char *out, size_t size)
{
	(void)context;
	if (addr != 2)
		return NULL;
	snprintf(out, size, "group 7");
	return out;
}

static void scene_begin(struct scene *s, size_t count)
{
	memset(s, 0, sizeof(*s));
	s->look =
		(struct wait_look){ .count = count, .tasks = s->tasks, .tasks_seen = 321, .time_ns = NOW_NS };
	for (size_t i = 0; i < count; i++) {
		s->tasks[i] = (struct wait_task){
			.task = { .id = 0x5000 + i, .pid = 1000 + (uint32_t)i, .tid = 1000 + (uint32_t)i },
			.state = 'S',
			.signal = SIGNAL_ANY,
			.last_ran_ns = NOW_NS - 12340000000ULL
		};
		snprintf(s->tasks[i].task.comm, LT_COMM_LEN, "task%u", (unsigned int)i % 100);
	}
	s->report = (struct hang_report){ .base = { .symbols = { .find = find_symbol },
						    .kernel = "6.1.0",
						    .taint = "not tainted",
						    .vm_name = vm_name },
					  .time_ns = NOW_NS,
					  .lock = lock_name,
					  .object = object_name,
					  .milliseconds = 450 };
}

static void waits(struct scene *s, size_t task, enum wait_kind kind, uint64_t lock, int owner)
{
	struct wait_task *t = &s->tasks[task];

	t->kind = kind;
	t->lock = lock;
	t->owner = owner < 0 ? 0 : 0x5000 + (uint64_t)owner;
	t->state = 'D';
	t->signal = SIGNAL_NONE;
	t->proof = PROOF_WAITER_RECORD;
}

static void stack(struct scene *s, size_t task, const char *const *names)
{
	for (; *names; names++)
		s->tasks[task].stack[s->tasks[task].stack_count++] = in(*names);
}

#define STACK(s, task, ...) stack(s, task, (const char *const[]){ __VA_ARGS__, NULL })

static void build(struct scene *s)
{
	s->graph = wait_graph_new(&s->look, &s->look);
	assert_non_null(s->graph);
	s->report.graph = s->graph;
}

static void scene_end(struct scene *s)
{
	wait_graph_free(s->graph);
}

static void expect_terms(const struct scene *s, size_t task, const char *expected)
{
	char text[REPORT_TEXT_LEN];

	assert_string_equal(hang_terms(&s->graph->nodes[task], text, sizeof(text)), expected);
}

/* Frees the text. */
static void expect_text(char *text, const char *expected)
{
	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

/* The whole report; to be freed. */
static char *print(const struct scene *s)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(text_hang(&s->report, out), 0);
	fclose(out);
	return text;
}

static void expect_printed(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in:\n%s", part, text);
}

static size_t times_printed(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)); text++)
		count++;
	return count;
}

static void an_rwsem_has_its_own_words(void **state)
{
	struct scene s;

	(void)state;
	/* A writer behind readers, and a reader that queues behind that writer. */
	scene_begin(&s, 3);
	waits(&s, 0, WAIT_RWSEM_WRITE, 9, -1);
	waits(&s, 1, WAIT_RWSEM_READ, 9, -1);
	s.tasks[0].readers = s.tasks[1].readers = 2;
	build(&s);
	expect_terms(&s, 0, "an rwsem, for writing, held by 2 readers");
	expect_terms(&s, 1,
		     "an rwsem, for reading, queued behind the waiting writer task0/1000, held by 2 readers");
	scene_end(&s);
	/* Readers and a writer behind a writer: it is who holds them up, whoever else waits. */
	scene_begin(&s, 3);
	waits(&s, 0, WAIT_RWSEM_WRITE, 9, 2);
	waits(&s, 1, WAIT_RWSEM_READ, 9, 2);
	build(&s);
	expect_terms(&s, 0, "an rwsem, for writing, held for writing by task2/1002");
	expect_terms(&s, 1, "an rwsem, for reading, held for writing by task2/1002");
	scene_end(&s);
	/* A reader behind readers, with no writer that was seen: none is made up. */
	scene_begin(&s, 2);
	waits(&s, 1, WAIT_RWSEM_READ, 9, -1);
	s.tasks[1].readers = 1;
	build(&s);
	expect_terms(&s, 1, "an rwsem, for reading, held by 1 reader");
	scene_end(&s);
}

static void an_owner_that_is_not_known_is_not_made_up(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 3);
	waits(&s, 0, WAIT_MUTEX, 9, 30);
	waits(&s, 1, WAIT_MUTEX, 10, -1);
	build(&s);
	expect_terms(&s, 0, "a mutex, held by a task that was not seen (gone?)");
	expect_terms(&s, 1, "a mutex, held by an unknown task");
	scene_end(&s);
}

static void a_lock_without_a_name_is_told_by_where_it_was_asked_for(void **state)
{
	char text[REPORT_TEXT_LEN];
	struct scene s;

	(void)state;
	scene_begin(&s, 4);
	waits(&s, 0, WAIT_RWSEM_WRITE, 9, 3);
	STACK(&s, 0, "__schedule", "schedule", "rwsem_down_write_slowpath", "down_write", "ext4_write");
	waits(&s, 1, WAIT_MUTEX, 10, 3);
	waits(&s, 2, WAIT_MUTEX, 2, 3);
	build(&s);
	assert_string_equal(hang_lock(&s.report, s.graph->nodes[0].waits_for, text, sizeof(text)),
			    "the rwsem asked for in ext4_write+0x12");
	assert_string_equal(hang_lock(&s.report, s.graph->nodes[1].waits_for, text, sizeof(text)),
			    "the mutex at 0x000000000000000a");
	assert_string_equal(hang_lock(&s.report, s.graph->nodes[2].waits_for, text, sizeof(text)),
			    "vfio_group.group_lock of group 7");
	scene_end(&s);
}

static void a_deadlock_is_told_in_a_sentence_and_in_full(void **state)
{
	struct scene s;
	char *text;

	(void)state;
	scene_begin(&s, 3);
	waits(&s, 0, WAIT_MUTEX, 2, 1);
	waits(&s, 1, WAIT_MUTEX, 1, 0);
	waits(&s, 2, WAIT_MUTEX, 1, 0);
	s.tasks[0].exiting = true;
	STACK(&s, 0, "__schedule", "__mutex_lock.constprop.0", "kvm_vfio_release");
	build(&s);
	expect_text(
		hang_sentence(&s.report, &s.graph->cycles[0]),
		"task0/1000 (process 1000, VM 'demo') waits for vfio_group.group_lock of group 7, which "
		"task1/1001 (process 1001) holds, and task1/1001 waits for kvm.lock, which task0/1000 holds: "
		"they wait for ever.");
	expect_text(
		hang_cycle_advice(&s.report, &s.graph->cycles[0]),
		"None of these waits ends by a signal, so kill -9 does not break it. Closing files does not either: "
		"whoever closes them waits for the same locks. Every later user of these "
		"locks hangs too, and only a reboot of the host helps. Move the other guests, which still run, "
		"to another host first.\n");
	text = print(&s);
	expect_printed(text, "Deadlock 1: 2 tasks wait for each other");
	expect_printed(text, "#1: task0/1000 (process 1000, VM 'demo') waits for\n"
			     "          0000000000000002 (vfio_group.group_lock of group 7)\n"
			     "    a mutex, held by task1/1001\n"
			     "    for 12.3 s, state D, no signal ends it, is exiting");
	expect_printed(text, "      kvm_vfio_release+0x12\n");
	expect_printed(text, "1 more task waits behind these:\n  behind #1:\n");
	assert_int_equal(times_printed(text, "task2/1002 (process 1002)"), 1);
	expect_printed(text, "3 tasks wait for locks, in or behind 1 deadlock.");
	free(text);
	scene_end(&s);
}

static void a_task_that_waits_for_itself_is_told_so(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 1);
	waits(&s, 0, WAIT_MUTEX, 1, 0);
	build(&s);
	expect_text(
		hang_sentence(&s.report, &s.graph->cycles[0]),
		"task0/1000 (process 1000, VM 'demo') waits for kvm.lock, which it holds itself: it waits for "
		"ever.");
	scene_end(&s);
}

static void what_only_one_look_saw_is_not_called_a_deadlock(void **state)
{
	struct scene s;
	char *text;

	(void)state;
	scene_begin(&s, 2);
	waits(&s, 0, WAIT_MUTEX, 2, 1);
	waits(&s, 1, WAIT_MUTEX, 1, 0);
	s.graph = wait_graph_new(NULL, &s.look);
	s.report.graph = s.graph;
	s.report.trouble = "A second look was given up.";
	text = print(&s);
	expect_printed(text, "Possible deadlock 1");
	expect_printed(text, "A second look did not come about, so this may be passing.");
	expect_printed(text, "No deadlock was proved.");
	expect_printed(text, "NOT complete: A second look was given up.");
	free(text);
	scene_end(&s);
}

static void no_deadlock_is_said_only_where_all_tasks_were_seen(void **state)
{
	struct scene s;
	char *text;

	(void)state;
	scene_begin(&s, 1);
	build(&s);
	s.report.trouble = "The names of VMs could not be read.";
	text = print(&s);
	expect_printed(text, "No deadlock. ");
	free(text);
	s.report.tasks_missing = true;
	text = print(&s);
	expect_printed(text, "No deadlock was proved. ");
	free(text);
	scene_end(&s);
}

static void a_killable_wait_is_advised_to_be_killed(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 2);
	waits(&s, 0, WAIT_MUTEX, 2, 1);
	waits(&s, 1, WAIT_MUTEX, 1, 0);
	s.tasks[0].signal = SIGNAL_KILL;
	build(&s);
	expect_text(hang_cycle_advice(&s.report, &s.graph->cycles[0]),
		    "kill -9 1000 breaks it: task0/1000 waits killably (that ends the VM 'demo').\n");
	scene_end(&s);
	/* But no signal reaches a task that is exiting, nor a kernel thread. */
	for (int what = 0; what < 2; what++) {
		s.tasks[0].exiting = !what;
		s.tasks[0].kernel_thread = what;
		assert_false(hang_killable(&s.tasks[0]));
	}
}

static void expect_root(struct scene *s, const char *sentence, const char *advice)
{
	build(s);
	assert_int_equal(s->graph->root_count, 1);
	expect_text(hang_root_sentence(&s->report, &s->graph->roots[0]), sentence);
	expect_text(hang_root_advice(&s->report, &s->graph->roots[0]), advice);
	scene_end(s);
}

static void who_holds_up_others_is_told_with_what_he_does(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 4);
	for (size_t i = 1; i < 4; i++)
		waits(&s, i, WAIT_MUTEX, i == 3 ? 10 : 9, i == 3 ? 1 : 0);
	STACK(&s, 0, "__schedule", "schedule", "handle_userfault");
	expect_root(
		&s,
		"task0/1000 (process 1000, VM 'demo') sleeps in handle_userfault, and holds up 3 tasks (2 "
		"directly, the longest chain is 2).",
		"kill -9 1000 ends its wait and the VM 'demo'; what it holds is then let go, which frees 3 "
		"tasks.\n");
	scene_begin(&s, 2);
	waits(&s, 0, WAIT_OTHER, 0, -1);
	waits(&s, 1, WAIT_MUTEX, 9, 0);
	STACK(&s, 0, "__schedule", "schedule", "wait_for_completion", "synchronize_srcu");
	expect_root(
		&s,
		"task0/1000 (process 1000, VM 'demo') waits in wait_for_completion (from synchronize_srcu): "
		"not analysed, and holds up 1 task.",
		"No signal ends its wait: what it waits for has to come. See its stack.\n");
	scene_begin(&s, 2);
	waits(&s, 1, WAIT_MUTEX, 9, 0);
	s.tasks[0].state = 'R';
	expect_root(&s, "task0/1000 (process 1000, VM 'demo') runs, or is ready to, and holds up 1 task.",
		    "It is at work, so this can pass: look again (--watch).\n");
	scene_begin(&s, 2);
	waits(&s, 1, WAIT_RWSEM_WRITE, 9, -1);
	s.tasks[1].readers = 2;
	expect_root(
		&s, "the rwsem at 0x0000000000000009 is held by 2 readers, and holds up 1 task.",
		"An rwsem does not name its readers. They are among the tasks that use it: their stacks tell, "
		"and a watch that ran before.\n");
}

static void a_long_queue_is_cut_unless_all_is_asked_for(void **state)
{
	struct scene s;
	char *text;

	(void)state;
	scene_begin(&s, TASKS);
	for (size_t i = 1; i < TASKS; i++) {
		waits(&s, i, WAIT_MUTEX, 9, 0);
		STACK(&s, i, "__mutex_lock.constprop.0", "ext4_write");
	}
	build(&s);
	text = print(&s);
	assert_int_equal(times_printed(text, ", state D, no signal ends it\n"), 10);
	assert_int_equal(times_printed(text, "ext4_write+0x12\n"), 3);
	expect_printed(text, "... and 29 more\n");
	free(text);
	s.report.base.all = true;
	text = print(&s);
	assert_int_equal(times_printed(text, ", state D, no signal ends it\n"), TASKS - 1);
	assert_int_equal(times_printed(text, "ext4_write+0x12\n"), TASKS - 1);
	free(text);
	scene_end(&s);
}

static void a_deep_chain_is_cut_with_a_count(void **state)
{
	struct scene s;
	char *text;

	(void)state;
	scene_begin(&s, TASKS);
	for (size_t i = 1; i < TASKS; i++)
		waits(&s, i, WAIT_MUTEX, 100 + i, (int)i - 1);
	build(&s);
	text = print(&s);
	expect_printed(text, "... and 27 more behind it, the longest chain of 27\n");
	free(text);
	s.report.base.all = true;
	text = print(&s);
	expect_printed(text, "task39/1039");
	free(text);
	scene_end(&s);
}

static void other_waits_are_a_line_each(void **state)
{
	struct scene s;
	char *text;

	(void)state;
	scene_begin(&s, 3);
	waits(&s, 1, WAIT_OTHER, 0, -1);
	STACK(&s, 1, "schedule", "synchronize_srcu");
	waits(&s, 2, WAIT_UNVERIFIED, 0, -1);
	STACK(&s, 2, "__mutex_lock.constprop.0", "ext4_write");
	build(&s);
	text = print(&s);
	expect_printed(text,
		       "task1/1001 (process 1001) waits in synchronize_srcu: not analysed, for 12.3 s\n");
	expect_printed(text, "task2/1002 (process 1002) waits for a lock that could not be determined, in "
			     "__mutex_lock.constprop.0, for 12.3 s\n");
	free(text);
	scene_end(&s);
}

static void a_task_that_was_asked_for_is_told_even_if_it_does_nothing(void **state)
{
	struct scene s;
	char *text;

	(void)state;
	scene_begin(&s, 1);
	STACK(&s, 0, "schedule", "handle_userfault");
	build(&s);
	s.report.pid = 1000;
	wait_graph_select(s.graph, 1000);
	text = print(&s);
	expect_printed(text, "task0/1000 (process 1000, VM 'demo') sleeps in handle_userfault\n");
	free(text);
	assert_true(wait_graph_any_shown(s.graph));
	wait_graph_select(s.graph, 4711);
	assert_false(wait_graph_any_shown(s.graph));
	scene_end(&s);
}

static struct rule known_rule = {
	.kind = RULE_KNOWN, .commit = "123456789abc", .release = "v6.3", .title = "fix it", .avoid = "do not"
};

static const struct rule *known_bug(void *context, const struct wait_cycle *cycle)
{
	(void)context;
	(void)cycle;
	return &known_rule;
}

static void a_known_bug_is_told_with_its_fix_and_the_way_round(void **state)
{
	struct scene s;
	char *text;

	(void)state;
	scene_begin(&s, 2);
	waits(&s, 0, WAIT_MUTEX, 1, 1);
	waits(&s, 1, WAIT_MUTEX, 2, 0);
	build(&s);
	text = print(&s);
	assert_null(strstr(text, "Known bug"));
	free(text);
	s.report.known_bug = known_bug;
	text = print(&s);
	expect_printed(text,
		       "\nKnown bug: fixed by 123456789abc (\"fix it\"), which is in Linux v6.3 and later.\n"
		       "To avoid it until then: do not\n");
	free(text);
	scene_end(&s);
}

static char *print_stall(const struct scene *s, const struct hang_stall *stall)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(text_stall(&s->report, stall, out), 0);
	fclose(out);
	return text;
}

static void a_stall_says_who_waits_and_who_holds_it_up(void **state)
{
	struct hang_stall stall = { .seconds = 10 };
	struct scene s;
	char *text;

	(void)state;
	scene_begin(&s, 3);
	waits(&s, 0, WAIT_MUTEX, 1, 1);
	waits(&s, 2, WAIT_MUTEX, 1, 1);
	STACK(&s, 1, "schedule", "handle_userfault");
	build(&s);
	stall.waiter = &s.graph->nodes[0];
	stall.root = &s.graph->roots[0];
	text = print_stall(&s, &stall);
	expect_printed(text, "\nFinding: stall detected [danger]\n");
	expect_printed(text,
		       "\ntask0/1000 (process 1000, VM 'demo') has waited for kvm.lock for more than 10 s. "
		       "task1/1001 (process 1001) sleeps in handle_userfault, and holds up 2 tasks.\n");
	expect_printed(text, "Who holds up others");
	free(text);
	scene_end(&s);
}

static void a_stall_behind_a_deadlock_is_told_as_the_deadlock(void **state)
{
	struct hang_stall stall = { .seconds = 10 };
	struct scene s;
	char *text;

	(void)state;
	scene_begin(&s, 3);
	waits(&s, 0, WAIT_MUTEX, 1, 1);
	waits(&s, 1, WAIT_MUTEX, 2, 0);
	waits(&s, 2, WAIT_MUTEX, 1, 1);
	build(&s);
	stall.waiter = &s.graph->nodes[2];
	stall.cycle = &s.graph->cycles[0];
	text = print_stall(&s, &stall);
	expect_printed(text, "\nFinding: deadlock, happening now, detected [deadlock]\n");
	expect_printed(text,
		       "\ntask2/1002 (process 1002) has waited for kvm.lock for more than 10 s. task0/1000 ");
	expect_printed(text, "Deadlock 1: 2 tasks wait for each other\n");
	free(text);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_rwsem_has_its_own_words),
		cmocka_unit_test(an_owner_that_is_not_known_is_not_made_up),
		cmocka_unit_test(a_lock_without_a_name_is_told_by_where_it_was_asked_for),
		cmocka_unit_test(a_deadlock_is_told_in_a_sentence_and_in_full),
		cmocka_unit_test(a_task_that_waits_for_itself_is_told_so),
		cmocka_unit_test(what_only_one_look_saw_is_not_called_a_deadlock),
		cmocka_unit_test(no_deadlock_is_said_only_where_all_tasks_were_seen),
		cmocka_unit_test(a_killable_wait_is_advised_to_be_killed),
		cmocka_unit_test(who_holds_up_others_is_told_with_what_he_does),
		cmocka_unit_test(a_long_queue_is_cut_unless_all_is_asked_for),
		cmocka_unit_test(a_deep_chain_is_cut_with_a_count),
		cmocka_unit_test(other_waits_are_a_line_each),
		cmocka_unit_test(a_task_that_was_asked_for_is_told_even_if_it_does_nothing),
		cmocka_unit_test(a_known_bug_is_told_with_its_fix_and_the_way_round),
		cmocka_unit_test(a_stall_says_who_waits_and_who_holds_it_up),
		cmocka_unit_test(a_stall_behind_a_deadlock_is_told_as_the_deadlock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
