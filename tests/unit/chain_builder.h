/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * A small language for tests of the model: a text like "G A1? B" is a held
 * stack, outermost first, and the lock being taken, last.
 *
 *   A .. Z   a class of the test's own (id LT_CLASS_USER + 0 ..), named "A" .. "Z"
 *   A2       its lock number 2; A alone is A0
 *   ?        taken by a trylock        *  seeded: held before we came
 *   r, w     an rwsem, for reading, for writing   xN a run of N locks from this one on: A0x4 is A0 .. A3
 *   !        the last lock: its owner is this very task
 *   ^        found held when the task was about to wait (by contention)
 *
 * All that a model tells is kept, in order, in the scene.
 */
#ifndef LOCKTRACE_TESTS_CHAIN_BUILDER_H
#define LOCKTRACE_TESTS_CHAIN_BUILDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"

#define TOLD_MAX 4096

/* What on_finding was given, and what it said at that time. */
struct told {
	const struct finding *finding;
	enum finding_grade grade, previous_grade;
	uint32_t edge_count;
	const struct rule *known;
};

struct scene {
	struct model *model;
	struct told told[TOLD_MAX];
	uint32_t told_count;
	uint64_t now, key;
	uint64_t generation[26]; /* of all locks of a class; 1 at first */
	uint64_t object[26];     /* that contains them; 0 at first */
	uint32_t class_id[26];   /* LT_CLASS_USER + 0 .. at first */
	uint64_t ip[26];         /* where they are taken */
	uint64_t in;             /* not 0: an address in a function that the next tasks are in */
	struct rules *rules;     /* NULL at first */
	/* What conditions of the rules find, blanks between: "symbol struct.member struct.member@symbol";
	   with "?" before it is not known. */
	const char *present;
	bool deaf;          /* what is told now is left out */
	uint32_t refreshed; /* how often refresh_rules was called */
	uint64_t hits;      /* what chain_hits answers for every key */
	uint32_t flags;     /* added to the flags of the next chains */
	uint64_t same_key;  /* not 0: the key of the next chains */
	uint32_t probes;    /* classes of our own used to look at others, see test_model_classes.c */
};

__attribute__((unused)) static bool scene_hear(void *context, const struct finding *finding)
{
	struct scene *scene = context;
	struct told *told = &scene->told[scene->told_count];

	if (scene->deaf)
		return false;
	assert_true(scene->told_count < TOLD_MAX);
	scene->told_count++;
	told->finding = finding;
	told->grade = finding->grade;
	told->previous_grade = finding->previous_grade;
	told->edge_count = finding->edge_count;
	told->known = finding->known;
	assert_null(finding->ignored);
	return true;
}

__attribute__((unused)) static enum rule_answer scene_answer(void *context,
							     const struct rule_condition *condition)
{
	const struct scene *scene = context;
	const char *word = scene->present ? scene->present : "";
	char asked[200];

	snprintf(asked, sizeof(asked), "%s%s%s%s%s", condition->structure ? condition->structure : "",
		 condition->structure ? "." : "", condition->structure ? condition->member : "",
		 condition->structure && condition->symbol ? "@" : "",
		 condition->symbol ? condition->symbol : "");
	while (*word) {
		size_t length = strcspn(word, " ");

		if (length == strlen(asked) && !strncmp(word, asked, length))
			return ANSWER_YES;
		if (*word == '?' && length == strlen(asked) + 1 && !strncmp(word + 1, asked, length - 1))
			return ANSWER_UNKNOWN;
		word += length + (word[length] == ' ');
	}
	return ANSWER_NO;
}

__attribute__((unused)) static void scene_refresh(void *context)
{
	struct scene *scene = context;

	scene->refreshed++;
	if (scene->rules)
		rules_evaluate(scene->rules, scene_answer, scene);
}

__attribute__((unused)) static void rule_is_bad(void *context, const char *file, unsigned int line,
						unsigned int column, const char *message)
{
	(void)context;
	fail_msg("%s:%u:%u: %s", file, line, column, message);
}

