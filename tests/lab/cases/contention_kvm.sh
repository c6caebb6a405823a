# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# The attach kind "contention" with KVM's own code only, so on kernels for which no module can be
# built here too: a task of tests/native/kvm_helper.c holds kvm->lock and waits for
# kvm->slots_lock. That is KVM's own order, so no finding; by a rule that has it the other way
# round it is one. On a VM that is there at the start and on one that is made in its place; also
# by a tracer that was there before KVM.
# lab: kernels=sid,bookworm-backports,bookworm timeout=240
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

[ -x /lab/bin/kvm_helper ] || skip "needs kvm_helper in LAB_FILES"
tracer_start early --json --attach contention
load_kvm
mkfifo /tmp/in
kvm_helper </tmp/in >/tmp/answers 2>/tmp/helper.err &
helper=$!
exec 3>/tmp/in
answers=0

# helper COMMAND...: and wait until each is done.
helper() {
	for helper_command in "$@"; do
		answers=$((answers + 1))
		echo "$helper_command" >&3
		wait_for 60 helper_answered ||
			fail "the helper cannot '$helper_command': $(cat /tmp/helper.err)"
	done
}

helper_answered() {
	[ "$(grep -c ok /tmp/answers)" -ge "$answers" ]
}

echo 'order kvm.slots_lock > kvm.lock' >/tmp/reverse.rules
helper make
tracer_start right --json --attach contention
tracer_start reverse --json --attach contention --no-builtin-rules --rules /tmp/reverse.rules
helper hold wait release close
# The tracers look each second, later where much else runs.
sleep 10
helper make
sleep 10
helper hold wait release
tracer_stop early 0
tracer_stop right 0
tracer_stop reverse 1
check_json /tmp/early.out \
	"KVM came later" '(ready.waiting | index("kvm.lock") != null) and ready.objects.vm == 0' \
	"and was followed then" 'summary.seen.dependencies >= 1 and findings == [] and (summary.trust | test("after the start.*kvm"))'
check_json /tmp/right.out \
	"ready names the kind and the VM" 'ready.attach == "contention" and ready.objects.vm == 1' \
	"no finding" 'findings == []' \
	"and yet the dependency was seen" 'summary.seen.dependencies >= 1' \
	"not complete, but nothing was lost" 'summary.complete == false and (summary.lost | all(. == 0))'
check_json /tmp/reverse.out \
	"the order is broken by the waiter, who holds kvm.lock" 'of_kind("order") | length == 1 and (.[0].edges[0] |
		.from == "kvm.lock" and .to == "kvm.slots_lock" and .task.comm == "waiter" and (.held | map(.class)) == ["kvm.lock"] and
		(.held[0].object | test("^VM [0-9]+")))' \
	"with its place and stack" 'of_kind("order")[0].edges[0] | (.taking.at | startswith("kvm_")) and
		(.stack[0] | startswith("__mutex_lock"))' \
	"and again with the second VM" 'summary.counts[0].count == 2' \
	"no other" 'findings | map(.id) | unique | length == 1'
kill $helper
pass
