/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* "check" as JSON: features, functions, classes, problems, one object a line, then a summary. docs/json.md is
 * the contract. */
#include "report/check.h"
#include "report/json_parts.h"

static const char *const groups[] = { "kernel", "types", "bpf", "attach", "waits" };
static const char *const function_states[] = { "reached", "waiting", "missing", "refused" };
static const char *const class_states[] = {
	[CLASS_WATCHED] = "found",
	[CLASS_UNFOLLOWED] = "unfollowed",
	[CLASS_WAITING] = "waiting",
	[CLASS_MISSING] = "missing",
};

static int feature_line(const struct feature *feature, FILE *out)
{
	json_t *line = object_new("feature");

	if (!line)
		return -ENOMEM;
	json_object_set_new(line, "group", text(groups[feature->group]));
	json_object_set_new(line, "name", text(feature->name));
	json_object_set_new(line, "state", text(check_state_name(feature->state)));
	json_object_set_new(line, "detail", text_or_null(feature->detail));
	return write_line(line, out);
}

static int function_line(const struct planned_function *function, FILE *out)
{
	json_t *line = object_new("function");

	if (!line)
		return -ENOMEM;
	json_object_set_new(line, "name", text(function->name));
	json_object_set_new(line, "module", text_or_null(function->module));
	json_object_set_new(line, "role", text(check_role_name(function->role)));
	json_object_set_new(line, "state", text(function_states[function->state]));
	json_object_set_new(line, "attach", text_or_null(function->attach));
	return write_line(line, out);
}

static int class_line(const struct planned_class *class, FILE *out)
{
	json_t *line = object_new("class");

	if (!line)
		return -ENOMEM;
	json_object_set_new(line, "name", text(class->name));
	json_object_set_new(line, "state", text(class_states[class->state]));
	return write_line(line, out);
}

static void set_levels(json_t *line, const enum check_level *levels)
{
	for (int i = 0; i < CHECK_COMMANDS; i++)
		json_object_set_new(line, check_command_name(i), text(check_level_name(levels[i])));
}

static int problem_line(const struct check_problem *problem, FILE *out)
{
	json_t *line = object_new("problem");

	if (!line)
		return -ENOMEM;
	json_object_set_new(line, "missing", text(problem->name));
	set_levels(line, problem->level);
	json_object_set_new(line, "means", text(problem->means));
	json_object_set_new(line, "fix", text(problem->fix));
	return write_line(line, out);
}

static int summary_line(const struct check_report *r, FILE *out)
{
	json_t *line = object_new("summary");

	if (!line)
		return -ENOMEM;
	json_object_set_new(line, "locktrace", text(r->version));
	json_object_set_new(line, "attach", text_or_null(r->verdict->attach));
	set_levels(line, r->verdict->level);
	json_object_set_new(line, "problems", json_integer((json_int_t)r->verdict->problem_count));
	json_object_set_new(line, "status", json_integer(check_status(r->verdict)));
	return write_line(line, out);
}

int json_check(const struct check_report *r, FILE *out)
{
	int err = 0;

	for (size_t i = 0; i < FEATURE_COUNT && !err; i++)
		err = feature_line(&r->features[i], out);
	for (size_t i = 0; r->plan && i < r->plan->function_count && !err; i++)
		err = function_line(&r->plan->functions[i], out);
	for (size_t i = 0; r->plan && i < r->plan->class_count && !err; i++)
		err = class_line(&r->plan->classes[i], out);
	for (size_t i = 0; i < r->verdict->problem_count && !err; i++)
		err = problem_line(&r->verdict->problems[i], out);
	return err ? err : summary_line(r, out);
}
