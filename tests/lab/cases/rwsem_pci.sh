# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The rwsems of VFIO, of a real PCI device: they are watched with what they are in, found
# and born, and leave with it; the kernel's own code gives no finding. A container's
# lock is none of the other two that are called group_lock.
# lab: kernels=bookworm,bookworm-backports timeout=300 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_kvm
bind_edu
insmod /lab/fixture/lt_objects.ko || fail "cannot load lt_objects"
CONTAINER=vfio_container.group_lock
MEMORY=vfio_pci_core_device.memory_lock
for kind in fentry kprobe; do
	rm -f /tmp/go /tmp/made
	ltguest -c "container old; touch /tmp/made; await /tmp/go 300000; close old" &
	guest=$!
	wait_for 120 test -e /tmp/made || fail "the container was not made"
	tracer_start "$kind" --json --rwsem --attach "$kind"
	touch /tmp/go
	wait $guest
	check "locks of a device and its container, out of order" ltguest -name guest=pci -c "
		vm v; container k; group g $EDU_GROUP; setcontainer g k; iommu k; map k 0 0x10000; kvmvfio d v
		groupadd d g; device x g $EDU_ADDRESS
		@t1 objects write $CONTAINER k, lock kvm.irq_lock v, unlock kvm.irq_lock v, up_write $CONTAINER k
		@t1 objects lock kvm.irq_lock v, read $CONTAINER k, up_read $CONTAINER k, unlock kvm.irq_lock v
		@t1 objects read $MEMORY x, lock vfio_pci_core_device.igate x
		@t1 objects unlock vfio_pci_core_device.igate x, up_read $MEMORY x
		@t1 objects lock vfio_pci_core_device.igate x, write $MEMORY x
		@t1 objects up_write $MEMORY x, unlock vfio_pci_core_device.igate x
		close x; close d; close g; close k; close v"
	tracer_stop "$kind" 1
	check_json "/tmp/$kind.out" \
		"both are watched" "ready.classes | contains([\"$CONTAINER\", \"$MEMORY\"])" \
		"the container from before was found" 'ready.objects.container == 1' \
		"all containers are gone" 'summary.seen.objects.container == 0' \
		"the two circles that were made, and no other" \
		"findings | map([.kind, .grade, (.classes | sort)]) == [
			[\"circular\", \"one_task\", [\"kvm.irq_lock\", \"$CONTAINER\"]],
			[\"circular\", \"one_task\", [\"vfio_pci_core_device.igate\", \"$MEMORY\"]]]" \
		"the locks are those of the container and the device" \
		"findings | (.[0] | edge(\"$CONTAINER\"; \"kvm.irq_lock\").held[0].object | test(\"^container 0x\")) and
			(.[1] | edge(\"$MEMORY\"; \"vfio_pci_core_device.igate\").held[0].object | test(\"^device $EDU_ADDRESS\"))" \
		"nothing was lost" 'summary.lost | all(. == 0)'
done
pass
