/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Deadlocks as they are; see deadlocks.h. A task waits for a lock when the lock is
 * the last one that it asked for (its held stack says so), somebody else owns it,
 * and the task does not run. Each look reads while things move, so two are needed.
 */
#include "cmd/deadlocks.h"

#include <stdio.h>
#include <string.h>

#include "report/report.h"

uint64_t deadlocks_switches(uint32_t tid)
{
	unsigned long long number, sum = 0;
	char path[64], line[128], state = 'R';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/status", tid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "State:", 6))
			sscanf(line, "State: %c", &state);
		else if (sscanf(line, "voluntary_ctxt_switches: %llu", &number) == 1 ||
			 sscanf(line, "nonvoluntary_ctxt_switches: %llu", &number) == 1)
			sum += number;
	}
	fclose(file);
	return state == 'D' || state == 'S' ? sum : 0;
}

/*
 * The sum of the context switches of all tasks of the circle, 0 when it is none
 * now: each side's lock is owned by the task that the finding shows, and that task
 * waits for the lock that the next side's owner owns. Other tasks that do the same
 * are not looked for: the report would name the wrong ones.
 */
static uint64_t circle_switches(struct tracer *tracer, const struct finding *finding)
{
	struct report_side sides[MODEL_CYCLE_MAX];
	size_t count = report_sides(finding, sides);
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t task = sides[i].sighting->task.id, owner, next_owner, asleep;
		struct tracer_call call;

		if (tracer_lock_owner(tracer, sides[i].holds->addr, &owner) || owner != task ||
		    tracer_last_call(tracer, task, &call) || call.lock != sides[i].waits_for->addr ||
		    tracer_lock_owner(tracer, call.lock, &next_owner) ||
		    next_owner != sides[(i + 1) % count].sighting->task.id || next_owner == task)
			return 0;
		asleep = deadlocks_switches(call.tid);
		if (!asleep)
			return 0;
		sum += asleep;
	}
	return count > 1 ? sum : 0;
}

void deadlocks_look(struct deadlocks *deadlocks, struct tracer *tracer, struct model *model)
{
	const struct finding *finding;

	for (uint32_t id = 1; id <= DEADLOCKS_MAX && (finding = model_finding(model, id)); id++) {
		uint64_t before = deadlocks->switches[id - 1], now;

		if (finding->kind != FINDING_CIRCULAR || finding->grade == GRADE_DEADLOCK)
			continue;
		now = circle_switches(tracer, finding);
		deadlocks->switches[id - 1] = now;
		if (now && now == before)
			model_confirm_deadlock(model, id);
	}
}

static bool is_in_cycle(const struct wait_cycle *cycle, uint64_t task)
{
	for (size_t i = 0; i < cycle->count; i++)
		if (cycle->nodes[i]->task->task.id == task)
			return true;
	return false;
}

static bool is_in_finding(const struct finding *finding, uint64_t task)
{
	for (uint32_t i = 0; i < finding->edge_count; i++)
		if (finding->edges[i].sighting->task.id == task)
			return true;
	return false;
}

static bool is_same(const struct finding *finding, const struct wait_cycle *cycle)
{
	for (uint32_t i = 0; i < finding->edge_count; i++)
		if (!is_in_cycle(cycle, finding->edges[i].sighting->task.id))
			return false;
	for (size_t i = 0; i < cycle->count; i++)
		if (!is_in_finding(finding, cycle->nodes[i]->task->task.id))
			return false;
	return true;
}

bool deadlocks_told(const struct model *model, const struct wait_cycle *cycle)
{
	const struct finding *finding;

	for (uint32_t id = 1; (finding = model_finding(model, id)); id++)
		if (finding->grade == GRADE_DEADLOCK && is_same(finding, cycle))
			return true;
	return false;
}
