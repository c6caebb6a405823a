/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Look-ups in BTF through libbpf. Module BTF is opened on first use and kept (some
 * 30 KiB each); a module that was not there is tried again each time. See types.h.
 */
#include "kernel/types.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/btf_merge.h"
#include "kernel/hooks.h"
#include "kernel/probes.h"
#include "message.h"

#define BTF_FOLDER "/sys/kernel/btf"
#define MODULE_NAME_MAX 64
/* libbpf's own numbers of errors: __LIBBPF_ERRNO__START. */
#define LIBBPF_ERRNO_FIRST 4000

struct module_types {
	char name[MODULE_NAME_MAX];
	struct btf *btf;
	int fd; /* of the kernel's object of it; 0: not opened yet */
};

struct types {
	struct btf *kernel;
	/* The kernel's own BTF, whose ids it knows functions by; NULL: it has none. Else the same as kernel.
	 */
	struct btf *own;
	const char *folder; /* where the modules' BTF is; NULL: in the kernel's */
	const char *path;   /* --btf; NULL: the kernel's own */
	bool as_files;      /* libbpf may not ask the kernel for its BTF, and gets it as a file */
	struct btf_merged merged;
	struct module_types *modules;
	size_t module_count, room;
};

/* The caller has words of its own for its not being there, so libbpf's are not wanted. 0 or negative errno.
 */
static int load_own(struct btf **out)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	int err;

	*out = btf__load_vmlinux_btf();
	err = (int)libbpf_get_error(*out);
	if (err)
		*out = NULL;
	libbpf_set_print(print);
	return err;
}

int types_open(struct types **out)
{
	struct types *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	err = load_own(&t->kernel);
	if (err) {
		free(t);
		return err;
	}
	t->own = t->kernel;
	t->folder = BTF_FOLDER;
	/* For CAP_SYS_ADMIN only; the files are for anybody. */
	t->as_files = probe_btf_objects() == -EPERM;
	*out = t;
	return 0;
}

static bool is_folder(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISDIR(status.st_mode);
}

/* NULL: there is none, errno says why. */
static struct btf *parse(const char *folder, const char *file, struct btf *base)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	char path[PATH_MAX];
	struct btf *btf;

	snprintf(path, sizeof(path), "%s%s%s", folder ? folder : "", folder ? "/" : "", file);
	btf = btf__parse_split(path, base);
	libbpf_set_print(print);
	return libbpf_get_error(btf) ? NULL : btf;
}

/* libbpf takes one file: the modules' types go behind the kernel's. */
static int merge_modules(struct types *t, const char **path)
{
	int err;

	btf_merge_close(&t->merged);
	err = btf_merge_open(t->kernel, &t->merged);
	for (size_t i = 1; i < hook_module_count && !err; i++) {
		struct btf *module = parse(t->folder, hook_modules[i], t->kernel);

		if (module)
			err = btf_merge_add(&t->merged, module);
		btf__free(module);
	}
	return err ? err : btf_merge_write(&t->merged, path);
}

int types_open_from(const char *path, struct types **out)
{
	struct types *t = calloc(1, sizeof(*t));
	int err = 0;

	if (!t)
		return -ENOMEM;
	t->path = path;
	t->as_files = true;
	t->folder = is_folder(path) ? path : NULL;
	t->kernel = t->folder ? parse(path, "vmlinux", NULL) : parse(NULL, path, NULL);
	if (!t->kernel)
		err = errno && errno < LIBBPF_ERRNO_FIRST ? -errno : -EINVAL;
	if (err) {
		types_close(t);
		return err;
	}
	load_own(&t->own);
	*out = t;
	return 0;
}

const char *types_custom_path(struct types *types)
{
	const char *path = types->path;

	if (!types->as_files)
		return NULL;
	if (types->folder && merge_modules(types, &path))
		message_info(
			"the types of modules could not be put together: what needs them is not followed");
	return path;
}

