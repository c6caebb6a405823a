/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * What lives when we come: static locks, the objects behind every task's files,
 * the VMs on vm_list and the groups on VFIO's list (their files may be closed
 * while something still refers to them), and which locks are held right now.
 * Called after the hooks are attached: what is born meanwhile is seen by them.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel/modules.h"
#include "kernel/tracer_internal.h"
#include "locktrace/kernel_side.h"
#include "locktrace/object_functions.h"
#include "message.h"

/* A list that is longer than this has been read while it changed, or is none. */
#define LIST_MAX 100000
/* A list that changes while it is read is read again, so often. */
#define WALK_TRIES 5
/* As LT_INTRODUCE_DEVICE in bpf/objects.bpf.h. */
#define INTRODUCE_DEVICE LT_FILE_KIND_COUNT

void discover_fill_tables(struct tracer *t)
{
	struct locktrace_bpf *object = tracer_first(t);

#define RELEASE_ADDRESS(module, function, id) \
	object->bss->file_release[LT_FILE_##id] = kallsyms_address(t->symbols, #module, #function);
	LT_FILE_KINDS(RELEASE_ADDRESS)
#undef RELEASE_ADDRESS
	object->bss->type1_open_addr =
		kallsyms_address(t->symbols, "vfio_iommu_type1", "vfio_iommu_type1_open");
	object->bss->pci_core_request_addr =
		kallsyms_address(t->symbols, "vfio_pci_core", "vfio_pci_core_request");
	object->bss->kvm_vfio_create_addr = kallsyms_address(t->symbols, "kvm", "kvm_vfio_create");
}

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* Closure was there first: the lock gets its class, with the counts moved as watch_lock() in bpf/ does. */
static int claim(struct locktrace_bpf *object, uint64_t address, struct lt_watched *value)
{
	int fd = bpf_map__fd(object->maps.watched);
	struct lt_watched old;

	if (bpf_map_lookup_elem(fd, &address, &old) || old.class_id == value->class_id)
		return 0;
	if (bpf_map_update_elem(fd, &address, value, BPF_EXIST))
		return -errno;
	if (old.flags & LT_WATCHED_LET_GO) {
		__atomic_fetch_add(&object->bss->filter[lt_filter_index(address)], 1, __ATOMIC_RELAXED);
		__atomic_fetch_sub(&object->bss->let_go_now, 1, __ATOMIC_RELAXED);
	}
	if (old.class_id == LT_CLASS_FOREIGN)
		__atomic_fetch_sub(&object->bss->foreign_now, 1, __ATOMIC_RELAXED);
	return 0;
}

/* Adds one lock to the watched ones. 0, -E2BIG when the map is full: then it counts as lost. */
static int watch_at(struct tracer *t, uint64_t address, uint32_t class_id, bool rwsem)
{
	struct lt_watched value = { .generation = boot_ns(),
				    .class_id = class_id,
				    .flags = rwsem ? LT_WATCHED_RWSEM : 0 };
	struct locktrace_bpf *object = tracer_first(t);
	int err = 0;

	if (!bpf_map_update_elem(bpf_map__fd(object->maps.watched), &address, &value, BPF_NOEXIST))
		__atomic_fetch_add(&object->bss->filter[lt_filter_index(address)], 1, __ATOMIC_RELAXED);
	else
		err = errno == EEXIST ? claim(object, address, &value) : -errno;
	t->watched_failed += err != 0;
	return err;
}

/* Only what is still of that class: an entry of another one has its own counts. */
static void unwatch_at(struct tracer *t, uint64_t address, uint32_t class_id)
{
	struct locktrace_bpf *object = tracer_first(t);
	int fd = bpf_map__fd(object->maps.watched);
	struct lt_watched entry;

	if (!address || bpf_map_lookup_elem(fd, &address, &entry) || entry.class_id != class_id ||
	    bpf_map_delete_elem(fd, &address))
		return;
	__atomic_fetch_sub(&object->bss->filter[lt_filter_index(address)], 1, __ATOMIC_RELAXED);
}

void discover_foreign_gone(struct tracer *t, uint64_t address)
{
	unwatch_at(t, address, LT_CLASS_FOREIGN);
	__atomic_fetch_sub(&tracer_first(t)->bss->foreign_now, 1, __ATOMIC_RELAXED);
}

/* Runs a program of ours on two numbers. Its return value, or negative errno. */
static int run_program(struct bpf_program *program, uint64_t a, uint64_t b)
{
	uint64_t args[2] = { a, b };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));
	int err = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);

	return err ? err : (int)opts.retval;
}

