/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Reports of "list": what lives and who has its locks, as text or JSON. Pure: what was seen goes in.
 */
#ifndef LOCKTRACE_REPORT_LIST_H
#define LOCKTRACE_REPORT_LIST_H

#include "locktrace/record.h"
#include "report/report.h"

enum list_held {
	LIST_FREE,    /* nobody has it */
	LIST_TASK,    /* a task that was seen */
	LIST_UNSEEN,  /* a task that was not seen: it is not followed */
	LIST_UNKNOWN, /* the lock could not be read */
};

struct list_lock {
	uint64_t addr;
	uint64_t object; /* that it lies in; 0: none, it is a static one */
	uint32_t kind;   /* of the object, enum lt_object_kind: two can share an address; 0: none */
	const char *class;
	enum list_held held;
	const struct lt_task *owner; /* LIST_TASK, else NULL */
	size_t waiters;              /* tasks that wait for it */
};

struct list_report {
	/* Of it are used: model, kernel, taint, boot_to_wall_ns, vm_name and context. */
	struct report_context base;
	uint64_t time_ns; /* CLOCK_BOOTTIME */
	/* In any order; the second one of an address and kind is left out. */
	const struct lt_record_object *objects;
	size_t object_count;
	const struct list_lock *locks; /* sorted by object, then by its kind */
	size_t lock_count;
	const char *trouble; /* why it is not whole, sentences; NULL: it is */
};

/* "held by opener/167 (process 165, VM 'demo')", "free", ...; with the waiters. Returns out. */
const char *list_state(const struct list_report *r, const struct list_lock *lock, char *out, size_t size);

/*
 * "vm", "vcpu", "kvm_vfio", "group", "device", "device_set", "pci_device", "iommu"; "unknown" for none of
 * these.
 */
const char *list_kind_name(uint32_t kind);

/* An object's line, as it is told: the objects that lie in another one come after it, one level deeper. */
struct list_item {
	const struct lt_record_object *object;
	unsigned int level; /* 0: in no other one */
};

/* All objects in the order in which they are told; room for object_count. Returns how many. */
size_t list_order(const struct list_report *r, struct list_item *items);

/* The locks of an object, or with 0 and 0 the static ones. */
const struct list_lock *list_locks(const struct list_report *r, uint64_t object, uint32_t kind,
				   size_t *count);

/* The whole report; 0, -EIO, or -ENOMEM. */
int text_list(const struct list_report *report, FILE *out);
int json_list(const struct list_report *report, FILE *out);

#endif
