# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Queues and chains are no deadlock: "locktrace hang" tells each wait, the right
# owner and how many are behind it. A mutex that was handed over to a waiter which
# still sleeps is no self-deadlock. The truth is that of lt_waits.
# lab: kernels=bookworm,bullseye,bookworm-backports timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_waits

# agrees NAME: no deadlock, and all as lt_waits says.
agrees() {
	waits_truth
	hang_run "$1" 0 --json
	check_waits "$1"
}

waits "queue 3 static"
agrees queue
check_json /tmp/queue.out \
	"three waits for one mutex" 'waits | map(select(.lock)) | length == 3 and (map(.lock.addr) | unique | length == 1) and all(.kind == "mutex")' \
	"named by its symbol" 'waits | map(select(.lock)) | all(.lock.class | test("^lt_waits_mutex"))' \
	"the owner is the task that sleeps, with its stack" 'waits | map(select(.lock)) | all(.owner.comm == "lt_w0" and
		(.owner_stack | functions | index("lt_task_main") != null))' \
	"the waiters have stacks" 'waits | map(select(.lock)) | all(.stack | functions | index("lt_wait_deep") != null)' \
	"its root is that task with three behind it, directly" 'roots | length == 1 and (.[0] | .task.comm == "lt_w0" and .behind == 3 and .direct == 3 and .depth == 1)' \
	"it says since when" 'waits | map(select(.lock)) | all(.waited_ns > 200000000 and .waited_ns < 60000000000)'
hang_run text 0
cat /tmp/text.out
check_contains "the text says who holds up whom" /tmp/text.out '^lt_w0/[0-9]+ .* holds up 3 tasks\.$'
check_not "and of no deadlock" grep -E '^(Possible )?[Dd]eadlock [0-9]' /tmp/text.out
waits release

# Objects of more than a page, so not all in the first page of their slab.
waits "queue 1 slab; queue 1 slab; queue 1 slab; queue 1 slab"
agrees slab
slab_name="slab lt_waits_object+$(sed -n 's/^slablock [^ ]* //p' /tmp/truth | sort -u)"
# shellcheck disable=SC2016 # variables of jq
check_json /tmp/slab.out "a mutex in an object of a slab cache is named by that, and where in the object: $slab_name" \
	"waits | map(select(.lock)) | length == 4 and (map(.lock.addr) | unique | length == 4) and all(.lock.class == \"$slab_name\")"
waits release

waits "chain 5; two_queues 2 3"
agrees chain
check_json /tmp/chain.out \
	"the deepest chain comes first" 'roots | map([.direct, .behind, .depth]) == [[1, 5, 5], [5, 5, 1]]' \
	"ten waits" 'summary.waits == 10'
waits release

waits handoff
agrees handoff
check_json /tmp/handoff.out \
	"no self-deadlock: one wait, behind the one that was given the lock" 'findings == [] and
		(waits | map(select(.lock)) | map([.task.comm, .owner.comm]) | length == 1 and .[0][0] != .[0][1])'
hang_run text 0
cat /tmp/text.out
check_contains "the text says that it was given the lock" /tmp/text.out 'has just been given the lock it waited for'
waits release
pass