int discover_read(struct tracer *t, uint64_t address, void *out, size_t size)
{
	struct locktrace_bpf *object = tracer_newest(t);
	int err = run_program(object->progs.peek, address, size);

	if (err)
		return err < 0 ? err : -EFAULT;
	memcpy(out, object->bss->peek_data, size);
	return 0;
}

struct list_link {
	uint64_t next, prev;
};

/* Is there a list head at the address? Its neighbours must point back. */
static bool is_list(struct tracer *t, uint64_t head)
{
	struct list_link link, next, prev;

	return !discover_read(t, head, &link, sizeof(link)) && link.next && link.prev &&
	       !discover_read(t, link.next, &next, sizeof(next)) && next.prev == head &&
	       !discover_read(t, link.prev, &prev, sizeof(prev)) && prev.next == head;
}

/* Calls visit with each object on a list, once. 0, or -EAGAIN: the list changed meanwhile. */
static int walk_list_once(struct tracer *t, uint64_t head, uint64_t link_offset,
			  void (*visit)(struct tracer *t, uint64_t object))
{
	struct list_link link;
	uint64_t node = head;

	for (size_t i = 0; i < LIST_MAX; i++) {
		uint64_t from = node;

		if (discover_read(t, node, &link, sizeof(link)))
			return -EAGAIN;
		node = link.next;
		if (node == head || !node)
			return 0;
		if (discover_read(t, node, &link, sizeof(link)) || link.prev != from)
			return -EAGAIN;
		visit(t, node - link_offset);
	}
	return -EAGAIN;
}

/* To meet an object twice does no harm. */
static void walk_list(struct tracer *t, uint64_t head, uint64_t link_offset,
		      void (*visit)(struct tracer *t, uint64_t object))
{
	for (int i = 0; i < WALK_TRIES; i++)
		if (!walk_list_once(t, head, link_offset, visit))
			return;
	message_info("a list of objects changed each time it was read; some may have been missed");
	t->objects_missed++;
}

static void introduce(struct tracer *t, uint64_t kind, uint64_t object)
{
	run_program(tracer_newest(t)->progs.introduce, kind, object);
}

void discover_object_gone(struct tracer *t, uint64_t kind, uint64_t object)
{
	run_program(tracer_newest(t)->progs.take_leave, kind, object);
}

static void kvm_device_found(struct tracer *t, uint64_t device)
{
	introduce(t, LT_FILE_KVM_DEVICE, device);
}

static void vm_found(struct tracer *t, uint64_t vm)
{
	struct type_member devices, node;

	introduce(t, LT_FILE_VM, vm);
	if (!types_member(t->types, "kvm", "kvm", "devices", &devices) &&
	    !types_member(t->types, "kvm", "kvm_device", "vm_node", &node))
		walk_list(t, vm + devices.offset, node.offset, kvm_device_found);
}

static void device_found(struct tracer *t, uint64_t device)
{
	introduce(t, INTRODUCE_DEVICE, device);
}

static void group_found(struct tracer *t, uint64_t group)
{
	struct type_member devices, next;

	introduce(t, LT_FILE_GROUP, group);
	if (!types_member(t->types, "vfio", "vfio_group", "device_list", &devices) &&
	    !types_member(t->types, "vfio", "vfio_device", "group_next", &next))
		walk_list(t, group + devices.offset, next.offset, device_found);
}

static void walk_vms(struct tracer *t)
{
	uint64_t list = kallsyms_address(t->symbols, "kvm", "vm_list");
	struct type_member link;

	if (!list || types_member(t->types, "kvm", "kvm", "vm_list", &link)) {
		if (!t->started)
			message_note("vm_list is not known here; VMs are found by their files");
		return;
	}
	walk_list(t, list, link.offset, vm_found);
}