bool types_of_kernel_itself(const struct types *types)
{
	return types->own;
}

/* The last one takes its place. */
static void forget(struct types *types, size_t i)
{
	btf__free(types->modules[i].btf);
	if (types->modules[i].fd > 0)
		close(types->modules[i].fd);
	types->modules[i] = types->modules[--types->module_count];
}

void types_close(struct types *types)
{
	if (!types)
		return;
	while (types->module_count)
		forget(types, types->module_count - 1);
	free(types->modules);
	btf_merge_close(&types->merged);
	if (types->own != types->kernel)
		btf__free(types->own);
	btf__free(types->kernel);
	free(types);
}

/* A folder of the user's own holds modules that are not loaded, too. */
static bool module_has_btf(const struct types *t, const char *module)
{
	char path[PATH_MAX];

	if (!t->folder)
		return false;
	snprintf(path, sizeof(path), "/sys/module/%s", module);
	if (t->path && access(path, F_OK))
		return false;
	snprintf(path, sizeof(path), "%s/%s", t->folder, module);
	return !access(path, R_OK);
}

static int make_room(struct types *t)
{
	size_t room = t->room ? t->room * 2 : 16;
	struct module_types *bigger;

	if (t->module_count < t->room)
		return 0;
	bigger = realloc(t->modules, room * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	t->modules = bigger;
	t->room = room;
	return 0;
}

/* Index of the module's BTF, or -1: not loaded, built in, or without BTF. */
static int module_index(struct types *t, const char *module)
{
	struct btf *btf;

	if (!module || !*module)
		return -1;
	for (size_t i = 0; i < t->module_count; i++)
		if (!strcmp(t->modules[i].name, module))
			return (int)i;
	if (!module_has_btf(t, module) || make_room(t))
		return -1;
	btf = parse(t->folder, module, t->kernel);
	if (!btf)
		return -1;
	t->modules[t->module_count] = (struct module_types){ .btf = btf };
	snprintf(t->modules[t->module_count].name, MODULE_NAME_MAX, "%s", module);
	return (int)t->module_count++;
}

/* A file of types (--btf) may hold those of modules, too: one struct of each tells. */
static bool file_has_module(const struct types *types, const char *module)
{
	static const struct {
		const char *module, *structure;
	} owned[] = { { "kvm", "kvm" },
		      { "vfio", "vfio_group" },
		      { "vfio_pci_core", "vfio_pci_core_device" },
		      { "vfio_iommu_type1", "vfio_iommu" } };

	for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++)
		if (!strcmp(owned[i].module, module))
			return btf__find_by_name_kind(types->kernel, owned[i].structure, BTF_KIND_STRUCT) > 0;
	return false;
}

bool types_has_module(struct types *types, const char *module)
{
	return types->folder ? module_index(types, module) >= 0 : file_has_module(types, module);
}

void types_forget(struct types *types, const char *module)
{
	for (size_t i = types->module_count; i-- > 0;)
		if (!strcmp(types->modules[i].name, module))
			forget(types, i);
}

void types_forget_gone(struct types *types)
{
	for (size_t i = types->module_count; i-- > 0;)
		if (!module_has_btf(types, types->modules[i].name))
			forget(types, i);
}

/* The kernel's BTF object of that name, found among all there are. A descriptor; -EPERM: CAP_SYS_ADMIN is
 * needed. */
static int open_btf_object(const char *name)
{
	uint32_t id = 0;
	int err;

	while (!(err = bpf_btf_get_next_id(id, &id))) {
		char found[MODULE_NAME_MAX] = "";
		struct bpf_btf_info info = { .name = (uintptr_t)found, .name_len = sizeof(found) };
		uint32_t size = sizeof(info);
		int fd = bpf_btf_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.kernel_btf && !strcmp(found, name))
			return fd;
		close(fd);
	}
	return err;
}

