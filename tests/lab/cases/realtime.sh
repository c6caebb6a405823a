# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# PREEMPT_RT, where a mutex is an rt_mutex inside and everything can be preempted: under
# load, with tasks that come before all others, nothing false is found and nothing is
# lost; a task that waits for itself is told, and a deadlock of two, as it is. The
# kernel gives up a task that waits for itself (it sleeps for ever), so that comes last.
# lab: kernels=bookworm-backports-rt timeout=300 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

OUTER=lt_locks_state.outer
INNER=lt_locks_state.inner

# Three processes with one order of locks, one of KVM, one of VFIO's files; and FIFO
# threads of lt_waits that take locks of their own in front of all of them.
load() {
	waits "churn 6"
	load_pids=''
	for _ in 1 2 3; do
		ltguest -c "
			locks pairs_under outer 300 0, loop outer 2000; @t1& locks loop a 2000
			@t2& locks loop a 2000; join t1 100000; join t2 100000
			locks lock outer, lock b, lock c, unlock c, unlock b, unlock outer" &
		load_pids="$load_pids $!"
	done
	ltguest -name guest=demo -c "
		vm v; vcpu c v; vcpu d v 1; @cpu0& run c; @cpu1& run d; sleep 500; kick c; kick d
		join cpu0 20000; join cpu1 20000; close c; close d; close v
		vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
		device x g lt_vfio.0; close x; close d; close g; close k; close v" || return 1
	for load_pid in $load_pids; do
		wait "$load_pid" || return 1
	done
	waits release
}

load_fixture
load_waits
tracer_start load --json -v --watch "$OUTER@lt_locks_state" --watch "$INNER@lt_locks_state"
check "it runs under load" load
tracer_stop load 0
check_json /tmp/load.out \
	"kprobes are taken by themselves: all else would miss calls" 'ready.attach | test("kprobe")' \
	"no finding" 'findings == [] and summary.outside == 0' \
	"the orders were seen" 'summary.seen.dependencies >= 320' \
	"nothing was lost" 'summary.lost | all(. == 0)'

tracer_start hang --json --watch "$OUTER@lt_locks_state" --watch "$INNER@*lt_locks_pointer" --watch "$INNER@lt_locks_state"
# atomic_dec_and_mutex_lock() calls mutex_lock() here: that is one lock, not two.
check "two tasks take locks in both orders" ltguest -c "
	@t1 locks lock outer, dec_and_lock k, lock l, unlock l, unlock k, unlock outer
	@t2 locks lock l, lock outer, unlock outer, unlock l"
ltguest -c "
	@left locks lock outer; @right locks lock pinner
	@left& locks lock pinner; hangs left 500; @right& locks lock outer; hangs right 2000
	touch /tmp/hung; sleep 600000" &
wait_for 120 test -e /tmp/hung || fail "the two tasks did not hang"
ltguest -c "@third& locks lock outer; hangs third 500; touch /tmp/queued; sleep 600000" &
wait_for 120 test -e /tmp/queued || fail "the third task does not wait"
hang_run look 1 --json
check_json /tmp/look.out \
	"hang: a deadlock of the two" 'findings | length == 1 and .[0].kind == "deadlock" and
		(.[0].cycle | map(.task.comm) | sort == ["left", "right"])' \
	"and one that waits behind it" 'findings[0].behind == 1 and (wait_of("third") | .owner.comm == "left")' \
	"by what the kernel says itself" 'waits | map(select(.lock)) | length == 3 and all(.kind == "mutex" and .proof == "blocked_on")' \
	"with the stacks of who waits, from the lock on" 'waits | map(select(.lock)) | all(.stack | functions | .[0] == "mutex_lock" and .[1] == "lt_do_lock")'
hang_run text 1
check_contains "in words" /tmp/text.out '^Deadlock 1: 2 tasks wait for each other'
ltguest -c "@alone locks lock inner; @alone& locks lock inner; hangs alone 500; touch /tmp/alone; sleep 600000" &
wait_for 120 test -e /tmp/alone || fail "the task that waits for itself does not hang"
tracer_stop hang 1
check_json /tmp/hang.out \
	"watch: the deadlock of the two, as it is" "cycle(\"$OUTER\"; \"$INNER\") | map(.grade) == [\"likely\", \"deadlock\"]" \
	"and the task that waits for itself, which no signal ends" \
	"of_kind(\"recursive\") | map([.classes, .grade, .edges[0].task.comm]) == [[[\"$INNER\"], \"deadlock\", \"alone\"]]" \
	"a lock that comes with a count is held once" "cycle(\"$OUTER\"; \"lt_lock_k\"; \"lt_lock_l\")[0] | edge(\"lt_lock_k\"; \"lt_lock_l\") |
		(.held | map(.class)) == [\"$OUTER\", \"lt_lock_k\"]" \
	"nothing else" 'findings | map(.id) | unique | length == 3' \
	"nothing was lost" 'summary.lost | all(. == 0)'
pass
