/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The words of a finding that all forms share: the sides of a cycle, what can
 * happen, why the grade, what to do. See report.h.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "report/explain.h"

/* Is a lock among those held in a sighting? Runs count by either end. */
static bool sighting_holds(const struct sighting *s, const struct model_lock *lock)
{
	for (uint32_t i = 0; i < s->held_count; i++)
		if (s->locks[i] == lock || s->held[i].last_addr == lock->addr)
			return true;
	return false;
}

const char *report_title(const struct finding *f, char *out, size_t size)
{
	const char *from = f->edges[0].from->name;
	size_t length = 0;

	switch (f->kind) {
	case FINDING_FORBIDDEN_CALL:
		snprintf(out, size, "%s under %s", f->function, from);
		break;
	case FINDING_BAD_UNLOCK:
	case FINDING_FREED_HELD:
	case FINDING_REINIT_HELD:
		snprintf(out, size, "%s", from);
		break;
	default:
		for (uint32_t i = 0; i < f->edge_count && length < size; i++)
			length += (size_t)snprintf(out + length, size - length, "%s -> ",
						   f->edges[i].from->name);
		if (length < size)
			snprintf(out + length, size - length, "%s", f->edges[f->edge_count - 1].to->name);
	}
	return out;
}

/*
 * Edge by edge: while the next edge's sighting still holds where this side began,
 * it is the same task's doing and the side goes on.
 */
size_t report_sides(const struct finding *finding, struct report_side sides[MODEL_CYCLE_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < finding->edge_count; i++) {
		const struct finding_edge *edge = &finding->edges[i];
		struct report_side *last = count ? &sides[count - 1] : NULL;

		if (last && last->sighting->task.id == edge->sighting->task.id &&
		    last->holds->class != edge->to && sighting_holds(edge->sighting, last->holds)) {
			last->sighting = edge->sighting;
			last->last_edge = i;
			last->waits_for = edge->to_lock;
			last->waiting = &edge->sighting->held[edge->sighting->held_count];
			continue;
		}
		sides[count++] =
			(struct report_side){ .sighting = edge->sighting,
					      .first_edge = i,
					      .last_edge = i,
					      .holds = edge->from_lock,
					      .waits_for = edge->to_lock,
					      .holding = &edge->sighting->held[edge->from_index],
					      .waiting = &edge->sighting->held[edge->sighting->held_count] };
	}
	return count;
}

struct text {
	char *data;
	size_t size;
	FILE *stream;
};

static bool text_begin(struct text *t)
{
	t->stream = open_memstream(&t->data, &t->size);
	return t->stream != NULL;
}

static char *text_end(struct text *t)
{
	if (fclose(t->stream)) {
		free(t->data);
		return NULL;
	}
	return t->data;
}

/* A lock that its task has already. What it has by a call that was missed it has exclusively. */
static void sentence_own(const struct finding_edge *e, const char *task, const char *lock, FILE *out)
{
	const struct sighting *s = e->sighting;
	const struct lt_held *taking = &s->held[s->held_count], *holding = &s->held[e->from_index];
	bool seen = e->from_index < s->held_count, rwsem = taking->flags & LT_HELD_RWSEM;

	if (seen && holding->flags & taking->flags & LT_HELD_READ)
		fprintf(out,
			"%s takes %s for reading, which it reads already: when another task asks for it for writing in "
			"between, both wait for ever.",
			task, lock);
	else
		fprintf(out, "%s waits for %s%s, which it holds%s itself: it waits for ever.", task, lock,
			report_mode(taking),
			seen    ? report_mode(holding)
			: rwsem ? " for writing"
				: "");
}

static void sentence_recursive(const struct report_context *c, const struct finding *f, FILE *out)
{
	const struct finding_edge *e = &f->edges[0];
	char task[REPORT_TEXT_LEN], lock[REPORT_TEXT_LEN];

	report_task(c, &e->sighting->task, task, sizeof(task));
	report_lock(c, e->to_lock, lock, sizeof(lock));
	if (f->same_instance)
		sentence_own(e, task, lock, out);
	else
		fprintf(out,
			"two locks of the class %s are taken one inside the other in both orders: two tasks "
			"that do so at the same time wait for each other for ever.",
			e->to->name);
}

