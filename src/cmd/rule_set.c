/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The rules of a run; see rule_set.h. */
#include "cmd/rule_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builtin_rules.h"
#include "kernel/hooks.h"
#include "message.h"

/* In place of a path, for messages and reports: "built-in kvm.rules". */
#define BUILTIN_PREFIX "built-in "

static void on_error(void *context, const char *file, unsigned int line, unsigned int column,
		     const char *text)
{
	(void)context;
	if (line)
		message_error("%s:%u:%u: %s", file, line, column, text);
	else
		message_error("%s: %s", file, text);
}

static int parse(struct rule_set *set, const char *name, const char *text, size_t size)
{
	int errors = rules_parse(set->rules, name, text, size, on_error, NULL);

	if (errors == -ENOMEM)
		message_error("%s: out of memory", name);
	return errors > 0 ? -EINVAL : errors;
}

static int load_builtin(struct rule_set *set)
{
	int err = 0;

	for (size_t i = 0; i < sizeof(builtin_rules) / sizeof(builtin_rules[0]) && !err; i++) {
		char name[64];

		snprintf(name, sizeof(name), BUILTIN_PREFIX "%s", builtin_rules[i].name);
		err = parse(set, name, builtin_rules[i].text, builtin_rules[i].size);
	}
	return err;
}

/* The whole file and one byte more than may be, so that the parser sees when it is too long. */
static int load_file(struct rule_set *set, const char *path)
{
	size_t size = 0, room = RULES_FILE_MAX + 1;
	char *text = malloc(room);
	FILE *file;
	int err;

	if (!text)
		return -ENOMEM;
	file = fopen(path, "re");
	if (!file) {
		message_error("cannot read the rule file %s: %s", path, strerror(errno));
		free(text);
		return -EINVAL;
	}
	size = fread(text, 1, room, file);
	if (ferror(file)) {
		message_error("cannot read the rule file %s: %s", path, strerror(errno));
		err = -EINVAL;
	} else {
		err = parse(set, path, text, size);
	}
	fclose(file);
	free(text);
	return err;
}

int rule_set_load(struct rule_set *set, const struct rule_files *files)
{
	int err = 0;

	set->rules = rules_new();
	if (!set->rules)
		return -ENOMEM;
	if (!files->no_builtin)
		err = load_builtin(set);
	for (size_t i = 0; i < files->count && err != -ENOMEM; i++) {
		int one = load_file(set, files->paths[i]);

		err = err ? err : one;
	}
	return err;
}

void rule_set_release(struct rule_set *set)
{
	conditions_release(&set->conditions);
	rules_free(set->rules);
	set->rules = NULL;
}

static struct watched_class *class_find(struct rule_set *set, const struct lock_spec *spec)
{
	for (size_t i = 0; i < set->class_count; i++) {
		const struct lock_spec *lock = &set->classes[i].lock;

		if (!strcmp(lock->name, spec->name) && lock->pointer == spec->pointer &&
		    !strcmp(lock->symbol, spec->symbol))
			return &set->classes[i];
	}
	return NULL;
}

static struct watched_class *class_find_or_new(struct rule_set *set, const struct lock_spec *spec)
{
	struct watched_class *class = class_find(set, spec);

	if (class)
		return class;
	if (set->class_count == USER_CLASSES_MAX) {
		message_error("at most %d locks of your own can be watched", USER_CLASSES_MAX);
		return NULL;
	}
	class = &set->classes[set->class_count++];
	class->lock = *spec;
	return class;
}

int rule_set_add_class(struct rule_set *set, const struct lock_spec *spec)
{
	if (!class_find_or_new(set, spec))
		return -EINVAL;
	set->named_count = set->class_count;
	return 0;
}

/*
 * Whether what a rule asks of the kernel side is to be there: the rule is in force, or may come to be
 * without a module coming. Values may change at any time.
 */
static bool is_wanted(struct rule_set *set, const struct rule *rule)
{
	for (size_t i = 0; i < rule->condition_count; i++) {
		const struct rule_condition *condition = &rule->conditions[i];
		enum rule_answer answer = ANSWER_UNKNOWN;

		if (condition->kind != CONDITION_VALUE)
			answer = conditions_ask(&set->conditions, condition);
		if (answer != ANSWER_UNKNOWN && (answer == ANSWER_YES) == condition->negated)
			return false;
	}
	return true;
}

static int collect_class(struct rule_set *set, const struct rule *rule)
{
	struct watched_class *class;
	struct lock_spec spec;

	if (lock_spec_set(&spec, rule->structure, rule->member, rule->symbol, rule->pointer)) {
		message_error("%s:%u: " LOCK_SPEC_LIMITS, rule->file, rule->line);
		return -EINVAL;
	}
	class = class_find_or_new(set, &spec);
	if (!class)
		return -EINVAL;
	class->wanted = class->wanted || is_wanted(set, rule);
	return 0;
}

