# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Misuse of a lock: unlocked by another task than its owner (only with
# --check-unlock), initialised again while held, freed while held; and none of
# these where locks are used as they should be.
# lab: kernels=bookworm,bookworm-backports timeout=500 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

OUTER=lt_locks_state.outer
INNER=lt_locks_state.inner
PUT_UNDER_LOCK=/sys/module/lt_vfio/parameters/put_under_lock

# The last reference of a VM is put by a task that holds its kvm->lock: each way
# for a VM of its own, the second one as s390's vfio_ap could do it (6.1: later VFIO
# holds a reference itself).
misuse() {
	ltguest -name guest=demo -c "
		@owner locks lock outer; @other locks unlock outer
		@holder locks lock inner, reinit inner
		vm v; @putter objects lock kvm.lock v, get v; close v; @putter objects put"
	[ "$LAB_SUITE" = bookworm ] || return 0
	echo 1 >"$PUT_UNDER_LOCK"
	ltguest -name guest=demo -c "
		vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
		device x g lt_vfio.0; close d; close v; @closer close x; close g; close k"
	echo 0 >"$PUT_UNDER_LOCK"
}

# check_misuse FILE: what is found with and without --check-unlock.
check_misuse() {
	check_json "$1" \
		"a lock initialised while held: by its holder" \
		"of_kind(\"reinit_held\") | length == 1 and (.[0] | .classes == [\"$INNER\"] and .grade == \"danger\" and
			(.edges[0] | .task.comm == \"holder\") and .owner_tid == .edges[0].task.tid and
			(.edges[0].stack | functions | index(\"lt_do_reinit\") >= 0))" \
		"a lock freed while held: kvm->lock, by the task that put the last reference" \
		'of_kind("freed_held") | length >= 1 and all(.classes == ["kvm.lock"] and .grade == "danger" and
			.owner_tid == .edges[0].task.tid) and .[0].edges[0].task.comm == "putter" and
			(.[0].edges[0].stack | functions | index("lt_do_put") > 0)' \
		"nothing was lost" 'summary.lost | all(. == 0)'
}

good_use() {
	ltguest -name guest=demo -c "
		vm v; vcpu c v; @cpu0& run c; sleep 200; hangs cpu0 1; kick c; join cpu0 5000
		$(objects_in_order @t1 'kvm.lock v' 'kvm_vcpu.mutex c')
		# not in reverse order; by a trylock; waited for by another task, and by one that a signal ends
		@t1 locks lock outer, lock a, unlock outer, trylock inner, unlock a, unlock inner
		@t1 locks lock outer; @t2& locks lock outer, unlock outer; hangs t2 200
		@t3& expect EINTR locks lock_interruptible outer; hangs t3 200; interrupt t3; join t3 5000
		@t1 locks unlock outer; join t2 5000
		@t1 locks loop outer 200; @t2 locks reinit inner; @t2 locks lock inner, unlock inner
		close c; close v
		vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
		device x g lt_vfio.0; close x; close d; close g; close k; close v"
}

load_fixture take_locks=0
load_objects
for kind in fentry kprobe; do
	tracer_start with_$kind --json --attach $kind --check-unlock --watch $OUTER@lt_locks_state --watch $INNER@lt_locks_state
	check "locks are misused" misuse
	tracer_stop with_$kind 1
	check_misuse /tmp/with_$kind.out
	check_json /tmp/with_$kind.out \
		"a lock unlocked by another: by whom, and whose it was" \
		"of_kind(\"bad_unlock\") | length == 1 and (.[0] | .classes == [\"$OUTER\"] and .grade == \"danger\" and
			.edges[0].task.comm == \"other\" and .owner_tid > 0 and .owner_tid != .edges[0].task.tid and
			(.edges[0].stack | functions | index(\"lt_do_unlock\") >= 0))" \
		"no lock but that of 6.1 which is taken under group_lock is in a wrong order" \
		'findings | map(select(.kind | IN("circular", "recursive", "order"))) |
			all(.classes | contains(["vfio_group.group_lock"]))'

	tracer_start without_$kind --json --attach $kind --watch $OUTER@lt_locks_state --watch $INNER@lt_locks_state
	check "locks are misused" misuse
	tracer_stop without_$kind 1
	check_misuse /tmp/without_$kind.out
	check_json /tmp/without_$kind.out "unlocks are not checked" 'of_kind("bad_unlock") == []'

	tracer_start good_$kind --json --attach $kind --check-unlock --watch $OUTER@lt_locks_state --watch $INNER@lt_locks_state
	check "locks are used as they should be" good_use
	tracer_stop good_$kind 0
	check_json /tmp/good_$kind.out "no finding" 'findings == []' "nothing was lost" 'summary.lost | all(. == 0)'
done

# Then every mutex is looked at, whoever took it and whatever with.
tracer_start every --json --every-lock --check-unlock
check "a lock that belongs to no class is misused" ltguest -c "
	@owner locks lock g; @other locks unlock g; @t1 locks lock h, lock i, unlock h, unlock i"
tracer_interrupt every
wait_for 120 tracer_has_ended every || tracer_fail every "does not end"
check_json /tmp/every.out \
	"--every-lock: unlocked by another, and nothing else is" \
	'of_kind("bad_unlock") | map([.classes, .edges[0].task.comm]) == [[["lt_lock_g"], "other"]] and .[0].owner_tid > 0'

tracer_start text --check-unlock --watch $OUTER@lt_locks_state --watch $INNER@lt_locks_state
check "locks are misused" misuse
tracer_stop text 1
for words in 'lt_locks_state.outer' 'other/[0-9]+' 'owner/[0-9]+' 'putter/[0-9]+'; do
	check_contains "the text has: $words" /tmp/text.out "$words"
done
pass
