/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Inside the reports: the words for findings that no cycle is needed for (orders of
 * rules, nestings, calls, misuse), which explain.c calls. See report.h.
 */
#ifndef LOCKTRACE_REPORT_EXPLAIN_H
#define LOCKTRACE_REPORT_EXPLAIN_H

#include "report/report.h"

/* Whether a finding is one of those. */
bool explain_is_plain(const struct finding *finding);

void explain_sentence(const struct report_context *c, const struct finding *finding, FILE *out);
void explain_why(const struct report_context *c, const struct finding *finding, FILE *out);
/* Each sentence ends its line. */
void explain_advice(const struct report_context *c, const struct finding *finding, FILE *out);

/* The catalogue's entry, a line or two; nothing for NULL. */
void explain_known(const struct rule *known, FILE *out);
/* Whether that says how to avoid it: better than what can be said in general. */
bool explain_known_avoids(const struct finding *finding);

/* The function by which the task of a sighting entered KVM, VFIO, ...: "kvm_vm_ioctl". */
void explain_entry(const struct report_context *c, const struct sighting *sighting, char *out, size_t size);

#endif
