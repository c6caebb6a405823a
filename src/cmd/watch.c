/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * "watch": the tracer's records into the model, its findings into reports, until
 * interrupted; then the summary.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cmd/bound.h"
#include "cmd/cmd.h"
#include "cmd/deadlocks.h"
#include "cmd/rule_set.h"
#include "cmd/stalls.h"
#include "cmd/surroundings.h"
#include "cmd/watch_options.h"
#include "kernel/hooks.h"
#include "kernel/modules.h"
#include "kernel/tracer.h"
#include "kernel/vm_names.h"
#include "message.h"
#include "model/model.h"
#include "report/report.h"
#include "version.h"

#define TICK_MS 250
#define PROGRESS_MS 1000
#define DRAIN_MS 2000

/* What is followed and what is not, without and with --rwsem. */
static const char *const followed[] = { "mutex", "mutex and rw_semaphore" };
static const char *const not_followed[] = {
	"rw_semaphore (without --rwsem), ww_mutex, semaphore, spinlock, SRCU",
	"percpu_rw_semaphore, ww_mutex, semaphore, spinlock, SRCU",
};
#define KPROBE_REASON "what a kprobe misses is not counted in a way that can be read here"

#define CLASSES_MAX (LT_CLASS_DECLARED_END + USER_CLASSES_MAX + 1)

struct watch {
	struct watch_options options;
	struct rule_set rules;
	struct kallsyms *symbols;
	struct types *types;
	struct tracer *tracer;
	uint64_t modules; /* modules_hash() from before the symbols were read */
	struct model *model;
	struct vm_names *vms;
	struct report_context report;
	struct deadlocks deadlocks;
	struct stalls *stalls;
	struct bound bound;
	struct utsname system;
	char taint[32];
	uint64_t stalls_told, stalls_left_out;
	uint64_t refused;       /* records that the model did not take */
	int64_t drain_until_ns; /* at the end: what is in the ring is still taken in, until then; 0: not at
				   the end */
	int64_t deadline_ns;    /* CLOCK_MONOTONIC; 0: none */
	bool finding_seen;      /* one that was told, and not for information only */
};

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
	stop_signal = number;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct report_trust trust_now(struct watch *w)
{
	struct report_trust trust = { .followed = followed[w->options.rwsem],
				      .not_followed = not_followed[w->options.rwsem],
				      .rwsems = w->options.rwsem };
	struct tracer_numbers numbers;

	tracer_lost(w->tracer, trust.lost);
	trust.lost[LT_LOST_RECORDS] += w->refused;
	tracer_numbers(w->tracer, &numbers);
	trust.let_go = numbers.let_go;
	trust.late_modules = tracer_late_modules(w->tracer);
	if (tracer_by_contention(w->tracer))
		trust.blind = CONTENTION_BLIND;
	report_trust_judge(&trust, tracer_counts_misses(w->tracer), KPROBE_REASON);
	return trust;
}

static const char *vm_name(void *context, uint32_t pid)
{
	const struct watch *w = context;

	return vm_names_find(w->vms, pid);
}

static uint64_t chain_hits(void *context, uint64_t key)
{
	struct watch *w = context;

	return tracer_chain_hits(w->tracer, key);
}

/* The process of the VM that an object is or belongs to; 0: none. */
static uint32_t object_pid(const struct watch *w, const struct model_object *object)
{
	for (int i = 0; object && i < 4; i++) {
		if (object->kind == LT_OBJECT_VM)
			return object->pid;
		object = object->parent ? model_object(w->model, object->parent) : NULL;
	}
	return 0;
}

static bool concerns(const struct watch *w, uint32_t pid)
{
	const char *name = vm_names_find(w->vms, pid);

	if (w->options.pid && pid != w->options.pid)
		return false;
	return !w->options.vm || (name && !strcmp(name, w->options.vm));
}

/* --pid and --vm: does a task or a VM of the finding match? */
static bool is_wanted(const struct watch *w, const struct finding *f)
{
	if (!w->options.pid && !w->options.vm)
		return true;
	for (size_t i = 0; i < f->edge_count; i++)
		if (concerns(w, f->edges[i].sighting->task.pid) ||
		    concerns(w, object_pid(w, f->edges[i].from_lock->object)) ||
		    concerns(w, object_pid(w, f->edges[i].sighting->object)))
			return true;
	return false;
}

