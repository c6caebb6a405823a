/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Messages to the user; see message.h. A line of progress on the terminal is wiped first. */
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static bool verbose_on;

void message_set_verbose(bool verbose)
{
	verbose_on = verbose;
}

bool message_is_verbose(void)
{
	return verbose_on;
}

static void __attribute__((format(printf, 2, 0))) say(const char *prefix, const char *format, va_list args)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	fputs(prefix, stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void message_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("locktrace: error: ", format, args);
	va_end(args);
}

void message_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("locktrace: ", format, args);
	va_end(args);
}

void message_note(const char *format, ...)
{
	va_list args;

	if (!verbose_on)
		return;
	va_start(args, format);
	say("locktrace: note: ", format, args);
	va_end(args);
}
