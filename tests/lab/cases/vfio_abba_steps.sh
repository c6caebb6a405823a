# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Both halves of the 2023 KVM/VFIO deadlock, one after the other, by two tasks:
# opening a device whose driver takes kvm->lock under the group's locks, and
# closing the kvm-vfio device, which takes group_lock under kvm->lock (to v6.2).
# Nothing may hang: this is what a lock tracer must report all the same.
# lab: kernels=bookworm,bookworm-backports timeout=90 fixture=yes
# shellcheck source=lib.sh
. /lab/lib.sh

load_fixture devices=2
group=$(lt_vfio_group)
note "kernel $(uname -r), group $group"
check "both sides end, one after the other" ltguest -name guest=demo -c "
	vm v; vcpu c v
	container k; group g $group; setcontainer g k; iommu k; map k 0 0x10000
	kvmvfio d v; groupadd d g
	@opener device x g lt_vfio.0
	@closer& close d; join closer 10000
	@opener close x
	unmap k 0 0x10000
	close g; close k; close c; close v
"
check "the same again, with the VM gone before the device" ltguest -name guest=demo -c "
	vm v; container k; group g $group; setcontainer g k; iommu k
	kvmvfio d v; groupadd d g; device x g lt_vfio.0
	close d; close v; close x; close g; close k
"
check "no VM attached: the device opens without any KVM lock" ltguest -c "
	container k; group g $group; setcontainer g k; iommu k
	device x g lt_vfio.0; close x; close g; close k
"
check "one VM, two devices in two groups, closed by two tasks at a time" ltguest -c "
	vm v; container k; group g $group; group h $(lt_vfio_group 1)
	setcontainer g k; setcontainer h k; iommu k; kvmvfio d v; groupadd d g; groupadd d h
	@t1& device x g lt_vfio.0; @t2& device y h lt_vfio.1; join t1 5000; join t2 5000
	@t1& close x; @t2& close y; join t1 5000; join t2 5000
	groupdel d g; close d; close g; close h; close k; close v
"
check "two processes, one group: the second gets it when the first has let go" ltguest -c "
	%p1 vm v; %p1 container k; %p1 group g $group; %p1 setcontainer g k
	%p2 expect EBUSY group g $group
	%p1 close g; %p1 close k
	%p2 group g $group
"
pass
