# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Stock kernels, stock vfio-pci: the last reference to a VM is put in the close of
# its device, under group_lock, if the device's file is closed last. Since 2b48f52f2bff
# that cannot deadlock, so it is information. In another order it is not the last
# reference that is put there: nothing is told, and the summary counts it.
# lab: kernels=bookworm-backports,sid timeout=400
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

# close_in_order HANDLE...: a VM with the device comes, and its files are closed so.
close_in_order() {
	closing=''
	for handle in "$@"; do
		closing="$closing @closer close $handle;"
	done
	ltguest -name guest=demo -c "
		vm v; container k; group g $EDU_GROUP; setcontainer g k; iommu k; kvmvfio d v; groupadd d g
		device x g $EDU_ADDRESS; $closing close g; close k"
}

load_kvm
bind_edu
# 7.2 preempts in fentry programs and so loses calls, which it counts: what auto takes there is kprobes.
kinds="fentry kprobe"
[ "$LAB_SUITE" != sid ] || kinds=auto
for kind in $kinds; do
	tracer_start "last_$kind" --json --attach "$kind"
	check "kvm-vfio, VM, device" close_in_order d v x
	tracer_stop "last_$kind" 0 # information alone
	check_last_put "/tmp/last_$kind.out" vfio_group.group_lock vfio_device_set.lock vfio_device_put_kvm vfio_df_group_close
	check_json "/tmp/last_$kind.out" \
		"the rule is quoted, and says why it cannot deadlock here" \
		'findings[0].rules | length >= 1 and all(.text | test("kvm_destroy_vm under vfio_group.group_lock")) and
			any(.because | . != null and test("kvm_ref_lock|spinlock"))' \
		"it is no known bug of this kernel" 'findings[0].known == null' \
		"the VM that goes is named" 'findings[0] | (.object | test("^VM [0-9]+ .demo.$")) and
			(.text | test("called kvm_destroy_vm on VM [0-9]+ .demo. while it held"))' \
		"information is counted apart" 'summary.findings == 1 and summary.information == 1' \
		"what runs under the lock now is named" 'findings[0] | [.text, .why, .advice] | join(" ") | test("kvm_lock")'

	tracer_start "first_$kind" --json --attach "$kind"
	check "device, kvm-vfio, VM" close_in_order x d v
	tracer_stop "first_$kind" 0
	check_not_last "/tmp/first_$kind.out"
	check_json "/tmp/first_$kind.out" "once" 'summary.not_last[0].count == 1'
done

tracer_start text
check "kvm-vfio, VM, device; and again" close_in_order d v x
tracer_stop text 0
check_contains "the text names the call and the lock" /tmp/text.out 'kvm_destroy_vm.*vfio_group.group_lock'
check_contains "and that it is information" /tmp/text.out '\[information\]|^Grade: +information'
pass
