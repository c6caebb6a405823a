/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * "list": the VMs, groups and devices that live, and who has their locks, now. The looks are those of "hang"
 * (hang_look.c), at all tasks and objects: nothing is attached, and nothing that hangs is waited for.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "cmd/cmd.h"
#include "cmd/common_options.h"
#include "cmd/hang_look.h"
#include "cmd/hang_names.h"
#include "cmd/hang_wire.h"
#include "cmd/option_number.h"
#include "cmd/surroundings.h"
#include "message.h"
#include "model/class.h"
#include "report/list.h"
#include "version.h"

#define TIMEOUT_SECONDS 10

enum {
	KEY_TIMEOUT = 0x100,
};

struct list_run {
	struct common_options common;
	uint32_t timeout; /* seconds */
	struct rule_files files;
	struct rule_set rules;
	struct kallsyms *symbols;
	struct hang_seen seen;
	struct hang_names names;
	struct list_lock *locks; /* as many as seen.locks */
	char (*classes)[REPORT_TEXT_LEN];
};

static const struct argp_option options[] = {
	{ "timeout", KEY_TIMEOUT, "SEC", 0,
	  "Tell what is known after so many seconds, whatever is stuck (default: 10)", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct list_run *l = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &l->common;
		state->child_inputs[1] = &l->files;
		break;
	case KEY_TIMEOUT:
		l->timeout = (uint32_t)option_number(state, "timeout", value, 1, 3600);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = common_and_rule_children,
	.doc = "Shows the VMs, vCPUs, VFIO groups, devices and containers that live, the locks of each, who has them "
	       "now and how many wait. Needs root (see PRIVILEGES in locktrace(8)). Nothing is attached or changed."
	       "\vExit status: 0 shown, 2 could not look, or not at everything.\n\n"
	       "Example: which locks are held\n  locktrace list | grep held",
};

/* The locks are still in the order of seen.locks. */
static void count_waiters(struct list_run *l)
{
	const struct hang_seen *seen = &l->seen;
	const struct wait_look *look = seen->look_count ? &seen->looks[seen->look_count - 1] : NULL;

	for (size_t i = 0; look && i < look->count; i++) {
		const struct object_lock *lock = wait_kind_is_lock(look->tasks[i].kind)
							 ? hang_seen_lock(seen, look->tasks[i].lock)
							 : NULL;

		if (lock)
			l->locks[lock - seen->locks].waiters++;
	}
}

static struct list_lock describe_lock(struct list_run *l, const struct object_lock *lock, char *class)
{
	const struct wait_task *owner = hang_seen_owner(&l->seen, lock);

	if (!hang_names_lock(&l->names, lock->addr, class, REPORT_TEXT_LEN))
		snprintf(class, REPORT_TEXT_LEN, "0x%016" PRIx64, lock->addr);
	return (struct list_lock){ .addr = lock->addr,
				   .object = lock->object,
				   .kind = lock->object ? class_object_kind(lock->class_id) : 0,
				   .class = class,
				   .held = !lock->readable ? LIST_UNKNOWN
					   : owner         ? LIST_TASK
					   : lock->owner   ? LIST_UNSEEN
							   : LIST_FREE,
				   .owner = owner ? &owner->task : NULL };
}

static int compare_locks(const void *a, const void *b)
{
	const struct list_lock *x = a, *y = b;

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->addr > y->addr) - (x->addr < y->addr);
}

static int describe_locks(struct list_run *l)
{
	size_t count = l->seen.lock_count;

	l->names = (struct hang_names){
		.seen = &l->seen, .model = l->seen.model, .symbols = l->symbols, .rules = &l->rules
	};
	l->locks = calloc(count ? count : 1, sizeof(*l->locks));
	l->classes = calloc(count ? count : 1, sizeof(*l->classes));
	if (!l->locks || !l->classes)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		l->locks[i] = describe_lock(l, &l->seen.locks[i], l->classes[i]);
	count_waiters(l);
	qsort(l->locks, count, sizeof(*l->locks), compare_locks);
	return 0;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int tell(struct list_run *l)
{
	struct utsname system = { 0 };
	char taint[32];
	const struct list_report report = {
		.base = { .model = l->seen.model,
			  .symbols = kallsyms_source(l->symbols),
			  .kernel = system.release,
			  .taint = taint,
			  .boot_to_wall_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME),
			  .vm_name = hang_names_vm,
			  .context = &l->names },
		.time_ns = (uint64_t)clock_ns(CLOCK_BOOTTIME),
		.objects = l->seen.objects,
		.object_count = l->seen.object_count,
		.locks = l->locks,
		.lock_count = l->seen.lock_count,
		.trouble = *l->seen.trouble ? l->seen.trouble : NULL,
	};

	uname(&system);
	surroundings_taint(taint, sizeof(taint));
	if (l->common.json ? json_list(&report, stdout) : text_list(&report, stdout)) {
		message_error("the list could not be written: standard output is full or closed");
		return EXIT_UNABLE;
	}
	return report.trouble ? EXIT_UNABLE : EXIT_NOTHING;
}

static int look(struct list_run *l, uint64_t start_ms)
{
	const struct hang_look_options look = { .symbols = l->symbols,
						.btf = l->common.btf,
						.rules = &l->rules,
						.all = true,
						.deadline_ms = start_ms + (uint64_t)l->timeout * 1000 };
	int err = hang_look(&look, &l->seen);

	if (!err && (l->seen.looks[0].partial || l->seen.looks[1].partial))
		hang_seen_trouble(&l->seen,
				  "A look at the tasks was cut short: owners and waiters may be missing.");
	if (!err)
		err = describe_locks(l);
	if (err)
		message_error("cannot look: %s", strerror(-err));
	return err;
}

static int list_open(struct list_run *l, uint64_t start_ms)
{
	/* Half of the time: the rest is for the look. */
	uint64_t deadline_ns = start_ms * 1000000 + (uint64_t)l->timeout * 500000000;
	int err = rule_set_load(&l->rules, &l->files);

	if (!err)
		err = rule_set_collect(&l->rules);
	if (!err)
		err = surroundings_check_namespace();
	if (!err)
		err = surroundings_check_lockdown();
	if (!err)
		err = surroundings_open_symbols(&l->symbols, deadline_ns);
	if (!err)
		surroundings_say_symbols(l->symbols);
	if (err == -ETIMEDOUT)
		message_error(
			"reading the kernel's symbols (/proc/kallsyms) took longer than --timeout lets it");
	return err;
}

int cmd_list(int argc, char **argv)
{
	static char name[] = "locktrace list";
	static struct list_run l = { .timeout = TIMEOUT_SECONDS };
	uint64_t start_ms = wire_now_ms();
	int status = EXIT_UNABLE;

	if (common_parse(&argp, name, argc, argv, &l))
		return EXIT_UNABLE;
	if (!list_open(&l, start_ms) && !look(&l, start_ms))
		status = tell(&l);
	hang_seen_release(&l.seen);
	free(l.locks);
	free(l.classes);
	kallsyms_close(l.symbols);
	rule_set_release(&l.rules);
	return status;
}