static bool on_finding(void *context, const struct finding *finding)
{
	struct watch *w = context;
	struct report_trust trust = trust_now(w);

	if (!finding->told && !is_wanted(w, finding))
		return false;
	w->finding_seen |= finding->grade > GRADE_INFORMATION;
	model_refresh(w->model, finding);
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (w->options.common.json)
		json_finding(&w->report, finding, stdout);
	else
		text_finding(&w->report, finding, &trust, stdout);
	return true;
}

/* --pid and --vm: does a task of what hangs together with the stall match? */
static bool is_stall_wanted(const struct watch *w, const struct wait_graph *graph)
{
	for (size_t i = 0; i < graph->node_count; i++)
		if (graph->nodes[i].shown && concerns(w, graph->nodes[i].task->task.pid))
			return true;
	return false;
}

static void on_stall(void *context, const struct hang_report *report, const struct hang_stall *stall)
{
	struct watch *w = context;

	if (!is_stall_wanted(w, report->graph)) {
		w->stalls_left_out++;
		return;
	}
	w->stalls_told++;
	w->finding_seen = true;
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (w->options.common.json)
		json_stall(report, stall, stdout);
	else
		text_stall(report, stall, stdout);
}

/* Why it is to end now; NULL: it is not. */
static const char *is_over(const struct watch *w)
{
	if (stop_signal)
		return "interrupted";
	if (w->finding_seen && w->options.exit_on_finding)
		return "first finding";
	if (w->deadline_ns && clock_ns(CLOCK_MONOTONIC) >= w->deadline_ns)
		return "duration over";
	if (*w->bound.why)
		return "overhead";
	return NULL;
}

static bool is_ending(const void *context)
{
	return is_over(context) != NULL;
}

static int on_record(void *context, const struct lt_record_header *record, size_t size)
{
	const struct lt_record_object *object = (const void *)record;
	struct watch *w = context;
	int err;

	if (record->type == LT_RECORD_OBJECT && size >= sizeof(*object) && object->kind == LT_OBJECT_VM &&
	    object->event != LT_OBJECT_DEAD)
		vm_names_learn(w->vms, object->pid);
	err = model_feed(w->model, record, size);
	if (err) {
		message_error("a record of the kernel side could not be taken in: %s", strerror(-err));
		w->refused++;
	}
	/* In a flood the ring is never empty: a wish to end must be heard here too, and the cost be seen. */
	if (w->drain_until_ns)
		return clock_ns(CLOCK_MONOTONIC) >= w->drain_until_ns ? -ECANCELED : 0;
	return is_over(w) || bound_is_due(&w->bound) ? -ECANCELED : 0;
}

static int open_types(struct watch *w)
{
	int err = surroundings_check_reading();

	if (!err)
		err = surroundings_open_types(w->options.common.btf, &w->types);
	if (!err && w->options.attach == ATTACH_FENTRY && !types_of_kernel_itself(w->types)) {
		message_error(
			"--attach fentry: this kernel has no BTF of its own, which fentry needs; a file of "
			"types (--btf) cannot help. Try --attach kprobe.");
		return -ENOTSUP;
	}
	return err;
}

/* What is named on the command line must be there now: a slip in a name is told at once. */
static int add_lock(struct watch *w, const char *text)
{
	struct lock_place place;
	struct lock_spec spec;
	char why[256];
	int err = lock_spec_parse(text, &spec);

	if (err) {
		message_error("--watch %s: %s.", text,
			      err == -ENAMETOOLONG
				      ? LOCK_SPEC_LIMITS
				      : "expected STRUCT.MEMBER@SYMBOL, or STRUCT.MEMBER@*SYMBOL "
					"through a pointer");
		return -EINVAL;
	}
	if (lock_spec_find(&spec, w->symbols, w->types, w->options.rwsem, &place, why, sizeof(why))) {
		message_error("--watch %s: %s", text, why);
		return -EINVAL;
	}
	return rule_set_add_class(&w->rules, &spec);
}

static int collect_rules(struct watch *w)
{
	int err = 0;

	w->rules.conditions.symbols = w->symbols;
	w->rules.conditions.types = w->types;
	conditions_modules_changed(&w->rules.conditions);
	for (size_t i = 0; i < w->options.lock_count && !err; i++)
		err = add_lock(w, w->options.locks[i]);
	return err ? err : rule_set_collect(&w->rules);
}

