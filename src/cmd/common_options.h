/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The options that every command has: --btf, --json, -v, --version; and what all command lines have in
 * common. */
#ifndef LOCKTRACE_CMD_COMMON_OPTIONS_H
#define LOCKTRACE_CMD_COMMON_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

struct common_options {
	const char *btf; /* NULL: the kernel's own types */
	bool json;
};

/*
 * The children of a command's parser, whose parse function, at ARGP_KEY_INIT, sets state->child_inputs[0] to
 * a struct common_options and, for those with rules, [1] to a struct rule_files. The strings of the
 * command line must outlive these.
 */
extern const struct argp_child common_children[];
extern const struct argp_child common_and_rule_children[];

/*
 * Parses a command's line: name ("locktrace watch") is shown for argv[0]. --help and --version end the
 * process with EXIT_NOTHING, an error with EXIT_UNABLE after a message. 0, or EXIT_UNABLE (out of memory).
 */
int common_parse(const struct argp *argp, char *name, int argc, char **argv, void *input);

#endif
