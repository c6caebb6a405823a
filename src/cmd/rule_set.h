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

#include "kernel/kallsyms.h"
#include "kernel/lock_spec.h"
#include "kernel/tracer.h"
#include "kernel/types.h"
#include "model/model.h"
#include "model/rules.h"

#define RULE_FILES_MAX 64
#define USER_CLASSES_MAX (LT_CLASS_USER_MAX - LT_CLASS_USER)
/* Conditions about types are asked once; different ones that are remembered. */
#define ANSWERS_MAX 128

struct rule_files {
	const char *paths[RULE_FILES_MAX]; /* in the order of the command line */
	size_t count;
	bool no_builtin;
};

struct rule_set {
	struct rules *rules;
	struct kallsyms *symbols; /* NULL: conditions cannot be answered */
	struct types *types;
	struct tracer *tracer; /* NULL: those about values cannot */
	struct lock_spec classes[USER_CLASSES_MAX];
	size_t class_count;
	struct watched_call calls[LT_CALL_SLOTS];
	size_t call_count;
	struct lt_class_set put_classes;
	struct {
		const char *structure, *member;
		enum rule_answer answer;
	} answers[ANSWERS_MAX];
	size_t answer_count;
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
 * Gathers what the rules ask of the kernel side. 0, or -EINVAL after a message: they ask for
 * more than there is room for.
 */
int rule_set_collect(struct rule_set *set);

/* Tells the model the names of the classes and functions gathered. 0 or -ENOMEM. */
int rule_set_name(const struct rule_set *set, struct model *model);

/* Modules came: what types there are is asked again. */
void rule_set_forget_answers(struct rule_set *set);
/* Puts all conditions to the kernel, as it is now, and sets the rules' states. */
void rule_set_evaluate(struct rule_set *set);

/* Tells of rules in force that contradict each other, and of calls that are not attached to. */
void rule_set_warn(const struct rule_set *set);

size_t rule_set_in_force(const struct rule_set *set);

#endif
