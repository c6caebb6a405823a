/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * /proc/kallsyms as two sorted arrays over one block of text. See kallsyms.h.
 */
#include "kernel/kallsyms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Modules lie within 2 GiB of the image on x86-64 and arm64, so that calls reach. */
#define MODULE_REACH (4ULL << 30)
/* Past this distance from a symbol an address is not taken to be inside it. */
#define SYMBOL_REACH (16ULL << 20)

struct entry {
	uint64_t address;
	uint32_t name;   /* offset in text */
	uint16_t module; /* index in modules, 0: the image */
	char type;
	bool is_bound; /* where a section begins or ends: it has the address of what lies next to it */
};

/* The clock is looked at once in so many symbols: there are some 200,000. */
#define LINES_A_LOOK 4096

struct kallsyms {
	struct entry *by_address;
	uint32_t *by_name; /* indices of by_address */
	size_t count, room;
	char *text;
	size_t text_size, text_room;
	char **modules;
	size_t module_count;
	uint64_t image_start, image_end;
	bool stale;       /* addresses near the modules are to be read again */
	bool names_stale; /* and so are names of modules */
};

static void table_clear(struct kallsyms *s)
{
	for (size_t i = 0; i < s->module_count; i++)
		free(s->modules[i]);
	free(s->modules);
	free(s->by_address);
	free(s->by_name);
	free(s->text);
	memset(s, 0, sizeof(*s));
}

/* Grows an array to hold at least want elements of a size. 0 or -ENOMEM. */
static int grow(void *array, size_t *room, size_t want, size_t element)
{
	void **pointer = array, *bigger;
	size_t more = *room ? *room * 2 : 4096;

	if (want <= *room)
		return 0;
	bigger = realloc(*pointer, more * element);
	if (!bigger)
		return -ENOMEM;
	*pointer = bigger;
	*room = more;
	return 0;
}