static void refresh_rules(void *context)
{
	struct watch *w = context;

	if (rule_set_evaluate(&w->rules))
		tracer_rules_changed(w->tracer);
}

static void refresh_all(struct watch *w)
{
	if (rule_set_modules_changed(&w->rules))
		tracer_rules_changed(w->tracer);
}

/* Where the tracer hooks in for other things than locks. */
static bool is_call_function(void *context, const char *symbol)
{
	const struct watch *w = context;

	for (size_t i = 0; i < w->rules.call_count; i++)
		if (!strcmp(w->rules.calls[i].function, symbol))
			return true;
	return hook_is_call_function(symbol);
}

static void fill_report_context(struct watch *w)
{
	uname(&w->system);
	w->report = (struct report_context){
		.model = w->model,
		.symbols = kallsyms_source(w->symbols),
		.kernel = w->system.release,
		.taint = surroundings_taint(w->taint, sizeof(w->taint)),
		.boot_to_wall_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME),
		.all = w->options.all,
		.colour = !w->options.common.json && isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
		.vm_name = vm_name,
		.is_lock_function = hook_is_lock_function,
		.is_call_function = is_call_function,
		.context = w,
	};
}

static int open_model(struct watch *w)
{
	struct model_options options = { .symbols = kallsyms_source(w->symbols),
					 .on_finding = on_finding,
					 .chain_hits = chain_hits,
					 .rules = w->rules.rules,
					 .refresh_rules = refresh_rules,
					 .context = w };

	w->vms = vm_names_new();
	w->model = model_new(&options);
	if (!w->model || !w->vms)
		return -ENOMEM;
	return rule_set_name(&w->rules, w->model);
}

static int open_tracer(struct watch *w)
{
	struct tracer_options options = { .attach = w->options.attach,
					  .every_lock = w->options.every_lock,
					  .ring_size = w->options.ring_size,
					  .check_unlock = w->options.check_unlock,
					  .rwsem = w->options.rwsem,
					  .user_classes = w->rules.classes,
					  .user_class_count = w->rules.class_count,
					  .calls = w->rules.calls,
					  .call_count = w->rules.call_count,
					  .put_classes = w->rules.put_classes,
					  .modules = w->modules };
	int err = tracer_open(&options, w->symbols, w->types, &w->tracer);

	if (err)
		return err;
	w->rules.conditions.tracer = w->tracer;
	rule_set_evaluate(&w->rules);
	return tracer_set_handler(w->tracer, on_record, w);
}

static int open_stalls(struct watch *w)
{
	/* Its looks are those of "hang", which need BPF iterators. */
	const struct stalls_options options = { .seconds = types_of_kernel_itself(w->types) ? w->options.stall
											    : 0,
						.tracer = w->tracer,
						.model = w->model,
						.symbols = w->symbols,
						.rules = &w->rules,
						.vms = w->vms,
						.report = &w->report,
						.is_over = is_ending,
						.tell = on_stall,
						.context = w };

	if (options.seconds != w->options.stall)
		message_info("waits that last are not looked for: this kernel has no BTF of its own");
	w->stalls = stalls_new(&options);
	return w->stalls || !options.seconds ? 0 : -ENOMEM;
}

static int watch_open(struct watch *w)
{
	int err = rule_set_load(&w->rules, &w->options.rules);

	if (!err)
		err = surroundings_check_namespace();
	if (!err)
		err = surroundings_check_lockdown();
	w->modules = modules_hash(); /* before the symbols: what comes meanwhile is a change */
	if (!err)
		err = surroundings_open_symbols(&w->symbols, 0);
	if (!err)
		err = open_types(w);
	if (!err)
		err = collect_rules(w);
	if (!err)
		err = open_model(w);
	if (err)
		return err;
	fill_report_context(w);
	err = open_tracer(w);
	if (!err)
		err = bound_open(&w->bound, w->tracer, w->options.max_overhead);
	return err ? err : open_stalls(w);
}

static void watch_close(struct watch *w)
{
	stalls_free(w->stalls);
	tracer_close(w->tracer);
	model_free(w->model);
	rule_set_release(&w->rules);
	vm_names_free(w->vms);
	types_close(w->types);
	kallsyms_close(w->symbols);
}

