/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The parts of ltguest, the program that plays a hypervisor in the lab:
 *   ltguest.c  arguments, the script, prefixes of a step
 *   tasks.c    the named threads and processes that steps run in
 *   steps.c    the steps themselves: KVM, VFIO, locks
 *   machine_ARCHITECTURE.c  what of KVM is of one architecture: the guest's code, its vCPUs
 * Every function that returns int returns 0 or -errno unless it says otherwise.
 */
#ifndef LTGUEST_H
#define LTGUEST_H

#include <stdbool.h>

/* Longest step, handle name and number of words of a step. */
#define STEP_MAX 512
#define NAME_MAX_LENGTH 32
#define WORDS_MAX 8

/*
 * Run one step, with its prefixes, in the calling thread (or hand it to the
 * task that a prefix names). A failure is printed by whoever runs the step.
 */
int step_line(const char *line);

/* Run one plain step, without prefixes. May be called by several threads. */
int step_run(const char *step);

/* What the calling thread's failed step was doing, for the message. */
const char *step_failed_call(void);

/* Names a failing call; returns -errno, so that a step can return it. */
int step_fail(const char *call);

/* The same with an error of our own. */
int step_error(const char *call, int number);

/* A new VM gets a page of code, which sleeps in the kernel for ever. */
int machine_vm(int vm);

/* A new vCPU of it is made to run that. */
int machine_vcpu(int vm, int vcpu);

/* Without leaving KVM_RUN: wakes the vCPU with id 0, which reads guest address 0x2000. */
int machine_nmi(int vm);

/* Reads some register of a vCPU. */
int machine_regs(int vcpu);
/* Reads the vCPU's local APIC and sets it, which takes the lock of the VM's map of these. x86 only. */
int machine_apic(int vcpu);

/* "EBUSY" for EBUSY and back; errno_number returns -1 for an unknown name. */
const char *errno_name(int number);
int errno_number(const char *name);

/*
 * Tasks: named, made on first use, alive until the program ends. A process is
 * this program again, with handles of its own.
 */
int task_submit(const char *name, bool process, const char *step, bool wait);

/* Wait until task is idle; -ETIMEDOUT after ms (0: no limit), -EIO if a step of it failed. */
int task_join(const char *name, unsigned int ms);

/* Send a signal to a thread; -ESRCH if there is no thread of this name. */
int task_signal(const char *name, int number);

/* The name of the calling task for messages, "" in the main thread. */
const char *task_self(void);

/* Whether a step that was not waited for has failed in any task. */
bool tasks_failed(void);

/* What child process NAME does: run lines from fd 3, answer each on fd 4. Does not return. */
int task_child_main(const char *name);

#endif
