/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The types of the kernel and of some modules made one BTF: libbpf relocates programs by one file only, and
 * a module's BTF is written as a continuation of the kernel's. The kernel's keep their numbers.
 */
#ifndef LOCKTRACE_KERNEL_BTF_MERGE_H
#define LOCKTRACE_KERNEL_BTF_MERGE_H

#include <bpf/btf.h>
#include <stdint.h>

struct btf_merged {
	struct btf *btf;
	uint32_t base_count; /* types of the kernel, the void included */
	int fd;              /* of the file in memory; 0: none yet */
	char path[32];
};

/* Starts with the kernel's types. 0 or negative errno. */
int btf_merge_open(const struct btf *kernel, struct btf_merged *out);
/* Adds those that a module has of its own; its BTF was read on top of the kernel's. 0 or negative errno. */
int btf_merge_add(struct btf_merged *merged, const struct btf *module);
/* Writes all to a file in memory, whose path goes to *path. 0 or negative errno. */
int btf_merge_write(struct btf_merged *merged, const char **path);
void btf_merge_close(struct btf_merged *merged);

#endif
