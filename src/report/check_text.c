/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* "check" as text: a table of what there is, what is attached how, and the verdict. See check.h. */
#include <errno.h>
#include <string.h>

#include "report/check.h"

#define WORDS_WIDTH 28
#define LINE_WIDTH 100

static const char *const headings[] = {
	[GROUP_KERNEL] = "This kernel, and what it lets this user see",
	[GROUP_TYPES] = "Type information (BTF)",
	[GROUP_BPF] = "What BPF can do",
	[GROUP_ATTACH] = "Ways to see a lock being taken",
	[GROUP_WAITS] =
		"How a wait is found (hang; where a task does not say what it waits for, its stack does)",
};

static void print_features(const struct check_report *r, FILE *out)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++) {
		const struct feature *f = &r->features[i];

		if (!i || f->group != r->features[i - 1].group)
			fprintf(out, "%s%s\n", i ? "\n" : "", headings[f->group]);
		if (f->state == FEATURE_YES && *f->detail)
			fprintf(out, "  %-*s %s\n", WORDS_WIDTH, f->words, f->detail);
		else
			fprintf(out, "  %-*s %s%s%s\n", WORDS_WIDTH, f->words, check_state_name(f->state),
				*f->detail ? ": " : "", f->detail);
	}
}

/* A list of names with a heading, broken into lines. */
struct names {
	FILE *out;
	const char *heading;
	size_t column, count;
};

static void print_name(struct names *names, const char *name)
{
	if (!names->count++)
		fprintf(names->out, "  %s:", names->heading);
	else
		fputc(',', names->out);
	if (names->count == 1 || names->column + strlen(name) + 2 > LINE_WIDTH) {
		fputs("\n   ", names->out);
		names->column = 3;
	}
	names->column += (size_t)fprintf(names->out, " %s", name) + 1;
}

static void end_names(struct names *names)
{
	if (names->count)
		fputc('\n', names->out);
}

/* Those of a role, in a state, attached to by a kind (NULL: by none). */
static void print_some(const struct plan *plan, enum hook_role role, enum function_state state,
		       const char *attach, const char *heading, FILE *out)
{
	struct names names = { .out = out, .heading = heading };

	for (size_t i = 0; i < plan->function_count; i++) {
		const struct planned_function *f = &plan->functions[i];

		if (f->role == role && f->state == state &&
		    (!attach || (f->attach && !strcmp(f->attach, attach))))
			print_name(&names, f->name);
	}
	end_names(&names);
}

/* The first function of its role that is attached to by its kind: the others are told with it. */
static bool is_first(const struct plan *plan, size_t i)
{
	const struct planned_function *f = &plan->functions[i];

	for (size_t k = 0; k < i; k++)
		if (plan->functions[k].role == f->role && plan->functions[k].attach &&
		    !strcmp(plan->functions[k].attach, f->attach))
			return false;
	return true;
}

static void print_role(const struct plan *plan, enum hook_role role, FILE *out)
{
	const char *words = check_role_words(role);
	char heading[256];

	for (size_t i = 0; i < plan->function_count; i++) {
		const struct planned_function *f = &plan->functions[i];

		if (f->role != role || !f->attach || !is_first(plan, i))
			continue;
		snprintf(heading, sizeof(heading), "%s, by %s", words, f->attach);
		print_some(plan, role, FUNCTION_REACHED, f->attach, heading, out);
	}
	snprintf(heading, sizeof(heading), "%s, not attached to because the kernel refuses it", words);
	print_some(plan, role, FUNCTION_REFUSED, NULL, heading, out);
	snprintf(heading, sizeof(heading), "%s, when the module is loaded", words);
	print_some(plan, role, FUNCTION_WAITING, NULL, heading, out);
	snprintf(heading, sizeof(heading), "%s, not in this kernel (%s)", words, check_role_loss(role));
	print_some(plan, role, FUNCTION_MISSING, NULL, heading, out);
}

static void print_functions(const struct check_report *r, FILE *out)
{
	const struct plan *plan = r->plan;

	fputs("\nFunctions that a watch attaches to\n", out);
	if (!plan->attach) {
		fputs("  none: the kernel lets nothing be attached to functions\n", out);
		return;
	}
	for (int role = ROLE_LOCK; role <= ROLE_RWSEM_UNLOCK; role++)
		print_role(plan, role, out);
}

static void print_classes(const struct plan *plan, FILE *out)
{
	const char *const state_words[] = {
		[CLASS_WATCHED] = "watched",
		[CLASS_UNFOLLOWED] = plan->rwsems && plan->attach ? "with --rwsem only: they are rwsems"
								  : "rwsems: they cannot be followed here",
		[CLASS_WAITING] = "when the module is loaded",
		[CLASS_MISSING] = "not in this kernel, or not in its symbols and types: not watched",
	};

	fputs("\nLock classes\n", out);
	for (int state = CLASS_WATCHED; state <= CLASS_MISSING; state++) {
		struct names names = { .out = out, .heading = state_words[state] };

		for (size_t i = 0; i < plan->class_count; i++)
			if ((int)plan->classes[i].state == state)
				print_name(&names, plan->classes[i].name);
		end_names(&names);
	}
}

/* "watch impossible, list degraded" */
static void print_levels(const enum check_level *levels, FILE *out)
{
	const char *separator = "";

	for (int i = 0; i < CHECK_COMMANDS; i++) {
		if (levels[i] == CHECK_FULL)
			continue;
		fprintf(out, "%s%s %s", separator, check_command_name(i), check_level_name(levels[i]));
		separator = ", ";
	}
}

static void print_verdict(const struct check_report *r, FILE *out)
{
	const struct check_verdict *v = r->verdict;

	fputs("\nVerdict\n", out);
	for (int i = 0; i < CHECK_COMMANDS; i++)
		fprintf(out, "  %-6s %s%s%s\n", check_command_name(i), check_level_name(v->level[i]),
			i == CHECK_WATCH && v->attach ? ", by " : "",
			i == CHECK_WATCH && v->attach ? v->attach : "");
	for (size_t i = 0; i < v->problem_count; i++) {
		fprintf(out, "\n  Missing: %s (", v->problems[i].what);
		print_levels(v->problems[i].level, out);
		fprintf(out, ")\n    %s\n    To mend it: %s\n", v->problems[i].means, v->problems[i].fix);
	}
}

int text_check(const struct check_report *r, FILE *out)
{
	print_features(r, out);
	if (r->plan) {
		print_functions(r, out);
		print_classes(r->plan, out);
	}
	print_verdict(r, out);
	return fflush(out) || ferror(out) ? -EIO : 0;
}
