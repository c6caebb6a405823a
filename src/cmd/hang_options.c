/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The command line of "hang"; see hang_options.h. */
#include "cmd/hang_options.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/option_number.h"
#include "cmd/rule_options.h"
#include "version.h"

#define TIMEOUT_SECONDS 10

enum {
	KEY_ALL = 0x100,
	KEY_JSON,
	KEY_TASK,
	KEY_TIMEOUT,
	KEY_VERSION,
	KEY_WATCH,
};

static const struct argp_option options[] = {
	{ "all", KEY_ALL, NULL, 0, "Show every waiter, with its stack; else only the first ones of each lock",
	  0 },
	{ "json", KEY_JSON, NULL, 0, "One JSON object a line on standard output (docs/json.md)", 0 },
	{ "task", KEY_TASK, "PID", 0, "Only what concerns this process or thread", 0 },
	{ "timeout", KEY_TIMEOUT, "SEC", 0,
	  "Tell what is known after so many seconds, whatever is stuck (default: 10)", 0 },
	{ "verbose", 'v', NULL, 0, "Tell more about what is done, on standard error", 0 },
	{ "version", KEY_VERSION, NULL, 0, "Show the version", 0 },
	{ "watch", KEY_WATCH, "SEC", 0, "Look again every so many seconds, until interrupted", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct hang_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->rules;
		break;
	case KEY_ALL:
		o->all = true;
		break;
	case KEY_JSON:
		o->json = true;
		break;
	case KEY_TASK:
		o->task = (uint32_t)option_number(state, "task", value, 1, UINT32_MAX);
		break;
	case KEY_TIMEOUT:
		o->timeout = (uint32_t)option_number(state, "timeout", value, 1, 3600);
		break;
	case 'v':
		o->verbose = true;
		break;
	case KEY_VERSION:
		puts("locktrace " LOCKTRACE_VERSION);
		exit(EXIT_NOTHING);
	case KEY_WATCH:
		o->watch = (uint32_t)option_number(state, "watch", value, 1, 86400);
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is not expected here", value);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = rule_options,
	.doc = "Says who waits for whom in the kernel, right now, on a host that hangs: for each task that waits "
	       "for a mutex or an rwsem which lock, who holds it, and what that task does; circles "
	       "(deadlocks) first, then who holds up the others. Nothing needs to have run before. Needs root. "
	       "Nothing is attached or changed. Of rules it takes the names of locks of your own, and the bugs that "
	       "are known."
	       "\vExit status: 0 no deadlock, 1 deadlocks, 2 could not look, or not at everything, and found none.\n\n"
	       "Example: a host that hangs\n  locktrace hang\n"
	       "Example: what holds up one process\n  locktrace hang --task 4711 --all",
};

int hang_options_parse(int argc, char **argv, struct hang_options *out)
{
	static char name[] = "locktrace hang";

	memset(out, 0, sizeof(*out));
	out->timeout = TIMEOUT_SECONDS;
	argv[0] = name;
	argp_err_exit_status = EXIT_UNABLE;
	return argp_parse(&argp, argc, argv, 0, NULL, out) ? EXIT_UNABLE : 0;
}
