/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * "check": what this kernel offers to this user, what locktrace makes of it, what is missing. Each probe is
 * over before the next one begins. Works, as far as it goes, for any user on any kernel.
 */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/common_options.h"
#include "kernel/kallsyms.h"
#include "kernel/types.h"
#include "message.h"
#include "report/check.h"
#include "version.h"

struct check {
	struct common_options common;
	struct feature_source source;
	struct feature features[FEATURE_COUNT];
	struct plan plan;
	struct check_verdict verdict;
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct check *c = state->input;

	(void)value;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = &c->common;
	return 0;
}

static const struct argp argp = {
	.parser = parse,
	.children = common_children,
	.doc = "Shows what the running kernel offers to this user and what locktrace makes of it: which functions "
	       "it attaches to and how, which lock classes it watches, how far each command gets, what is missing, "
	       "what that means and what mends it. Everything is tried, nothing is told from a version; what is "
	       "attached to try it is detached at once."
	       "\vExit status: 0 everything works in full, 1 something is missing, 2 nothing works.\n\n"
	       "Example: what works on this host\n  locktrace check\n"
	       "Example: why does watch not work\n  locktrace check --json | jq -r 'select(.type == "
	       "\"problem\" and .watch != \"full\").means'",
};

/* A file that is not what it is said to be is a mistake on the command line; all else is an answer. */
static int open_kernel(struct check *c)
{
	struct feature_source *s = &c->source;
	char why[256];

	s->symbols_err = kallsyms_open(&s->symbols);
	s->types_err = s->btf ? types_open_from(s->btf, &s->types) : types_open(&s->types);
	if (s->btf && s->types_err) {
		message_error("--btf %s: no types can be read from it: %s", s->btf,
			      s->types_err == -EINVAL ? "it is no BTF" : strerror(-s->types_err));
		return -EINVAL;
	}
	if (s->btf && types_fit(s->types, why, sizeof(why))) {
		message_error("--btf %s: this is not the BTF of the running kernel: %s", s->btf, why);
		return -EINVAL;
	}
	return 0;
}

/* What a watch plans, or, where that is refused, what is left. NULL: there is nothing to plan with. */
static const struct plan *make_plan(struct check *c)
{
	const struct feature_source *s = &c->source;
	const char *kind;

	if (!s->symbols || !s->types || plan_make(ATTACH_AUTO, s->symbols, s->types, &c->plan))
		return NULL;
	kind = check_attach(c->features, c->plan.attach);
	if (kind && c->plan.attach && strcmp(kind, c->plan.attach) != 0 &&
	    plan_make(strcmp(kind, "fentry") != 0 ? ATTACH_KPROBE : ATTACH_FENTRY, s->symbols, s->types,
		      &c->plan))
		return NULL;
	for (size_t i = 0; i < c->plan.function_count; i++)
		if (c->plan.functions[i].attach && !check_can(c->features, c->plan.functions[i].attach))
			plan_refuse(&c->plan, c->plan.functions[i].attach);
	return &c->plan;
}

static int tell(struct check *c)
{
	struct check_report report = { .version = LOCKTRACE_VERSION, .features = c->features };

	features_probe(&c->source, c->features);
	report.plan = make_plan(c);
	check_judge(c->features, report.plan, &c->verdict);
	report.verdict = &c->verdict;
	if (c->common.json ? json_check(&report, stdout) : text_check(&report, stdout)) {
		message_error("the report could not be written: standard output is full or closed");
		return EXIT_UNABLE;
	}
	return check_status(&c->verdict);
}

int cmd_check(int argc, char **argv)
{
	static char name[] = "locktrace check";
	static struct check c;
	int status = EXIT_UNABLE;

	if (common_parse(&argp, name, argc, argv, &c))
		return EXIT_UNABLE;
	c.source.btf = c.common.btf;
	if (!open_kernel(&c))
		status = tell(&c);
	types_close(c.source.types);
	kallsyms_close(c.source.symbols);
	return status;
}
