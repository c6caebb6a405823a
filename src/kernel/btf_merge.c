/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/* See btf_merge.h. The kinds of types and what each refers to: Documentation/bpf/btf.rst. */
#include "kernel/btf_merge.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int btf_merge_open(const struct btf *kernel, struct btf_merged *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	out->btf = btf__new_empty();
	err = (int)libbpf_get_error(out->btf);
	if (err) {
		out->btf = NULL;
		return err;
	}
	out->base_count = btf__type_cnt(kernel);
	err = btf__add_btf(out->btf, kernel);
	return err < 0 ? err : 0;
}

/* A number of the kernel's types stays, one of the module's own is moved. */
static void move(uint32_t *id, uint32_t base_count, uint32_t by)
{
	if (*id >= base_count)
		*id += by;
}

static void move_members(struct btf_type *t, uint32_t base_count, uint32_t by)
{
	struct btf_member *m = btf_members(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++)
		move(&m[i].type, base_count, by);
}

static void move_parameters(struct btf_type *t, uint32_t base_count, uint32_t by)
{
	struct btf_param *p = btf_params(t);

	move(&t->type, base_count, by);
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		move(&p[i].type, base_count, by);
}

static void move_variables(struct btf_type *t, uint32_t base_count, uint32_t by)
{
	struct btf_var_secinfo *v = btf_var_secinfos(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++)
		move(&v[i].type, base_count, by);
}

/* All numbers of types in a type. */
static void move_type(struct btf_type *t, uint32_t base_count, uint32_t by)
{
	switch (btf_kind(t)) {
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
	case BTF_KIND_TYPE_TAG:
		move(&t->type, base_count, by);
		break;
	case BTF_KIND_ARRAY:
		move(&btf_array(t)->type, base_count, by);
		move(&btf_array(t)->index_type, base_count, by);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		move_members(t, base_count, by);
		break;
	case BTF_KIND_FUNC_PROTO:
		move_parameters(t, base_count, by);
		break;
	case BTF_KIND_DATASEC:
		move_variables(t, base_count, by);
		break;
	default: /* refers to none */
		break;
	}
}

int btf_merge_add(struct btf_merged *merged, const struct btf *module)
{
	uint32_t by = btf__type_cnt(merged->btf) - merged->base_count;

	for (uint32_t id = merged->base_count; id < btf__type_cnt(module); id++) {
		int added = btf__add_type(merged->btf, module, btf__type_by_id(module, id));

		if (added < 0)
			return added;
		/* It was added last, and is ours to change. */
		move_type((struct btf_type *)btf__type_by_id(merged->btf, (uint32_t)added),
			  merged->base_count, by);
	}
	return 0;
}

int btf_merge_write(struct btf_merged *merged, const char **path)
{
	uint32_t size;
	const char *data = btf__raw_data(merged->btf, &size);

	if (!data)
		return -ENOMEM;
	merged->fd = memfd_create("btf", MFD_CLOEXEC);
	if (merged->fd < 0)
		return -errno;
	while (size) {
		ssize_t written = write(merged->fd, data, size);

		if (written < 0)
			return -errno;
		data += written;
		size -= (uint32_t)written;
	}
	snprintf(merged->path, sizeof(merged->path), "/proc/self/fd/%d", merged->fd);
	*path = merged->path;
	return 0;
}

void btf_merge_close(struct btf_merged *merged)
{
	if (merged->fd > 0)
		close(merged->fd);
	btf__free(merged->btf);
	memset(merged, 0, sizeof(*merged));
}
