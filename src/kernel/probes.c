/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * See probes.h. The programs are instructions and no object: so no file of types is read for them, and each
 * system call that fails is the one that the probe is about.
 */
#include "kernel/probes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "locktrace/kernel_side.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct bpf_insn return_zero[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static int load(enum bpf_prog_type type, const struct bpf_prog_load_opts *opts)
{
	return bpf_prog_load(type, "lt_probe", "GPL", return_zero, COUNT(return_zero), opts);
}

/* Closes what a probe opened; an error stays one. */
static int close_one(int fd)
{
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* A program that loaded, and what attached it. */
static int close_both(int program, int link)
{
	close(program);
	return close_one(link);
}

int probe_load(void)
{
	return close_one(load(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL));
}

/* 1b9ed84ecf26, 5.4 */
int probe_btf_objects(void)
{
	uint32_t id = 0;
	int err = bpf_btf_get_next_id(id, &id);

	return err == -ENOENT ? 0 : err;
}

/* 457f44363a88, 5.8. As large as a watch's: kernels before 5.11 count it against RLIMIT_MEMLOCK. */
int probe_ring_buffer(void)
{
	return close_one(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "lt_probe", 0, 0, LT_RING_SIZE, NULL));
}

/* BPF_PROG_TEST_RUN of raw tracepoint programs: 1b4d60ec162f, 5.10. */
static int run(int program, uint64_t argument, uint32_t *result)
{
	uint64_t args[1] = { argument };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));
	int err = bpf_prog_test_run_opts(program, &opts);

	*result = opts.retval;
	return err;
}

int probe_test_run(void)
{
	int fd = load(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL), err;
	uint32_t result;

	if (fd < 0)
		return fd;
	err = run(fd, 0, &result);
	close(fd);
	return err;
}

/*
 * The program: bytes at the argument (an address, or an offset in the current task), or, negative, what
 * bpf_probe_read_kernel() said (6ae08ae3dea2, 5.5). With lockdown in confidentiality mode a kernel refuses
 * the helper at run time (up to 5.12) or does not know it at load time (ff40e51043af, 5.13).
 */
static int load_reader(bool own_task, uint32_t size)
{
	const struct bpf_insn address[] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_6, .src_reg = BPF_REG_1 },
	};
	const struct bpf_insn add_task[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_task },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_X, .dst_reg = BPF_REG_6, .src_reg = BPF_REG_0 },
	};
	const struct bpf_insn read[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD, .dst_reg = BPF_REG_1, .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = (int)size },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_3, .src_reg = BPF_REG_6 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = BPF_REG_0, .off = 1 },
		{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = BPF_REG_0, .src_reg = BPF_REG_10, .off = -8 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_insn program[COUNT(address) + COUNT(add_task) + COUNT(read)];
	size_t count = COUNT(address);

	memcpy(program, address, sizeof(address));
	if (own_task) {
		memcpy(program + count, add_task, sizeof(add_task));
		count += COUNT(add_task);
	}
	memcpy(program + count, read, sizeof(read));
	return bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "lt_probe_read", "GPL", program,
			     count + COUNT(read), NULL);
}

static int read_kernel(bool own_task, uint64_t argument, uint32_t size, uint32_t *out)
{
	int fd = load_reader(own_task, size), err;

	/* The helper is not known, and programs do load: it is kept from us. */
	if (fd == -EINVAL && !probe_load())
		return -EPERM;
	if (fd < 0)
		return fd;
	err = run(fd, argument, out);
	close(fd);
	if (err)
		return err;
	return (int32_t)*out < 0 && (int32_t)*out > -4096 ? (int32_t)*out : 0;
}

int probe_read_memory(uint64_t address)
{
	uint32_t byte;

	return read_kernel(false, address, 1, &byte);
}

int probe_read_word(uint64_t address, uint32_t *out)
{
	return read_kernel(false, address, sizeof(*out), out);
}

int probe_read_own_task(uint64_t offset, uint32_t size, uint32_t *out)
{
	return read_kernel(true, offset, size, out);
}

static int iterate(int program, const struct bpf_link_create_opts *opts)
{
	int link = bpf_link_create(program, 0, BPF_TRACE_ITER, opts);

	return link < 0 ? link : close_both(link, bpf_iter_create(link));
}

