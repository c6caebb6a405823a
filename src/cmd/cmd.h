/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The subcommands: each is a file of its own in src/cmd/ and a row of the table in main.c. */
#ifndef LOCKTRACE_CMD_CMD_H
#define LOCKTRACE_CMD_CMD_H

/* Exit status of every command. */
enum {
	EXIT_NOTHING = 0,  /* nothing found */
	EXIT_FINDINGS = 1, /* something found */
	EXIT_UNABLE = 2,   /* could not do it */
};

/* argv[0] is the command's name. Returns an exit status. */
int cmd_watch(int argc, char **argv);
int cmd_rules(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_hang(int argc, char **argv);
int cmd_check(int argc, char **argv);

#endif
