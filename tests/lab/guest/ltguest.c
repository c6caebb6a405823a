// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * Plays a hypervisor in the lab's virtual machines: runs KVM, VFIO and lock
 * steps in any order, in named threads and processes, from a small script.
 * Called by the cases (cases/). This file: arguments, script, step prefixes.
 * The steps are listed by --help.
 */
#include "ltguest.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage_text[] =
	"Usage: ltguest [-v] [-name guest=NAME] [-c SCRIPT] [FILE]\n"
	"Runs a script of steps (from FILE or standard input without -c). Steps are\n"
	"separated by ';' or newlines; '#' starts a comment. -name is ignored: it is\n"
	"for those who read /proc/PID/cmdline. -v prints each step.\n"
	"\n"
	"Prefixes, outermost first:\n"
	"  - STEP             go on if the step fails\n"
	"  @T STEP, @T& STEP  run it in thread T (made on first use); with & do not wait\n"
	"  %P STEP, %P& STEP  the same in process P, which has handles of its own\n"
	"  expect ERRNO STEP  the step must fail with this error, as EBUSY\n"
	"\n"
	"KVM:     vm V; vcpu C V [ID]; run C; kick C; regs C; kvmvfio D V;\n"
	"         groupadd D G; groupdel D G; memory V GUESTADDRESS FILE;\n"
	"         nmi V (the running vCPU 0 reads guest address 0x2000);\n"
	"         hammer C MS [PAUSE_US] (takes C's mutex again and again)\n"
	"VFIO:    container K; group G NUMBER; setcontainer G K; unsetcontainer G;\n"
	"         iommu K [type1|type1v2]; map K IOVA BYTES; unmap K IOVA BYTES;\n"
	"         device X G NAME\n"
	"Other:   close HANDLE; locks TEXT (to /dev/lt_locks, ',' between commands);\n"
	"         objects TEXT (to /dev/lt_objects; a handle's name stands for its file);\n"
	"         sleep MS; print TEXT; touch FILE; write FILE WORD; await FILE [MS];\n"
	"         join T [MS]; hangs T MS (succeeds if T is still busy then);\n"
	"         interrupt T (a signal to the thread); exit STATUS;\n"
	"         pin CPU, fifo PRIORITY (of this thread, from now on);\n"
	"         threads N, files N (so many that only sleep, that are only open);\n"
	"         fork NAME STEP, STEP... (in a child process that has the handles\n"
	"         of this one; it stays)\n"
	"\n"
	"Exit status: 0 all steps did what was asked, 1 one did not, 2 bad usage.\n"
	"Example:\n"
	"  ltguest -c 'vm v; vcpu c v; @cpu0& run c; sleep 100; kick c; join cpu0 1000'\n";

static bool verbose;

static int line_fails(const char *line, const char *call, int err)
{
	const char *self = task_self();

	fprintf(stderr, "ltguest: %s%sstep '%s': %s: %s (%s)\n", self, *self ? ": " : "", line, call,
		strerror(-err), errno_name(-err));
	return err;
}

static const char *skip_spaces(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* Copy the next word of *text; false if there is none or it is too long. */
static bool next_word(const char **text, char *word, size_t size)
{
	const char *start = skip_spaces(*text);
	size_t length = strcspn(start, " \t");

	if (!length || length >= size)
		return false;
	memcpy(word, start, length);
	word[length] = '\0';
	*text = skip_spaces(start + length);
	return true;
}

/* "@T STEP" and "%P& STEP": hand the rest to the task. */
static int line_to_task(const char *line)
{
	const char *rest = line + 1;
	char name[NAME_MAX_LENGTH];
	bool wait = true;
	size_t length;

	if (!next_word(&rest, name, sizeof(name)))
		return line_fails(line, "task name", -EINVAL);
	length = strlen(name);
	if (name[length - 1] == '&') {
		name[length - 1] = '\0';
		wait = false;
	}
	return task_submit(name, *line == '%', rest, wait);
}

/* "expect ERRNO STEP": the step must fail, and with this error. */
static int line_expect(const char *line)
{
	const char *rest = skip_spaces(line + strlen("expect"));
	char word[NAME_MAX_LENGTH];
	int wanted, err;

	if (!next_word(&rest, word, sizeof(word)) || (wanted = errno_number(word)) < 0)
		return line_fails(line, "name of an error", -EINVAL);
	err = step_run(rest);
	if (err == -wanted)
		return 0;
	if (!err)
		return line_fails(line, "it succeeded", -EPROTO);
	return line_fails(line, step_failed_call(), err);
}

static int line_plain(const char *line)
{
	int err = step_run(line);

	return err ? line_fails(line, step_failed_call(), err) : 0;
}

int step_line(const char *line)
{
	line = skip_spaces(line);
	if (!*line)
		return 0;
	if (verbose)
		fprintf(stderr, "+ %s%s%s\n", task_self(), *task_self() ? ": " : "", line);
	if (*line == '-') {
		step_line(line + 1);
		return 0;
	}
	if (*line == '@' || *line == '%')
		return line_to_task(line);
	if (!strncmp(line, "expect ", 7))
		return line_expect(line);
	return line_plain(line);
}

/* Runs the steps of one line of the script, cutting it up. */
static int script_line(char *line)
{
	char *step;
	int err;

	line[strcspn(line, "#\n")] = '\0';
	while ((step = strsep(&line, ";"))) {
		if (strlen(step) >= STEP_MAX)
			return line_fails(step, "step too long", -EINVAL);
		err = step_line(step);
		if (err)
			return err;
	}
	return 0;
}

static int script_text(char *text)
{
	char *line;
	int err = 0;

	while (!err && (line = strsep(&text, "\n")))
		err = script_line(line);
	return err;
}

static int script_stream(FILE *stream)
{
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	while (!err && getline(&line, &size, stream) >= 0)
		err = script_line(line);
	free(line);
	return err;
}

static int script_file(const char *path)
{
	FILE *stream = fopen(path, "re");
	int err;

	if (!stream)
		return line_fails(path, "open script", -errno);
	err = script_stream(stream);
	fclose(stream);
	return err;
}

static int usage(FILE *stream, int status)
{
	fputs(usage_text, stream);
	return status;
}

int main(int argc, char **argv)
{
	char *script = NULL;
	const char *path = NULL;
	int i, err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-v"))
			verbose = true;
		else if (!strcmp(argv[i], "-name") && i + 1 < argc)
			i++;
		else if (!strcmp(argv[i], "-c") && i + 1 < argc)
			script = argv[++i];
		else if (!strcmp(argv[i], "--child") && i + 1 < argc)
			return task_child_main(argv[i + 1]);
		else if (!strcmp(argv[i], "--help"))
			return usage(stdout, 0);
		else if (*argv[i] == '-' || path)
			return usage(stderr, 2);
		else
			path = argv[i];
	}
	if (script)
		err = script_text(strdup(script));
	else if (path)
		err = script_file(path);
	else
		err = script_stream(stdin);
	fflush(stdout);
	/* Without exit handlers: a task may be stuck in any of them. */
	_exit(err || tasks_failed() ? 1 : 0);
}