/* The ids of a class: a declared one, or all of the user's own of that name, or "some foreign one". */
static void add_to_set(const struct rule_set *set, const char *name, struct lt_class_set *classes)
{
	uint32_t id = tracer_class_id(name);
	bool own = false;

	for (size_t i = 0; i < set->class_count; i++) {
		uint32_t user = LT_CLASS_USER + (uint32_t)i;

		if (strcmp(set->classes[i].lock.name, name) != 0)
			continue;
		classes->word[user / 64] |= 1ULL << user % 64;
		own = true;
	}
	/* Also where a lock of the user's own has the name of a declared class. */
	if (!own || id != LT_CLASS_FOREIGN)
		classes->word[id / 64] |= 1ULL << id % 64;
}

static bool is_last_of_put(const char *function)
{
#define COMPARE_LAST(module, put, type, member, last, inlined)       \
	if (!strcmp(function, #last) || !strcmp(function, #inlined)) \
		return true;
	LT_PUTS(COMPARE_LAST)
#undef COMPARE_LAST
	return false;
}

static int collect_call(struct rule_set *set, const struct rule *rule)
{
	size_t i = 0;

	while (i < set->call_count && strcmp(set->calls[i].function, rule->function) != 0)
		i++;
	if (i == LT_CALL_SLOTS) {
		message_error("%s:%u: rules can speak of at most %d functions, built-in rules included",
			      rule->file, rule->line, LT_CALL_SLOTS);
		return -EINVAL;
	}
	if (i == set->call_count)
		set->calls[set->call_count++] = (struct watched_call){ .function = rule->function };
	set->calls[i].wanted = set->calls[i].wanted || is_wanted(set, rule);
	add_to_set(set, rule->classes[0], &set->calls[i].classes);
	if (is_last_of_put(rule->function))
		add_to_set(set, rule->classes[0], &set->put_classes);
	return 0;
}

/* The classes first: calls refer to them. */
int rule_set_collect(struct rule_set *set)
{
	int err = 0;

	for (size_t i = 0; i < set->class_count; i++)
		set->classes[i].wanted = i < set->named_count;
	for (size_t i = 0; i < set->call_count; i++)
		set->calls[i].wanted = false;
	for (size_t i = 0; i < rules_count(set->rules) && !err; i++) {
		const struct rule *rule = rules_get(set->rules, i);

		if (rule->kind == RULE_WATCH)
			err = collect_class(set, rule);
	}
	for (size_t i = 0; i < rules_count(set->rules) && !err; i++) {
		const struct rule *rule = rules_get(set->rules, i);

		if (rule->kind == RULE_FORBID || rule->kind == RULE_NOTE)
			err = collect_call(set, rule);
	}
	return err;
}

int rule_set_name(const struct rule_set *set, struct model *model)
{
	int err = 0;

	for (size_t i = 0; i < set->class_count && !err; i++)
		err = model_name_class(model, LT_CLASS_USER + (uint32_t)i, set->classes[i].lock.name);
	for (size_t i = 0; i < set->call_count && !err; i++)
		err = model_name_function(model, (uint32_t)i, set->calls[i].function);
#define NAME_PUT(module, function, ...) \
	err = err ? err : model_name_function(model, LT_PUT_##function, #function);
	LT_PUTS(NAME_PUT)
#undef NAME_PUT
	return err;
}

bool rule_set_evaluate(struct rule_set *set)
{
	conditions_begin_pass(&set->conditions);
	return rules_evaluate(set->rules, conditions_ask, &set->conditions);
}

bool rule_set_modules_changed(struct rule_set *set)
{
	conditions_modules_changed(&set->conditions);
	(void)rule_set_collect(set); /* what there is room for was settled the first time */
	return rule_set_evaluate(set);
}

/* A function that only rules of the user's own speak of and that is not there may be a slip. */
static void warn_of_call(const struct rule_set *set, size_t index)
{
	for (size_t i = 0; i < rules_count(set->rules); i++) {
		const struct rule *rule = rules_get(set->rules, i);

		if ((rule->kind != RULE_FORBID && rule->kind != RULE_NOTE) ||
		    strcmp(rule->function, set->calls[index].function) != 0)
			continue;
		if (strncmp(rule->file, BUILTIN_PREFIX, strlen(BUILTIN_PREFIX)) != 0)
			message_info("%s:%u: no function %s here that can be attached to; it is when its "
				     "module comes",
				     rule->file, rule->line, rule->function);
		return;
	}
}

void rule_set_warn(const struct rule_set *set)
{
	struct rule_conflict conflicts[RULES_CONFLICTS_MAX];
	size_t count = rules_find_conflicts(set->rules, conflicts, RULES_CONFLICTS_MAX);

	for (size_t i = 0; i < count; i++) {
		const struct rule *a = conflicts[i].a, *b = conflicts[i].b;

		message_info("%s:%u and %s:%u contradict each other: '%s', '%s'", a->file, a->line, b->file,
			     b->line, a->text, b->text);
	}
}

void rule_set_warn_of_calls(const struct rule_set *set, const struct tracer *tracer)
{
	for (size_t i = 0; i < set->call_count; i++)
		if (set->calls[i].wanted && !tracer_call_attached(tracer, i))
			warn_of_call(set, i);
}

size_t rule_set_in_force(const struct rule_set *set)
{
	size_t count = 0;

	for (size_t i = 0; i < rules_count(set->rules); i++)
		count += rules_get(set->rules, i)->state == RULE_IN_FORCE;
	return count;
}
