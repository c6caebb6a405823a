/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The command line of "hang"; see hang_options.h. */
#include "cmd/hang_options.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/option_number.h"

#define TIMEOUT_SECONDS 10

enum {
	KEY_ALL = 0x100,
	KEY_TASK,
	KEY_TIMEOUT,
	KEY_WATCH,
};

static const struct argp_option options[] = {
	{ "all", KEY_ALL, NULL, 0, "Show every waiter, with its stack; else only the first ones of each lock",
	  0 },
	{ "task", KEY_TASK, "PID", 0, "Only what concerns this process or thread", 0 },
	{ "timeout", KEY_TIMEOUT, "SEC", 0,
	  "Tell what is known after so many seconds, whatever is stuck (default: 10)", 0 },
	{ "watch", KEY_WATCH, "SEC", 0, "Look again every so many seconds, until interrupted", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct hang_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->common;
		state->child_inputs[1] = &o->rules;
		break;
	case KEY_ALL:
		o->all = true;
		break;
	case KEY_TASK:
		o->task = (uint32_t)option_number(state, "task", value, 1, UINT32_MAX);
		break;
	case KEY_TIMEOUT:
		o->timeout = (uint32_t)option_number(state, "timeout", value, 1, 3600);
		break;
	case KEY_WATCH:
		o->watch = (uint32_t)option_number(state, "watch", value, 1, 86400);
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
	.doc = "Says who waits for whom in the kernel, right now, on a host that hangs: for each task that waits "
	       "for a mutex or an rwsem which lock, who holds it, and what that task does; circles "
	       "(deadlocks) first, then who holds up the others. Nothing needs to have run before. Needs root (see PRIVILEGES in locktrace(8)). "
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
	return common_parse(&argp, name, argc, argv, out);
}