/* What follows from the sides, by grade; only what the grade bears out is said. */
static const char *consequence(const struct finding *f, size_t sides)
{
	switch (f->grade) {
	case GRADE_DEADLOCK:
		return ": they wait for ever.";
	case GRADE_LIKELY:
		return sides > 2 ? ": all of them then wait for ever." : ": both then wait for ever.";
	case GRADE_GUARDED:
		return ": without the lock that was held each time, tasks that do so at the same time could wait for "
		       "each other for ever.";
	case GRADE_ONE_TASK:
		return ": another task that does so at the same time and it would wait for each other for ever.";
	default:
		return ": tasks that do so at the same time, with the same locks, wait for each other for ever.";
	}
}

char *report_sentence(const struct report_context *c, const struct finding *finding)
{
	static const char *const joints[] = { "", ", while ", " and " };
	struct report_side sides[MODEL_CYCLE_MAX];
	size_t count = report_sides(finding, sides);
	struct text t;

	if (!text_begin(&t))
		return NULL;
	if (explain_is_plain(finding)) {
		explain_sentence(c, finding, t.stream);
		return text_end(&t);
	}
	if (finding->kind == FINDING_RECURSIVE) {
		sentence_recursive(c, finding, t.stream);
		return text_end(&t);
	}
	for (size_t i = 0; i < count; i++) {
		const char *holding = report_mode(sides[i].holding), *waiting = report_mode(sides[i].waiting);
		char task[REPORT_TEXT_LEN], holds[REPORT_TEXT_LEN], waits[REPORT_TEXT_LEN];

		report_task(c, &sides[i].sighting->task, task, sizeof(task));
		report_lock(c, sides[i].holds, holds, sizeof(holds));
		report_lock(c, sides[i].waits_for, waits, sizeof(waits));
		if (finding->grade < GRADE_LIKELY)
			fprintf(t.stream, "%s%s took %s%s while it held %s%s", i ? ", and " : "", task, waits,
				waiting, holds, holding);
		else if (finding->grade == GRADE_LIKELY && !i)
			fprintf(t.stream, "%s can hold %s%s and wait for %s%s", task, holds, holding, waits,
				waiting);
		else
			fprintf(t.stream, "%s%s holds %s%s and waits for %s%s", joints[i < 2 ? i : 2], task,
				holds, holding, waits, waiting);
	}
	fputs(consequence(finding, count), t.stream);
	return text_end(&t);
}

char *report_why(const struct report_context *c, const struct finding *finding)
{
	char guard[REPORT_TEXT_LEN], task[REPORT_TEXT_LEN];
	struct text t;

	if (!text_begin(&t))
		return NULL;
	if (explain_is_plain(finding)) {
		explain_why(c, finding, t.stream);
		return text_end(&t);
	}
	switch (finding->grade) {
	case GRADE_DEADLOCK:
		fputs(finding->same_instance ? "the task waits for a lock that it owns itself"
					     : "the tasks are waiting for each other now",
		      t.stream);
		break;
	case GRADE_LIKELY:
		if (finding->same_instance) {
			fputs("the task was seen to take it for reading, and not to let go of it; the lock itself does "
			      "not say who reads it",
			      t.stream);
			break;
		}
		fputs("the very same locks were taken in both orders, by different tasks, and no lock common "
		      "to all keeps them apart",
		      t.stream);
		break;
	case GRADE_POSSIBLE:
		fputs("locks of these classes were taken in both orders, but not the same locks by different "
		      "tasks so far; this is what lockdep reports",
		      t.stream);
		break;
	case GRADE_GUARDED:
		report_lock(c, finding->guard, guard, sizeof(guard));
		fprintf(t.stream,
			"each time all of it happened while %s was held%s, so the tasks could not meet; a path "
			"without that lock would make it real",
			finding->guard_per_object ? finding->guard->class->name : guard,
			finding->guard_per_object ? " of the object concerned" : "");
		break;
	case GRADE_ONE_TASK:
		report_task(c, &finding->edges[0].sighting->task, task, sizeof(task));
		fprintf(t.stream,
			"only %s was seen to do it, in both orders one after the other; it becomes real when "
			"another task does the same",
			task);
		break;
	default:
		fputs("it has no grade", t.stream);
	}
	return text_end(&t);
}

/* Which function the task entered the kernel by: the last one before the generic system call code. */
static const char *const generic_frames[] = {
	"__x64_sys_",    "__arm64_sys_", "__se_sys_",      "__do_sys_",         "do_syscall_64",
	"entry_SYSCALL", "__fput",       "____fput",       "task_work_run",     "ksys_",
	"vfs_",          "el0_",         "invoke_syscall", "exit_to_user_mode", "syscall_exit_to_user_mode",
};

