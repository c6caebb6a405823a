# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Memory of a lock that was let go: a foreign lock that is busy and never has
# another one under it leaves the filter after a while (ten seconds here). When
# its memory becomes another lock, that one is new: it has its own name, it is
# followed, and none of its dependencies is taken for one of the old lock.
# lab: kernels=bookworm,bookworm-backports timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

OUTER=lt_locks_state.outer
PINNER=lt_locks_state.inner

load_kvm
insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
tracer_start reuse --json --watch "$OUTER@lt_locks_state" --watch "$PINNER@*lt_locks_pointer"
check "a busy lock is freed and its memory is another lock" ltguest -c "
	locks new old; @t1 locks lock outer, lock old, unlock old, unlock outer
	locks loop old 10100; sleep 12000
	locks again old
	@t2 locks lock pinner, lock old_again, lock outer, unlock outer, unlock old_again, unlock pinner
	@t3 locks lock old_again, lock pinner, unlock pinner, unlock old_again"
tracer_stop reuse 1
check_json /tmp/reuse.out \
	"the lock was let go" 'summary.seen.let_go == 1' \
	"outer -> old and old_again -> outer are no cycle" "cycle(\"$OUTER\"; \"old\") == []" \
	"the cycle of the new lock is found, under its own name" \
	"cycle(\"$PINNER\"; \"old_again\") | map(.grade) == [\"likely\"]" \
	"nothing else" 'findings | length == 1'
pass
