// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* See call.h. */
#include "model/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/judge.h"

void call_table_release(struct call_table *table)
{
	uint32_t i;

	for (i = 0; i < MODEL_FUNCTIONS_MAX; i++)
		free(table->functions[i]);
	for (i = 0; i < table->count; i++)
		counter_release(&table->not_last[i].counter);
	free(table->not_last);
	*table = (struct call_table){ 0 };
}

/* Findings show the names: one that is given stays. */
int call_name_function(struct call_table *table, uint32_t number, const char *name)
{
	if (number >= MODEL_FUNCTIONS_MAX || !name || !name[0])
		return -EINVAL;
	if (table->functions[number])
		return strcmp(table->functions[number], name) ? -EINVAL : 0;
	table->functions[number] = strdup(name);
	return table->functions[number] ? 0 : -ENOMEM;
}

/* The kernel side asks by a coarse mask, so a call that no rule speaks of is nothing. */
static int call_take_function(struct search *search, const char *function, struct shared_sighting *sighting)
{
	struct call_judgement judgement;
	struct finding_sight sight;

	judge_call(search->findings->options->rules, sighting, function, &judgement);
	if (!judgement.grade)
		return 0;
	sight = (struct finding_sight){
		.identity = { .kind = FINDING_FORBIDDEN_CALL,
			      .function = function,
			      .count = 1,
			      .classes = { sighting_lock(sighting, judgement.index)->class } },
		.witness = { sighting, judgement.index },
		.grade = judgement.grade,
		.rules = judgement.rules,
		.rule_count = judgement.rule_count,
	};
	return search_sight(search, &sight);
}

static struct not_last *not_last_find_or_new(struct call_table *table, const char *function,
					     struct class *under)
{
	struct not_last *entry;
	uint32_t i, room = table->room ? table->room * 2 : 8;

	for (i = 0; i < table->count; i++) {
		entry = &table->not_last[i];
		if (entry->under == under && !strcmp(entry->function, function))
			return entry;
	}
	if (table->count == table->room) {
		entry = realloc(table->not_last, room * sizeof(*entry));
		if (!entry)
			return NULL;
		table->not_last = entry;
		table->room = room;
	}
	entry = &table->not_last[table->count++];
	*entry = (struct not_last){ .function = function, .under = under };
	return entry;
}

static int call_take_not_last(struct call_table *table, const struct model_options *options,
			      const char *function, const struct shared_sighting *sighting)
{
	struct class *under = judge_put(options->rules, sighting, function);
	struct not_last *entry;

	if (!under)
		return 0;
	entry = not_last_find_or_new(table, function, under);
	if (!entry)
		return -ENOMEM;
	return counter_add(&entry->counter, sighting->public.key, options->chain_hits, options->context);
}

/* The lock concerned comes last in the sighting: it need not be held, and not by this task. */
static int call_take_misuse(struct search *search, enum finding_kind kind, const struct lt_call *call,
			    struct shared_sighting *sighting)
{
	uint32_t last = sighting->public.held_count;
	const struct finding_sight sight = {
		.identity = { .kind = kind, .count = 1, .classes = { sighting_lock(sighting, last)->class } },
		.witness = { sighting, last },
		.grade = GRADE_DANGER,
		.owner = call->owner,
		.owner_tid = call->owner_tid,
		.owner_comm = call->owner_comm,
	};

	return search_sight(search, &sight);
}

int call_take(struct call_table *table, struct search *search, const struct lt_call *call,
	      struct shared_sighting *sighting)
{
	static const enum finding_kind misuses[LT_CALL_KINDS] = {
		[LT_CALL_FREED] = FINDING_FREED_HELD,
		[LT_CALL_REINIT] = FINDING_REINIT_HELD,
		[LT_CALL_UNLOCK] = FINDING_BAD_UNLOCK,
	};
	const struct model_options *options = search->findings->options;
	const char *function;

	if (call->what != LT_CALL_FUNCTION && call->what != LT_CALL_NOT_LAST)
		return call_take_misuse(search, misuses[call->what], call, sighting);
	function = table->functions[call->function];
	if (!function)
		return 0;
	if (options->refresh_rules)
		options->refresh_rules(options->context);
	if (call->what == LT_CALL_FUNCTION)
		return call_take_function(search, function, sighting);
	return call_take_not_last(table, options, function, sighting);
}

static bool sighting_holds(const struct sighting *sighting, const struct lock_class *class)
{
	uint32_t i;

	for (i = 0; i < sighting->held_count && sighting->locks[i]->class != class; i++)
		;
	return i < sighting->held_count;
}

/*
 * Symbols cost: asked for only where the task is the one that made the call last
 * and the lock is still held.
 */
static bool entry_is_around(const struct finding_table *table, const struct finding_entry *entry,
			    const struct sighting *sighting)
{
	const struct finding *finding = &entry->public;

	return finding->kind == FINDING_FORBIDDEN_CALL && !entry->retired &&
	       task_is(&sighting->task, entry->caller.id, entry->caller.tid) &&
	       sighting_holds(sighting, finding->edges[0].from) &&
	       sighting_is_in(sighting, &table->options->symbols, finding->function);
}

void call_note_inside(struct search *search, const struct shared_sighting *sighting)
{
	const struct sighting *seen = &sighting->public;
	const struct finding_table *table = search->findings;
	uint32_t i;

	for (i = 0; i < table->count; i++) {
		if (entry_is_around(table, table->entries[i], seen))
			finding_add_inside(table->entries[i], seen->locks[seen->held_count]->class);
	}
}

void call_table_reindex(struct call_table *table)
{
	uint32_t kept = 0, i, j;

	for (i = 0; i < table->count; i++) {
		struct not_last entry = table->not_last[i];

		entry.under = class_final(entry.under);
		for (j = 0; j < kept; j++) {
			if (table->not_last[j].under == entry.under &&
			    !strcmp(table->not_last[j].function, entry.function))
				break;
		}
		if (j == kept) {
			table->not_last[kept++] = entry;
			continue;
		}
		(void)counter_merge(&table->not_last[j].counter, &entry.counter);
		counter_release(&entry.counter);
	}
	table->count = kept;
}

bool call_not_last(struct call_table *table, const struct model_options *options, uint32_t index,
		   struct model_not_last *out)
{
	struct not_last *entry;

	if (index >= table->count)
		return false;
	entry = &table->not_last[index];
	*out = (struct model_not_last){
		.function = entry->function,
		.under = &entry->under->public,
		.count = counter_total(&entry->counter, options->chain_hits, options->context),
	};
	return true;
}