/* The declared classes and the user's own, by what became of them on this kernel. */
static size_t class_names(struct watch *w, enum class_state state, const char **names)
{
	size_t count = 0;

	for (uint32_t id = LT_CLASS_FOREIGN + 1; id < LT_CLASS_DECLARED_END; id++) {
		const char *name;

		if (tracer_class_state(w->tracer, id, &name) == state)
			names[count++] = name;
	}
	for (size_t i = 0; i < w->rules.class_count; i++) {
		const char *why;

		if (w->rules.classes[i].wanted && tracer_user_class_state(w->tracer, i, &why) == state)
			names[count++] = w->rules.classes[i].lock.name;
	}
	names[count] = NULL;
	return count;
}

static void say_modules(struct watch *w)
{
	for (size_t i = 0; i < hook_module_count; i++)
		if (!tracer_has_module(w->tracer, hook_modules[i]))
			message_info("module %s is not loaded; it is attached to when it is",
				     hook_modules[i]);
}

/* Why those of the user's own that cannot be watched cannot was told when they were tried. */
static void say_classes(struct watch *w)
{
	bool data = kallsyms_has_data(w->symbols);
	const char *name, *why;

	surroundings_say_symbols(w->symbols);
	for (uint32_t id = LT_CLASS_FOREIGN + 1; id < LT_CLASS_DECLARED_END; id++)
		if (tracer_class_state(w->tracer, id, &name) == CLASS_MISSING)
			message_info("%s is not in this kernel, or not in its %s: not watched", name,
				     data ? "type information" : "symbols");
		else if (tracer_class_state(w->tracer, id, &name) == CLASS_UNFOLLOWED)
			message_info("%s is an rwsem: not followed %s", name,
				     tracer_rwsems_refused(w->tracer) ? "here" : "without --rwsem");
	for (size_t i = 0; i < w->rules.class_count; i++)
		if (w->rules.classes[i].wanted &&
		    tracer_user_class_state(w->tracer, i, &why) == CLASS_WAITING)
			message_info("%s is not there yet, it is watched when it is: %s",
				     w->rules.classes[i].lock.name, why);
}

static void say_ready(struct watch *w)
{
	const char *watched[CLASSES_MAX], *waiting[CLASSES_MAX], *missing[CLASSES_MAX],
		*unfollowed[CLASSES_MAX];
	struct report_ready ready = { .attach = tracer_attach_kinds(w->tracer),
				      .version = LOCKTRACE_VERSION,
				      .rules = rule_set_in_force(&w->rules),
				      .classes = watched,
				      .waiting = waiting,
				      .missing = missing,
				      .unfollowed = unfollowed,
				      .rwsems = w->options.rwsem };
	size_t count = class_names(w, CLASS_WATCHED, watched);

	class_names(w, CLASS_WAITING, waiting);
	class_names(w, CLASS_MISSING, missing);
	class_names(w, CLASS_UNFOLLOWED, unfollowed);
	say_classes(w);
	rule_set_warn(&w->rules);
	if (!tracer_by_contention(w->tracer))
		rule_set_warn_of_calls(&w->rules, w->tracer);
	model_count(w->model, &ready.seen);
	if (w->options.common.json) {
		json_ready(&w->report, &ready, stdout);
		return;
	}
	message_info("watching %zu lock classes (%s) by %s on Linux %s: %" PRIu64 " VMs, %" PRIu64
		     " vCPUs, %" PRIu64 " groups, %" PRIu64 " devices. Ctrl-C ends.",
		     count, followed[w->options.rwsem], ready.attach, w->report.kernel,
		     ready.seen.objects[LT_OBJECT_VM], ready.seen.objects[LT_OBJECT_VCPU],
		     ready.seen.objects[LT_OBJECT_GROUP], ready.seen.objects[LT_OBJECT_DEVICE]);
}

