/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See common_options.h. */
#include "cmd/common_options.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "cmd/rule_options.h"
#include "message.h"
#include "version.h"

/* Apart from the keys of the commands' own options, which begin at 0x100, and of rules. */
enum {
	KEY_BTF = 0x2000,
	KEY_JSON,
	KEY_VERSION,
};

static const struct argp_option options[] = {
	{ "btf", KEY_BTF, "PATH", 0,
	  "Take the kernel's types from this file or folder (as /sys/kernel/btf): for a kernel without BTF "
	  "(CONFIG_DEBUG_INFO_BTF)",
	  0 },
	{ "json", KEY_JSON, NULL, 0, "One JSON object a line on standard output (docs/json.md)", 0 },
	{ "verbose", 'v', NULL, 0, "Tell more about what is done, on standard error", 0 },
	{ "version", KEY_VERSION, NULL, 0, "Show the version", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct common_options *o = state->input;

	switch (key) {
	case KEY_BTF:
		o->btf = value;
		return 0;
	case KEY_JSON:
		o->json = true;
		return 0;
	case 'v':
		message_set_verbose(true);
		return 0;
	case KEY_VERSION:
		puts("locktrace " LOCKTRACE_VERSION);
		exit(EXIT_NOTHING);
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is not expected here", value);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp common_argp = { .options = options, .parser = parse };

const struct argp_child common_children[] = { { &common_argp, 0, NULL, 0 }, { 0 } };
const struct argp_child common_and_rule_children[] = { { &common_argp, 0, NULL, 0 },
						       { &rule_argp, 0, NULL, 0 },
						       { 0 } };

int common_parse(const struct argp *argp, char *name, int argc, char **argv, void *input)
{
	argv[0] = name;
	argp_err_exit_status = EXIT_UNABLE;
	return argp_parse(argp, argc, argv, 0, NULL, input) ? EXIT_UNABLE : 0;
}