__attribute__((unused)) static uint64_t scene_hits(void *context, uint64_t key)
{
	(void)key;
	return ((struct scene *)context)->hits;
}

/* rules: the text of a rule file, NULL: none. */
__attribute__((unused)) static void scene_begin_ruled(struct scene *scene, struct symbol_source symbols,
						      const char *rules)
{
	struct model_options options = {
		.symbols = symbols,
		.on_finding = scene_hear,
		.chain_hits = scene_hits,
		.refresh_rules = scene_refresh,
		.context = scene,
	};
	char name[2] = "A";
	int i;

	memset(scene, 0, sizeof(*scene));
	if (rules) {
		options.rules = scene->rules = rules_new();
		assert_int_equal(rules_parse(scene->rules, "test", rules, strlen(rules), rule_is_bad, NULL),
				 0);
		rules_evaluate(scene->rules, scene_answer, scene);
	}
	scene->model = model_new(&options);
	assert_non_null(scene->model);
	for (i = 0; i < 26; i++, name[0]++) {
		scene->generation[i] = 1;
		scene->class_id[i] = LT_CLASS_USER + (uint32_t)i;
		scene->ip[i] = 0xffffffff81000000ULL + (uint64_t)i * 0x1000;
		assert_int_equal(model_name_class(scene->model, LT_CLASS_USER + i, name), 0);
	}
}

__attribute__((unused)) static void scene_begin_with(struct scene *scene, struct symbol_source symbols)
{
	scene_begin_ruled(scene, symbols, NULL);
}

__attribute__((unused)) static void scene_begin(struct scene *scene)
{
	scene_begin_with(scene, (struct symbol_source){ 0 });
}

__attribute__((unused)) static void scene_end(struct scene *scene)
{
	model_free(scene->model);
	scene->model = NULL;
	rules_free(scene->rules);
	scene->rules = NULL;
}

__attribute__((unused)) static uint64_t lock_address(char letter, unsigned long number)
{
	return 0xffff888000000000ULL + (uint64_t)(letter - 'A') * 0x100000000ULL + number * 0x100;
}

/* Reads one lock of a held stack; returns what follows it. */
__attribute__((unused)) static const char *held_read(const struct scene *scene, const char *text,
						     struct lt_held *held, uint32_t *chain_flags)
{
	char letter = *text++, *end;
	unsigned long number = strtoul(text, &end, 10);

	assert_in_range(letter, 'A', 'Z');
	memset(held, 0, sizeof(*held));
	held->addr = held->last_addr = lock_address(letter, number);
	held->generation = scene->generation[letter - 'A'];
	held->object = scene->object[letter - 'A'];
	held->ip = scene->ip[letter - 'A'];
	held->class_id = scene->class_id[letter - 'A'];
	held->count = 1;
	for (; *end && *end != ' '; end++) {
		if (*end == '?')
			held->flags |= LT_HELD_TRYLOCK;
		else if (*end == '*')
			held->flags |= LT_HELD_SEEDED;
		else if (*end == '^')
			held->flags |= LT_HELD_SEEDED | LT_HELD_FOUND;
		else if (*end == 'r')
			held->flags |= LT_HELD_READ | LT_HELD_RWSEM;
		else if (*end == 'w')
			held->flags |= LT_HELD_RWSEM;
		else if (*end == '!')
			*chain_flags |= LT_CHAIN_OWNED;
		else if (*end == 'x') {
			held->count = (uint16_t)strtoul(end + 1, &end, 10);
			held->last_addr = lock_address(letter, number + held->count - 1);
			end--;
		} else
			fail_msg("chain text: '%c'?", *end);
	}
	while (*end == ' ')
		end++;
	return end;
}

