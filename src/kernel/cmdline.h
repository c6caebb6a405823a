/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The name of a virtual machine, from the command line of the process that runs
 * it. cmdline_vm_name() is pure; process_vm_name() asks /proc, without ever
 * waiting long: reading a command line takes the process's mmap_lock, which on a
 * sick host may be held for ever, so a child does it and is killed if it must be.
 */
#ifndef LOCKTRACE_KERNEL_CMDLINE_H
#define LOCKTRACE_KERNEL_CMDLINE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Finds the VM's name in a command line as /proc/PID/cmdline has it: arguments
 * that end with NUL each; any bytes, need not end with NUL. Knows QEMU (-name NAME,
 * -name guest=NAME,...), Firecracker (--id ID), Cloud Hypervisor (--api-socket
 * PATH: its file name without .sock), crosvm and lkvm (--name NAME). Writes a
 * name of printable characters (others become '?'), cut to size. 0, or -ENOENT:
 * no such argument.
 */
int cmdline_vm_name(const char *cmdline, size_t length, char *out, size_t size);

/*
 * The same for a living process. 0; -ENOENT: no name in it, or no such process;
 * -ETIMEDOUT: its command line could not be read within timeout_ms.
 */
int process_vm_name(uint32_t pid, int timeout_ms, char *out, size_t size);

#endif
