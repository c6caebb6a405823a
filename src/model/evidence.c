// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* See evidence.h. */
#include "model/evidence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void evidence_release(struct evidence *evidence, struct lock_table *locks)
{
	uint32_t i;

	for (i = 0; i < evidence->gate_count; i++)
		lock_put(locks, evidence->gates[i]);
	for (i = 0; i < evidence->witness_count; i++)
		sighting_put(locks, evidence->witnesses[i].sighting);
	free(evidence->gates);
	free(evidence->kin);
	*evidence = (struct evidence){ 0 };
}

/*
 * The id is the address of the task_struct, which the slab hands to the next
 * task soon after the death of one: the tid tells these two apart.
 */
bool task_is(const struct lt_task *task, uint64_t id, uint32_t tid)
{
	return task->id == id && task->tid == tid;
}

static bool set_has(void *const *set, uint32_t count, const void *member)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (set[i] == member)
			return true;
	}
	return false;
}

/* Drops the gates that are not in the other set; returns whether there were any. */
static bool evidence_keep_gates(struct evidence *evidence, struct lock *const *gates, uint32_t count,
				struct lock_table *locks)
{
	uint32_t before = evidence->gate_count, kept = 0, i;

	for (i = 0; i < before; i++) {
		struct lock *gate = evidence->gates[i];

		if (set_has((void *const *)gates, count, gate))
			evidence->gates[kept++] = gate;
		else
			lock_put(locks, gate);
	}
	evidence->gate_count = kept;
	return kept < before;
}

static bool evidence_keep_kin(struct evidence *evidence, struct class *const *kin, uint32_t count)
{
	uint32_t before = evidence->kin_count, kept = 0, i;

	for (i = 0; i < before; i++) {
		if (set_has((void *const *)kin, count, evidence->kin[i]))
			evidence->kin[kept++] = evidence->kin[i];
	}
	evidence->kin_count = kept;
	return kept < before;
}

static int set_copy(void ***out, const void *set, uint32_t count)
{
	*out = NULL;
	if (!count)
		return 0;
	*out = malloc(count * sizeof(**out));
	if (!*out)
		return -ENOMEM;
	memcpy(*out, set, count * sizeof(**out));
	return 0;
}

/* The first observation: all its gates are common to all observations. */
static int evidence_start(struct evidence *evidence, const struct observation *observation)
{
	const struct sighting *sighting = &observation->sighting->public;
	void **gates, **kin;
	uint32_t i;

	if (set_copy(&gates, observation->gates, observation->gate_count))
		return -ENOMEM;
	if (set_copy(&kin, observation->kin, observation->kin_count)) {
		free(gates);
		return -ENOMEM;
	}
	for (i = 0; i < observation->gate_count; i++)
		lock_get(observation->gates[i]);
	evidence->gates = (struct lock **)gates;
	evidence->gate_count = observation->gate_count;
	evidence->kin = (struct class **)kin;
	evidence->kin_count = observation->kin_count;
	evidence->task_id = sighting->task.id;
	evidence->task_tid = sighting->task.tid;
	evidence->first_ns = sighting->time_ns;
	evidence->last_ns = sighting->time_ns;
	evidence->observed = true;
	return 0;
}

/*
 * Which sightings are kept when there are more than fit: the first ones, in
 * the last place the latest by one more task, and before it the latest
 * with fewer gates: those are what the grade rests on.
 */
static void evidence_keep_witness(struct evidence *evidence, const struct witness *witness, int change,
				  uint32_t witness_max, struct lock_table *locks)
{
	uint32_t slot = evidence->witness_count;

	if (slot == witness_max) {
		if (change & EVIDENCE_MORE_TASKS)
			slot = witness_max - 1;
		else if ((change & EVIDENCE_FEWER_GATES) && witness_max > 2)
			slot = witness_max - 2;
		else
			return;
		sighting_put(locks, evidence->witnesses[slot].sighting);
	} else {
		evidence->witness_count++;
	}
	sighting_get(witness->sighting);
	evidence->witnesses[slot] = *witness;
}

int evidence_add(struct evidence *evidence, const struct observation *observation, uint32_t witness_max,
		 struct lock_table *locks)
{
	const struct sighting *sighting = &observation->sighting->public;
	struct witness witness = { observation->sighting, observation->from_index };
	int change = 0;

	if (!evidence->observed) {
		if (evidence_start(evidence, observation))
			return -ENOMEM;
	} else {
		if (evidence_keep_gates(evidence, observation->gates, observation->gate_count, locks))
			change |= EVIDENCE_FEWER_GATES;
		if (evidence_keep_kin(evidence, observation->kin, observation->kin_count))
			change |= EVIDENCE_FEWER_GATES;
	}
	if (!evidence->many_tasks && ((sighting->flags & LT_CHAIN_SECOND_TASK) ||
				      !task_is(&sighting->task, evidence->task_id, evidence->task_tid))) {
		evidence->many_tasks = true;
		change |= EVIDENCE_MORE_TASKS;
	}
	if (sighting->time_ns < evidence->first_ns)
		evidence->first_ns = sighting->time_ns;
	if (sighting->time_ns > evidence->last_ns)
		evidence->last_ns = sighting->time_ns;
	evidence_keep_witness(evidence, &witness, change, witness_max, locks);
	return change;
}

void evidence_merge(struct evidence *evidence, const struct evidence *other, uint32_t witness_max,
		    struct lock_table *locks)
{
	int change = 0;
	uint32_t i;

	if (evidence_keep_gates(evidence, other->gates, other->gate_count, locks))
		change |= EVIDENCE_FEWER_GATES;
	evidence_keep_kin(evidence, other->kin, other->kin_count);
	if (other->many_tasks || other->task_id != evidence->task_id ||
	    other->task_tid != evidence->task_tid) {
		change |= evidence->many_tasks ? 0 : EVIDENCE_MORE_TASKS;
		evidence->many_tasks = true;
	}
	if (other->first_ns < evidence->first_ns)
		evidence->first_ns = other->first_ns;
	if (other->last_ns > evidence->last_ns)
		evidence->last_ns = other->last_ns;
	for (i = other->witness_count; i-- > 0;)
		evidence_keep_witness(evidence, &other->witnesses[i], change, witness_max, locks);
}
