// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/* What of ltguest's KVM is of arm64; see ltguest.h. Called by steps.c. */
#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "ltguest.h"

#define GUEST_PAGE 0x1000u /* where the guest's one page of code lies */

/* KVM_REG_ARM_CORE_REG(regs.pc), of 64 bits: Documentation/virt/kvm/api.rst, KVM_SET_ONE_REG. */
#define REG_PC                                                 \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
	 offsetof(struct kvm_regs, regs.pc) / sizeof(uint32_t))

int machine_vm(int vm)
{
	static const uint32_t code[] = { 0xd503207f, 0x17ffffff }; /* 1: wfi; b 1b */
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = GUEST_PAGE,
		.memory_size = 0x1000,
	};
	void *page = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return step_fail("mmap of the guest's memory");
	memcpy(page, code, sizeof(code));
	region.userspace_addr = (uintptr_t)page;
	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) ? step_fail("KVM_SET_USER_MEMORY_REGION") : 0;
}

int machine_vcpu(int vm, int vcpu)
{
	uint64_t pc = GUEST_PAGE;
	struct kvm_one_reg reg = { .id = REG_PC, .addr = (uintptr_t)&pc };
	struct kvm_vcpu_init init = { 0 };

	if (ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init))
		return step_fail("KVM_ARM_PREFERRED_TARGET");
	if (ioctl(vcpu, KVM_ARM_VCPU_INIT, &init))
		return step_fail("KVM_ARM_VCPU_INIT");
	return ioctl(vcpu, KVM_SET_ONE_REG, &reg) ? step_fail("KVM_SET_ONE_REG") : 0;
}

/* There would have to be an interrupt controller, and a handler. */
int machine_nmi(int vm)
{
	(void)vm;
	return step_error("no NMI on this architecture", ENOTSUP);
}

int machine_apic(int vcpu)
{
	(void)vcpu;
	return step_error("no local APIC on this architecture", ENOTSUP);
}

int machine_regs(int vcpu)
{
	uint64_t pc;
	struct kvm_one_reg reg = { .id = REG_PC, .addr = (uintptr_t)&pc };

	return ioctl(vcpu, KVM_GET_ONE_REG, &reg) ? step_fail("KVM_GET_ONE_REG") : 0;
}
