/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The command line of "watch"; see watch_options.h. */
#include "cmd/watch_options.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/option_number.h"

/* The largest ring buffer: what fits the map's size, a power of two of bytes. */
#define RING_MAX (1UL << 30)

/* Far longer than a healthy wait; shorter than the 120 s of the kernel's hung task detector. */
#define STALL_SECONDS 10

enum {
	KEY_ALL = 0x100,
	KEY_ATTACH,
	KEY_CHECK_UNLOCK,
	KEY_DURATION,
	KEY_EVERY_LOCK,
	KEY_EXIT,
	KEY_MAX_OVERHEAD,
	KEY_PID,
	KEY_RING,
	KEY_RWSEM,
	KEY_STALL,
	KEY_VM,
	KEY_WATCH,
};

static const struct argp_option options[] = {
	{ "all", KEY_ALL, NULL, 0, "Weak findings (guarded, one_task) in full instead of one line each", 0 },
	{ "attach", KEY_ATTACH, "KIND", 0,
	  "How to attach: auto (default), fentry, kprobe.multi, kprobe or contention (sees only waits for locks)",
	  0 },
	{ "check-unlock", KEY_CHECK_UNLOCK, NULL, 0,
	  "Report a mutex that is released by a task that does not own it: every unlock in the kernel is then "
	  "looked at",
	  0 },
	{ "duration", KEY_DURATION, "SEC", 0, "End after so many seconds (default: on Ctrl-C)", 0 },
	{ "every-lock", KEY_EVERY_LOCK, NULL, 0,
	  "Watch every mutex of the kernel, not only KVM's and VFIO's: for the lab, it is not cheap", 0 },
	{ "exit-on-finding", KEY_EXIT, NULL, 0, "End at the first finding that is not only information", 0 },
	{ "max-overhead", KEY_MAX_OVERHEAD, "PERCENT", 0,
	  "Detach and end when the tracer's programs take more of the time of all CPUs, as 0.5 (default: no "
	  "bound)",
	  0 },
	{ "pid", KEY_PID, "PID", 0, "Report only findings that concern this process", 0 },
	{ "ring-size", KEY_RING, "BYTES", 0,
	  "Size of the ring buffer (default 4M); K, M and G may follow the number", 0 },
	{ "rwsem", KEY_RWSEM, NULL, 0,
	  "Follow rwsems, too: those of VFIO and KVM, and others taken with them. Costs something in each page "
	  "fault of the host",
	  0 },
	{ "stall", KEY_STALL, "SEC", 0,
	  "Report a wait for a lock that lasts longer, and who holds it up (default: 10; 0: do not)", 0 },
	{ "vm", KEY_VM, "NAME", 0, "Report only findings that concern the VM of this name", 0 },
	{ "watch", KEY_WATCH, "STRUCT.MEMBER@SYMBOL", 0,
	  "Watch a mutex, or with --rwsem an rwsem, of your own too: a member of a static struct, or with "
	  "@*SYMBOL of a struct that a global pointer points to. May be given more than once",
	  0 },
	{ 0 },
};

static size_t ring_size(struct argp_state *state, const char *text)
{
	static const char units[] = "KMG";
	char digits[32];
	size_t length = strlen(text), page = (size_t)sysconf(_SC_PAGESIZE);
	const char *unit = length ? strchr(units, text[length - 1]) : NULL;
	unsigned int shift = unit && *unit ? 10 * (unsigned int)(unit - units + 1) : 0;
	uint64_t value;

	if (length >= sizeof(digits))
		argp_error(state, "--ring-size %s: too long", text);
	memcpy(digits, text, length + 1);
	if (shift)
		digits[length - 1] = '\0';
	value = option_number(state, "ring-size", digits, 1, RING_MAX) << shift;
	if (value < page || value > RING_MAX)
		argp_error(state, "--ring-size %s: expected %zu bytes (a page) to 1G", text, page);
	return value;
}

static enum attach_kind attach(struct argp_state *state, const char *text)
{
	for (enum attach_kind kind = ATTACH_AUTO; kind < ATTACH_KINDS; kind++)
		if (!strcmp(text, attach_kind_name(kind)))
			return kind;
	argp_error(state, "--attach %s: expected auto, fentry, kprobe.multi, kprobe or contention", text);
	return ATTACH_AUTO;
}

static double percent(struct argp_state *state, const char *option, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	/* strtod() also knows "nan", "inf" and hexadecimal numbers. */
	if (end == text || *end || strspn(text, "0123456789.") != strlen(text) || value <= 0 || value > 100)
		argp_error(state, "--%s %s: expected a number above 0, at most 100, as 0.5", option, text);
	return value;
}

static void add_lock(struct argp_state *state, struct watch_options *o, const char *text)
{
	if (o->lock_count == WATCH_LOCKS_MAX)
		argp_error(state, "--watch: at most %d locks", WATCH_LOCKS_MAX);
	else
		o->locks[o->lock_count++] = text;
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct watch_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->common;
		state->child_inputs[1] = &o->rules;
		break;
	case KEY_ALL:
		o->all = true;
		break;
	case KEY_ATTACH:
		o->attach = attach(state, value);
		break;
	case KEY_CHECK_UNLOCK:
		o->check_unlock = true;
		break;
	case KEY_DURATION:
		o->duration = option_number(state, "duration", value, 1, 1000000000);
		break;
	case KEY_EVERY_LOCK:
		o->every_lock = true;
		break;
	case KEY_EXIT:
		o->exit_on_finding = true;
		break;
	case KEY_MAX_OVERHEAD:
		o->max_overhead = percent(state, "max-overhead", value);
		break;
	case KEY_PID:
		o->pid = (uint32_t)option_number(state, "pid", value, 1, UINT32_MAX);
		break;
	case KEY_RING:
		o->ring_size = ring_size(state, value);
		break;
	case KEY_RWSEM:
		o->rwsem = true;
		break;
	case KEY_STALL:
		o->stall = (uint32_t)option_number(state, "stall", value, 0, 86400);
		break;
	case KEY_VM:
		o->vm = value;
		break;
	case KEY_WATCH:
		add_lock(state, o, value);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = common_and_rule_children,
	.doc = "Attaches to the running kernel, follows the locks of KVM and VFIO, reports lock-order violations "
	       "as they show and a summary at the end. Needs root (see PRIVILEGES in locktrace(8)). Nothing is changed in the kernel, and all of "
	       "it is gone when locktrace ends."
	       "\vExit status: 0 nothing found but information, 1 findings, 2 could not run.\n\n"
	       "Example: watch a host for a minute\n  locktrace watch --duration 60\n"
	       "Example: wait for the first finding, as JSON\n  locktrace watch --json --exit-on-finding",
};

int watch_options_parse(int argc, char **argv, struct watch_options *out)
{
	static char name[] = "locktrace watch";

	memset(out, 0, sizeof(*out));
	out->stall = STALL_SECONDS;
	return common_parse(&argp, name, argc, argv, out);
}
