/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* What lives, as text: objects with their locks, indented by what they lie in. See list.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "report/list.h"

#define INDENT 2
#define CLASS_WIDTH 32

static void print_locks(const struct list_report *r, uint64_t object, uint32_t kind, int columns, FILE *out)
{
	char state[REPORT_TEXT_LEN];
	size_t count;
	const struct list_lock *locks = list_locks(r, object, kind, &count);

	for (size_t i = 0; i < count; i++)
		fprintf(out, "%*s%-*s %s\n", columns, "", CLASS_WIDTH, locks[i].class,
			list_state(r, &locks[i], state, sizeof(state)));
}

static void print_head(const struct list_report *r, FILE *out)
{
	int64_t wall = (int64_t)r->time_ns + r->base.boot_to_wall_ns;
	time_t seconds = (time_t)(wall / 1000000000);
	char text[64] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(out, "Linux %s, %s; %s\n", r->base.kernel, r->base.taint, text);
}

/* The model has one object of an address only; the PCI part of a device has that one's name. */
static void print_object(const struct list_report *r, const struct list_item *item, FILE *out)
{
	const struct model_object *object = model_object(r->base.model, item->object->addr);
	int columns = (int)item->level * INDENT;
	char name[REPORT_TEXT_LEN];

	if (item->object->kind == LT_OBJECT_PCI)
		fprintf(out, "%*sits PCI part\n", columns, "");
	else if (object && (uint32_t)object->kind == item->object->kind)
		fprintf(out, "%*s%s\n", columns, "", report_object(&r->base, object, name, sizeof(name)));
	else
		fprintf(out, "%*s%s %s\n", columns, "", list_kind_name(item->object->kind),
			item->object->name);
	print_locks(r, item->object->addr, item->object->kind, columns + INDENT, out);
}

int text_list(const struct list_report *r, FILE *out)
{
	struct list_item *items = calloc(r->object_count ? r->object_count : 1, sizeof(*items));
	size_t count = items ? list_order(r, items) : 0, statics;

	if (!items)
		return -ENOMEM;
	print_head(r, out);
	for (size_t i = 0; i < count; i++)
		print_object(r, &items[i], out);
	list_locks(r, 0, 0, &statics);
	if (statics)
		fputs("static locks\n", out);
	print_locks(r, 0, 0, INDENT, out);
	if (!count)
		fputs("No VMs, groups or devices were found.\n", out);
	if (r->trouble)
		fprintf(out, "NOT complete: %s\n", r->trouble);
	free(items);
	return fflush(out) || ferror(out) ? -EIO : 0;
}
