/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The options of "hang". */
#ifndef LOCKTRACE_CMD_HANG_OPTIONS_H
#define LOCKTRACE_CMD_HANG_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/common_options.h"
#include "cmd/rule_set.h"

struct hang_options {
	bool all;
	uint32_t task;    /* process or thread; 0: all */
	uint32_t watch;   /* seconds between two looks round; 0: once */
	uint32_t timeout; /* seconds */
	struct common_options common;
	struct rule_files rules;
};

/*
 * Reads the command line; argv's strings must outlive the options. Returns 0 or, after a message, an exit
 * status of 2. --help and
 * --version end the program.
 */
int hang_options_parse(int argc, char **argv, struct hang_options *out);

#endif