static const struct btf_type *skip_modifiers(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(btf, t->type);
	return t;
}

/*
 * Looks for the first name of a path in a struct and, without a name, in the
 * unnamed structs and unions in it. Returns the member's type, adds its offset.
 */
static const struct btf_type *member_step(const struct btf *btf, const struct btf_type *in, const char *name,
					  size_t length, uint64_t *offset)
{
	const struct btf_member *m = btf_members(in);

	for (uint32_t i = 0; i < btf_vlen(in); i++, m++) {
		const char *member = btf__name_by_offset(btf, m->name_off);
		const struct btf_type *type = skip_modifiers(btf, m->type), *inner;
		uint64_t at = *offset + btf_member_bit_offset(in, i) / 8;

		if (member && strlen(member) == length && !strncmp(member, name, length)) {
			*offset = at;
			return type;
		}
		if (member && *member)
			continue;
		if (!type || !btf_is_composite(type))
			continue;
		inner = member_step(btf, type, name, length, &at);
		if (inner) {
			*offset = at;
			return inner;
		}
	}
	return NULL;
}

static int member_path(const struct btf *btf, const struct btf_type *structure, const char *path,
		       struct type_member *out)
{
	const struct btf_type *type = structure;
	uint64_t offset = 0;

	while (path) {
		const char *dot = strchr(path, '.');
		size_t length = dot ? (size_t)(dot - path) : strlen(path);

		if (!type || !btf_is_composite(type))
			return -ENOMSG;
		type = member_step(btf, type, path, length, &offset);
		if (!type)
			return -ENOMSG;
		path = dot ? dot + 1 : NULL;
	}
	out->offset = offset;
	out->struct_size = structure->size;
	out->size = btf_is_composite(type) || btf_is_int(type) || btf_is_any_enum(type) ? type->size
		    : btf_is_ptr(type)                                                  ? sizeof(uint64_t)
											: 0;
	snprintf(out->type_name, sizeof(out->type_name), "%s",
		 btf_is_composite(type) ? btf__name_by_offset(btf, type->name_off) : "");
	return 0;
}

/* All structs of a name in one BTF, from its own first type on. */
static int member_in(const struct btf *btf, uint32_t first, const char *structure, const char *member,
		     struct type_member *out)
{
	int result = -ENOENT;

	for (uint32_t id = first; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!btf_is_struct(t) || strcmp(btf__name_by_offset(btf, t->name_off), structure) != 0)
			continue;
		result = member_path(btf, t, member, out);
		if (!result)
			break;
	}
	return result;
}

/* In a module's own types. */
static int member_in_module(struct types *types, const char *module, const char *structure,
			    const char *member, struct type_member *out)
{
	int index = module_index(types, module);

	if (index < 0)
		return -ENOENT;
	return member_in(types->modules[index].btf, btf__type_cnt(types->kernel), structure, member, out);
}

int types_member(struct types *types, const char *module, const char *structure, const char *member,
		 struct type_member *out)
{
	int result = member_in_module(types, module, structure, member, out), kernel;

	if (!result)
		return 0;
	kernel = member_in(types->kernel, 1, structure, member, out);
	return kernel == -ENOENT ? result : kernel;
}

int types_member_elsewhere(struct types *types, const char *const *modules, const char *structure,
			   const char *member, struct type_member *out)
{
	DIR *folder = types->folder ? opendir(types->folder) : NULL;
	struct dirent *entry;
	int result = -ENOENT;

	while (folder && result && (entry = readdir(folder))) {
		const char *const *known = modules;
		int here;

		while (*known && strcmp(*known, entry->d_name) != 0)
			known++;
		if (*known || entry->d_name[0] == '.' || !strcmp(entry->d_name, "vmlinux"))
			continue;
		here = member_in_module(types, entry->d_name, structure, member, out);
		if (here != -ENOENT)
			result = here;
	}
	if (folder)
		closedir(folder);
	return result;
}

