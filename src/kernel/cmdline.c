/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* Names of VMs from command lines; see cmdline.h. */
#include "kernel/cmdline.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a program's option gives the name. */
enum style {
	STYLE_PLAIN, /* the value is the name */
	STYLE_QEMU,  /* "NAME" or "guest=NAME,key=value,..." */
	STYLE_PATH,  /* the value is a path; its last part without .sock */
};

static const struct {
	const char *option;
	enum style style;
} options[] = {
	{ "-name", STYLE_QEMU },
	{ "--name", STYLE_QEMU },
	{ "--id", STYLE_PLAIN },
	{ "--api-socket", STYLE_PATH },
};

static int copy_name(const char *name, size_t length, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < length && used + 1 < size; i++)
		out[used++] = (name[i] >= ' ' && name[i] <= '~') ? name[i] : '?';
	out[used] = '\0';
	return used ? 0 : -ENOENT;
}

static int qemu_name(const char *value, size_t length, char *out, size_t size)
{
	static const char key[] = "guest=";
	size_t start = 0, end;

	for (;;) {
		const char *comma = memchr(value + start, ',', length - start);

		end = comma ? (size_t)(comma - value) : length;
		if (end - start > strlen(key) && !strncmp(value + start, key, strlen(key)))
			return copy_name(value + start + strlen(key), end - start - strlen(key), out, size);
		/* Only the first item may be a bare name. */
		if (!start && !memchr(value, '=', end))
			return copy_name(value, end, out, size);
		if (!comma)
			return -ENOENT;
		start = end + 1;
	}
}

static int path_name(const char *value, size_t length, char *out, size_t size)
{
	static const char suffix[] = ".sock";
	const char *slash = memrchr(value, '/', length);
	size_t start = slash ? (size_t)(slash + 1 - value) : 0;

	if (length - start > strlen(suffix) &&
	    !memcmp(value + length - strlen(suffix), suffix, strlen(suffix)))
		length -= strlen(suffix);
	return copy_name(value + start, length - start, out, size);
}

static int value_name(enum style style, const char *value, size_t length, char *out, size_t size)
{
	switch (style) {
	case STYLE_QEMU:
		return qemu_name(value, length, out, size);
	case STYLE_PATH:
		return path_name(value, length, out, size);
	default:
		return copy_name(value, length, out, size);
	}
}

/* "--id=x" and "--id", "x" alike. Gives the value and its length; 1 when the option is this one. */
static int option_value(const char *argument, size_t length, const char *next, size_t next_length,
			const char *option, const char **value, size_t *value_length)
{
	size_t option_length = strlen(option);

	if (length < option_length || memcmp(argument, option, option_length) != 0)
		return 0;
	if (length == option_length) {
		*value = next;
		*value_length = next_length;
		return next != NULL;
	}
	if (argument[option_length] != '=')
		return 0;
	*value = argument + option_length + 1;
	*value_length = length - option_length - 1;
	return 1;
}

int cmdline_vm_name(const char *cmdline, size_t length, char *out, size_t size)
{
	size_t at = 0;

	if (!size)
		return -EINVAL;
	while (at < length) {
		size_t argument = strnlen(cmdline + at, length - at);
		size_t next = at + argument + 1;
		size_t next_length = next < length ? strnlen(cmdline + next, length - next) : 0;

		for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
			const char *value;
			size_t value_length;

			if (option_value(cmdline + at, argument, next < length ? cmdline + next : NULL,
					 next_length, options[i].option, &value, &value_length) &&
			    !value_name(options[i].style, value, value_length, out, size))
				return 0;
		}
		at = next;
	}
	return -ENOENT;
}

/* In the child: copies the file to the pipe. */
static void copy_cmdline(uint32_t pid, int to)
{
	char path[64], block[4096];
	ssize_t got;
	int from;

	snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
	from = open(path, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		_exit(1);
	while ((got = read(from, block, sizeof(block))) > 0)
		if (write(to, block, (size_t)got) != got)
			_exit(1);
	_exit(0);
}

static int read_until(int fd, int timeout_ms, char *out, size_t size, size_t *length)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	*length = 0;
	while (*length < size) {
		ssize_t got;

		if (poll(&wait, 1, timeout_ms) <= 0)
			return -ETIMEDOUT;
		got = read(fd, out + *length, size - *length);
		if (got <= 0)
			break;
		*length += (size_t)got;
	}
	return 0;
}

int process_vm_name(uint32_t pid, int timeout_ms, char *out, size_t size)
{
	char cmdline[16384];
	size_t length;
	int ends[2], err;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	child = fork();
	if (child < 0) {
		err = -errno;
		close(ends[0]);
		close(ends[1]);
		return err;
	}
	if (!child)
		copy_cmdline(pid, ends[1]);
	close(ends[1]);
	err = read_until(ends[0], timeout_ms, cmdline, sizeof(cmdline), &length);
	close(ends[0]);
	/* The wait for mmap_lock is killable, so the child does end; if not, init gets it. */
	kill(child, SIGKILL);
	waitpid(child, NULL, err ? WNOHANG : 0);
	return err ? err : cmdline_vm_name(cmdline, length, out, size);
}
