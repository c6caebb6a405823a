# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Releases of readers that the tracer misses: on a kernel that preempts, a task that is
# preempted in a trampoline program makes the others on its CPU skip it. Tasks read an rwsem, let
# go of it and take a mutex, while another one reads on and on (so that the lock's count
# tells nothing): each release that is missed would make the mutex look taken under the
# rwsem, and the other order is there, too. No circle may be told, and the loss must be. (The sleep: the tracer
# reads the kernel's symbols for the first record, and is to look at the misses while they happen.)
# lab: kernels=bookworm-backports timeout=400 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

SEM=lt_locks_state.sem
OUTER=lt_locks_state.outer

insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
echo full >/sys/kernel/debug/sched/preempt || fail "this kernel cannot be made to preempt"
check "the kernel preempts" grep -qF '(full)' /sys/kernel/debug/sched/preempt

tracer_start missed --json --rwsem --attach fentry --watch $SEM@lt_locks_state --watch $OUTER@lt_locks_state
check "the mutex, then the rwsem; and many reads" ltguest -c "
	@keeper locks read sem
	@t1 locks lock outer, lock o, read sem, up_read sem, unlock o, unlock outer
	sleep 6000
	$(for task in 1 2 3 4 5 6 7 8; do echo "@l$task& locks reads sem 300000"; done)
	$(for task in 1 2 3 4 5 6 7 8; do echo "join l$task 300000"; done)
	@keeper locks up_read sem"
tracer_stop missed 0
check_json /tmp/missed.out \
	"calls were missed" 'summary.lost.recursion > 0' \
	"reads were let go of for it" 'summary.lost.readers > 0' \
	"and that is told" 'summary.complete == false and (summary.trust | test("read-held rwsems"))' \
	"no circle" 'findings == []' \
	"and yet the one order was seen" 'summary.seen.dependencies >= 2'
note "missed: $(/lab/bin/jq -c '.lost | select(.) | [.recursion, .readers]' /tmp/missed.out)"
pass
