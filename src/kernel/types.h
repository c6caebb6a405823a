/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The running kernel's types, from BTF: the kernel's own and its modules'. For
 * what user space itself must know of them: which classes exist here, where a
 * lock of the user's own lies, the links of a few lists.
 */
#ifndef LOCKTRACE_KERNEL_TYPES_H
#define LOCKTRACE_KERNEL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct types;

/* Reads the kernel's BTF. 0, or negative errno: -ENOENT where the kernel has none. */
int types_open(struct types **out);
/*
 * The same from a file (--btf: raw BTF, or ELF with it), which may hold the modules' types too, or from a
 * folder laid out as /sys/kernel/btf: "vmlinux", and a file for each module. The path must outlive it.
 * -EINVAL: it is no BTF.
 */
int types_open_from(const char *path, struct types **out);
void types_close(struct types *types);

/*
 * For libbpf, to relocate programs by: a file with the types of the kernel and of those modules that hooks
 * are for and that are there now. NULL: libbpf asks the kernel itself. Valid until the next call.
 */
const char *types_custom_path(struct types *types);

/* Whether the kernel itself has BTF: without, no iterator and no fentry program loads. */
bool types_of_kernel_itself(const struct types *types);

/*
 * Whether what was read is of the running kernel, as far as that can be told: 0; -ENOEXEC, and why, a
 * sentence: it is not.
 */
int types_fit(struct types *types, char *why, size_t size);

/* Forgets what is known of a module: it was unloaded, and may come again as another one. */
void types_forget(struct types *types, const char *module);
/* The same of all that are no longer loaded. */
void types_forget_gone(struct types *types);

/*
 * Whether the types of a module can be read: it is loaded, and has BTF (36e68442d1af, 5.11), or they are in
 * the file that types_open_from() read.
 */
bool types_has_module(struct types *types, const char *module);

struct type_member {
	uint64_t offset;      /* bytes, from the start of the outermost struct */
	uint64_t struct_size; /* of the outermost struct, bytes */
	uint64_t size;        /* of the member, bytes; 0: none, or a bit field's is not told */
	char type_name[64];   /* of the member, typedefs resolved: "mutex"; "" for unnamed and pointers */
};

/*
 * Finds a member (a path "arch.apic_map_lock" goes into structs) of a struct in
 * the BTF of a module (may be NULL or not loaded) or else of the kernel. Where a
 * module has several structs of one name, the one that has the member is meant.
 * 0; -ENOENT: no such struct; -ENOMSG: the struct is there, the member is not.
 */
int types_member(struct types *types, const char *module, const char *structure, const char *member,
		 struct type_member *out);

/* The same in any of these modules (a list that ends with NULL) or the kernel. */
int types_member_anywhere(struct types *types, const char *const *modules, const char *structure,
			  const char *member, struct type_member *out);

/* The same in all modules that are loaded but these. */
int types_member_elsewhere(struct types *types, const char *const *modules, const char *structure,
			   const char *member, struct type_member *out);

struct type_function {
	uint32_t id;
	int btf_fd;
	int arguments;
};

/*
 * Finds a function of the kernel ("") or a module (or, built in, of the kernel) in
 * BTF, as fentry needs it: its type id, and a file descriptor of the BTF it is in,
 * 0 for the kernel's own (the descriptor stays the table's), and how many arguments
 * it has. 0, -ENOENT, or of a module -EPERM: its BTF is for CAP_SYS_ADMIN only.
 */
int types_function(struct types *types, const char *module, const char *function, struct type_function *out);

#endif
