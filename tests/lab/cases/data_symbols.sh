# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# A kernel whose symbols are functions only (no CONFIG_KALLSYMS_ALL): the deadlock of 2023 is found all the
# same, objects from before by their files; what is not known (static locks, slab names) is said.
# lab: kernels=bookworm timeout=300 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

LOCKTRACE=/lab/bin/locktrace

load_fixture
grep -v '^[0-9a-f]* [bBdDrRgGsSvV] ' /proc/kallsyms >/tmp/kallsyms
mount --bind /tmp/kallsyms /proc/kallsyms
check_not "no data symbols" grep -qwE 'init_task|kvm_lock|vm_list' /proc/kallsyms

check_run check 1
check_json /tmp/check.out \
	"check says so, and what it means" 'feature("data_symbols") == "no" and problems == ["data_symbols"] and
		(summary | [.watch, .hang, .list] == ["degraded", "degraded", "degraded"])' \
	"the static classes are missing" 'classes_of("missing") | contains(["kvm_lock", "vfio.group_lock"])'

rm -f /tmp/go /tmp/made
PREPARE="vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g"
ltguest -name guest=demo -c "$PREPARE; touch /tmp/made; await /tmp/go 300000
	@opener device x g lt_vfio.0; @closer& close d; join closer 10000
	@opener close x; close g; close k; close v" &
guest=$!
wait_for 120 test -e /tmp/made || fail "the VM was not made"

$LOCKTRACE list --json --timeout 60 >/tmp/list.out 2>/tmp/list.err || fail "list: status $?"
check_json /tmp/list.out "list finds the VM and the group, and no static lock" 'any(.kind == "vm" and .vm == "demo") and any(.kind == "group") and
	([.[] | select(.kind == "static").locks[]] == [])'
check_contains "and says why" /tmp/list.err 'functions only .no CONFIG_KALLSYMS_ALL'
hang_run hang 0 --json

tracer_start watch --json
check_contains "watch says what is not known" /tmp/watch.err 'functions only .no CONFIG_KALLSYMS_ALL'
touch /tmp/go
wait $guest
tracer_stop watch 1
check_json /tmp/watch.out \
	"objects from before are found by their files" 'ready.objects | .vm == 1 and .group == 1' \
	"the static locks are missing" 'ready.missing | contains(["kvm_lock", "vfio.group_lock"])' \
	"the cycle is found, with a lock that has no name by the place where it was first taken" 'of_kind("circular") | length == 1 and
		(.[0] | .grade == "likely" and (.classes | length == 3 and contains(["vfio_group.group_lock", "kvm.lock"]) and
		any(test("^at lt_vfio_lock_for_kvm\\+0x"))))'
pass
