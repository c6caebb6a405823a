/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * A child process that does something which may never return, and the pipe through which it
 * tells what it finds: messages of a type and bytes, padded to 8. The parent takes what has come until it
 * has waited long enough.
 */
#ifndef LOCKTRACE_CMD_HANG_WIRE_H
#define LOCKTRACE_CMD_HANG_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct helper {
	/*
	 * Takes one message; bytes are on an 8-byte boundary and the caller's. 0, or negative errno, which
	 * ends the taking.
	 */
	int (*take)(void *context, uint32_t type, const void *bytes, size_t size);
	void *context;
	pid_t pid; /* 0: none, or reaped */
	int fd;    /* -1: at its end */
	char *data;
	size_t size, room;
	char stage[96]; /* what it said it is doing */
	bool done;      /* it told all it had to tell */
	int err;        /* of take */
};

/* In the child: writes messages. A parent that is gone ends the child. */
void wire_send(FILE *out, uint32_t type, const void *bytes, size_t size);
/* Two parts as one message. */
void wire_send_parts(FILE *out, uint32_t type, const void *bytes, size_t size, const void *more,
		     size_t more_size);
/* Says what is done now; sent at once, with all before it. */
void wire_stage(FILE *out, const char *stage);

/*
 * Starts a child that runs a function and ends; what run returns, 0 for success, goes to helper.done. The
 * child has no other open files; what it writes to stderr comes out at ours when run has returned. 0 or
 * negative errno; -EAGAIN after an error message, when too many of earlier ones are stuck.
 */
int helper_start(struct helper *helper, int (*run)(FILE *out, const void *argument), const void *argument);

/*
 * Takes what the helpers tell until all have ended, or enough says so (may be NULL), or
 * CLOCK_MONOTONIC is deadline_ms. enough is called some times a second at least.
 */
void helpers_read(struct helper *const *helpers, size_t count, uint64_t deadline_ms,
		  bool (*enough)(const void *context), const void *context);

/* Kills the child if it has not ended, does not wait for it (a later start reaps it), and frees what is the
 * helper's. */
void helper_end(struct helper *helper);

uint64_t wire_now_ms(void);

#endif
