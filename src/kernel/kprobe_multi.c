/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * By address and not by name: a name is looked up among all symbols of the kernel and
 * its modules for each link, and may be there more than once. See kprobe_multi.h.
 */
#include "kernel/kprobe_multi.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <unistd.h>

/* One of the lock functions, so patching it asks for nothing that is not to come anyway. */
#define SELDOM_CALLED "mutex_lock_io"

/*
 * Where a function's entry saves only some of the registers (arm64), a program gets a copy in memory
 * of the CPU's (kernel/trace/bpf_trace.c, "bpf: Enable kprobe_multi feature if CONFIG_FPROBE is enabled"),
 * which is not on the task's stack: in_task() in bpf/state.bpf.h would take every call for an interrupt's.
 */
#define COPIED_REGISTERS "bpf_kprobe_multi_pt_regs"

/* It is data: without CONFIG_KALLSYMS_ALL it is not seen, and so it is assumed where a kernel may do that. */
static bool are_registers_copied(struct kallsyms *symbols)
{
#if !defined(__x86_64__)
	if (!kallsyms_has_data(symbols))
		return true;
#endif
	return kallsyms_address(symbols, "", COPIED_REGISTERS) != 0;
}

/* 0dcac2725406, 5.18; needs CONFIG_FPROBE. */
int kprobe_multi_try(struct kallsyms *symbols)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, load, .expected_attach_type = BPF_TRACE_KPROBE_MULTI);
	unsigned long address = kallsyms_address(symbols, "", SELDOM_CALLED);
	LIBBPF_OPTS(bpf_link_create_opts, create, .kprobe_multi.addrs = &address, .kprobe_multi.cnt = 1);
	int program, link, err = 0;

	if (are_registers_copied(symbols))
		return -EOPNOTSUPP;
	program = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "try", "GPL", nothing, 2, &load);
	if (program < 0)
		return -errno;
	link = bpf_link_create(program, 0, BPF_TRACE_KPROBE_MULTI, &create);
	if (link < 0)
		err = -errno;
	else
		close(link);
	close(program);
	return err;
}

void kprobe_multi_prepare(struct bpf_program *program)
{
	bpf_program__set_expected_attach_type(program, BPF_TRACE_KPROBE_MULTI);
}

struct bpf_link *kprobe_multi_attach(const struct bpf_program *program, uint64_t address, bool at_return)
{
	unsigned long addresses[] = { address };
	LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .addrs = addresses, .cnt = 1, .retprobe = at_return);

	return bpf_program__attach_kprobe_multi_opts(program, NULL, &opts);
}