/* Modules come in runs, so the last one is nearly always the one. */
static int module_index(struct kallsyms *s, const char *name, uint16_t *out)
{
	char **bigger;

	for (size_t i = s->module_count; i-- > 0;) {
		if (!strcmp(s->modules[i], name)) {
			*out = (uint16_t)i;
			return 0;
		}
	}
	bigger = realloc(s->modules, (s->module_count + 1) * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	s->modules = bigger;
	s->modules[s->module_count] = strdup(name);
	if (!s->modules[s->module_count] || s->module_count >= UINT16_MAX)
		return -ENOMEM;
	*out = (uint16_t)s->module_count++;
	return 0;
}

static int add_symbol(struct kallsyms *s, uint64_t address, char type, const char *name, const char *module)
{
	size_t length = strlen(name) + 1;
	struct entry *e;
	int err;

	err = grow(&s->by_address, &s->room, s->count + 1, sizeof(*s->by_address));
	while (!err && s->text_size + length > s->text_room)
		err = grow(&s->text, &s->text_room, s->text_room + 1, 1);
	if (err)
		return err;
	e = &s->by_address[s->count];
	err = module_index(s, module, &e->module);
	if (err)
		return err;
	e->address = address;
	e->type = type;
	e->is_bound = !strncmp(name, "__start_", 8) || !strncmp(name, "__stop_", 7);
	e->name = (uint32_t)s->text_size;
	memcpy(s->text + s->text_size, name, length);
	s->text_size += length;
	s->count++;
	if (!strcmp(name, "_stext") || !strcmp(name, "_text"))
		s->image_start = s->image_start && s->image_start < address ? s->image_start : address;
	/* _end is data: there only with CONFIG_KALLSYMS_ALL. The others end what there is of text. */
	if ((!strcmp(name, "_end") || !strcmp(name, "_etext") || !strcmp(name, "_einittext")) &&
	    address > s->image_end)
		s->image_end = address;
	return 0;
}

/* One line: "ffffffff81000000 T _stext" or "ffffffffc0000000 t foo	[bar]". By hand: there are 200,000. */
static int parse_line(struct kallsyms *s, char *line)
{
	char *module = "", *name, *end, *tail;
	uint64_t address = strtoull(line, &end, 16);
	char type = end[0] == ' ' ? end[1] : '\0';

	if (!type || end[2] != ' ')
		return 0;
	name = end + 3;
	tail = name + strcspn(name, "\t\n");
	if (*tail == '\t' && tail[1] == '[') {
		module = tail + 2;
		module[strcspn(module, "]\n")] = '\0';
	}
	*tail = '\0';
	/* Per-CPU offsets and absolute values are no addresses. */
	if (type == 'A' || type == 'a' || !address)
		return 0;
	return add_symbol(s, address, type, name, module);
}

/* The last one at an address is what lies there: behind the bounds of sections, which the linker puts in. */
static int compare_address(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->is_bound != y->is_bound)
		return x->is_bound ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

/* qsort_r's context: the table. */
static int compare_name(const void *a, const void *b, void *context)
{
	const struct kallsyms *s = context;
	const struct entry *x = &s->by_address[*(const uint32_t *)a];
	const struct entry *y = &s->by_address[*(const uint32_t *)b];
	int order = strcmp(s->text + x->name, s->text + y->name);

	return order ? order : compare_address(x, y);
}

static int sort(struct kallsyms *s)
{
	s->by_name = malloc((s->count ? s->count : 1) * sizeof(*s->by_name));
	if (!s->by_name)
		return -ENOMEM;
	qsort(s->by_address, s->count, sizeof(*s->by_address), compare_address);
	for (size_t i = 0; i < s->count; i++)
		s->by_name[i] = (uint32_t)i;
	qsort_r(s->by_name, s->count, sizeof(*s->by_name), compare_name, s);
	return 0;
}

static bool is_late(uint64_t deadline_ns)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return deadline_ns && (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec >= deadline_ns;
}

static int load(struct kallsyms *s, uint64_t deadline_ns)
{
	char *line = NULL;
	size_t size = 0;
	uint16_t image;
	FILE *file;
	int err;

	file = fopen("/proc/kallsyms", "re");
	if (!file)
		return -errno;
	err = module_index(s, "", &image);
	while (!err && getline(&line, &size, file) > 0) {
		err = parse_line(s, line);
		if (!err && !(s->count % LINES_A_LOOK) && is_late(deadline_ns))
			err = -ETIMEDOUT;
	}
	free(line);
	fclose(file);
	if (!err && !s->count)
		err = -EPERM; /* all addresses are shown as 0 to those who may not see them */
	return err ? err : sort(s);
}

int kallsyms_reload(struct kallsyms *symbols)
{
	struct kallsyms fresh = { 0 };
	int err = load(&fresh, 0);

	symbols->stale = false;
	symbols->names_stale = false;
	if (err) {
		table_clear(&fresh);
		return err;
	}
	table_clear(symbols);
	*symbols = fresh;
	return 0;
}

int kallsyms_open(struct kallsyms **out)
{
	return kallsyms_open_by(out, 0);
}

int kallsyms_open_by(struct kallsyms **out, uint64_t deadline_ns)
{
	struct kallsyms *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	err = load(s, deadline_ns);
	if (err) {
		kallsyms_close(s);
		return err;
	}
	*out = s;
	return 0;
}

void kallsyms_close(struct kallsyms *symbols)
{
	if (!symbols)
		return;
	table_clear(symbols);
	free(symbols);
}

void kallsyms_invalidate(struct kallsyms *symbols)
{
	symbols->stale = true;
}

void kallsyms_modules_changed(struct kallsyms *symbols)
{
	symbols->stale = true;
	symbols->names_stale = true;
}

bool kallsyms_knows_module(const struct kallsyms *symbols, const char *module)
{
	for (size_t i = 0; i < symbols->module_count; i++)
		if (!strcmp(symbols->modules[i], module))
			return true;
	return false;
}

void kallsyms_image(const struct kallsyms *symbols, uint64_t *start, uint64_t *end)
{
	*start = symbols->image_start;
	*end = symbols->image_end;
}

/* First index in by_name whose name is not below the one asked for. */
static size_t name_first(const struct kallsyms *s, const char *name)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(s->text + s->by_address[s->by_name[middle]].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t collect(const struct kallsyms *s, const char *module, const char *name, uint64_t *out,
		      size_t size)
{
	size_t found = 0;

	for (size_t i = name_first(s, name); i < s->count; i++) {
		const struct entry *e = &s->by_address[s->by_name[i]];

		if (strcmp(s->text + e->name, name) != 0)
			break;
		if (module && strcmp(s->modules[e->module], module) != 0)
			continue;
		if (found < size)
			out[found] = e->address;
		found++;
	}
	return found;
}

size_t kallsyms_addresses(struct kallsyms *symbols, const char *module, const char *name, uint64_t *out,
			  size_t size)
{
	size_t found;

	/* The image's own do not change. */
	if (symbols->names_stale && (!module || *module))
		kallsyms_reload(symbols);
	found = collect(symbols, module, name, out, size);
	if (!found && module && *module)
		found = collect(symbols, "", name, out, size);
	return found;
}

uint64_t kallsyms_address(struct kallsyms *symbols, const char *module, const char *name)
{
	uint64_t address = 0;

	kallsyms_addresses(symbols, module, name, &address, 1);
	return address;
}

bool kallsyms_has_data(struct kallsyms *symbols)
{
	return kallsyms_address(symbols, "", "init_task");
}

size_t kallsyms_named(struct kallsyms *symbols, const char *name, struct named_symbol *out)
{
	size_t count = kallsyms_addresses(symbols, NULL, name, &out->address, 1);

	if (count) {
		const struct entry *e = &symbols->by_address[symbols->by_name[name_first(symbols, name)]];

		out->type = e->type;
		snprintf(out->module, sizeof(out->module), "%s", symbols->modules[e->module]);
	}
	return count;
}

/* Last entry at or below the address, or NULL. */
static const struct entry *entry_below(const struct kallsyms *s, uint64_t address)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->by_address[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &s->by_address[low - 1] : NULL;
}

static bool in_image(const struct kallsyms *s, uint64_t address)
{
	return address >= s->image_start && address < s->image_end;
}

int kallsyms_find(struct kallsyms *symbols, uint64_t address, struct symbol *out)
{
	const struct entry *e;

	if (!in_image(symbols, address)) {
		if (address - symbols->image_start + MODULE_REACH > 2 * MODULE_REACH)
			return -ENOENT;
		if (symbols->stale)
			kallsyms_reload(symbols);
	}
	e = entry_below(symbols, address);
	if (!e || !symbols->modules || address - e->address > SYMBOL_REACH)
		return -ENOENT;
	/* Past the image's end and below the first module lies nothing of the image's last symbol. */
	if (!e->module && !in_image(symbols, address))
		return -ENOENT;
	snprintf(out->name, sizeof(out->name), "%s", symbols->text + e->name);
	snprintf(out->module, sizeof(out->module), "%s", symbols->modules[e->module]);
	out->offset = address - e->address;
	out->type = e->type;
	return 0;
}

static int source_find(void *context, uint64_t address, struct symbol *out)
{
	return kallsyms_find(context, address, out);
}

struct symbol_source kallsyms_source(struct kallsyms *symbols)
{
	return (struct symbol_source){ .context = symbols, .find = source_find };
}
