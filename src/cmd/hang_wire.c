/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See hang_wire.h. */
#include "cmd/hang_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

/* Types of the wire's own. */
enum {
	WIRE_STAGE = 0x8000,
	WIRE_SAID, /* what it wrote to its stderr */
	WIRE_DONE,
};

struct header {
	uint32_t type, size;
};

#define READ_SIZE 65536
/* No message is longer: one that says so is torn. */
#define MESSAGE_MAX 65536

uint64_t wire_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static size_t padded(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

void wire_send_parts(FILE *out, uint32_t type, const void *bytes, size_t size, const void *more,
		     size_t more_size)
{
	static const char padding[8];
	struct header header = { .type = type, .size = (uint32_t)(size + more_size) };

	fwrite(&header, sizeof(header), 1, out);
	fwrite(bytes, 1, size, out);
	fwrite(more, 1, more_size, out);
	fwrite(padding, 1, padded(header.size) - header.size, out);
}

void wire_send(FILE *out, uint32_t type, const void *bytes, size_t size)
{
	wire_send_parts(out, type, bytes, size, "", 0);
}

void wire_stage(FILE *out, const char *stage)
{
	wire_send(out, WIRE_STAGE, stage, strlen(stage));
	fflush(out);
}

/*
 * A child that is stuck stays until what it is stuck in ends. It must not keep a pipe open that
 * somebody reads our output from, or the programs of a watch attached.
 */
static int let_go(int fd)
{
	int null;

	/* Who started us may have closed these. */
	if (fd <= STDERR_FILENO)
		fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = STDIN_FILENO; null >= 0 && i <= STDERR_FILENO; i++)
		dup2(null, i);
	if (fd > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned int)fd - 1, 0);
	if (fd >= 0)
		close_range((unsigned int)fd + 1, ~0U, 0);
	return fd;
}

static void __attribute__((noreturn))
run_child(int fd, int (*run)(FILE *out, const void *argument), const void *argument)
{
	size_t size = 0;
	char *said = NULL;
	FILE *out, *messages;
	int err;

	out = fdopen(let_go(fd), "w");
	messages = open_memstream(&said, &size);
	if (messages)
		stderr = messages;
	/* Whoever asked is gone: nobody needs the answer. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_IGN);
	if (!out)
		_exit(1);
	err = run(out, argument);
	if (messages && !fflush(messages) && size)
		wire_send(out, WIRE_SAID, said, size < MESSAGE_MAX ? size : MESSAGE_MAX);
	if (!err)
		wire_send(out, WIRE_DONE, "", 0);
	fflush(out);
	_exit(0);
}

/* Killed and not gone: stuck. They go when what they are stuck in ends. */
#define LEFT_MAX 16
/* From so many on no more are started: on a host that hangs each would stay too. */
#define LEFT_ENOUGH 8

static pid_t left[LEFT_MAX];
static size_t left_count;

static void reap_left(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < left_count; i++)
		if (!waitpid(left[i], NULL, WNOHANG))
			left[kept++] = left[i];
	left_count = kept;
}

static void leave(pid_t pid)
{
	reap_left();
	kill(pid, SIGKILL);
	if (left_count < LEFT_MAX)
		left[left_count++] = pid;
}

int helper_start(struct helper *helper, int (*run)(FILE *out, const void *argument), const void *argument)
{
	int ends[2], err;
	pid_t pid;

	helper->fd = -1;
	reap_left();
	if (left_count >= LEFT_ENOUGH) {
		message_error(
			"%zu child processes of earlier looks are stuck in the kernel: no more are started",
			left_count);
		return -EAGAIN;
	}
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		err = -errno;
		close(ends[0]);
		close(ends[1]);
		return err;
	}
	if (!pid) {
		close(ends[0]);
		run_child(ends[1], run, argument);
	}
	close(ends[1]);
	helper->pid = pid;
	helper->fd = ends[0];
	return 0;
}

static int take_message(struct helper *h, const struct header *header, const char *bytes)
{
	if (header->type == WIRE_STAGE)
		snprintf(h->stage, sizeof(h->stage), "%.*s", (int)header->size, bytes);
	else if (header->type == WIRE_SAID)
		fwrite(bytes, 1, header->size, stderr);
	else if (header->type == WIRE_DONE)
		h->done = true;
	else
		return h->take(h->context, header->type, bytes, header->size);
	return 0;
}

/* Takes the whole messages; the rest stays. */
static void take_messages(struct helper *h)
{
	size_t at = 0;

	while (!h->err && h->size - at >= sizeof(struct header)) {
		const struct header *header = (const void *)(h->data + at);
		size_t end = at + sizeof(*header) + padded(header->size);

		if (header->size > MESSAGE_MAX)
			h->err = -EINVAL;
		if (h->err || end > h->size)
			break;
		h->err = take_message(h, header, h->data + at + sizeof(*header));
		at = end;
	}
	h->size -= at;
	memmove(h->data, h->data + at, h->size);
}

static void helper_close(struct helper *h)
{
	close(h->fd);
	h->fd = -1;
}

static void read_some(struct helper *h)
{
	ssize_t got;

	if (h->size + READ_SIZE > h->room) {
		size_t room = h->size + 2 * READ_SIZE;
		char *bigger = realloc(h->data, room);

		if (!bigger) {
			h->err = -ENOMEM;
			helper_close(h);
			return;
		}
		h->data = bigger;
		h->room = room;
	}
	got = read(h->fd, h->data + h->size, READ_SIZE);
	if (got < 0 && errno == EINTR)
		return;
	if (got > 0) {
		h->size += (size_t)got;
		take_messages(h);
	}
	if (got <= 0 || h->err)
		helper_close(h);
}

#define HELPERS_MAX 4
/* Whether it is enough is asked at least so often. */
#define ENOUGH_MS 200

void helpers_read(struct helper *const *helpers, size_t count, uint64_t deadline_ms,
		  bool (*enough)(const void *context), const void *context)
{
	for (;;) {
		struct pollfd fds[HELPERS_MAX];
		uint64_t now = wire_now_ms();
		uint64_t wait;
		size_t open = 0;

		for (size_t i = 0; i < count; i++) {
			fds[i] = (struct pollfd){ .fd = helpers[i]->fd, .events = POLLIN };
			open += fds[i].fd >= 0;
		}
		if (!open || now >= deadline_ms || (enough && enough(context)))
			return;
		wait = deadline_ms - now;
		if (enough && wait > ENOUGH_MS)
			wait = ENOUGH_MS;
		if (poll(fds, count, (int)wait) <= 0)
			continue;
		for (size_t i = 0; i < count; i++)
			if (fds[i].revents)
				read_some(helpers[i]);
	}
}

void helper_end(struct helper *helper)
{
	/* Not reaped yet, so the number is still the child's own. */
	if (helper->pid && !waitpid(helper->pid, NULL, WNOHANG))
		leave(helper->pid);
	helper->pid = 0;
	if (helper->fd >= 0)
		helper_close(helper);
	free(helper->data);
	helper->data = NULL;
	helper->size = helper->room = 0;
}
