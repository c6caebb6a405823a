# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The first half of the 2023 story for real (vfio_aa_hang proves it): a task waits
# for the group_lock that it holds. "locktrace hang" tells a deadlock of one.
# lab: kernels=bookworm timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_fixture take_locks=0
load_destroy
ltguest -name guest=demo -c "
	vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
	device x g lt_vfio.0; close d; close v
	@closer& close x; hangs closer 1000; touch /tmp/hung; sleep 600000" &
wait_for 120 test -e /tmp/hung || fail "the task did not hang"
[ "$(thread_state "$(threads_named closer)")" = D ] || fail "closer is not in D state"
hang_run text 1
cat /tmp/text.out
hang_run json 1 --json
check_json /tmp/json.out \
	"a deadlock of one" 'findings | length == 1 and .[0].kind == "deadlock" and (.[0].cycle | length == 1)' \
	"the closer, with the group's lock" 'findings[0].cycle[0] | .task.comm == "closer" and .task.vm == "demo" and
		.owner.tid == .task.tid and .waits_for.class == "vfio_group.group_lock" and
		(.waits_for.object | test("^group "))' \
	"with the stack from close to close" 'wait_of("closer").stack | functions | (index("vfio_file_set_kvm") < index("kvm_destroy_vm")) and
		(index("kvm_destroy_vm") < index("lt_vfio_close_device"))' \
	"nobody is behind it" 'findings[0].behind == 0 and roots == []'
check_contains "the text says that it waits for itself" /tmp/text.out '^Deadlock 1: a task waits for itself'
check_contains "in words too" /tmp/text.out 'which it holds itself: it waits for ever'
pass
