/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* A small table of names by process id; see vm_names.h. The oldest is overwritten when it is full. */
#include "kernel/vm_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/cmdline.h"

#define NAMES_MAX 16384
#define READ_MS 200

struct name {
	uint32_t pid, thread;
	char text[64];
};

struct vm_names {
	struct name *names;
	size_t count, next, room;
};

struct vm_names *vm_names_new(void)
{
	return calloc(1, sizeof(struct vm_names));
}

void vm_names_free(struct vm_names *names)
{
	if (names)
		free(names->names);
	free(names);
}

/* The process of a thread; the thread itself when that cannot be read. */
static uint32_t process_of(uint32_t thread)
{
	char path[64], line[128];
	uint32_t process = thread;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/status", thread);
	file = fopen(path, "re");
	if (!file)
		return thread;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Tgid: %u", &process) == 1)
			break;
	fclose(file);
	return process;
}

static struct name *find(const struct vm_names *names, uint32_t pid)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->names[i].pid == pid || names->names[i].thread == pid)
			return &names->names[i];
	return NULL;
}

static struct name *slot(struct vm_names *names)
{
	if (names->count == names->room && names->room < NAMES_MAX) {
		size_t room = names->room ? names->room * 2 : 64;
		struct name *bigger = realloc(names->names, room * sizeof(*bigger));

		if (!bigger)
			return NULL;
		names->names = bigger;
		names->room = room;
	}
	if (names->count < names->room)
		return &names->names[names->count++];
	names->next = (names->next + 1) % names->room;
	return &names->names[names->next];
}

void vm_names_learn(struct vm_names *names, uint32_t pid)
{
	struct name *name = find(names, pid);
	char text[64];

	if (!pid || process_vm_name(pid, READ_MS, text, sizeof(text)))
		return;
	if (!name)
		name = slot(names);
	if (!name)
		return;
	name->thread = pid;
	name->pid = process_of(pid);
	memcpy(name->text, text, sizeof(text));
}

const char *vm_names_find(const struct vm_names *names, uint32_t pid)
{
	const struct name *name = find(names, pid);

	return name ? name->text : NULL;
}
