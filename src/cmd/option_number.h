/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Numbers among the options of all subcommands. */
#ifndef LOCKTRACE_CMD_OPTION_NUMBER_H
#define LOCKTRACE_CMD_OPTION_NUMBER_H

#include <argp.h>
#include <stdint.h>

/* The value of --option, a whole number from low to high in decimal digits; else argp's usage error, which
 * ends the program with EXIT_UNABLE. */
uint64_t option_number(struct argp_state *state, const char *option, const char *text, uint64_t low,
		       uint64_t high);

#endif
