/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Dispatches to a subcommand, nothing else. Without one: watch. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "message.h"
#include "version.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
	{ "watch", cmd_watch, "attach, report lock-order violations as they show, and a summary at the end" },
	{ "rules", cmd_rules,
	  "show the rules: which are in force on this kernel, and where each comes from" },
	{ "list", cmd_list, "the VMs, groups and devices, their locks, who has these and how many wait" },
	{ "check", cmd_check, "what this kernel offers, what locktrace makes of it, and what is missing" },
	{ "hang", cmd_hang, "who waits for whom on a host that hangs: one look, nothing attached before" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int usage(void)
{
	puts("Usage: locktrace [COMMAND] [OPTION]...\n"
	     "Finds lock-order bugs in KVM and VFIO on a running host.\n\n"
	     "Commands:");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-8s %s%s\n", commands[i].name, commands[i].what, i ? "" : " (the default)");
	puts("\nEach has --help.\n"
	     "Exit status: 0 nothing found but information, 1 findings, 2 could not do it.\n"
	     "Example: locktrace watch --duration 60");
	return EXIT_NOTHING;
}

int main(int argc, char **argv)
{
	if (argc < 2 ||
	    (argv[1][0] == '-' && strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "--version") != 0))
		return cmd_watch(argc, argv);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
		return usage();
	if (!strcmp(argv[1], "--version")) {
		puts("locktrace " LOCKTRACE_VERSION);
		return EXIT_NOTHING;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	message_error("there is no command '%s'; see locktrace --help", argv[1]);
	return EXIT_UNABLE;
}