/* Several variables are called vfio; the one with the groups' list has a list where that should be. */
static void walk_groups(struct tracer *t)
{
	uint64_t candidates[8];
	struct type_member list, lock, next;
	size_t count;

	if (types_member(t->types, "vfio", "vfio", "group_list", &list) ||
	    types_member(t->types, "vfio", "vfio", "group_lock", &lock) ||
	    types_member(t->types, "vfio", "vfio_group", "vfio_next", &next)) {
		if (!t->started)
			message_note(
				"the list of VFIO groups is not known here; groups are found by their files");
		return;
	}
	count = kallsyms_addresses(t->symbols, "vfio", "vfio", candidates, 8);
	for (size_t i = 0; i < count && i < 8; i++) {
		if (!is_list(t, candidates[i] + list.offset))
			continue;
		t->statics[LT_CLASS_STATIC_VFIO_GROUP_LOCK] = candidates[i] + lock.offset;
		walk_list(t, candidates[i] + list.offset, next.offset, group_found);
		return;
	}
	if (!t->started)
		message_note("the list of VFIO groups was not found; groups are found by their files");
}

/* Runs an iterator to its end. */
static int run_iterator(struct bpf_program *program, int map_fd, const char *what)
{
	union bpf_iter_link_info info = { .map.map_fd = (uint32_t)map_fd };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	struct bpf_link *link = bpf_program__attach_iter(program, map_fd >= 0 ? &opts : NULL);
	char ignored[64];
	ssize_t got;
	int fd, err;

	err = (int)libbpf_get_error(link);
	if (err) {
		message_error("cannot look at %s (BPF iterator): %s", what, strerror(-err));
		return err;
	}
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0) {
		err = -errno;
	} else {
		do
			got = read(fd, ignored, sizeof(ignored));
		while (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN)));
		err = got < 0 ? -errno : 0;
		close(fd);
	}
	bpf_link__destroy(link);
	if (err)
		message_error("looking at %s failed: %s", what, strerror(-err));
	return err;
}

/* Locks held now get into their owners' held stacks, order unknown. */
static int take_over_held(struct tracer *t)
{
	struct locktrace_bpf *object = tracer_newest(t);
	int watched = bpf_map__fd(tracer_first(t)->maps.watched);
	int owners = bpf_map__fd(tracer_first(t)->maps.owners), err;
	uint64_t owner;

	if (!types_of_kernel_itself(t->types))
		return 0;
	err = run_iterator(object->progs.find_owners, watched, "the watched locks");
	if (!err)
		err = run_iterator(object->progs.seed_tasks, -1, "the tasks");
	/* Owners that were no living task: a lock that was passed on or freed meanwhile. */
	while (!bpf_map_get_next_key(owners, NULL, &owner))
		bpf_map_delete_elem(owners, &owner);
	return err;
}

/* Told once, not again each time that it is tried in vain. */
static void refuse_user_class(struct tracer *t, size_t i, const char *why)
{
	struct user_class_state *state = &t->user_classes[i];

	state->refused = true;
	state->placed = false;
	if (strcmp(state->why, why) != 0)
		message_info("%s is not watched: %s", t->options.user_classes[i].lock.name, why);
	snprintf(state->why, sizeof(state->why), "%s", why);
}

/* Where a lock of the user's own is, once its module is there. */
static bool place_user_class(struct tracer *t, size_t i)
{
	struct user_class_state *state = &t->user_classes[i];
	char why[sizeof(state->why)];
	int err;

	if (state->placed || state->refused)
		return state->placed;
	err = lock_spec_find(&t->options.user_classes[i].lock, t->symbols, t->types, t->options.rwsem,
			     &state->place, why, sizeof(why));
	state->placed = !err;
	state->module_id = module_id(state->place.module);
	if (err == -ENOENT)
		snprintf(state->why, sizeof(state->why), "%s", why);
	else if (err)
		refuse_user_class(t, i, why);
	else if (t->started)
		tracer_add_late(t, state->place.module);
	return state->placed;
}

/* The lock's address now; 0: the pointer to it is not set (yet), or cannot be read. */
static uint64_t user_class_address(struct tracer *t, size_t i)
{
	const struct lock_place *place = &t->user_classes[i].place;
	uint64_t object;

	if (!t->options.user_classes[i].lock.pointer)
		return place->address;
	if (discover_read(t, place->address, &object, sizeof(object)) || !object)
		return 0;
	return object + place->offset;
}

/* Initialised again, or another one behind its pointer: then it is to be watched anew. */
static bool user_class_is_watched(struct tracer *t, size_t i)
{
	struct user_class_state *state = &t->user_classes[i];
	struct lt_watched entry;

	if (!state->watched)
		return false;
	if (user_class_address(t, i) == state->watched &&
	    !bpf_map_lookup_elem(bpf_map__fd(tracer_first(t)->maps.watched), &state->watched, &entry) &&
	    entry.class_id == LT_CLASS_USER + i)
		return true;
	unwatch_at(t, state->watched, LT_CLASS_USER + (uint32_t)i);
	state->watched = 0;
	return false;
}