static void show_progress(struct watch *w)
{
	struct report_trust trust;
	struct model_counts seen;
	uint64_t lost = 0;

	if (!isatty(STDERR_FILENO))
		return;
	trust = trust_now(w);
	model_count(w->model, &seen);
	for (int i = 0; i < LT_LOST_KINDS; i++)
		lost += trust.lost[i];
	fprintf(stderr,
		"\r\033[K%" PRIu64 " VMs, %" PRIu64 " groups; %" PRIu64 " dependencies, %" PRIu64
		" findings, %" PRIu64 " lost",
		seen.objects[LT_OBJECT_VM], seen.objects[LT_OBJECT_GROUP], seen.dependencies, seen.told,
		lost);
}

static void keep_house(struct watch *w)
{
	int err;

	deadlocks_look(&w->deadlocks, w->tracer, w->model);
	if (tracer_modules_changed(w->tracer))
		refresh_all(w);
	stalls_look(w->stalls);
	err = tracer_tick(w->tracer);
	if (err > 0) {
		refresh_all(w); /* one may have come after the list of modules was read */
		message_info("modules were loaded and attached to; so far: %s",
			     tracer_late_modules(w->tracer));
	} else {
		refresh_rules(w);
	}
	if (err < 0)
		message_info("a module was loaded, but it cannot be attached to");
}

/* Returns why it ended, NULL after an error. */
static const char *watch_loop(struct watch *w)
{
	int64_t start = clock_ns(CLOCK_MONOTONIC), tick = start, progress = start;
	const char *ended;

	if (w->options.duration)
		w->deadline_ns = start + (int64_t)w->options.duration * 1000000000;
	for (;;) {
		int64_t now = clock_ns(CLOCK_MONOTONIC);
		int err = tracer_poll(w->tracer, TICK_MS);

		if (err < 0 && err != -EINTR && err != -ECANCELED) {
			message_error("reading the ring buffer failed: %s", strerror(-err));
			return NULL;
		}
		if (bound_exceeded(&w->bound)) {
			tracer_detach(w->tracer);
			message_info("%s", w->bound.why);
		}
		ended = is_over(w);
		if (ended)
			return ended;
		if (now - tick >= TICK_MS * 1000000L) {
			tick = now;
			keep_house(w);
		}
		if (now - progress >= PROGRESS_MS * 1000000L) {
			progress = now;
			show_progress(w);
		}
	}
}

static void say_summary(struct watch *w, const char *ended, int64_t start)
{
	struct report_summary summary = { .trust = trust_now(w),
					  .ended = ended,
					  .ended_why = w->bound.why,
					  .seconds = (uint64_t)(clock_ns(CLOCK_MONOTONIC) - start) /
						     1000000000 };
	struct tracer_numbers numbers;

	summary.stalls = w->stalls_told;
	summary.stalls_left_out = w->stalls_left_out;
	tracer_numbers(w->tracer, &numbers);
	summary.foreign = numbers.foreign;
	model_count(w->model, &summary.seen);
	for (uint32_t id = 1; model_finding(w->model, id); id++)
		model_refresh(w->model, model_finding(w->model, id));
	summary.model = w->model;
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (w->options.common.json)
		json_summary(&summary, stdout);
	else
		text_summary(&summary, stdout);
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* A reader that goes away shows as an error of writing, not as a sudden end. */
	signal(SIGPIPE, SIG_IGN);
	/* Children that read command lines and had to be killed are not waited for. */
	signal(SIGCHLD, SIG_IGN);
}

static int watch_run(struct watch *w)
{
	int64_t start = clock_ns(CLOCK_MONOTONIC);
	const char *ended;

	say_modules(w);
	tracer_poll(w->tracer, 0);
	say_ready(w);
	ended = watch_loop(w);
	if (!ended)
		return EXIT_UNABLE;
	if (!(w->finding_seen && w->options.exit_on_finding)) {
		w->drain_until_ns = clock_ns(CLOCK_MONOTONIC) + DRAIN_MS * 1000000L;
		tracer_poll(w->tracer, 0);
	}
	say_summary(w, ended, start);
	if (ferror(stdout)) {
		message_error("the report could not be written: standard output is full or closed");
		return EXIT_UNABLE;
	}
	return w->finding_seen ? EXIT_FINDINGS : EXIT_NOTHING;
}

int cmd_watch(int argc, char **argv)
{
	static struct watch w;
	int status = watch_options_parse(argc, argv, &w.options);

	if (status)
		return status;
	catch_signals();
	status = watch_open(&w) ? EXIT_UNABLE : watch_run(&w);
	watch_close(&w);
	return status;
}
