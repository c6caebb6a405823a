/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Conditions of rules, put to the running kernel. Rules share most of theirs, so an
 * answer is kept: about types and symbols until modules come or go that can change it (any, where
 * nothing was found in the image or KVM's and VFIO's modules), about a value for one pass over the
 * rules (where it lies, as the others).
 */
#ifndef LOCKTRACE_CMD_CONDITIONS_H
#define LOCKTRACE_CMD_CONDITIONS_H

#include <stdint.h>

#include "kernel/kallsyms.h"
#include "kernel/tracer.h"
#include "kernel/types.h"
#include "model/hash.h"
#include "model/rules.h"

struct condition_answer;

/* All zero is one that answers nothing yet. */
struct conditions {
	struct kallsyms *symbols; /* NULL: nothing can be answered */
	struct types *types;
	struct tracer *tracer; /* NULL: values cannot */
	struct hash table;
	struct condition_answer *answers;
	uint64_t pass;
	uint64_t present; /* which of hook_modules are there, as bits */
	uint64_t loads;   /* of their ids: another number when one was loaded again */
};

/* Before the first question, and whenever modules came or went: forgets what may be otherwise now. */
void conditions_modules_changed(struct conditions *conditions);

/* Values are read anew from here on. */
void conditions_begin_pass(struct conditions *conditions);

/*
 * What the kernel says to a condition, before "not". context: the struct conditions. The condition must
 * live as long.
 */
enum rule_answer conditions_ask(void *context, const struct rule_condition *condition);

/* Frees the answers. */
void conditions_release(struct conditions *conditions);

#endif