static bool is_generic(const char *frame)
{
	for (size_t i = 0; i < sizeof(generic_frames) / sizeof(generic_frames[0]); i++)
		if (!strncmp(frame, generic_frames[i], strlen(generic_frames[i])))
			return true;
	return false;
}

void explain_entry(const struct report_context *c, const struct sighting *s, char *out, size_t size)
{
	char *frames[LT_STACK_MAX];
	size_t count = report_stack(c, s, frames, LT_STACK_MAX);

	snprintf(out, size, "an unknown function");
	for (size_t i = 0; i < count && !is_generic(frames[i]); i++)
		snprintf(out, size, "%.*s", (int)strcspn(frames[i], "+"), frames[i]);
	report_stack_free(frames, count);
}

enum wait_kind {
	WAIT_UNKNOWN, /* no stack trace */
	WAIT_FINAL,   /* no signal ends it */
	WAIT_KILLABLE,
};

/* The lock function on the stack tells. */
static enum wait_kind wait_kind(const struct report_context *c, const struct sighting *s)
{
	char *frames[LT_STACK_MAX];
	size_t count = report_stack(c, s, frames, LT_STACK_MAX);
	enum wait_kind kind = WAIT_UNKNOWN;

	if (count)
		kind = strstr(frames[0], "_killable") || strstr(frames[0], "_interruptible") ? WAIT_KILLABLE
											     : WAIT_FINAL;
	report_stack_free(frames, count);
	return kind;
}

/* when: "It hangs", "If it hangs". */
static void advise_killing(const struct report_context *c, const struct report_side *sides, size_t count,
			   const char *when, FILE *out)
{
	bool all_final = true;

	for (size_t i = 0; i < count; i++) {
		enum wait_kind kind = wait_kind(c, sides[i].sighting);
		uint32_t pid = sides[i].sighting->task.pid;
		const char *vm = c->vm_name ? c->vm_name(c->context, pid) : NULL;
		char task[REPORT_TEXT_LEN];

		all_final = all_final && kind == WAIT_FINAL;
		if (kind != WAIT_KILLABLE)
			continue;
		fprintf(out, "%s: %s waits killably, so kill -9 %u breaks it (that ends %s%s%s).\n", when,
			report_task_short(&sides[i].sighting->task, task, sizeof(task)), pid,
			vm ? "the VM '" : "the process", vm ? vm : "", vm ? "'" : "");
	}
	if (all_final)
		fprintf(out,
			"%s: %s by a signal, so kill -9 does not break it; every later user of %s hangs too, and only "
			"a reboot of the host helps.\n",
			when, count > 1 ? "none of these waits ends" : "the wait does not end",
			count > 1 ? "these locks" : "the lock");
}

static void advise_apart(const struct report_context *c, const struct report_side *sides, size_t count,
			 FILE *out)
{
	fputs("To avoid it: keep ", out);
	for (size_t i = 0; i < count; i++) {
		char entry[REPORT_TEXT_LEN], task[REPORT_TEXT_LEN];

		explain_entry(c, sides[i].sighting, entry, sizeof(entry));
		fprintf(out, "%s%s (%s)", i ? " and " : "", entry,
			report_task_short(&sides[i].sighting->task, task, sizeof(task)));
	}
	fputs(" from running at the same time.\n", out);
}

char *report_advice(const struct report_context *c, const struct finding *finding)
{
	struct report_side sides[MODEL_CYCLE_MAX];
	size_t count = report_sides(finding, sides);
	struct text t;

	if (!text_begin(&t))
		return NULL;
	if (finding->grade == GRADE_DEADLOCK) /* what helps now comes first */
		advise_killing(c, sides, count, "It hangs", t.stream);
	explain_known(finding->known, t.stream);
	if (explain_is_plain(finding)) {
		explain_advice(c, finding, t.stream);
		return text_end(&t);
	}
	if (finding->kind == FINDING_CIRCULAR && count > 1 && finding->grade != GRADE_DEADLOCK &&
	    !explain_known_avoids(finding))
		advise_apart(c, sides, count, t.stream);
	if (finding->grade != GRADE_DEADLOCK)
		advise_killing(c, sides, count, "If it hangs", t.stream);
	return text_end(&t);
}
