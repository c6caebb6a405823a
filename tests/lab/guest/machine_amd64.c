// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* What of ltguest's KVM is of x86; see ltguest.h. Called by steps.c. */
#include <errno.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "ltguest.h"

#define GUEST_PAGE 0x1000u /* where the guest's one page of code and data lies */
#define GUEST_NMI 0x1100u  /* its NMI handler */
#define GUEST_IDT 0x1800u  /* its interrupt vectors: four bytes each in real mode */
#define GUEST_STACK 0x1ff0u
#define GUEST_TOUCHED 0x2000u /* what the NMI handler reads: see "memory" */
#define NMI_VECTOR 2
#define MSI_ADDRESS 0xfee00000u /* of the local APIC with id 0 */
#define MSI_NMI (4u << 8)       /* delivery mode NMI */

/* One page with "hlt" in an endless loop, in real mode, and a handler for NMIs. */
int machine_vm(int vm)
{
	static const uint8_t code[] = { 0xf4, 0xeb, 0xfd }; /* 1: hlt; jmp 1b */
	static const uint8_t nmi[] = { 0xa0, GUEST_TOUCHED & 0xff, GUEST_TOUCHED >> 8,
				       0xcf };             /* mov al; iret */
	static const uint16_t vector[] = { GUEST_NMI, 0 }; /* offset, segment */
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = GUEST_PAGE,
		.memory_size = 0x1000,
	};
	uint8_t *page = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* With the interrupt controller in the kernel, "hlt" sleeps in the kernel. */
	if (ioctl(vm, KVM_CREATE_IRQCHIP, 0))
		return step_fail("KVM_CREATE_IRQCHIP");
	if (page == MAP_FAILED)
		return step_fail("mmap of the guest's memory");
	memcpy(page, code, sizeof(code));
	memcpy(page + GUEST_NMI - GUEST_PAGE, nmi, sizeof(nmi));
	memcpy(page + GUEST_IDT - GUEST_PAGE + NMI_VECTOR * sizeof(vector), vector, sizeof(vector));
	region.userspace_addr = (uintptr_t)page;
	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) ? step_fail("KVM_SET_USER_MEMORY_REGION") : 0;
}

/* Point the vCPU at the page; a vCPU other than 0 is made runnable too. */
int machine_vcpu(int vm, int vcpu)
{
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_regs regs = { .rip = GUEST_PAGE, .rsp = GUEST_STACK, .rflags = 2 };
	struct kvm_lapic_state apic;
	struct kvm_sregs sregs;

	(void)vm; /* other architectures ask it */
	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		return step_fail("KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	sregs.idt.base = GUEST_IDT;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs))
		return step_fail("KVM_SET_SREGS");
	if (ioctl(vcpu, KVM_SET_REGS, &regs))
		return step_fail("KVM_SET_REGS");
	if (ioctl(vcpu, KVM_SET_MP_STATE, &state))
		return step_fail("KVM_SET_MP_STATE");
	/* As every hypervisor does: only then KVM's map of APIC ids has this vCPU, for "nmi". */
	if (ioctl(vcpu, KVM_GET_LAPIC, &apic))
		return step_fail("KVM_GET_LAPIC");
	return ioctl(vcpu, KVM_SET_LAPIC, &apic) ? step_fail("KVM_SET_LAPIC") : 0;
}

int machine_nmi(int vm)
{
	struct kvm_msi msi = { .address_lo = MSI_ADDRESS, .data = MSI_NMI };
	int delivered = ioctl(vm, KVM_SIGNAL_MSI, &msi);

	if (delivered < 0)
		return step_fail("KVM_SIGNAL_MSI");
	return delivered ? 0 : step_error("no vCPU took the NMI", EIO);
}

int machine_apic(int vcpu)
{
	struct kvm_lapic_state apic;

	if (ioctl(vcpu, KVM_GET_LAPIC, &apic))
		return step_fail("KVM_GET_LAPIC");
	return ioctl(vcpu, KVM_SET_LAPIC, &apic) ? step_fail("KVM_SET_LAPIC") : 0;
}

int machine_regs(int vcpu)
{
	struct kvm_regs regs;

	return ioctl(vcpu, KVM_GET_REGS, &regs) ? step_fail("KVM_GET_REGS") : 0;
}
