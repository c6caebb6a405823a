/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * What the writers of JSON share: the head of a line, texts of any bytes, addresses as
 * strings (a JSON number may not hold 64 bits), tasks. Each returns a new reference.
 */
#ifndef LOCKTRACE_REPORT_JSON_PARTS_H
#define LOCKTRACE_REPORT_JSON_PARTS_H

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"

#define JSON_VERSION 1

static inline json_t *address(uint64_t value)
{
	return json_sprintf("0x%016" PRIx64, value);
}

static inline json_t *object_new(const char *type)
{
	return json_pack("{s:s, s:i}", "type", type, "version", JSON_VERSION);
}

/* Takes the reference; bytes that are no UTF-8 (a comm may hold any) become '?'. */
static inline json_t *text(const char *value)
{
	json_t *string = json_string(value);
	char *copy;

	if (string)
		return string;
	copy = strdup(value);
	for (char *p = copy; p && *p; p++)
		if ((unsigned char)*p > '~')
			*p = '?';
	string = json_string(copy ? copy : "");
	free(copy);
	return string;
}

static inline json_t *text_or_null(const char *value)
{
	return value && *value ? text(value) : json_null();
}

static inline json_t *text_freed(char *value)
{
	json_t *string = text_or_null(value);

	free(value);
	return string;
}

/* An entry of the catalogue; NULL: null. */
static inline json_t *known_bug(const struct rule *rule)
{
	json_t *object;

	if (!rule)
		return json_null();
	object = json_object();
	json_object_set_new(object, "commit", text(rule->commit));
	json_object_set_new(object, "release",
			    text_or_null(strcmp(rule->release, "-") != 0 ? rule->release : NULL));
	json_object_set_new(object, "title", text(rule->title));
	json_object_set_new(object, "avoid", text_or_null(rule->avoid));
	return object;
}

/* Takes the reference. 0; -ENOMEM: there is no object; -EIO. */
static inline int write_line(json_t *object, FILE *out)
{
	int err = 0;

	if (!object)
		return -ENOMEM;
	if (json_dumpf(object, out, JSON_COMPACT | JSON_PRESERVE_ORDER) || fputc('\n', out) == EOF ||
	    fflush(out))
		err = -EIO;
	json_decref(object);
	return err;
}

static inline json_t *task(const struct report_context *c, const struct lt_task *t)
{
	json_t *object = json_object();
	char comm[LT_COMM_LEN + 1];
	const char *vm = c->vm_name ? c->vm_name(c->context, t->pid) : NULL;

	snprintf(comm, sizeof(comm), "%.*s", LT_COMM_LEN, t->comm);
	json_object_set_new(object, "pid", json_integer(t->pid));
	json_object_set_new(object, "tid", json_integer(t->tid));
	json_object_set_new(object, "comm", text(comm));
	json_object_set_new(object, "vm", text_or_null(vm));
	return object;
}

#endif
