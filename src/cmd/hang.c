/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * "hang": who waits for whom, now. Two looks (hang_look.c), the wait graph of what they agree on, a
 * report; once, or every some seconds.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/hang_look.h"
#include "cmd/hang_names.h"
#include "cmd/hang_options.h"
#include "cmd/hang_wire.h"
#include "cmd/surroundings.h"
#include "message.h"
#include "report/hang.h"

struct hang {
	struct hang_options options;
	struct rule_set rules;
	struct kallsyms *symbols; /* NULL: there was no time to read them */
	struct hang_seen seen;
	struct hang_names names;
	struct utsname system;
	char taint[32];
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

static int no_symbol(void *context, uint64_t address, struct symbol *out)
{
	(void)context;
	(void)address;
	(void)out;
	return -ENOENT;
}

static struct hang_report report_of(struct hang *h, const struct wait_graph *graph, int64_t start_ns)
{
	const struct wait_look *last = &h->seen.looks[h->seen.look_count == 2];
	const struct symbol_source none = { .find = no_symbol };

	h->names = (struct hang_names){
		.seen = &h->seen, .model = h->seen.model, .symbols = h->symbols, .rules = &h->rules
	};
	return (struct hang_report){
		.base = { .model = h->seen.model,
			  .symbols = h->symbols ? kallsyms_source(h->symbols) : none,
			  .kernel = h->system.release,
			  .taint = h->taint,
			  .boot_to_wall_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME),
			  .all = h->options.all,
			  .colour = !h->options.common.json && isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
			  .vm_name = hang_names_vm,
			  .context = &h->names },
		.graph = graph,
		.time_ns = last->time_ns,
		.pid = h->options.task,
		.lock = hang_names_lock,
		.object = hang_names_object,
		.known_bug = hang_names_known,
		.context = &h->names,
		.trouble = *h->seen.trouble ? h->seen.trouble : NULL,
		.tasks_missing = h->seen.hidden,
		.milliseconds = (uint64_t)(clock_ns(CLOCK_MONOTONIC) - start_ns) / 1000000,
	};
}

/* --task */
static bool is_found(const struct hang *h, const struct wait_graph *graph)
{
	return !h->options.task || wait_graph_any_shown(graph);
}

/* A deadlock that only one look saw is none yet; and to have found none says nothing if not all was seen. */
static int status_of(const struct hang *h, const struct wait_graph *graph)
{
	for (size_t i = 0; graph->confirmed && i < graph->cycle_count; i++)
		if (graph->cycles[i].shown)
			return EXIT_FINDINGS;
	if (!graph->confirmed || graph->partial || h->seen.hidden || !is_found(h, graph))
		return EXIT_UNABLE;
	return EXIT_NOTHING;
}

static int tell(struct hang *h, int64_t start_ns)
{
	const struct wait_look *looks = h->seen.looks;
	struct wait_graph *graph = h->seen.look_count == 2 ? wait_graph_new(&looks[0], &looks[1])
							   : wait_graph_new(NULL, &looks[0]);
	struct hang_report report;
	int err, status;

	if (!graph) {
		message_error("out of memory");
		return EXIT_UNABLE;
	}
	wait_graph_select(graph, h->options.task);
	if (!is_found(h, graph))
		hang_seen_trouble(&h->seen,
				  "Task %u was not seen: there is none, or it could not be looked at.",
				  h->options.task);
	report = report_of(h, graph, start_ns);
	err = h->options.common.json ? json_hang(&report, stdout) : text_hang(&report, stdout);
	status = status_of(h, graph);
	wait_graph_free(graph);
	if (!err)
		return status;
	message_error("the report could not be written: standard output is full or closed");
	return EXIT_UNABLE;
}

