/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The summary and the rules for people; see report.h. Findings are text.c's. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "report/text.h"

const char *text_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

void text_words(const char *label, char *text, FILE *out)
{
	const char *line = text, *end;

	for (; line && *line; line = *end ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		fprintf(out, "%s%.*s\n", line == text ? label : "            ", (int)(end - line), line);
	}
	free(text);
}

static void print_inside(const struct finding *f, FILE *out)
{
	fprintf(out, "  locks taken inside %s: ", f->function);
	for (uint32_t i = 0; i < f->inside_count; i++)
		fprintf(out, "%s%s", i ? ", " : "", f->inside[i]->name);
	fputc('\n', out);
}

/* "seen 2 times", "its dependencies seen 7, 1 and 2 times". */
static void print_times(const struct finding *f, FILE *out)
{
	if (f->edge_count == 1) {
		fprintf(out, "seen %" PRIu64 " time%s", f->count, text_plural(f->count));
		return;
	}
	fputs("its dependencies seen ", out);
	for (size_t i = 0; i < f->edge_count; i++)
		fprintf(out, "%s%" PRIu64,
			!i                      ? ""
			: i + 1 < f->edge_count ? ", "
						: " and ",
			f->edges[i].count);
	fputs(" times", out);
}

static void print_counts(const struct report_summary *s, FILE *out)
{
	char title[REPORT_TEXT_LEN];
	const struct finding *f;

	for (uint32_t id = 1; (f = model_finding(s->model, id)); id++) {
		if (!f->told)
			continue;
		fprintf(out, "Finding %u [%s], ", f->id, finding_grade_name(f->grade));
		print_times(f, out);
		fprintf(out, ": %s\n", report_title(f, title, sizeof(title)));
		if (f->inside_count)
			print_inside(f, out);
	}
}

/* Puts of references that were not the last ones: in another order of closing they can be. */
static void print_not_last(const struct report_summary *s, FILE *out)
{
	struct model_not_last put;

	for (uint32_t i = 0; model_not_last(s->model, i, &put); i++)
		fprintf(out,
			"%s under %s: %" PRIu64
			" time%s not the last reference. If files are closed in another order it can be the last one, "
			"and the object is then destroyed under that lock.\n",
			put.function, put.under->name, put.count, text_plural(put.count));
}

static void print_alive(const struct report_summary *s, FILE *out)
{
	static const char *const names[LT_OBJECT_KINDS] = {
		[LT_OBJECT_VM] = "VM",
		[LT_OBJECT_VCPU] = "vCPU",
		[LT_OBJECT_GROUP] = "group",
		[LT_OBJECT_DEVICE] = "device",
	};

	fputs("Alive now: ", out);
	for (size_t i = 0; i < LT_OBJECT_KINDS; i++)
		if (names[i])
			fprintf(out, "%" PRIu64 " %s%s, ", s->seen.objects[i], names[i],
				text_plural(s->seen.objects[i]));
	fprintf(out, "%" PRIu64 " lock%s that %s met; foreign locks followed: %" PRIu64 ".\n", s->seen.locks,
		text_plural(s->seen.locks), s->seen.locks == 1 ? "was" : "were", s->foreign);
}

/* "3 findings (1 for information, 1 stall)". */
static void print_found(const struct report_summary *s, FILE *out)
{
	uint64_t told = s->seen.told + s->stalls;

	fprintf(out, "%" PRIu64 " finding%s", told, text_plural(told));
	if (s->seen.information)
		fprintf(out, " (%" PRIu64 " for information", s->seen.information);
	if (s->stalls)
		fprintf(out, "%s%" PRIu64 " stall%s", s->seen.information ? ", " : " (", s->stalls,
			text_plural(s->stalls));
	if (s->seen.information || s->stalls)
		fputc(')', out);
}

void text_summary(const struct report_summary *s, FILE *out)
{
	uint64_t left_out = s->seen.left_out + s->stalls_left_out;

	fprintf(out, "%s after %" PRIu64 " s: ", s->ended, s->seconds);
	print_found(s, out);
	fprintf(out,
		"; %" PRIu64 " dependencies between %" PRIu64 " lock classes, from %" PRIu64 " chains.\n",
		s->seen.dependencies, s->seen.classes, s->seen.chains);
	if (s->ended_why && *s->ended_why)
		fprintf(out, "%s\n", s->ended_why);
	print_alive(s, out);
	print_counts(s, out);
	print_not_last(s, out);
	if (s->seen.ignored)
		fprintf(out, "Findings that rules say to ignore: %" PRIu64 ".\n", s->seen.ignored);
	if (left_out)
		fprintf(out, "Findings that --pid or --vm leaves out: %" PRIu64 ".\n", left_out);
	text_words("Trust: ", report_trust_text(&s->trust), out);
	fflush(out);
}

void text_rule(const struct rule *rule, FILE *out)
{
	static const char *const states[] = {
		[RULE_UNKNOWN] = "unknown", [RULE_IN_FORCE] = "in force", [RULE_NOT_HERE] = "not here"
	};

	fprintf(out, "%-8s  %s:%u: %s\n", states[rule->state], rule->file, rule->line, rule->text);
	if (rule->source)
		fprintf(out, "          source: %s\n", rule->source);
}
