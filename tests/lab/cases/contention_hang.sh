# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The deadlock of 2023 for real (as cycle_hang), by waits alone: both of its halves are waited
# for, so it is found, as likely and then as the deadlock that it is. guests_lock, between the
# two, nobody waited for: it is not seen.
# lab: kernels=bookworm timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_fixture open_delay_ms=1500
tracer_start hang --json --stall 3 --attach contention
ltguest -name guest=demo -c "
	vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
	sleep 3000
	@opener& device x g lt_vfio.0; sleep 500; @closer& close d
	hangs opener 4000; hangs closer 1000; touch /tmp/hung; sleep 600000" &
wait_for 120 test -e /tmp/hung || fail "the two tasks did not hang"
for task in opener closer; do
	[ "$(thread_state "$(threads_named $task)")" = D ] || fail "$task is not in D state"
done
note "ok: both tasks hang in D state"
sleep 8 # for longer than --stall
tracer_stop hang 1
check_json /tmp/hang.out \
	"the cycle was reported, first as likely, then as the deadlock that it is" \
	'cycle("vfio_group.group_lock"; "kvm.lock") | map([.grade, .previous_grade]) == [["likely", null], ["deadlock", "likely"]]' \
	"each task holds what the other one waits for" 'cycle("vfio_group.group_lock"; "kvm.lock")[0] |
		(edge("vfio_group.group_lock"; "kvm.lock") | .task.comm == "opener" and
			(.held | map(.class) | sort) == ["vfio_device_set.lock", "vfio_group.group_lock"]) and
		(edge("kvm.lock"; "vfio_group.group_lock") | .task.comm == "closer" and (.held | map(.class)) == ["kvm.lock"])' \
	"VM, group and device are named" 'cycle("vfio_group.group_lock"; "kvm.lock")[0] |
		(.text | test("kvm.lock of VM [0-9]+ .demo.") and test("of group [0-9]+")) and
		(.edges | all(.task.vm == "demo"))' \
	"it names the fix" 'cycle("vfio_group.group_lock"; "kvm.lock")[0].known.commit == "2b48f52f2bff"' \
	"and not once more for lasting so long" 'summary.stalls == 0' \
	"not complete, but nothing was lost" 'summary.complete == false and (summary.lost | all(. == 0))'
pass