static int look(struct hang *h, int64_t start_ns)
{
	const struct hang_look_options options = { .symbols = h->symbols,
						   .btf = h->options.common.btf,
						   .rules = &h->rules,
						   .task = h->options.task,
						   .deadline_ms = (uint64_t)start_ns / 1000000 +
								  (uint64_t)h->options.timeout * 1000 };

	if (h->symbols)
		return hang_look(&options, &h->seen);
	memset(&h->seen, 0, sizeof(h->seen));
	hang_seen_trouble(&h->seen,
			  "Reading the kernel's symbols (/proc/kallsyms) took longer than --timeout "
			  "lets it, so no task was looked at.");
	return 0;
}

/* start_ns: CLOCK_MONOTONIC, since when the time that there is runs. */
static int look_and_tell(struct hang *h, int64_t start_ns)
{
	int status = EXIT_UNABLE, err = look(h, start_ns);

	if (err)
		message_error("cannot start looking: %s", strerror(-err));
	/* As one incomplete look, if it is none at all. */
	h->seen.looks[0].partial = h->seen.looks[0].partial || !h->seen.look_count;
	if (!h->seen.look_count)
		h->seen.looks[0].count = 0;
	if (!err && !h->seen.look_count && !h->options.common.json)
		message_error("%s", h->seen.trouble);
	else if (!err)
		status = tell(h, start_ns);
	hang_seen_release(&h->seen);
	return status;
}

/* Modules come and go; what was read before is better than nothing. 0 or negative errno after a message. */
static int read_symbols(struct hang *h, int64_t start_ns)
{
	/* Three quarters of the time: the rest is for a look, if only a short one. */
	int64_t deadline_ns = start_ns + (int64_t)h->options.timeout * 750000000;
	struct kallsyms *fresh;
	int err = surroundings_open_symbols(&fresh, (uint64_t)deadline_ns);

	if (err)
		return err == -ETIMEDOUT ? 0 : err;
	kallsyms_close(h->symbols);
	h->symbols = fresh;
	return 0;
}

/* Between two rounds; false: it is to end. */
static bool pause_between(const struct hang *h)
{
	struct timespec left = { .tv_sec = h->options.watch };

	while (!stop_signal && nanosleep(&left, &left) && errno == EINTR)
		;
	return !stop_signal;
}

/* A deadlock does not go away, so one that was found decides. */
static int watch(struct hang *h, int64_t start_ns)
{
	int status = EXIT_NOTHING;

	do {
		int now = look_and_tell(h, start_ns);

		if (now == EXIT_FINDINGS || status == EXIT_NOTHING)
			status = now;
		if (ferror(stdout))
			break;
		if (!pause_between(h))
			break;
		start_ns = clock_ns(CLOCK_MONOTONIC);
		read_symbols(h, start_ns);
	} while (!stop_signal);
	return status;
}

static void catch_signals(const struct hang *h)
{
	struct sigaction action = { .sa_handler = on_signal };

	signal(SIGPIPE, SIG_IGN);
	/* Whoever started us may have had it ignored: then helpers could not be told from strangers. */
	signal(SIGCHLD, SIG_DFL);
	if (!h->options.watch)
		return;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static int hang_open(struct hang *h, int64_t start_ns)
{
	int err = rule_set_load(&h->rules, &h->options.rules);

	if (!err)
		err = rule_set_collect(&h->rules);
	if (!err)
		err = surroundings_check_namespace();
	if (!err)
		err = surroundings_check_lockdown();
	if (!err)
		err = read_symbols(h, start_ns);
	uname(&h->system);
	surroundings_taint(h->taint, sizeof(h->taint));
	return err;
}

int cmd_hang(int argc, char **argv)
{
	int64_t start_ns = clock_ns(CLOCK_MONOTONIC);
	static struct hang h;
	int status = hang_options_parse(argc, argv, &h.options);

	if (status)
		return status;
	catch_signals(&h);
	if (hang_open(&h, start_ns))
		status = EXIT_UNABLE;
	else
		status = h.options.watch ? watch(&h, start_ns) : look_and_tell(&h, start_ns);
	kallsyms_close(h.symbols);
	rule_set_release(&h.rules);
	return status;
}
