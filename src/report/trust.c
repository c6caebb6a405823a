/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The trust line: what can have been missed, in words. See report.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"

static const char *const lost_texts[LT_LOST_KINDS] = {
#define LOST_TEXT(id, name, text) [LT_LOST_##id] = text,
	LT_LOST_TABLE(LOST_TEXT)
#undef LOST_TEXT
};

void report_trust_judge(struct report_trust *trust, bool misses_are_counted, const char *unknown_reason)
{
	trust->complete = misses_are_counted ? COMPLETE_TRUE : COMPLETE_UNKNOWN;
	trust->unknown_reason = misses_are_counted ? NULL : unknown_reason;
	if (trust->blind)
		trust->complete = COMPLETE_FALSE;
	for (int i = 0; i < LT_LOST_KINDS; i++)
		if (trust->lost[i])
			trust->complete = COMPLETE_FALSE;
}

/* Why it is not complete: what is never seen, and what was lost. */
static void print_reasons(const struct report_trust *trust, FILE *out)
{
	const char *separator = "";

	if (trust->blind) {
		fputs(trust->blind, out);
		separator = "; ";
	}
	for (int i = 0; i < LT_LOST_KINDS; i++) {
		if (!trust->lost[i])
			continue;
		fprintf(out, "%s%" PRIu64 " %s", separator, trust->lost[i], lost_texts[i]);
		separator = "; ";
	}
}

char *report_trust_text(const struct report_trust *trust)
{
	char *data = NULL;
	size_t size;
	FILE *out = open_memstream(&data, &size);

	if (!out)
		return NULL;
	switch (trust->complete) {
	case COMPLETE_TRUE:
		fprintf(out, "complete for %s: nothing was lost. Not followed: %s.", trust->followed,
			trust->not_followed);
		break;
	case COMPLETE_UNKNOWN:
		fprintf(out,
			"complete for %s as far as can be known: nothing was seen to be lost, but %s. "
			"Not followed: %s.",
			trust->followed, trust->unknown_reason, trust->not_followed);
		break;
	case COMPLETE_FALSE:
		fprintf(out, "NOT complete for %s, so something can have been missed: ", trust->followed);
		print_reasons(trust, out);
		fprintf(out, ". Not followed: %s.", trust->not_followed);
		break;
	}
	if (trust->late_modules && *trust->late_modules)
		fprintf(out, " Loaded after the start, so not seen in their first moments: %s.",
			trust->late_modules);
	if (trust->let_go)
		fprintf(out,
			" %" PRIu64
			" busy foreign locks with nothing ever taken under them are followed only "
			"inside KVM and VFIO.",
			trust->let_go);
	if (fclose(out)) {
		free(data);
		return NULL;
	}
	return data;
}
