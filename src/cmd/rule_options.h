/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Options that every command with rules has: --rules and --no-builtin-rules. */
#ifndef LOCKTRACE_CMD_RULE_OPTIONS_H
#define LOCKTRACE_CMD_RULE_OPTIONS_H

#include <argp.h>

/* Its input is a struct rule_files. See common_options.h. */
extern const struct argp rule_argp;

#endif
