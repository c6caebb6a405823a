/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * What the iterator of bpf/waiters.bpf.c writes, one record a task: fixed layout, no
 * padding; stack[] is cut to stack_count. User space reads the iterator's file.
 */
#ifndef LOCKTRACE_WAITERS_RECORD_H
#define LOCKTRACE_WAITERS_RECORD_H

#include "locktrace/record.h"

struct lt_seen_task {
	struct lt_task task;
	__u64 switches;     /* nvcsw + nivcsw */
	__u64 last_arrival; /* sched_info.last_arrival, by the run queue's clock; 0: the kernel has none */
	__u64 exec_start;   /* se.exec_start, by the run queue's clock less interrupts */
	__u64 kernel_stack; /* its lowest address; 0: the task is dead and may have none */
	__u64 sp;           /* where the task left its stack; 0: it runs on a CPU */
	__u64 blocked_on;   /* as the kernel has it; 0 where it has none */
	__u64 blocker;
	__u64 pi_blocked_on;
	__u32 state;       /* TASK_UNINTERRUPTIBLE ... (include/linux/sched.h) */
	__u32 exit_state;  /* EXIT_ZOMBIE ... */
	__u32 flags;       /* PF_EXITING ... */
	__u32 stack_count; /* frames; 0: it runs, or ran while it was looked at */
	__u64 stack[LT_STACK_MAX];
};

/*
 * Longest piece of kernel memory the program "read_memory" reads at once, bytes. Also how much
 * of a sleeping task's stack is searched at most: the frames of the scheduler and of a lock's slow path take
 * 200 to 400.
 */
#define LT_READ_MAX 2048

#endif
