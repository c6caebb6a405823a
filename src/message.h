/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Messages to the user, on stderr. An error says what was tried, on what, why it
 * failed and what can be done; stdout stays for results.
 */
#ifndef LOCKTRACE_MESSAGE_H
#define LOCKTRACE_MESSAGE_H

#include <stdbool.h>

/* -v: notes are shown. */
void message_set_verbose(bool verbose);
bool message_is_verbose(void);

/* "locktrace: error: ..." */
void message_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "locktrace: ...": things the user should know in any case. */
void message_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, only with -v. */
void message_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
