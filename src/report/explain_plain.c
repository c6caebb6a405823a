/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The words for findings that no cycle is needed for; see explain.h. */
#include <string.h>

#include "report/explain.h"

/* One lock of a class inside another, seen in one order only. */
static bool is_nesting(const struct finding *f)
{
	return f->kind == FINDING_RECURSIVE && !f->same_instance && f->edge_count == 1;
}

bool explain_is_plain(const struct finding *finding)
{
	return (finding->kind != FINDING_CIRCULAR && finding->kind != FINDING_RECURSIVE) ||
	       is_nesting(finding);
}

/* "name/12", "the same task", "nobody that is known". */
static const char *owner(const struct finding *f, char *out, size_t size)
{
	struct lt_task task = { .tid = f->owner_tid };

	memcpy(task.comm, f->owner_comm, LT_COMM_LEN);
	if (!f->owner_tid)
		snprintf(out, size, "nobody that is known");
	else if (f->owner_tid == f->edges[0].sighting->task.tid)
		snprintf(out, size, "the same task");
	else
		report_task_short(&task, out, size);
	return out;
}

void explain_sentence(const struct report_context *c, const struct finding *f, FILE *out)
{
	const struct finding_edge *e = &f->edges[0];
	char task[REPORT_TEXT_LEN], from[REPORT_TEXT_LEN], to[REPORT_TEXT_LEN], who[64];

	report_task(c, &e->sighting->task, task, sizeof(task));
	report_lock(c, e->from_lock, from, sizeof(from));
	owner(f, who, sizeof(who));
	switch (f->kind) {
	case FINDING_ORDER:
		fprintf(out,
			"%s took %s while it held %s; the order is the other way round: whoever keeps to it and "
			"meets this task waits for ever, and so does the task.",
			task, report_lock(c, e->to_lock, to, sizeof(to)), from);
		break;
	case FINDING_RECURSIVE:
		fprintf(out,
			"%s took %s while it held %s, a lock of the same class, and no rule allows that: two tasks "
			"that do so with the locks exchanged wait for each other for ever.",
			task, report_lock(c, e->to_lock, to, sizeof(to)), from);
		break;
	case FINDING_FORBIDDEN_CALL:
		fprintf(out, "%s called %s while it held %s.", task, f->function, from);
		break;
	case FINDING_BAD_UNLOCK:
		fprintf(out, "%s released %s, which it does not own; its owner is %s.", task, from, who);
		break;
	case FINDING_FREED_HELD:
		fprintf(out,
			"%s destroyed what contains %s while that lock was held by %s: its release will write to "
			"memory that is free.",
			task, from, who);
		break;
	default:
		fprintf(out,
			"%s initialised %s while it was held by %s: the owner and all that wait for it are "
			"forgotten.",
			task, from, who);
	}
}

static void print_rule(const struct rule *rule, FILE *out)
{
	fprintf(out, "%s:%u says '%s'", rule->file, rule->line, rule->text);
	if (rule->source)
		fprintf(out, " (%s)", rule->source);
}

/* What the rules give as reason, or, where one gives none, the rule. */
static void print_reasons(const struct finding *f, FILE *out)
{
	for (uint32_t i = 0; i < f->rule_count; i++) {
		fputs(i ? "; " : "", out);
		if (f->rules[i]->because)
			fprintf(out, "%s", f->rules[i]->because);
		else
			print_rule(f->rules[i], out);
	}
}

static void print_inside(const struct finding *f, FILE *out)
{
	if (f->inside_count)
		fputs("; taken inside the call so far: ", out);
	for (uint32_t i = 0; i < f->inside_count; i++)
		fprintf(out, "%s%s", i ? ", " : "", f->inside[i]->name);
}

void explain_why(const struct report_context *c, const struct finding *f, FILE *out)
{
	(void)c;
	switch (f->kind) {
	case FINDING_ORDER:
		fputs("one time in the wrong order is enough: ", out);
		for (uint32_t i = 0; i < f->rule_count; i++) {
			fputs(i ? ", and " : "", out);
			print_rule(f->rules[i], out);
		}
		break;
	case FINDING_RECURSIVE:
		fputs("locks of one class were nested, in this order only so far; this is what lockdep reports",
		      out);
		break;
	case FINDING_FORBIDDEN_CALL:
		print_reasons(f, out);
		print_inside(f, out);
		break;
	default:
		fputs("it is wrong whatever else happens", out);
	}
}

static void advise_call(const struct report_context *c, const struct finding *f, FILE *out)
{
	char entry[REPORT_TEXT_LEN];

	explain_entry(c, f->edges[0].sighting, entry, sizeof(entry));
	if (f->grade == GRADE_INFORMATION)
		fprintf(out,
			"Nothing has to be done. Whoever needs %s meanwhile waits until %s is done, which can be "
			"long.\n",
			f->edges[0].from->name, f->function);
	else
		fprintf(out, "Keep %s from being what leads to %s: see the stack for how it came to it.\n",
			entry, f->function);
}

void explain_advice(const struct report_context *c, const struct finding *f, FILE *out)
{
	char entry[REPORT_TEXT_LEN];

	explain_entry(c, f->edges[0].sighting, entry, sizeof(entry));
	switch (f->kind) {
	case FINDING_ORDER:
	case FINDING_RECURSIVE:
		fprintf(out,
			"Until it is mended: keep %s from running at the same time as others that take these locks.\n",
			entry);
		break;
	case FINDING_FORBIDDEN_CALL:
		advise_call(c, f, out);
		break;
	default:
		fprintf(out,
			"It is a mistake in the kernel, on the path that begins at %s: report it with this stack. "
			"Memory may be damaged from here on; plan a reboot.\n",
			entry);
	}
}

void explain_known(const struct finding *finding, FILE *out)
{
	const struct rule *known = finding->known;

	if (!known)
		return;
	fprintf(out, "Known bug: mended by %s (\"%s\"), ", known->commit, known->title);
	if (strcmp(known->release, "-") != 0)
		fprintf(out, "which is in Linux %s and later.\n", known->release);
	else
		fputs("which is in no release yet.\n", out);
	if (known->avoid)
		fprintf(out, "Until then: %s\n", known->avoid);
}
