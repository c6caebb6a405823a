# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# A PCI device goes through stock vfio-pci and the emulated IOMMU to a VM whose
# vCPU runs. On 6.12 and newer the close of the device drops the VM's last
# reference under group_lock and dev_set->lock: legal, and worth reporting.
# lab: kernels=bookworm-backports,sid,bookworm,bullseye timeout=90
# shellcheck source=lib.sh
. /lab/lib.sh

load_kvm
bind_edu
note "kernel $(uname -r), edu at $EDU_ADDRESS in group $EDU_GROUP"
attach="container k; group g $EDU_GROUP; setcontainer g k; iommu k; map k 0 0x10000
	vm v; vcpu c v; kvmvfio d v; groupadd d g; device x g $EDU_ADDRESS"

check "attached to a VM with a running vCPU" ltguest -name guest=demo -c "
	$attach; @cpu0& run c; sleep 200; hangs cpu0 1; kick c; join cpu0 5000
	groupdel d g; close x; close d; close c; close v; close g; close k"
check "the device outlives the VM" ltguest -c "
	$attach; close d; close c; close v; close x; close g; close k"
check "a process that just ends" ltguest -c "
	%p1 container k; %p1 group g $EDU_GROUP; %p1 setcontainer g k; %p1 iommu k
	%p1 vm v; %p1 kvmvfio d v; %p1 groupadd d g; %p1 device x g $EDU_ADDRESS"
group_is_free() {
	ltguest -c "group g $EDU_GROUP; close g" 2>/dev/null
}
check "the group is free again" wait_for 120 group_is_free
check "a bad device name is refused" ltguest -c "
	container k; group g $EDU_GROUP; setcontainer g k; iommu k
	expect ENODEV device x g nosuch"
pass
