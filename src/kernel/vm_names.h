/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Names of VMs by process, kept from when a VM is first met: a report often comes
 * after the process is gone.
 */
#ifndef LOCKTRACE_KERNEL_VM_NAMES_H
#define LOCKTRACE_KERNEL_VM_NAMES_H

#include <stdint.h>

struct vm_names;

/* NULL when out of memory. Free with vm_names_free(). */
struct vm_names *vm_names_new(void);
void vm_names_free(struct vm_names *names);

/*
 * Looks up who runs a VM: pid is what struct kvm has, the thread that created it.
 * Reads /proc, within a fifth of a second. A process id met again is read again:
 * the number may have a new owner.
 */
void vm_names_learn(struct vm_names *names, uint32_t pid);

/* The name of the VM that a process (or the thread that was learnt) runs; NULL: none known. */
const char *vm_names_find(const struct vm_names *names, uint32_t pid);

#endif
