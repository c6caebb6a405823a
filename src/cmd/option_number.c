/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See option_number.h. */
#include "cmd/option_number.h"

#include <errno.h>
#include <stdlib.h>

uint64_t option_number(struct argp_state *state, const char *option, const char *text, uint64_t low,
		       uint64_t high)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value < low || value > high)
		argp_error(state, "--%s %s: expected a number from %llu to %llu", option, text,
			   (unsigned long long)low, (unsigned long long)high);
	return value;
}
