/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Reports of "check": what this kernel offers, what locktrace makes of it, and a verdict. Pure: what was
 * found out goes in.
 */
#ifndef LOCKTRACE_REPORT_CHECK_H
#define LOCKTRACE_REPORT_CHECK_H

#include <stdbool.h>
#include <stdio.h>

#include "kernel/features.h"
#include "kernel/plan.h"

/* How far a command gets on this kernel, for this user. */
enum check_level {
	CHECK_FULL,
	CHECK_DEGRADED, /* it works, and something is missing */
	CHECK_IMPOSSIBLE,
};

enum check_command {
	CHECK_WATCH,
	CHECK_HANG,
	CHECK_LIST,
	CHECK_COMMANDS,
};

#define CHECK_PROBLEMS_MAX 48

struct check_problem {
	char what[160]; /* the features, as people call them: "types of vfio, types of kvm" */
	char name[160]; /* the same for programs, separated by blanks */
	enum check_level level[CHECK_COMMANDS]; /* what it makes of each command */
	const char *means, *fix;                /* sentences */
};

struct check_verdict {
	enum check_level level[CHECK_COMMANDS];
	const char *attach; /* how a watch sees locks: "fentry", "kprobe, fentry", "contention"; NULL: it
			       cannot */
	struct check_problem problems[CHECK_PROBLEMS_MAX];
	size_t problem_count;
};

struct check_report {
	const char *version;            /* of locktrace */
	const struct feature *features; /* FEATURE_COUNT */
	const struct plan *plan;        /* NULL: without symbols or types there is none */
	const struct check_verdict *verdict;
};

/* "full", "degraded", "impossible". */
const char *check_level_name(enum check_level level);
/* "watch", "hang", "list". */
const char *check_command_name(enum check_command command);
/* "yes", "no", "unknown", "waiting". */
const char *check_state_name(enum feature_state state);
/* "lock", "init", "object", ...: docs/json.md has them all. */
const char *check_role_name(enum hook_role role);
/* The same for people: "locks taken", ... */
const char *check_role_words(enum hook_role role);
/* What it means that a function of this role is not there: "what is taken by it is not seen", ... */
const char *check_role_loss(enum hook_role role);

/* Whether functions can be attached to by a kind ("fentry", ...). */
bool check_can(const struct feature *features, const char *kind);

/*
 * By what functions can be attached to: as planned ("fentry"), or what is left when that is refused. NULL: by
 * nothing. planned may be NULL.
 */
const char *check_attach(const struct feature *features, const char *planned);

/* plan: made for what check_attach() said; NULL: none. */
void check_judge(const struct feature *features, const struct plan *plan, struct check_verdict *out);

/* Of the program: 0 all commands work in full, 2 none works at all, 1 what is between. */
int check_status(const struct check_verdict *verdict);

/* The whole report; 0, -EIO, or -ENOMEM. */
int text_check(const struct check_report *report, FILE *out);
int json_check(const struct check_report *report, FILE *out);

#endif