int types_member_anywhere(struct types *types, const char *const *modules, const char *structure,
			  const char *member, struct type_member *out)
{
	int result = -ENOENT;

	for (; *modules && result; modules++) {
		int here = member_in_module(types, *modules, structure, member, out);

		if (here != -ENOENT)
			result = here;
	}
	if (result == -ENOENT)
		result = member_in(types->kernel, 1, structure, member, out);
	return result;
}

static uint32_t function_in(const struct btf *btf, uint32_t first, const char *function)
{
	for (uint32_t id = first; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (btf_is_func(t) && !strcmp(btf__name_by_offset(btf, t->name_off), function))
			return id;
	}
	return 0;
}

static int arguments_of(const struct btf *btf, uint32_t function)
{
	const struct btf_type *t = btf__type_by_id(btf, btf__type_by_id(btf, function)->type);

	return t && btf_is_func_proto(t) ? btf_vlen(t) : -1;
}

int types_function(struct types *types, const char *module, const char *function, struct type_function *out)
{
	/* A file's numbers are not the kernel's. */
	int index = types->path ? -1 : module_index(types, module);
	const struct btf *btf = index < 0 ? types->own : types->modules[index].btf;

	memset(out, 0, sizeof(*out));
	if (!btf)
		return -ENOENT;
	out->id = function_in(btf, index < 0 ? 1 : btf__type_cnt(types->kernel), function);
	if (!out->id)
		return -ENOENT;
	out->arguments = arguments_of(btf, out->id);
	if (index < 0)
		return 0;
	if (!types->modules[index].fd)
		types->modules[index].fd = open_btf_object(module);
	out->btf_fd = types->modules[index].fd;
	return out->btf_fd > 0 ? 0 : out->btf_fd;
}

/* Structs whose sizes differ from one kernel, and one configuration, to the next. */
static int compare_sizes(struct types *t, char *why, size_t size)
{
	static const char *const structs[] = { "task_struct", "mutex", "rw_semaphore", "file", "kvm" };

	for (size_t i = 0; t->own && i < sizeof(structs) / sizeof(structs[0]); i++) {
		int32_t ours = btf__find_by_name_kind(t->kernel, structs[i], BTF_KIND_STRUCT);
		int32_t theirs = btf__find_by_name_kind(t->own, structs[i], BTF_KIND_STRUCT);

		if (theirs < 0 || (ours > 0 && btf__type_by_id(t->kernel, (uint32_t)ours)->size ==
						       btf__type_by_id(t->own, (uint32_t)theirs)->size))
			continue;
		snprintf(why, size, "struct %s is not the same in it as in the kernel's own BTF", structs[i]);
		return -ENOEXEC;
	}
	return 0;
}

/*
 * Reads this task's own name where the types say that it is, far inside its task_struct. Where programs do
 * not load at all nothing can be told.
 */
static int compare_own_name(struct types *t, char *why, size_t size)
{
	char own[16] = "", read[16] = "";
	struct type_member comm;
	uint32_t piece;

	if (types_member(t, NULL, "task_struct", "comm", &comm)) {
		snprintf(why, size, "it has no task_struct.comm");
		return -ENOEXEC;
	}
	for (size_t i = 0; i < sizeof(read); i += sizeof(piece)) {
		int err = probe_read_own_task(comm.offset + i, sizeof(piece), &piece);

		if (err && err != -EFAULT)
			return 0;
		memcpy(read + i, &piece, sizeof(piece));
	}
	prctl(PR_GET_NAME, own);
	if (!memcmp(own, read, sizeof(own)))
		return 0;
	snprintf(why, size, "this task's name is not where it says (task_struct.comm at %llu)",
		 (unsigned long long)comm.offset);
	return -ENOEXEC;
}

int types_fit(struct types *types, char *why, size_t size)
{
	int err = compare_sizes(types, why, size);

	return err ? err : compare_own_name(types, why, size);
}
