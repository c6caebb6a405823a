# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The cycle of 2023 by another way, that of s390's zPCI: open takes a mutex of the
# device (kzdev_lock) and then kvm->lock, under group_lock. The driver is loaded
# while the tracer runs, so its lock is known by the name it is initialised with.
# lab: kernels=bookworm timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_kvm
load_vfio
for kind in fentry kprobe; do
	tracer_start $kind --json --attach $kind
	insmod /lab/fixture/lt_vfio.ko zdev=1 || fail "cannot load lt_vfio"
	check "the two sides, one after the other" ltguest -name guest=demo -c "
		vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
		@opener device x g lt_vfio.0; @closer& close d; join closer 10000
		@opener close x; close g; close k; close v"
	tracer_stop $kind 1
	rmmod lt_vfio || fail "cannot unload lt_vfio"
	check_json /tmp/$kind.out \
		"the cycle through kzdev_lock is found, once; it is likely" \
		'cycle("vfio_group.group_lock"; "&lt->kzdev_lock"; "kvm.lock") | map([.grade, .classes]) ==
			[["likely", ["vfio_group.group_lock", "&lt->kzdev_lock", "kvm.lock"]]]' \
		"the opener comes through the driver" \
		'cycle("vfio_group.group_lock"; "&lt->kzdev_lock"; "kvm.lock")[0] | edge("&lt->kzdev_lock"; "kvm.lock") | .task.comm == "opener" and
			(.stack | functions | index("lt_vfio_register_kvm") < index("vfio_group_fops_unl_ioctl")) and
			(.held | map(.class)) == ["vfio_device_set.lock", "vfio_group.group_lock", "&lt->kzdev_lock"]' \
		"it names the fix" 'cycle("vfio_group.group_lock"; "&lt->kzdev_lock"; "kvm.lock")[0].known | .commit == "2b48f52f2bff" and .release == "v6.3"' \
		"nothing was lost" 'summary.lost | all(. == 0)'
done
pass
