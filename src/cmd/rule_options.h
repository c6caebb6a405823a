/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Options that every command with rules has: --rules and --no-builtin-rules. */
#ifndef LOCKTRACE_CMD_RULE_OPTIONS_H
#define LOCKTRACE_CMD_RULE_OPTIONS_H

#include <argp.h>

/*
 * As the only child of a command's parser, whose parse function, at ARGP_KEY_INIT, sets
 * state->child_inputs[0] to a struct rule_files. The strings of the command line must outlive that.
 */
extern const struct argp_child rule_options[];

#endif
