# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Stock 6.1 and a driver that puts the VM's last reference in its close_device, as
# drivers did then: kvm_destroy_vm under group_lock. set_kvm takes group_lock there,
# but kvm-vfio has let go of its groups in .release by then: information, and why.
# lab: kernels=bookworm timeout=120 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_fixture take_locks=0
MADE="vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
	device x g lt_vfio.0"
for kind in fentry kprobe; do
	tracer_start last_$kind --json --attach $kind
	check "kvm-vfio, VM, device" ltguest -name guest=demo -c "$MADE; close d; close v; @closer close x; close g; close k"
	tracer_stop last_$kind 0 # information alone
	check_json /tmp/last_$kind.out \
		"one finding, for information: kvm_destroy_vm under group_lock" \
		'findings | map([.kind, .function, .grade, .classes]) ==
			[["forbidden_call", "kvm_destroy_vm", "information", ["vfio_group.group_lock"]]]' \
		"by the closer, who holds the device set's and the group's lock" \
		'findings[0].edges[0] | .task.comm == "closer" and
			(.held | map(.class)) == ["vfio_device_set.lock", "vfio_group.group_lock"]' \
		"the chain that put the last reference" \
		'findings[0].edges[0].stack | functions | .[0] == "kvm_destroy_vm" and
			(index("lt_vfio_close_device") < index("vfio_device_fops_release"))' \
		"the reason: there is no .destroy, so kvm-vfio gave up its groups before" \
		'findings[0] | (.rules | any(.text | test("not kvm_device_ops\\.destroy at kvm_vfio_ops"))) and
			([.why] + (.rules | map(.because)) | any(test("has \\.release, not \\.destroy: it gave up its groups")))' \
		"nothing was lost" 'summary.lost | all(. == 0)'

	tracer_start first_$kind --json --attach $kind
	check "device, kvm-vfio, VM" ltguest -c "$MADE; close x; close d; close v; close g; close k"
	tracer_stop first_$kind 0
	check_json /tmp/first_$kind.out \
		"no finding, for it was not the last reference" 'findings == []' \
		"and yet the summary counts it" \
		'summary.not_last | map([.function, .under]) == [["kvm_put_kvm", "vfio_group.group_lock"]]'
done
pass
