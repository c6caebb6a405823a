# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The deadlock of 2023 for real: both tasks end up waiting for each other, and
# the report is there all the same, because a lock call is seen before it waits.
# locktrace then ends as ever, with its summary; nothing of it waits for them. As the
# deadlock was told, the tasks' long wait is not.
# lab: kernels=bookworm timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_fixture open_delay_ms=1500
tracer_start hang --json --stall 3
ltguest -name guest=demo -c "
	vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
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
	"the cycle was reported" 'cycle("vfio_group.group_lock"; "guests_lock"; "kvm.lock") | length >= 1' \
	"first as likely, then as the deadlock that it is" 'cycle("vfio_group.group_lock"; "guests_lock"; "kvm.lock") |
		map(.grade) == ["likely", "deadlock"] and .[1].previous_grade == "likely"' \
	"and not once more for lasting so long" 'summary.stalls == 0' \
	"complete" 'summary.complete == true'
pass
