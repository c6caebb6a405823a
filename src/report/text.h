/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Inside the text form: what a finding and the summary are both written with. */
#ifndef LOCKTRACE_REPORT_TEXT_H
#define LOCKTRACE_REPORT_TEXT_H

#include <stdint.h>
#include <stdio.h>

/* "s", or "" for one. */
const char *text_plural(uint64_t count);

/* A label and a text, whose further lines are indented; the text is freed. NULL: nothing. */
void text_words(const char *label, char *text, FILE *out);

#endif
