/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * A finding as text: what can happen in one sentence, the cycle, the evidence for
 * each edge, the scenario, the grade and why, what to do, how far to trust it.
 * The headings are lockdep's where lockdep has one, so that those who know it
 * read it as fast. See report.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report/report.h"
#include "report/text.h"

#define RULE "======================================================================"
#define RULE_THIN "----------------------------------------------------------------------"
/* Scenario columns wider than this are not put side by side. */
#define COLUMN_WIDTH 38
#define COLUMNS_MAX 3

static const char *colour(const struct report_context *c, const char *code)
{
	return c->colour ? code : "";
}

static void print_time(const struct report_context *c, uint64_t time_ns, FILE *out)
{
	int64_t wall = (int64_t)time_ns + c->boot_to_wall_ns;
	time_t seconds = (time_t)(wall / 1000000000);
	char text[64] = "";
	struct tm tm;

	if (c->boot_to_wall_ns && localtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	if (*text)
		fprintf(out, "%s.%06" PRId64, text, wall / 1000 % 1000000);
	else
		fprintf(out, "%" PRIu64 ".%06" PRIu64 " s after boot", time_ns / 1000000000,
			time_ns / 1000 % 1000000);
}

static const char *heading(const struct finding *f)
{
	static const char *const headings[FINDING_KINDS] = {
		[FINDING_CIRCULAR] = "possible circular locking dependency",
		[FINDING_RECURSIVE] = "possible recursive locking",
		[FINDING_ORDER] = "wrong order of locks",
		[FINDING_FORBIDDEN_CALL] = "forbidden call under a lock",
		[FINDING_BAD_UNLOCK] = "release of a lock by a task that does not own it",
		[FINDING_FREED_HELD] = "destruction of a held lock",
		[FINDING_REINIT_HELD] = "initialisation of a held lock",
	};

	if (f->grade == GRADE_INFORMATION)
		return "call worth knowing under a lock";
	if (f->kind == FINDING_CIRCULAR && f->grade == GRADE_DEADLOCK)
		return "deadlock, happening now,";
	return f->same_instance ? "recursive locking (self-deadlock)" : headings[f->kind];
}

static void print_head(const struct report_context *c, const struct finding *f, FILE *out)
{
	fprintf(out, "%s%s\nFinding %u: %s%s [%s]%s\n", colour(c, "\033[1m"), RULE, f->id, heading(f),
		f->grade == GRADE_INFORMATION ? "" : " detected", finding_grade_name(f->grade),
		colour(c, "\033[0m"));
	fprintf(out, "Linux %s, %s; ", c->kernel, c->taint);
	print_time(c, f->time_ns, out);
	if (f->previous_grade != GRADE_NONE)
		fprintf(out, "; was told before as %s", finding_grade_name(f->previous_grade));
	fprintf(out, "\n%s\n", RULE_THIN);
}

static void print_cycle(const struct finding *f, FILE *out)
{
	char class[REPORT_TEXT_LEN];

	fputs("\nThe cycle (-> means: was held when the next one was taken):\n\n", out);
	for (size_t i = 0; i < f->edge_count; i++)
		fprintf(out, "  %s%s\n", i ? "-> " : "   ",
			report_class(f->edges[i].from, class, sizeof(class)));
	fprintf(out, "  -> %s\n", report_class(f->edges[f->edge_count - 1].to, class, sizeof(class)));
}

static void print_lock_name(const struct report_context *c, const struct lt_held *held,
			    const struct model_lock *lock, FILE *out)
{
	char class[REPORT_TEXT_LEN], object[REPORT_TEXT_LEN];

	fprintf(out, "%016" PRIx64 " (%s)", (uint64_t)held->addr,
		report_class(lock->class, class, sizeof(class)));
	if (*report_object(c, lock->object, object, sizeof(object)))
		fprintf(out, " of %s", object);
}

static void print_lock(const struct report_context *c, const struct lt_held *held,
		       const struct model_lock *lock, FILE *out)
{
	char place[REPORT_TEXT_LEN];

	print_lock_name(c, held, lock, out);
	if (held->count > 1)
		fprintf(out, " and %u more of its class", held->count - 1);
	if (held->ip) {
		symbol_format(&c->symbols, held->ip, 1, place, sizeof(place));
		fprintf(out, ", at: %s", place);
	} else if (held->flags & LT_HELD_FOUND) {
		fputs(", taken before: where and in which order is not known", out);
	} else if (held->flags & LT_HELD_SEEDED) {
		fputs(", taken before locktrace came", out);
	} else {
		fputs(", at: unknown place", out);
	}
	if (*report_mode(held))
		fprintf(out, " (%s)", report_mode(held) + 1);
	if (held->flags & LT_HELD_TRYLOCK)
		fputs(" (trylock)", out);
	fputc('\n', out);
}

static void print_held(const struct report_context *c, const struct sighting *s, FILE *out)
{
	if (s->held_count)
		fprintf(out, "    while it held %u lock%s:\n", s->held_count, text_plural(s->held_count));
	for (uint32_t i = 0; i < s->held_count; i++) {
		fprintf(out, "      #%u: ", i);
		print_lock(c, &s->held[i], s->locks[i], out);
	}
}

static void print_stack(const struct report_context *c, const struct sighting *s, FILE *out)
{
	char *frames[LT_STACK_MAX];
	size_t count = report_stack(c, s, frames, LT_STACK_MAX);

	fputs("    stack:\n", out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "      %s\n", frames[i]);
	if (!count)
		fputs("      (none could be taken)\n", out);
	report_stack_free(frames, count);
}

/* What the task did to a lock, other than taking it. */
static const char *deed(enum finding_kind kind)
{
	switch (kind) {
	case FINDING_BAD_UNLOCK:
		return "released";
	case FINDING_FREED_HELD:
		return "destroyed";
	default:
		return "initialised";
	}
}

/* Only what is known: a call that two tasks make with the same locks held is told of one of them. */
static void print_seen(const struct finding_edge *e, FILE *out)
{
	fprintf(out, "  (seen %" PRIu64 " time%s", e->count, text_plural(e->count));
	if (e->instances)
		fprintf(out, ", %u pair%s of locks", e->instances, text_plural(e->instances));
	if (e->many_tasks)
		fputs(", several tasks", out);
	else if (e->to)
		fputs(", one task", out);
	fputs(")\n", out);
}

/* Its place, where known, is that of its owner, who took it. */
static void print_misused(const struct report_context *c, const struct sighting *s, FILE *out)
{
	const struct lt_held *held = &s->held[s->held_count];
	char place[REPORT_TEXT_LEN];

	print_lock_name(c, held, s->locks[s->held_count], out);
	if (held->ip) {
		symbol_format(&c->symbols, held->ip, 1, place, sizeof(place));
		fprintf(out, ", taken by its owner at: %s", place);
	}
}

static void print_call(const struct report_context *c, const struct finding *f, FILE *out)
{
	const struct finding_edge *e = &f->edges[0];
	const struct sighting *s = e->sighting;
	char task[REPORT_TEXT_LEN], title[REPORT_TEXT_LEN], object[REPORT_TEXT_LEN];

	fprintf(out, "\n%s%s%s", colour(c, "\033[1m"), report_title(f, title, sizeof(title)),
		colour(c, "\033[0m"));
	print_seen(e, out);
	fprintf(out, "    %s at ", report_task(c, &s->task, task, sizeof(task)));
	print_time(c, s->time_ns, out);
	if (f->kind == FINDING_FORBIDDEN_CALL) {
		report_object(c, s->object, object, sizeof(object));
		fprintf(out, " called %s%s%s", f->function, *object ? " on " : "", object);
	} else {
		fprintf(out, " %s\n          ", deed(f->kind));
		print_misused(c, s, out);
	}
	fputc('\n', out);
	print_held(c, s, out);
	print_stack(c, s, out);
}

static void print_edge(const struct report_context *c, const struct finding *f, size_t index, FILE *out)
{
	const struct finding_edge *e = &f->edges[index];
	const struct sighting *s = e->sighting;
	char task[REPORT_TEXT_LEN], from[REPORT_TEXT_LEN], to[REPORT_TEXT_LEN];

	fprintf(out, "\n%s#%zu: %s -> %s%s", colour(c, "\033[1m"), index + 1,
		report_class(e->from, from, sizeof(from)), report_class(e->to, to, sizeof(to)),
		colour(c, "\033[0m"));
	print_seen(e, out);
	fprintf(out, "    %s at ", report_task(c, &s->task, task, sizeof(task)));
	print_time(c, s->time_ns, out);
	fprintf(out, " %s\n          ", s->flags & LT_CHAIN_TAKEN ? "took" : "was about to take");
	print_lock(c, &s->held[s->held_count], s->locks[s->held_count], out);
	print_held(c, s, out);
	print_stack(c, s, out);
}

/* One line of the scenario: a text in one of the columns. */
static void print_cell(FILE *out, size_t column, const char *text)
{
	fprintf(out, "  %*s%s\n", (int)(column * COLUMN_WIDTH), "", text);
}

/* A read as lockdep calls it. */
static void print_lock_cell(FILE *out, size_t column, const struct lock_class *class,
			    const struct lt_held *held)
{
	char text[REPORT_TEXT_LEN];

	snprintf(text, sizeof(text), "%slock(%s);", held->flags & LT_HELD_READ ? "r" : "", class->name);
	print_cell(out, column, text);
}

/* Each task first gets the locks it holds, then, the last task first, asks for the one it waits for. */
static void print_columns(const struct finding *f, const struct report_side *sides, size_t count, FILE *out)
{
	for (int row = 0; row < 2; row++) {
		fputs("  ", out);
		for (size_t s = 0; s < count; s++) {
			char task[REPORT_TEXT_LEN] = "----";

			if (!row)
				report_task_short(&sides[s].sighting->task, task, sizeof(task));
			fprintf(out, "%-*s", s + 1 < count ? COLUMN_WIDTH : 0, task);
		}
		fputc('\n', out);
	}
	for (size_t s = 0; s < count; s++) {
		print_lock_cell(out, s, sides[s].holds->class, sides[s].holding);
		for (size_t e = sides[s].first_edge; e < sides[s].last_edge; e++)
			print_lock_cell(out, s, f->edges[e].to,
					&f->edges[e].sighting->held[f->edges[e].sighting->held_count]);
	}
	for (size_t s = count; s-- > 0;)
		print_lock_cell(out, s, sides[s].waits_for->class, sides[s].waiting);
}

static void print_scenario(const struct report_context *c, const struct finding *f, FILE *out)
{
	struct report_side sides[MODEL_CYCLE_MAX];
	size_t count = report_sides(f, sides);
	char task[REPORT_TEXT_LEN], holds[REPORT_TEXT_LEN], waits[REPORT_TEXT_LEN];

	fputs(f->grade == GRADE_DEADLOCK ? "\nWhat happened:\n\n" : "\nPossible unsafe locking scenario:\n\n",
	      out);
	if (count <= COLUMNS_MAX) {
		print_columns(f, sides, count, out);
	} else {
		for (size_t i = 0; i < count; i++)
			fprintf(out, "  %s holds %s%s and waits for %s%s\n",
				report_task_short(&sides[i].sighting->task, task, sizeof(task)),
				report_lock(c, sides[i].holds, holds, sizeof(holds)),
				report_mode(sides[i].holding),
				report_lock(c, sides[i].waits_for, waits, sizeof(waits)),
				report_mode(sides[i].waiting));
	}
	fputs("\n                          *** DEADLOCK ***\n", out);
}

static void print_dependencies(const struct report_context *c, const struct finding *f, FILE *out)
{
	bool circle = f->kind == FINDING_CIRCULAR || (f->kind == FINDING_RECURSIVE && !f->same_instance);

	if (circle)
		print_cycle(f, out);
	for (size_t i = 0; i < f->edge_count; i++)
		print_edge(c, f, i, out);
	if (circle && f->edge_count > 1)
		print_scenario(c, f, out);
}

static void print_line(const struct report_context *c, const struct finding *f, FILE *out)
{
	char title[REPORT_TEXT_LEN];

	fprintf(out, "Finding %u [%s]: %s: ", f->id, finding_grade_name(f->grade),
		report_title(f, title, sizeof(title)));
	text_words("", report_why(c, f), out);
}

void text_finding(const struct report_context *c, const struct finding *finding,
		  const struct report_trust *trust, FILE *out)
{
	char grade[64];

	if (!c->all && finding->grade < GRADE_POSSIBLE && finding->grade != GRADE_INFORMATION) {
		print_line(c, finding, out);
		fflush(out);
		return;
	}
	print_head(c, finding, out);
	text_words("", report_sentence(c, finding), out);
	if (finding->edges[0].to)
		print_dependencies(c, finding, out);
	else
		print_call(c, finding, out);
	fputc('\n', out);
	snprintf(grade, sizeof(grade), "Grade:      %s, because ", finding_grade_name(finding->grade));
	text_words(grade, report_why(c, finding), out);
	text_words("What to do: ", report_advice(c, finding), out);
	text_words("Trust:      ", report_trust_text(trust), out);
	fprintf(out, "%s\n\n", RULE);
	fflush(out);
}