/* Two of the user's own can be one lock: it keeps the class that it got first. */
static const struct lock_spec *watched_before(struct tracer *t, size_t i, uint64_t address)
{
	for (size_t k = 0; k < t->options.user_class_count; k++)
		if (k != i && t->user_classes[k].watched == address)
			return &t->options.user_classes[k].lock;
	return NULL;
}

/* It may be another one later, where there is a pointer. */
static void refuse_same_lock(struct tracer *t, size_t i, const struct lock_spec *first)
{
	struct user_class_state *state = &t->user_classes[i];
	char why[sizeof(state->why)];

	snprintf(why, sizeof(why), "it is the same lock as %s@%s%s.", first->name, first->pointer ? "*" : "",
		 first->symbol);
	refuse_user_class(t, i, why);
	state->placed = true;
}

static bool watch_user_class(struct tracer *t, size_t i)
{
	struct user_class_state *state = &t->user_classes[i];
	uint64_t address = user_class_address(t, i);
	const struct lock_spec *first;

	/* Looked at again at the next tick. */
	if (!address) {
		state->refused = false;
		snprintf(state->why, sizeof(state->why), "%s is not set yet.",
			 t->options.user_classes[i].lock.symbol);
		return false;
	}
	first = watched_before(t, i, address);
	if (first) {
		refuse_same_lock(t, i, first);
		return false;
	}
	if (watch_at(t, address, LT_CLASS_USER + (uint32_t)i, state->place.rwsem)) {
		refuse_user_class(t, i, "the table of watched locks is full.");
		return false;
	}
	state->watched = address;
	state->refused = false;
	state->why[0] = '\0';
	return true;
}

void discover_user_class_gone(struct tracer *t, size_t index)
{
	struct user_class_state *state = &t->user_classes[index];

	unwatch_at(t, state->watched, LT_CLASS_USER + (uint32_t)index);
	memset(state, 0, sizeof(*state));
}

static size_t watch_user_classes(struct tracer *t)
{
	size_t count = 0;

	for (size_t i = 0; i < t->options.user_class_count; i++) {
		if (!t->options.user_classes[i].wanted)
			discover_user_class_gone(t, i);
		else if (!user_class_is_watched(t, i) && place_user_class(t, i))
			count += watch_user_class(t, i);
	}
	return count;
}

int discover_user_classes(struct tracer *t)
{
	/* By contention, what is held is looked for at each wait. */
	return watch_user_classes(t) && !t->by_contention ? take_over_held(t) : 0;
}

/* That in vfio has a name that others have too: walk_groups() found it, or did not. */
static void watch_statics(struct tracer *t)
{
#define FIND_STATIC(id, module, class, symbol, structure, member, lockdep) \
	if (!*(structure))                                                 \
		t->statics[LT_CLASS_##id] = kallsyms_address(t->symbols, module, symbol);
	LT_STATIC_CLASSES(FIND_STATIC)
#undef FIND_STATIC
	for (uint32_t id = 0; id < LT_CLASS_DECLARED_END; id++)
		if (t->statics[id])
			watch_at(t, t->statics[id], id, false);
}

void discover_module_gone(struct tracer *t, const char *gone)
{
#define FORGET_STATIC(id, module, class, symbol, structure, member, lockdep) \
	if (!strcmp(gone, module)) {                                         \
		unwatch_at(t, t->statics[LT_CLASS_##id], LT_CLASS_##id);     \
		t->statics[LT_CLASS_##id] = 0;                               \
	}
	LT_STATIC_CLASSES(FORGET_STATIC)
#undef FORGET_STATIC
}

int discover_objects(struct tracer *t)
{
	int err = 0;

	if (types_of_kernel_itself(t->types)) {
		err = run_iterator(tracer_newest(t)->progs.find_files, -1, "the tasks' open files");
	} else if (!t->started) {
		message_info(
			"this kernel has no BTF of its own, so no BPF iterators: of what was there before, "
			"only what is on KVM's and VFIO's lists is known, and no lock that is held already");
		t->objects_missed++;
	}
	if (err)
		return err;
	walk_vms(t);
	walk_groups(t);
	watch_statics(t);
	watch_user_classes(t);
	return 0;
}

int discover_all(struct tracer *t)
{
	int err = discover_objects(t);

	return err ? err : take_over_held(t);
}