/* A chain record with everything but its held stack. */
__attribute__((unused)) static void chain_begin(struct scene *scene, struct lt_record_chain *chain,
						unsigned int task)
{
	memset(chain, 0, sizeof(*chain));
	chain->header.type = LT_RECORD_CHAIN;
	chain->header.size = sizeof(*chain);
	chain->header.time_ns = ++scene->now;
	chain->key = scene->same_key ? scene->same_key : ++scene->key;
	chain->flags = scene->flags;
	chain->task.id = 0xffff888100000000ULL + task * 0x1000;
	chain->task.pid = 1000 + task;
	chain->task.tid = 1000 + task;
	snprintf(chain->task.comm, sizeof(chain->task.comm), "task%u", task);
	chain->stack_count = 2;
	chain->stack[0] = 0xffffffff81000010ULL;
	chain->stack[1] = scene->in ? scene->in : 0xffffffff81000020ULL;
}

__attribute__((unused)) static int scene_feed(struct scene *scene, const struct lt_record_chain *chain)
{
	return model_feed(scene->model, &chain->header, sizeof(*chain));
}

/* The locks of a text; how many they are. */
__attribute__((unused)) static uint16_t chain_read(const struct scene *scene, const char *text,
						   struct lt_record_chain *chain)
{
	uint16_t count = 0;

	while (*text) {
		assert_true(count <= LT_HELD_MAX);
		text = held_read(scene, text, &chain->held[count++], &chain->flags);
	}
	return count;
}

/* A task takes the last of the locks while it holds the others: one record. */
__attribute__((unused)) static void task_takes(struct scene *scene, unsigned int task, const char *text)
{
	struct lt_record_chain chain;
	uint16_t count;

	chain_begin(scene, &chain, task);
	count = chain_read(scene, text, &chain);
	assert_true(count > 0);
	chain.held_count = count - 1;
	assert_int_equal(scene_feed(scene, &chain), 0);
}

/* A call record. The text: the held stack; of a misuse the last lock is the one that it is about. */
__attribute__((unused)) static void call_begin(struct scene *scene, struct lt_record_chain *chain,
					       unsigned int task, uint32_t what, uint32_t function,
					       const char *text)
{
	uint16_t count;

	chain_begin(scene, chain, task);
	chain->header.type = LT_RECORD_CALL;
	chain->call.what = what;
	chain->call.function = function;
	count = chain_read(scene, text, chain);
	chain->held_count = what == LT_CALL_FUNCTION || what == LT_CALL_NOT_LAST ? count : count - 1;
}

__attribute__((unused)) static void task_calls(struct scene *scene, unsigned int task, uint32_t function,
					       const char *text)
{
	struct lt_record_chain chain;

	call_begin(scene, &chain, task, LT_CALL_FUNCTION, function, text);
	assert_int_equal(scene_feed(scene, &chain), 0);
}

/* A task takes the locks one after the other and keeps them all: one record for each but the first. */
__attribute__((unused)) static void task_nests(struct scene *scene, unsigned int task, const char *text)
{
	char prefix[512];
	const char *space = strchr(text, ' ');

	while (space && (space = strchr(space + 1, ' '))) {
		snprintf(prefix, sizeof(prefix), "%.*s", (int)(space - text), text);
		task_takes(scene, task, prefix);
	}
	task_takes(scene, task, text);
}

__attribute__((unused)) static void object_event(struct scene *scene, uint32_t event, uint32_t kind,
						 uint64_t addr, uint64_t parent, uint32_t pid,
						 uint32_t number, const char *name)
{
	struct lt_record_object object = {
		.header = { LT_RECORD_OBJECT, sizeof(object), ++scene->now },
		.kind = kind,
		.event = event,
		.addr = addr,
		.parent = parent,
		.pid = pid,
		.number = number,
	};

	snprintf(object.name, sizeof(object.name), "%s", name ? name : "");
	assert_int_equal(model_feed(scene->model, &object.header, sizeof(object)), 0);
}

