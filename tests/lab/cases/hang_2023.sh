# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The deadlock of 2023 for real (vfio_abba_hang proves it), and nothing was
# attached before: "locktrace hang" says who waits for whom and for what, whose
# locks these are, and that no signal helps.
# lab: kernels=bookworm timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_fixture open_delay_ms=1500
ltguest -name guest=demo -c "
	vm v; vcpu u v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
	@opener& device x g lt_vfio.0; sleep 500; @closer& close d
	hangs opener 2500; hangs closer 1; touch /tmp/hung; sleep 600000" &
wait_for 120 test -e /tmp/hung || fail "the two tasks did not hang"
for task in opener closer; do
	[ "$(thread_state "$(threads_named $task)")" = D ] || fail "$task is not in D state"
done
note "ok: both tasks hang in D state, and locktrace has not run yet"
check_hang_2023 closer
check_json /tmp/json.out \
	"both tasks are of the VM by its name" 'waits | map(select(.lock)) | all(.task.vm == "demo")' \
	"so is the lock" "wait_of(\"opener\").lock.object | test(\"^VM [0-9]+ 'demo'\$\")"
check_contains "the text names the VM" /tmp/text.out "VM 'demo'"
hang_run one 1 --json --task "$(threads_named closer)"
check_json /tmp/one.out "--task tells the deadlock of the task" 'findings | length == 1'
hang_run none 0 --json --task $$
check_json /tmp/none.out "and of no other" 'findings == [] and roots == []'
hang_run nobody 2 --json --task 4194303
check_json /tmp/nobody.out "a task that does not exist is not called free of deadlocks" \
	'findings == [] and (summary | .partial and (.trouble | test("Task 4194303 was not seen")))'

list_run list
cat /tmp/list.out
/lab/bin/locktrace list --timeout 60 | tee /tmp/list.text
group_name=$(basename "$(readlink /sys/bus/platform/devices/lt_vfio.0/iommu_group)")
# shellcheck disable=SC2016 # variables of jq
check_json /tmp/list.out \
	"list has the VM with its name" '[.[] | select(.kind == "vm")] | length == 1 and .[0].vm == "demo"' \
	"its lock is the closer's, and the opener waits for it" '.[] | select(.kind == "vm") | .locks[] | select(.class == "kvm.lock") |
		.held_by == "task" and .owner.comm == "closer" and .waiters == 1' \
	"its other locks are free" '.[] | select(.kind == "vm") | .locks | map(select(.class != "kvm.lock")) | length > 1 and all(.held_by == "nobody")' \
	"the group's lock is the opener's" ".[] | select(.kind == \"group\" and (.name | test(\"^(noiommu-)?$group_name\$\"))) |
		.locks[] | select(.class == \"vfio_group.group_lock\") | .owner.comm == \"opener\" and .owner.vm == \"demo\" and .waiters == 1" \
	"the device is in the group" '([.[] | select(.kind == "group")][0].addr) as $group | [.[] | select(.kind == "device")] |
		length >= 1 and any(.parent == $group)' \
	"the vCPU is in the VM, its mutex free" '[.[] | select(.kind == "vm")][0].addr as $vm | [.[] | select(.kind == "vcpu")] |
		length == 1 and .[0].parent == $vm and (.[0].locks | map([.class, .held_by]) == [["kvm_vcpu.mutex", "nobody"]])'
check_contains "the text has the VM" /tmp/list.text "^VM [0-9]+ 'demo'\$"
check_contains "and who has its lock" /tmp/list.text '^  kvm\.lock +held by closer/[0-9]+ .*; 1 task waits$'
hang_run bare 1 --json --no-builtin-rules
check_json /tmp/bare.out "--no-builtin-rules names no known bug" 'findings | length == 1 and .[0].known == null'
pass
