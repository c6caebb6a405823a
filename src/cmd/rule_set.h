/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The rules of a run: those built in and the user's files, what they ask of the
 * kernel side (locks to watch, functions to attach to), and their conditions, put to
 * the running kernel.
 */
#ifndef LOCKTRACE_CMD_RULE_SET_H
#define LOCKTRACE_CMD_RULE_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/conditions.h"
#include "kernel/lock_spec.h"
#include "kernel/tracer.h"
#include "model/model.h"
#include "model/rules.h"

#define RULE_FILES_MAX 64
#define USER_CLASSES_MAX (LT_CLASS_USER_MAX - LT_CLASS_USER)

struct rule_files {
	const char *paths[RULE_FILES_MAX]; /* in the order of the command line */
	size_t count;
	bool no_builtin;
};

struct rule_set {
	struct rules *rules;
	struct conditions conditions;
	struct watched_class classes[USER_CLASSES_MAX];
	size_t class_count, named_count; /* the first ones are named on the command line: always wanted */
	struct watched_call calls[LT_CALL_SLOTS];
	size_t call_count;
	struct lt_class_set put_classes;
};

/*
 * Reads the built-in rules and the files. 0, or -EINVAL after a message for each
 * error (FILE:LINE:COLUMN: what), -ENOMEM.
 */
int rule_set_load(struct rule_set *set, const struct rule_files *files);
void rule_set_release(struct rule_set *set);

/* A lock of the user's own from the command line, before rule_set_collect(). 0, or -EINVAL after a message.
 */
int rule_set_add_class(struct rule_set *set, const struct lock_spec *spec);

/*
 * Gathers what the rules ask of the kernel side, whether they are in force or not: what is wanted now is
 * marked. After conditions_modules_changed(). 0, or -EINVAL after a message: they ask for more than there
 * is room for.
 */
int rule_set_collect(struct rule_set *set);

/* Tells the model the names of the classes and functions gathered. 0 or -ENOMEM. */
int rule_set_name(const struct rule_set *set, struct model *model);

/* Puts all conditions to the kernel, as it is now, and sets the rules' states. Whether one is another now. */
bool rule_set_evaluate(struct rule_set *set);
/* Modules came or went: the same, and more may be wanted of the kernel side. */
bool rule_set_modules_changed(struct rule_set *set);

/* Tells of rules in force that contradict each other. */
void rule_set_warn(const struct rule_set *set);
/* Tells of functions that the user's rules speak of and that are not attached to. */
void rule_set_warn_of_calls(const struct rule_set *set, const struct tracer *tracer);

size_t rule_set_in_force(const struct rule_set *set);

#endif
