// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* See grade.h. */
#include "model/grade.h"

#include <string.h>

static bool grade_is_one_task(const struct evidence *const *evidence, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (evidence[i]->many_tasks || evidence[i]->task_id != evidence[0]->task_id ||
		    evidence[i]->task_tid != evidence[0]->task_tid)
			return false;
	}
	return true;
}

static bool evidence_has_gate(const struct evidence *evidence, const struct lock *gate)
{
	uint32_t i;

	for (i = 0; i < evidence->gate_count && evidence->gates[i] != gate; i++)
		;
	return i < evidence->gate_count;
}

/*
 * The first lock that is a gate of every edge. It is never a lock of the cycle
 * itself: no observation counts its own two locks among its gates, and each
 * lock of the cycle is one of the two in some observation.
 */
static struct lock *grade_find_gate(const struct evidence *const *evidence, uint32_t count)
{
	uint32_t gate, i;

	for (gate = 0; gate < evidence[0]->gate_count; gate++) {
		for (i = 1; i < count && evidence_has_gate(evidence[i], evidence[0]->gates[gate]); i++)
			;
		if (i == count)
			return evidence[0]->gates[gate];
	}
	return NULL;
}

static bool evidence_has_kin(const struct evidence *evidence, const struct class *class)
{
	uint32_t i;

	for (i = 0; i < evidence->kin_count && evidence->kin[i] != class; i++)
		;
	return i < evidence->kin_count;
}

/* The lock that was the gate of this class in the latest sighting kept. */
static struct lock *grade_example(const struct evidence *evidence, const struct class *class)
{
	const struct shared_sighting *sighting = evidence->witnesses[evidence->witness_count - 1].sighting;
	uint32_t last = sighting->public.held_count, i;
	const struct object *whole = lock_whole(sighting_lock(sighting, last));

	for (i = 0; i < last; i++) {
		struct lock *lock = sighting_lock(sighting, i);

		if (lock->class == class && lock->object == whole)
			return lock;
	}
	return NULL;
}

static struct lock *grade_find_kin(const struct evidence *const *evidence, uint32_t count)
{
	uint32_t kin, i;

	for (kin = 0; kin < evidence[0]->kin_count; kin++) {
		for (i = 1; i < count && evidence_has_kin(evidence[i], evidence[0]->kin[kin]); i++)
			;
		if (i == count)
			return grade_example(evidence[count - 1], evidence[0]->kin[kin]);
	}
	return NULL;
}

struct grade grade_evidence(const struct evidence *const *evidence, uint32_t count, enum finding_grade strong)
{
	struct grade grade = { .grade = GRADE_ONE_TASK };

	if (grade_is_one_task(evidence, count))
		return grade;
	grade.grade = GRADE_GUARDED;
	grade.guard = grade_find_gate(evidence, count);
	if (grade.guard)
		return grade;
	grade.guard = grade_find_kin(evidence, count);
	grade.guard_per_object = grade.guard;
	if (!grade.guard)
		grade.grade = strong;
	return grade;
}

/* The state of one walk along the classes. */
struct walk {
	const struct dependency_table *table;
	struct class_edge *const *edges;
	uint32_t count, position;
	uint32_t *budget;
	struct lock_edge *path[MODEL_CYCLE_MAX]; /* path[0] is the lock edge it goes through */
	struct instance *best;
};

/* A whole cycle of locks: is it the best so far? */
static void walk_end(struct walk *walk)
{
	struct instance instance;
	uint32_t i;

	for (i = 0; i < walk->count; i++)
		instance.evidence[(walk->position + i) % walk->count] = &walk->path[i]->evidence;
	instance.grade = grade_evidence(instance.evidence, walk->count, GRADE_LIKELY);
	if (instance.grade.grade > walk->best->grade.grade)
		*walk->best = instance;
}

static bool walk_may_step(struct walk *walk, uint32_t step, const struct lock_edge *edge)
{
	return edge->class_edge == walk->edges[(walk->position + step) % walk->count];
}

/*
 * Goes on from the lock that step - 1 edges have led to. No lock can come
 * twice, because no class does.
 */
