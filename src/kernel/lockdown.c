/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See lockdown.h. */
#include "kernel/lockdown.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = { "unknown", "none", "integrity", "confidentiality" };

const char *lockdown_name(enum lockdown mode)
{
	return names[mode];
}

/* The mode in brackets: "none [integrity] confidentiality". */
enum lockdown lockdown_mode(void)
{
	FILE *file = fopen("/sys/kernel/security/lockdown", "re");
	char modes[128] = "", bracketed[32];

	if (!file)
		return LOCKDOWN_UNKNOWN;
	if (!fgets(modes, sizeof(modes), file))
		modes[0] = '\0';
	fclose(file);
	for (int mode = LOCKDOWN_NONE; mode <= LOCKDOWN_CONFIDENTIALITY; mode++) {
		snprintf(bracketed, sizeof(bracketed), "[%s]", names[mode]);
		if (strstr(modes, bracketed))
			return mode;
	}
	return LOCKDOWN_UNKNOWN;
}
