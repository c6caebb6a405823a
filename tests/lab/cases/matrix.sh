# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# What works on each kernel of the lab: a short run of everything that matters. Each
# step is checked, and says how it is in one line of fixed form, of which
# kernel_table.sh makes docs/kernels.md:
#   matrix: STEP ok|degraded|no|untested: what it was, or why, in locktrace's own words
# degraded: it works, but not all of it. untested: the lab cannot do that on this kernel.
# The steps and their order are those of kernel_table.sh.
# lab: kernels=bullseye,bookworm,bookworm-backports,bookworm-backports-rt,sid,bookworm-backports-arm64 timeout=240 fixture=if-possible
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

# tell STEP WORD TEXT
tell() {
	echo "matrix: $1 $2: $3"
}

# json FILE FILTER: what jq makes of all lines of the file, as plain text.
json() {
	/lab/bin/jq -r -s "$json_names $2" "$1"
}

has_fixture() {
	[ -e "/lab/fixture/$1.ko" ]
}

# A task takes lt_lock_p under a vCPU's mutex, another one that mutex, by KVM's own code, under
# lt_lock_p. Without lt_objects the first is the vCPU, in a page fault inside KVM_RUN; it is
# given much time, for nothing tells when it has come that far.
foreign_cycle() {
	if has_fixture lt_objects; then
		foreign_first="@cpu0 objects lock kvm_vcpu.mutex c; @cpu0 locks lock p, unlock p; @cpu0 objects unlock kvm_vcpu.mutex c"
	else
		foreign_first="memory w 0x2000 /dev/lt_locks; @cpu0& run c; sleep 3000; nmi w; sleep 3000; hangs cpu0 1; kick c; join cpu0 10000"
	fi
	echo "vm w; vcpu c w; $foreign_first
		@reverse locks lock p; @reverse regs c; @reverse locks unlock p; close c; close w"
}

# Stock vfio-pci: the files are closed so that the last reference to the VM is put under group_lock.
last_put() {
	echo "vm v; container k; group g $EDU_GROUP; setcontainer g k; iommu k; kvmvfio d v; groupadd d g
		device x g $EDU_ADDRESS; @closer close d; @closer close v; @closer close x; close g; close k"
}

load_all() {
	load_kvm
	if has_fixture lt_vfio; then
		load_fixture
	elif has_fixture lt_locks; then
		insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
	fi
	! has_fixture lt_objects || load_objects
	bind_edu
}

# One run of the tracer over all that makes findings here.
watch_all() {
	tracer_start watch --json -v
	! has_fixture lt_vfio || check "both sides of the deadlock of 2023" ltguest -name guest=demo -c "$(steps_2023)"
	! has_fixture lt_locks || check "a foreign lock in both orders with a vCPU's mutex" ltguest -c "$(foreign_cycle)"
	check "stock VFIO: a VM and a device come and go" ltguest -name guest=demo -c "$(last_put)"
	tracer_interrupt watch
	wait_for 120 tracer_has_ended watch || tracer_fail watch "does not end"
	check_report /tmp/watch.out
	check_json /tmp/watch.out "nothing was lost" 'summary.lost | all(. == 0)'
}

# What is said of the run: by what, which classes, and whether it can be complete.
tell_watch() {
	attach=$(json /tmp/watch.out 'ready.attach')
	case $(json /tmp/watch.out 'summary.complete') in
	true) tell watch ok "by $attach; complete" ;;
	unknown) tell watch degraded "by $attach; $(json /tmp/watch.out 'summary.trust | split(". ")[0]')" ;;
	*) fail "something was lost" ;;
	esac
	missing=$(json /tmp/watch.out 'ready.missing | sort | join(", ")')
	case ", $missing" in
	', ') tell classes ok "all" ;;
	*kvm_vcpu.mutex* | *vfio_group.group_lock*) tell classes degraded "not in this kernel, or not in its type information: $missing" ;;
	*) tell classes ok "all that it has (not: $missing)" ;;
	esac
}