static void walk_on(struct walk *walk, uint32_t step)
{
	struct lock *lock = lock_edge_to(walk->path[step - 1]);
	struct list *link;

	if (step == walk->count - 1) {
		struct graph_edge *edge =
			graph_find_edge(&walk->table->locks, &lock->node, walk->path[0]->edge.from);

		/* Its classes are the right ones: those of the two locks. */
		walk->path[step] = edge ? list_entry(edge, struct lock_edge, edge) : NULL;
		if (edge)
			walk_end(walk);
		return;
	}
	list_for_each (link, &lock->node.out) {
		if (walk->best->grade.grade == GRADE_LIKELY || !*walk->budget)
			return;
		--*walk->budget;
		walk->path[step] = list_entry(link, struct lock_edge, edge.out_link);
		if (walk_may_step(walk, step, walk->path[step]))
			walk_on(walk, step + 1);
	}
}

void grade_find_instance(const struct dependency_table *table, struct class_edge *const *edges,
			 uint32_t count, uint32_t position, struct lock_edge *lock_edge, uint32_t *budget,
			 struct instance *best)
{
	struct walk walk = {
		.table = table,
		.edges = edges,
		.count = count,
		.position = position,
		.budget = budget,
		.path = { lock_edge },
		.best = best,
	};

	walk_on(&walk, 1);
}

static bool witness_is_new_task(const struct witness *witness, const struct witness *chosen,
				const bool *is_chosen, uint32_t count)
{
	const struct lt_task *task = &witness->sighting->public.task;
	uint32_t i;

	for (i = 0; i < count; i++) {
		const struct lt_task *other = is_chosen[i] ? &chosen[i].sighting->public.task : NULL;

		if (other && task_is(task, other->id, other->tid))
			return false;
	}
	return true;
}

static void witness_choose(const struct evidence *evidence, uint32_t index, bool *is_chosen, uint32_t count,
			   struct witness *out)
{
	uint32_t i;

	for (i = 0; i < evidence->witness_count; i++) {
		if (witness_is_new_task(&evidence->witnesses[i], out, is_chosen, count))
			break;
	}
	out[index] = evidence->witnesses[i < evidence->witness_count ? i : 0];
	is_chosen[index] = true;
}

/* Between how many tasks an edge leaves the choice. */
static uint32_t evidence_tasks(const struct evidence *evidence)
{
	static const bool all[EVIDENCE_CLASS_SIGHTINGS] = { true, true, true, true };
	uint32_t tasks = 0, i;

	for (i = 0; i < evidence->witness_count; i++)
		tasks += witness_is_new_task(&evidence->witnesses[i], evidence->witnesses, all, i);
	return tasks;
}

/*
 * Those that leave no choice first: then most of the others can still differ
 * from them. Returns how many tasks are shown.
 */
static uint32_t witnesses_choose(const struct evidence *const *evidence, uint32_t count, uint32_t fixed_index,
				 const struct witness *fixed, struct witness *out)
{
	bool is_chosen[MODEL_CYCLE_MAX] = { false };
	uint32_t choices, tasks = 0, i;

	if (fixed) {
		out[fixed_index] = *fixed;
		is_chosen[fixed_index] = true;
	}
	for (choices = 1; choices <= EVIDENCE_CLASS_SIGHTINGS; choices++) {
		for (i = 0; i < count; i++) {
			if (!is_chosen[i] && evidence_tasks(evidence[i]) == choices)
				witness_choose(evidence[i], i, is_chosen, count, out);
		}
	}
	for (i = 0; i < count; i++)
		tasks += witness_is_new_task(&out[i], out, is_chosen, i);
	return tasks;
}

void grade_choose_witnesses(const struct evidence *const *evidence, uint32_t count, uint32_t fixed_index,
			    const struct witness *fixed, struct witness *out)
{
	struct witness free_choice[MODEL_CYCLE_MAX];

	if (witnesses_choose(evidence, count, fixed_index, fixed, out) <
	    witnesses_choose(evidence, count, fixed_index, NULL, free_choice))
		memcpy(out, free_choice, count * sizeof(*out));
}
