/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel side of "hang": who sleeps in what. Nothing is attached to anything: an
 * iterator over all tasks, and programs that read memory, run by BPF_PROG_TEST_RUN.
 * An object of its own: it loads where the hooks' object does not.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "locktrace/waiters_record.h"
#include "slab.bpf.h"
#include "task_state.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* One process reads one iterator at a time. Too large for the stack. */
struct lt_seen_task seen;
char memory[LT_READ_MAX];
/* What find_slab found: slab and slab_offset. */
struct lt_record_lock described;
/* Who reads the iterator: its own record tells what the run queues' clock is now. */
__u64 reader;

static __always_inline __u64 task_switches(struct task_struct *task)
{
	return BPF_CORE_READ(task, nvcsw) + BPF_CORE_READ(task, nivcsw);
}

/* Where the scheduler left it: inactive_task_frame, cpu_context in the kernel. */
static __always_inline __u64 task_sp(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(task, thread.sp);
#elif defined(__TARGET_ARCH_arm64)
	return BPF_CORE_READ(task, thread.cpu_context.sp);
#else
	return 0;
#endif
}

static __always_inline bool task_runs(struct task_struct *task)
{
	return bpf_core_field_exists(task->on_cpu) && BPF_CORE_READ(task, on_cpu);
}

static __always_inline void describe_task(struct task_struct *task)
{
	bpf_probe_read_kernel(&seen.task.id, sizeof(seen.task.id), &task);
	seen.task.pid = BPF_CORE_READ(task, tgid);
	seen.task.tid = BPF_CORE_READ(task, pid);
	BPF_CORE_READ_STR_INTO(&seen.task.comm, task, comm);
	seen.last_arrival = 0;
	if (bpf_core_field_exists(task->sched_info.last_arrival))
		seen.last_arrival = BPF_CORE_READ(task, sched_info.last_arrival);
	seen.exec_start = BPF_CORE_READ(task, se.exec_start);
	seen.blocked_on = 0;
	if (bpf_core_field_exists(task->blocked_on))
		seen.blocked_on = (__u64)BPF_CORE_READ(task, blocked_on);
	seen.blocker = 0;
	if (bpf_core_field_exists(task->blocker))
		seen.blocker = BPF_CORE_READ(task, blocker);
	seen.pi_blocked_on = 0;
	if (bpf_core_field_exists(task->pi_blocked_on))
		seen.pi_blocked_on = (__u64)BPF_CORE_READ(task, pi_blocked_on);
	seen.flags = BPF_CORE_READ(task, flags);
	seen.exit_state = BPF_CORE_READ(task, exit_state);
	seen.state = task_state(task);
}

SEC("iter/task")
int see_tasks(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	long bytes = 0;

	if (!task)
		return 0;
	reader = bpf_get_current_task();
	seen.switches = task_switches(task);
	describe_task(task);
	seen.kernel_stack = 0;
	seen.sp = 0;
	/* The stack of the dead is freed, of the running it changes. */
	if (!seen.exit_state) {
		seen.kernel_stack = (__u64)BPF_CORE_READ(task, stack);
		if (!task_runs(task)) {
			seen.sp = task_sp(task);
			bytes = bpf_get_task_stack(task, seen.stack, sizeof(seen.stack), 0);
		}
	}
	if (bytes < 0 || task_switches(task) != seen.switches)
		bytes = 0;
	if (bytes > (long)sizeof(seen.stack))
		bytes = sizeof(seen.stack);
	seen.stack_count = bytes / sizeof(seen.stack[0]);
	bpf_seq_write(seq, &seen, offsetof(struct lt_seen_task, stack) + bytes);
	return 0;
}

/* For user space: reads kernel memory, args: address, length. Returns 0 or not. */
SEC("raw_tp/read_memory")
int read_memory(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 address = ctx->args[0], length = ctx->args[1];

	if (length > LT_READ_MAX)
		return -1;
	return bpf_probe_read_kernel(memory, length, (void *)address);
}

/* For user space: the slab cache that an address is of, args: address. To "described"; an empty name: none.
 */
SEC("raw_tp/find_slab")
int find_slab(struct bpf_raw_tracepoint_args *ctx)
{
	described.slab[0] = '\0';
	describe_slab(&described, ctx->args[0]);
	return 0;
}
