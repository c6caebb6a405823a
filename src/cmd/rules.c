/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * "rules": the rules, one a line, with their state on the running kernel. Without
 * root the conditions cannot be answered and the state is unknown.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/common_options.h"
#include "cmd/rule_set.h"
#include "cmd/surroundings.h"
#include "message.h"
#include "report/report.h"

struct rules_options {
	struct common_options common;
	struct rule_files files;
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct rules_options *o = state->input;

	(void)value;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = &o->common;
	state->child_inputs[1] = &o->files;
	return 0;
}

static const struct argp argp = {
	.parser = parse,
	.children = common_and_rule_children,
	.doc = "Shows the rules: which are in force on the running kernel, which are not because it lacks what they "
	       "ask for, and where each comes from. As root, because only root sees what a kernel has."
	       "\vExit status: 0 all was read, 2 a rule file or --btf has an error.\n\n"
	       "Example: check a rule file\n  locktrace rules --no-builtin-rules --rules my.rules",
};

/* What can be asked of this kernel by this user; the rest stays unknown. */
static int open_kernel(struct conditions *kernel, const char *btf)
{
	if (btf && surroundings_open_types(btf, &kernel->types))
		return -EINVAL;
	if (kallsyms_open(&kernel->symbols) || (!btf && types_open(&kernel->types))) {
		message_info("which rules are in force is not known: this needs root, and a kernel with BTF");
		kallsyms_close(kernel->symbols);
		kernel->symbols = NULL;
		return 0;
	}
	if (tracer_open_reader(kernel->symbols, kernel->types, &kernel->tracer))
		kernel->tracer = NULL;
	conditions_modules_changed(kernel);
	return 0;
}

static void close_kernel(struct conditions *kernel)
{
	tracer_close(kernel->tracer);
	types_close(kernel->types);
	kallsyms_close(kernel->symbols);
}

static void print_rules(const struct rule_set *set, bool json)
{
	for (size_t i = 0; i < rules_count(set->rules); i++) {
		if (json)
			json_rule(rules_get(set->rules, i), stdout);
		else
			text_rule(rules_get(set->rules, i), stdout);
	}
}

int cmd_rules(int argc, char **argv)
{
	static char name[] = "locktrace rules";
	static struct rules_options o;
	static struct rule_set set;
	int err;

	if (common_parse(&argp, name, argc, argv, &o))
		return EXIT_UNABLE;
	err = rule_set_load(&set, &o.files);
	if (!err)
		err = open_kernel(&set.conditions, o.common.btf);
	if (!err)
		err = rule_set_collect(&set);
	if (!err) {
		rule_set_evaluate(&set);
		print_rules(&set, o.common.json);
		rule_set_warn(&set);
	}
	close_kernel(&set.conditions);
	rule_set_release(&set);
	if (!err && (fflush(stdout) || ferror(stdout))) {
		message_error("the rules could not be written: standard output is full or closed");
		err = -EIO;
	}
	return err ? EXIT_UNABLE : EXIT_NOTHING;
}
