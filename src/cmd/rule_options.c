/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See rule_options.h. */
#include "cmd/rule_options.h"

#include "cmd/rule_set.h"

/* Apart from the keys of the commands' own options, which begin at 0x100. */
enum {
	KEY_NO_BUILTIN = 0x1000,
	KEY_RULES,
};

static const struct argp_option options[] = {
	{ "no-builtin-rules", KEY_NO_BUILTIN, NULL, 0, "Leave the built-in rules out (see locktrace rules)",
	  0 },
	{ "rules", KEY_RULES, "FILE", 0,
	  "Add the rules in this file (docs/rules.md). May be given more than once", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct rule_files *files = state->input;

	switch (key) {
	case KEY_NO_BUILTIN:
		files->no_builtin = true;
		return 0;
	case KEY_RULES:
		if (files->count == RULE_FILES_MAX)
			argp_error(state, "--rules: at most %d files", RULE_FILES_MAX);
		else
			files->paths[files->count++] = value;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp rule_argp = { .options = options, .parser = parse };
