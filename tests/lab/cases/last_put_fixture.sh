# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Stock 6.1 and a driver that puts the VM's last reference in its close_device, as
# drivers did then: kvm_destroy_vm under group_lock. set_kvm takes group_lock there,
# but kvm-vfio has let go of its groups in .release by then: information, and why.
# lab: kernels=bookworm timeout=400 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_fixture take_locks=0
MADE="vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
	device x g lt_vfio.0"
for kind in fentry kprobe; do
	tracer_start last_$kind --json --attach $kind
	check "kvm-vfio, VM, device" ltguest -name guest=demo -c "$MADE; close d; close v; @closer close x; close g; close k"
	tracer_stop last_$kind 0 # information alone
	check_last_put /tmp/last_$kind.out vfio_device_set.lock vfio_group.group_lock lt_vfio_close_device vfio_device_fops_release
	check_json /tmp/last_$kind.out \
		"the reason: there is no .destroy, so kvm-vfio gave up its groups before" \
		'findings[0] | (.rules | any(.text | test("not kvm_device_ops\\.destroy at kvm_vfio_ops"))) and
			([.why] + (.rules | map(.because)) | any(test("has \\.release, not \\.destroy: it gave up its groups")))'

	tracer_start first_$kind --json --attach $kind
	check "device, kvm-vfio, VM" ltguest -c "$MADE; close x; close d; close v; close g; close k"
	tracer_stop first_$kind 0
	check_not_last /tmp/first_$kind.out
done

# Where kvm_vfio_ops cannot be found, whether it has .destroy is not known: no danger, and not nothing.
grep -v ' kvm_vfio_ops' /proc/kallsyms >/tmp/kallsyms
mount --bind /tmp/kallsyms /proc/kallsyms
tracer_start unknown --json
check "kvm-vfio, VM, device" ltguest -name guest=demo -c "$MADE; close d; close v; @closer close x; close g; close k"
tracer_stop unknown 0 # information alone
umount /proc/kallsyms
check_last_put /tmp/unknown.out vfio_device_set.lock vfio_group.group_lock lt_vfio_close_device vfio_device_fops_release
check_json /tmp/unknown.out \
	"it is said that it is not known" 'findings[0].rules | length == 1 and all(.because | test("cannot be read"))'
pass
