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

/* "name/12", "the same task", "a task that is not known". */
static const char *owner(const struct finding *f, char *out, size_t size)
{
	struct lt_task task = { .tid = f->owner_tid };

	memcpy(task.comm, f->owner_comm, LT_COMM_LEN);
	if (!f->owner_tid)
		snprintf(out, size, "a task that is not known");
	else if (f->owner_tid == f->edges[0].sighting->task.tid)
		snprintf(out, size, "the same task");
	else
		report_task_short(&task, out, size);
	return out;
}

/* What a lock taken under another one can lead to. */
static void sentence_taken(const struct report_context *c, const struct finding *f, const char *from,
			   FILE *out)
{
	const struct finding_edge *e = &f->edges[0];
	const struct sighting *s = e->sighting;
	char to[REPORT_TEXT_LEN];

	fprintf(out, "took %s%s while it held %s%s", report_lock(c, e->to_lock, to, sizeof(to)),
		report_mode(&s->held[s->held_count]), from, report_mode(&s->held[e->from_index]));
	if (f->kind == FINDING_ORDER)
		fprintf(out,
			". By the rules %s goes outside of %s: a task that takes them so and this one, at the same "
			"time, wait for each other for ever.",
			e->to->name, e->from->name);
	else
		fputs(", a lock of the same class, and no rule allows that: two tasks that do so with the locks "
		      "exchanged wait for each other for ever.",
		      out);
}

static void sentence_called(const struct report_context *c, const struct finding *f, const char *from,
			    FILE *out)
{
	char object[REPORT_TEXT_LEN];

	report_object(c, f->edges[0].sighting->object, object, sizeof(object));
	fprintf(out, "called %s%s%s while it held %s", f->function, *object ? " on " : "", object, from);
	fputs(f->grade == GRADE_INFORMATION ? "." : ", and rules forbid that (why: see the grade).", out);
}

static void sentence_unlocked(const struct finding *f, const char *from, FILE *out)
{
	char who[64];

	fprintf(out, "released %s, which it does not own: ", from);
	if (f->owner)
		fprintf(out, "its owner is %s.", owner(f, who, sizeof(who)));
	else
		fputs("nobody does.", out);
}

static void sentence_destroyed(const struct report_context *c, const struct finding *f, const char *from,
			       FILE *out)
{
	char object[REPORT_TEXT_LEN], who[64];

	report_object(c, f->edges[0].sighting->object, object, sizeof(object));
	fprintf(out,
		"destroyed %s while %s was held by %s: the release of that lock will write to memory that is "
		"free.",
		*object ? object : "what contains the lock", from, owner(f, who, sizeof(who)));
}

void explain_sentence(const struct report_context *c, const struct finding *f, FILE *out)
{
	char task[REPORT_TEXT_LEN], from[REPORT_TEXT_LEN], who[64];

	fprintf(out, "%s ", report_task(c, &f->edges[0].sighting->task, task, sizeof(task)));
	report_lock(c, f->edges[0].from_lock, from, sizeof(from));
	switch (f->kind) {
	case FINDING_FORBIDDEN_CALL:
		sentence_called(c, f, from, out);
		break;
	case FINDING_BAD_UNLOCK:
		sentence_unlocked(f, from, out);
		break;
	case FINDING_FREED_HELD:
		sentence_destroyed(c, f, from, out);
		break;
	case FINDING_REINIT_HELD:
		fprintf(out,
			"initialised %s while it was held by %s: its owner and all that wait for it are forgotten.",
			from, owner(f, who, sizeof(who)));
		break;
	default:
		sentence_taken(c, f, from, out);
	}
}

static void print_rule(const struct rule *rule, FILE *out)
{
	fprintf(out, "%s:%u says '%s'", rule->file, rule->line, rule->text);
	if (rule->source)
		fprintf(out, " (%s)", rule->source);
}

/* What the rules give as reason, or, where one gives none, the rule; numbered where there are several. */
static void print_reasons(const struct finding *f, FILE *out)
{
	for (uint32_t i = 0; i < f->rule_count; i++) {
		if (f->rule_count > 1)
			fprintf(out, "%s(%u) ", i ? "; " : "", i + 1);
		if (f->rules[i]->because)
			fputs(f->rules[i]->because, out);
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
		fputs("once is enough to tell, and it hangs when a task that keeps to the order comes at the same "
		      "time: ",
		      out);
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

static void advise_call(const struct finding *f, const char *entry, FILE *out)
{
	if (f->grade == GRADE_INFORMATION)
		fprintf(out,
			"Nothing at once, unless the reason above leaves more open. Whoever needs %s meanwhile waits until %s is "
			"done, which can be long.\n",
			f->edges[0].from->name, f->function);
	else if (!explain_known_avoids(f))
		fprintf(out,
			"To avoid it: keep %s from leading to %s under this lock; the stack shows how it did.\n",
			entry, f->function);
}

static void advise_misuse(const struct finding *f, const char *entry, FILE *out)
{
	fprintf(out,
		"It is a bug in the kernel or a module, on the path that begins at %s: report it with this stack. %s\n",
		entry,
		f->kind == FINDING_FREED_HELD
			? "Memory may be damaged from here on: plan a reboot."
			: "From here on two tasks may be in what the lock protects: plan a reboot.");
}

void explain_advice(const struct report_context *c, const struct finding *f, FILE *out)
{
	char entry[REPORT_TEXT_LEN];

	explain_entry(c, f->edges[0].sighting, entry, sizeof(entry));
	switch (f->kind) {
	case FINDING_ORDER:
	case FINDING_RECURSIVE:
		if (!explain_known_avoids(f))
			fprintf(out,
				"To avoid it: keep %s from running at the same time as others that take these "
				"locks.\n",
				entry);
		break;
	case FINDING_FORBIDDEN_CALL:
		advise_call(f, entry, out);
		break;
	default:
		advise_misuse(f, entry, out);
	}
}

void explain_known(const struct rule *known, FILE *out)
{
	if (!known)
		return;
	fprintf(out, "Known bug: fixed by %s (\"%s\"), ", known->commit, known->title);
	if (strcmp(known->release, "-") != 0)
		fprintf(out, "which is in Linux %s and later.\n", known->release);
	else
		fputs("which is in no release yet.\n", out);
	if (known->avoid)
		fprintf(out, "To avoid it until then: %s\n", known->avoid);
}

bool explain_known_avoids(const struct finding *finding)
{
	return finding->known && finding->known->avoid;
}
