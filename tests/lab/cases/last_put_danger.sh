# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The same call where it does deadlock: 6.1 with kvm-vfio's .destroy, as before
# 51cdc8bc120e (vfio_aa_hang proves it). The task waits for ever for the lock that
# it holds; both findings are there all the same, told while it hangs, and the
# tracer goes on and ends as ever.
# Argument: an attach kind instead of fentry. One run only: the hung task stays.
# lab: kernels=bookworm timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_fixture take_locks=0
load_destroy
tracer_start danger --json --attach "${1:-fentry}"
ltguest -name guest=demo -c "
	vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
	device x g lt_vfio.0; close d; close v
	@closer& close x; hangs closer 3000; touch /tmp/hung; sleep 600000" &
wait_for 120 test -e /tmp/hung || fail "the task did not hang"
[ "$(thread_state "$(threads_named closer)")" = D ] || fail "closer is not in D state"
note "ok: the task hangs in D state"
check "the deadlock is told while the task hangs" wait_for 120 grep -q '"kind":"recursive"' /tmp/danger.out
check "another VM comes and goes meanwhile" ltguest -c 'vm v; vcpu c v; regs c; close c; close v'
tracer_stop danger 1
check_json /tmp/danger.out \
	"first the call, then the deadlock" 'findings | map(.kind) == ["forbidden_call", "recursive"]' \
	"the call is a danger: kvm_destroy_vm under group_lock" \
	'findings[0] | [.function, .grade, .classes] == ["kvm_destroy_vm", "danger", ["vfio_group.group_lock"]]' \
	"and known" 'findings[0].known | .commit == "51cdc8bc120e" and .release == "v6.2"' \
	"the reason is that .destroy takes group_lock" \
	'findings[0].rules | length >= 1 and any(
		(.text | test("if kvm_device_ops\\.destroy at kvm_vfio_ops")) and (.because | test("waits for itself")))' \
	"the deadlock is one lock, taken twice by its owner" \
	'findings[1] | [.grade, .same_instance, .classes] == ["deadlock", true, ["vfio_group.group_lock"]] and
		(.edges[0] | .from_addr == .to_addr and .task.comm == "closer")' \
	"and known" 'findings[1].known.commit == "51cdc8bc120e"' \
	"with the stack from close to close" \
	'findings[1].edges[0].stack | functions | (index("vfio_file_set_kvm") < index("kvm_destroy_vm")) and
		(index("kvm_destroy_vm") < index("lt_vfio_close_device"))' \
	"nothing was lost" 'summary.lost | all(. == 0)'
pass