static int iterate_map(int program)
{
	int map = bpf_map_create(BPF_MAP_TYPE_HASH, "lt_probe", 8, 8, 1, NULL), err;
	union bpf_iter_link_info info = { .map.map_fd = map < 0 ? 0 : (uint32_t)map };
	LIBBPF_OPTS(bpf_link_create_opts, opts, .iter_info = &info, .iter_info_len = sizeof(info));

	if (map < 0)
		return map;
	err = iterate(program, &opts);
	close(map);
	return err;
}

/* 15d83c4d7cef, 5.8; over the elements of a map a5cbe05a6673, 5.9. */
int probe_iterator(struct types *types, const char *function)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_ITER);
	struct type_function target;
	int program, err = types_function(types, "", function, &target);

	if (err)
		return err;
	opts.attach_btf_id = target.id;
	program = load(BPF_PROG_TYPE_TRACING, &opts);
	if (program < 0)
		return program;
	err = strstr(function, "map_elem") ? iterate_map(program) : iterate(program, NULL);
	close(program);
	return err;
}

/* c4f6699dfcb8, 4.17; sched_process_free 0a16b6075843, 2.6.28; contention_begin 16edd9b511a1, 5.19. */
int probe_raw_tracepoint(const char *name)
{
	int program = load(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL);

	return program < 0 ? program : close_both(program, bpf_raw_tracepoint_open(name, program));
}

/* BPF trampolines: fec56f5890d9, 5.5; arm64 efc9909fdce0, 6.0; in modules 290248a5b7d8, 5.11. A program or
 * errno. */
static int load_trampoline(struct types *types, const char *module, const char *function,
			   enum bpf_attach_type type)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	struct type_function target;
	int err = types_function(types, module, function, &target);

	if (err)
		return err;
	opts.attach_btf_id = target.id;
	opts.attach_btf_obj_fd = (uint32_t)target.btf_fd;
	return load(BPF_PROG_TYPE_TRACING, &opts);
}

static int probe_trampoline(struct types *types, const char *module, const char *function,
			    enum bpf_attach_type type)
{
	int program = load_trampoline(types, module, function, type);

	return program < 0 ? program : close_both(program, bpf_raw_tracepoint_open(NULL, program));
}

int probe_fentry_load(struct types *types, const char *module, const char *function)
{
	return close_one(load_trampoline(types, module, function, BPF_TRACE_FENTRY));
}

int probe_fentry(struct types *types, const char *module, const char *function)
{
	return probe_trampoline(types, module, function, BPF_TRACE_FENTRY);
}

int probe_fexit(struct types *types, const char *module, const char *function)
{
	return probe_trampoline(types, module, function, BPF_TRACE_FEXIT);
}

/* Number of the kprobe event source (e12f03d7031a, 4.17); -ENOENT: the kernel has no kprobe events. */
int probe_kprobe_type(void)
{
	FILE *file = fopen("/sys/bus/event_source/devices/kprobe/type", "re");
	int type;

	if (!file)
		return -errno;
	if (fscanf(file, "%d", &type) != 1)
		type = -EINVAL;
	fclose(file);
	return type;
}

/* As libbpf attaches one. */
int probe_kprobe(const char *function)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .config1 = (uintptr_t)function };
	int type = probe_kprobe_type(), program, event, err;

	if (type < 0)
		return type;
	attr.type = (uint32_t)type;
	program = load(BPF_PROG_TYPE_KPROBE, NULL);
	if (program < 0)
		return program;
	event = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	err = event < 0 || ioctl(event, PERF_EVENT_IOC_SET_BPF, program) ? -errno : 0;
	close_one(event);
	close(program);
	return err;
}

/* 9ed9e9ba2337, 5.12: a kernel fills in as much of the struct as it knows. */
int probe_recursion_misses(void)
{
	int program = load(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL), err;
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	if (program < 0)
		return program;
	err = bpf_obj_get_info_by_fd(program, &info, &size);
	if (!err && size < offsetof(struct bpf_prog_info, recursion_misses) + sizeof(info.recursion_misses))
		err = -EOPNOTSUPP;
	close(program);
	return err;
}
