/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* The words of "check" that text and JSON share. See check.h. */
#include "report/check.h"

static const char *const levels[] = { "full", "degraded", "impossible" };
static const char *const commands[] = { "watch", "hang", "list" };
static const char *const states[] = { "no", "yes", "unknown", "waiting" };

static const struct {
	const char *name, *words, *loss;
} roles[] = {
	[ROLE_LOCK] = { "lock", "locks taken", "what is taken by it is not seen" },
	[ROLE_INIT] = { "init", "locks initialised",
			"a kernel has one of several; locks get their names there" },
	[ROLE_OBJECT] = { "object", "births and deaths of objects",
			  "what happens there is not seen, where this kernel has such objects at all" },
	[ROLE_SCOPE] = { "scope", "file operations",
			 "inside it only what is taken under a declared lock is recorded" },
	[ROLE_PUT] = { "put", "references put", "those that are not the last are not counted" },
	[ROLE_UNLOCK] = { "unlock", "locks released", "releases by it are not looked at" },
	[ROLE_RWSEM] = { "rwsem", "rwsems taken (with --rwsem)", "what is taken by it is not seen" },
	[ROLE_RELEASE] = { "release", "ends of reads (with --rwsem)", "reads are then not followed" },
	[ROLE_RWSEM_INIT] = { "rwsem_init", "rwsems initialised (with --rwsem)",
			      "rwsems get their names there" },
	[ROLE_CONTAINER] = { "container", "births and deaths of containers (with --rwsem)",
			     "what happens there is not seen" },
	[ROLE_RWSEM_UNLOCK] = { "rwsem_unlock", "rwsems released", "releases by it are not looked at" },
};

const char *check_level_name(enum check_level level)
{
	return levels[level];
}

const char *check_command_name(enum check_command command)
{
	return commands[command];
}

const char *check_state_name(enum feature_state state)
{
	return states[state];
}

const char *check_role_name(enum hook_role role)
{
	return roles[role].name;
}

const char *check_role_words(enum hook_role role)
{
	return roles[role].words;
}

const char *check_role_loss(enum hook_role role)
{
	return roles[role].loss;
}