/* The names of a finding's classes in cycle order, "A B C"; the caller's buffer. */
__attribute__((unused)) static const char *finding_classes(const struct finding *finding, char *out,
							   size_t size)
{
	size_t used = 0;
	uint32_t i;

	out[0] = '\0';
	for (i = 0; i < finding->edge_count && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? " " : "",
					 finding->edges[i].from->name);
	return out;
}

/* Whether dependencies are what shows it. */
__attribute__((unused)) static bool finding_has_dependencies(const struct finding *finding)
{
	return finding->kind == FINDING_CIRCULAR ||
	       (finding->kind == FINDING_RECURSIVE && !finding->same_instance);
}

/* What must hold of every finding at any time. */
__attribute__((unused)) static void finding_assert_sound(const struct finding *finding)
{
	uint32_t i, n = finding->edge_count;

	assert_in_range(n, 1, MODEL_CYCLE_MAX);
	assert_in_range(finding->grade, GRADE_INFORMATION, GRADE_DEADLOCK);
	assert_non_null(finding_kind_name(finding->kind));
	assert_true((finding->function != NULL) == (finding->kind == FINDING_FORBIDDEN_CALL));
	assert_in_range(finding->rule_count,
			finding->kind == FINDING_FORBIDDEN_CALL || finding->kind == FINDING_ORDER,
			FINDING_RULES_MAX);
	assert_true(finding->inside_count <= FINDING_INSIDE_MAX);
	for (i = 0; i < finding->inside_count; i++)
		assert_null(finding->inside[i]->united_with);
	if (finding->kind != FINDING_CIRCULAR && finding->kind != FINDING_RECURSIVE)
		assert_int_equal(n, 1);
	assert_true(finding->count >= 1);
	assert_true((finding->guard != NULL) == (finding->grade == GRADE_GUARDED));
	for (i = 0; i < n; i++) {
		const struct finding_edge *edge = &finding->edges[i];
		const struct sighting *sighting = edge->sighting;

		assert_non_null(sighting);
		assert_true(edge->from_index <= sighting->held_count);
		if (finding->same_instance)
			assert_ptr_equal(edge->from_lock, edge->to_lock);
		else
			assert_ptr_equal(edge->from_lock, sighting->locks[edge->from_index]);
		assert_ptr_equal(edge->from_lock->class, edge->from);
		if (finding->kind >= FINDING_FORBIDDEN_CALL) {
			assert_null(edge->to);
			assert_null(edge->to_lock);
		} else {
			assert_ptr_equal(edge->to_lock, sighting->locks[sighting->held_count]);
			assert_ptr_equal(edge->to_lock->class, edge->to);
		}
		if (finding->kind == FINDING_CIRCULAR || finding->kind == FINDING_RECURSIVE)
			assert_ptr_equal(edge->to, finding->edges[(i + 1) % n].from);
		assert_true((sighting->what != 0) == (finding->kind >= FINDING_FORBIDDEN_CALL));
		if (finding->kind > FINDING_FORBIDDEN_CALL)
			assert_int_equal(edge->from_index, sighting->held_count);
		assert_true(edge->count >= 1);
		assert_true((edge->instances >= 1) == finding_has_dependencies(finding));
		assert_true(edge->first_ns <= edge->last_ns);
	}
}

/* How many findings there are; checks all of them. */
__attribute__((unused)) static uint32_t findings(const struct scene *scene)
{
	const struct finding *finding;
	uint32_t id = 1;

	for (; (finding = model_finding(scene->model, id)); id++) {
		assert_int_equal(finding->id, id);
		finding_assert_sound(finding);
	}
	return id - 1;
}

/* The only finding there is. */
__attribute__((unused)) static const struct finding *the_finding(const struct scene *scene)
{
	assert_int_equal(findings(scene), 1);
	return model_finding(scene->model, 1);
}

#define assert_classes(finding, expected)                                                            \
	do {                                                                                         \
		char classes_[512];                                                                  \
		assert_string_equal(finding_classes(finding, classes_, sizeof(classes_)), expected); \
	} while (0)

#endif
