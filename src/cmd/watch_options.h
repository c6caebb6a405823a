/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The options of "watch". */
#ifndef LOCKTRACE_CMD_WATCH_OPTIONS_H
#define LOCKTRACE_CMD_WATCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/common_options.h"
#include "cmd/rule_set.h"
#include "kernel/tracer.h"

#define WATCH_LOCKS_MAX 64

struct watch_options {
	enum attach_kind attach;
	uint64_t duration; /* seconds; 0: until interrupted */
	bool all, exit_on_finding, every_lock;
	uint32_t pid;   /* 0: all */
	const char *vm; /* NULL: all */
	size_t ring_size;
	const char *locks[WATCH_LOCKS_MAX]; /* STRUCT.MEMBER@SYMBOL, not looked at yet */
	size_t lock_count;
	struct common_options common;
	struct rule_files rules;
	bool check_unlock;
	bool rwsem;
	uint32_t stall;      /* seconds; 0: waits that last are not told */
	double max_overhead; /* per cent of the time of all CPUs; 0: no bound */
};

/*
 * Reads the command line; argv's strings must outlive the options. Returns 0 or,
 * after a message, an exit status of 2. --help and --version end the program.
 */
int watch_options_parse(int argc, char **argv, struct watch_options *out);

#endif
