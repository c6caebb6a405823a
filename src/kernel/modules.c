/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See modules.h. From /sys/module and /proc/modules. */
#include "kernel/modules.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/hooks.h"

/* One of its functions is a function of the image. */
static bool is_built_in(struct kallsyms *symbols, const char *module)
{
	for (size_t i = 0; i < hook_count; i++)
		if (!strcmp(hooks[i].module, module) && kallsyms_address(symbols, "", hooks[i].function))
			return true;
	return false;
}

/* A module is usable when it is live, not while its init still runs. */
enum module_state module_state(struct kallsyms *symbols, const char *module)
{
	char path[128], state[16] = "";
	FILE *file;

	if (!*module)
		return MODULE_BUILT_IN;
	snprintf(path, sizeof(path), "/sys/module/%s/initstate", module);
	file = fopen(path, "re");
	if (!file)
		return is_built_in(symbols, module) ? MODULE_BUILT_IN : MODULE_ABSENT;
	if (!fgets(state, sizeof(state), file))
		state[0] = '\0';
	fclose(file);
	return strncmp(state, "live", 4) ? MODULE_ABSENT : MODULE_LIVE;
}

/* Folders of sysfs are numbered one after the other. */
uint64_t module_id(const char *module)
{
	struct stat status;
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	return *module && !stat(path, &status) ? status.st_ino : 0;
}

uint64_t modules_hash(void)
{
	FILE *file = fopen("/proc/modules", "re");
	uint64_t hash = 0;
	char line[512], name[64], state[16];

	while (file && fgets(line, sizeof(line), file)) {
		/* One that is not live yet counts when it is. */
		if (sscanf(line, "%63s %*s %*s %*s %15s", name, state) != 2 || strcmp(state, "Live") != 0)
			continue;
		for (const char *c = name; *c; c++)
			hash = hash * 31 + (unsigned char)*c;
		hash = hash * 31 + ',';
	}
	if (file)
		fclose(file);
	return hash;
}