tell_2023() {
	if [ "$LAB_SUITE" = bookworm ]; then
		check_cycle_2023 /tmp/watch.out
		tell cycle_2023 ok "found, with the fix that ends it"
	elif [ "$(json /tmp/watch.out 'ready.classes | index("vfio_group.group_lock")')" = null ]; then
		tell cycle_2023 no "vfio_group.group_lock $(sed -n 's/^locktrace: vfio_group.group_lock \(is not in .*\)$/\1/p' /tmp/watch.err)"
	else
		check_json /tmp/watch.out \
			"the bug is mended here: no cycle of group_lock" 'cycle("vfio_group.group_lock"; "guests_lock"; "kvm.lock") == []' \
			"what is left of it is told: the last reference is put under group_lock" 'of_kind("forbidden_call") |
				map(select(.function == "kvm_destroy_vm")) | length == 1 and .[0].grade == "information" and
				.[0].classes == ["vfio_group.group_lock"] and .[0].edges[0].task.comm == "closer"'
		tell cycle_2023 ok "this kernel has the fix; the last reference put under group_lock is told, as information"
	fi
}

tell_foreign() {
	if ! has_fixture lt_locks; then
		tell foreign_cycle untested "the lab cannot build its modules for this kernel"
		return
	fi
	check_json /tmp/watch.out "a cycle of kvm_vcpu.mutex and a foreign lock" 'cycle("kvm_vcpu.mutex"; "lt_lock_p") | map(.grade) == ["likely"]'
	tell foreign_cycle ok "found, of kvm_vcpu.mutex and lt_lock_p"
}

# With lt_waits: a deadlock and queues, of mutexes, against the truth. Without it: a hang made from user space, and no deadlock.
look_at_hang() {
	if has_fixture lt_waits; then
		load_waits
		waits "random 31 5 3; queue 3; chain 5; two_queues 2 3"
		waits_truth
		check "there is a deadlock of three tasks" [ "$(grep -cE '^cycle [0-9]+( [0-9]+){3}$' /tmp/truth)" = 1 ]
		hang_run hang 1 --json
		check_waits hang
		waits release
	else
		mkdir /tmp/dir /tmp/in_dir
		mkfifo /tmp/in
		hang_helper /tmp/dir </tmp/in >/tmp/tasks 2>/tmp/helper.err &
		helper=$!
		exec 3>/tmp/in
		wait_for 120 grep -q '^ready' /tmp/tasks || fail "the helper is not ready: $(cat /tmp/helper.err)"
		hang_run hang 0 --json
		check_json /tmp/hang.out "six waits, three roots" 'summary.unverified == 0 and summary.waits == 6 and (roots | length == 3)'
		kill $helper
	fi
	if grep -q 'not analysed' /tmp/hang.err; then
		tell hang degraded "$(sed -n 's/^locktrace: \(.*not analysed\)$/\1/p' /tmp/hang.err)"
	else
		tell hang ok "each wait with its lock and owner"
	fi
}

# shellcheck disable=SC2016 # variables of jq
look_at_list() {
	ltguest -name guest=old -c "vm v; vcpu c v; touch /tmp/made; await /tmp/go 300000; close c; close v" &
	guest=$!
	wait_for 120 test -e /tmp/made || fail "the VM was not made"
	list_run list -v
	touch /tmp/go
	wait $guest
	check_json /tmp/list.out "list has the VM with its name, its vCPU and their locks" \
		'[.[] | select(.kind == "vm")][0] as $vm | $vm.vm == "old" and ($vm.locks | map(.class) | index("kvm.lock") != null) and
			([.[] | select(.kind == "vcpu")] | length == 1 and .[0].parent == $vm.addr and (.[0].locks | map(.class) == ["kvm_vcpu.mutex"]))'
	if json /tmp/list.out '[.[] | select(.kind == "group")] | length' | grep -qx 0; then
		tell list degraded "VMs and vCPUs, no groups; $(sed -n 's/^locktrace: note: \(the list of VFIO groups .*\)$/\1/p' /tmp/list.err)"
	else
		tell list ok "VMs, vCPUs, groups, devices, with their locks"
	fi
}

# What "check" says of it, and a watch by what was told above must be what it says.
look_at_check() {
	check_run check any
	check_json /tmp/check.out "hang and list are not impossible" 'summary | .hang != "impossible" and .list != "impossible"' \
		"a watch sees locks as it did" "summary.attach == \"$(json /tmp/watch.out 'ready.attach')\""
	levels=$(json /tmp/check.out 'summary | "watch \(.watch), hang \(.hang), list \(.list)"')
	case $levels in
	'watch full, hang full, list full') tell check ok "$levels" ;;
	*) tell check degraded "$levels; missing: $(json /tmp/check.out '[.[] | select(.type == "problem") | .missing] | join(", ")')" ;;
	esac
}

echo "matrix: kernel $(uname -r | cut -d. -f1-2)"
load_all
watch_all
tell_watch
tell_2023
tell_foreign
look_at_hang
look_at_list
look_at_check
pass
