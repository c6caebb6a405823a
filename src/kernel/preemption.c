/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Asks debugfs, the kernel's own variable, else the version string and the command line; see preemption.h. */
#include "kernel/preemption.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "kernel/mutex_layout.h"
#include "kernel/probes.h"

#define DEBUGFS_PREEMPT "/sys/kernel/debug/sched/preempt"
#define WORD_SEPARATORS " \t\n"

/* The kernel's own words for them, as in debugfs and after preempt= on its command line. */
static const char *const mode_names[] = {
	[PREEMPTION_UNKNOWN] = "unknown", [PREEMPTION_NONE] = "none", [PREEMPTION_VOLUNTARY] = "voluntary",
	[PREEMPTION_FULL] = "full",       [PREEMPTION_LAZY] = "lazy", [PREEMPTION_RT] = "rt",
};

const char *preemption_name(enum preemption mode)
{
	return mode_names[mode];
}

bool preemption_preempts(enum preemption mode)
{
	return mode != PREEMPTION_NONE && mode != PREEMPTION_VOLUNTARY;
}

/* Those that can be chosen: preempt_modes[] in kernel/sched/core.c; lazy since 7c70cb94d29c. */
static enum preemption mode_of(const char *word, size_t length)
{
	for (enum preemption mode = PREEMPTION_NONE; mode <= PREEMPTION_LAZY; mode++)
		if (strlen(mode_names[mode]) == length && !strncmp(mode_names[mode], word, length))
			return mode;
	return PREEMPTION_UNKNOWN;
}

enum preemption preemption_of_debugfs(const char *text)
{
	const char *open = strchr(text, '('), *close = open ? strchr(open, ')') : NULL;

	return close ? mode_of(open + 1, (size_t)(close - open) - 1) : PREEMPTION_UNKNOWN;
}

/* The next of the words, NULL: none; *text moves behind it. */
static const char *next_word(const char **text, size_t *length)
{
	const char *word = *text + strspn(*text, WORD_SEPARATORS);

	*length = strcspn(word, WORD_SEPARATORS);
	*text = word + *length;
	return *length ? word : NULL;
}

static bool has_word(const char *text, const char *wanted)
{
	const char *word;
	size_t length;

	while ((word = next_word(&text, &length)))
		if (length == strlen(wanted) && !strncmp(word, wanted, length))
			return true;
	return false;
}

/* The last one counts: setup_preempt_mode() in kernel/sched/core.c runs for each. What it does not know it
 * ignores. */
static enum preemption mode_of_cmdline(const char *cmdline)
{
	static const char option[] = "preempt=";
	enum preemption mode = PREEMPTION_UNKNOWN;
	const char *word;
	size_t length;

	while ((word = next_word(&cmdline, &length))) {
		enum preemption here;

		if (length < sizeof(option) || strncmp(word, option, sizeof(option) - 1) != 0)
			continue;
		here = mode_of(word + sizeof(option) - 1, length - sizeof(option) + 1);
		mode = here == PREEMPTION_UNKNOWN ? mode : here;
	}
	return mode;
}

/* The words that init/Makefile and scripts/mkcompile_h put there: at most one of them. */
enum preemption preemption_of_version(const char *version, const char *cmdline, const char **how)
{
	enum preemption mode;

	*how = "the kernel's version string";
	if (has_word(version, "PREEMPT_RT"))
		return PREEMPTION_RT;
	if (has_word(version, "PREEMPT"))
		return PREEMPTION_FULL;
	if (!has_word(version, "PREEMPT_DYNAMIC"))
		return PREEMPTION_NONE;
	mode = mode_of_cmdline(cmdline);
	*how = mode == PREEMPTION_UNKNOWN ? "it can be changed at run time, and debugfs cannot be read"
					  : "preempt= on the kernel's command line";
	return mode;
}

/* The first line of a file; "" when it cannot be read. */
static void read_line(const char *path, char *out, size_t size)
{
	FILE *file = fopen(path, "re");

	if (!file || !fgets(out, (int)size, file))
		out[0] = '\0';
	if (file)
		fclose(file);
}

enum preemption preemption_of_variable(uint32_t value)
{
	return value <= PREEMPTION_LAZY - PREEMPTION_NONE ? PREEMPTION_NONE + value : PREEMPTION_UNKNOWN;
}

/* Where debugfs is not mounted, or locked down. */
static enum preemption mode_of_variable(struct kallsyms *symbols)
{
	uint64_t address = symbols ? kallsyms_address(symbols, "", "preempt_dynamic_mode") : 0;
	uint32_t value;

	return address && !probe_read_word(address, &value) ? preemption_of_variable(value)
							    : PREEMPTION_UNKNOWN;
}

enum preemption preemption_mode(struct types *types, struct kallsyms *symbols, const char **how)
{
	char text[4096]; /* COMMAND_LINE_SIZE is at most that */
	struct utsname system;
	struct mutex_layout mutex;
	enum preemption mode;

	if (!mutex_layout_find(types, &mutex) && mutex.realtime) {
		*how = "its mutexes are real-time ones";
		return PREEMPTION_RT;
	}
	read_line(DEBUGFS_PREEMPT, text, sizeof(text));
	mode = preemption_of_debugfs(text);
	if (mode != PREEMPTION_UNKNOWN) {
		*how = "debugfs sched/preempt";
		return mode;
	}
	mode = mode_of_variable(symbols);
	if (mode != PREEMPTION_UNKNOWN) {
		*how = "the kernel's variable preempt_dynamic_mode";
		return mode;
	}
	read_line("/proc/cmdline", text, sizeof(text));
	uname(&system);
	return preemption_of_version(system.version, text, how);
}
