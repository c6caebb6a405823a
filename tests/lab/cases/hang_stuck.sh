# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# What "locktrace hang" itself needs is stuck: the memory of a process whose command
# line it wants, mutexes that are taken where BPF programs are loaded or VMs looked
# for. It ends in time all the same, with what it has and what it could not do.
# lab: kernels=bookworm timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

load_fixture take_locks=0
load_waits

ltguest -name guest=victim -c "
	@holder locks lock a; @waiter& locks lock a; hangs waiter 300; touch /tmp/waits; sleep 600000" &
victim=$!
wait_for 120 test -e /tmp/waits || fail "the waiter does not wait"
hang_run named 0 --json
check_json /tmp/named.out "a task that waits is named with its VM" \
	'wait_of("waiter") | .task.vm == "victim" and .owner.comm == "holder" and .owner.vm == "victim"'
waits "mmap $victim"
hang_run locked 0 --json
[ $HANG_CS -lt 3000 ] || fail "a process whose mmap_lock is held made it slow"
check_json /tmp/locked.out "one whose mmap_lock is held is told by its comm" \
	"wait_of(\"waiter\") | .task.pid == $victim and .task.vm == null and .owner.comm == \"holder\" and .owner.vm == null"
waits release


# stuck MUTEX STATUS OPTION...: hang while this one is held, within its time.
stuck() {
	stuck_mutex=$1
	shift
	waits "queue 3; mutex $(sed -n "s/^\\([0-9a-f]*\\) [a-zA-Z] $stuck_mutex\\(\\t.*\\)*\$/\\1/p" /proc/kallsyms | head -n 1)"
	hang_run stuck "$@"
	if [ "$stuck_mutex" = text_mutex ]; then
		piped
		watched
	fi
	/lab/bin/jq -r 'select(.type == "summary") | .trouble // "no trouble"' /tmp/stuck.out
	[ $HANG_CS -lt 1600 ] || fail "it took more than sixteen seconds with --timeout 8"
	waits release
}

# A child that is stuck must not keep the pipe open.
piped() {
	/lab/bin/locktrace hang --json --timeout 8 2>&1 | { cat >/tmp/piped; touch /tmp/eof; } &
	check "who reads its output sees the end" wait_for 120 test -e /tmp/eof
}

# Each look leaves some behind, but not without end.
watched() {
	/lab/bin/locktrace hang --json --timeout 2 --watch 1 >/tmp/watched 2>&1 &
	watcher=$!
	check "with --watch no more children are left behind than some" wait_for 120 grep -q "are stuck in the kernel" /tmp/watched
	stuck_children=$(grep -l "^PPid:[^0-9]*$watcher\$" /proc/[0-9]*/status | wc -l)
	check "they are eight to ten (found $stuck_children)" [ "$stuck_children" -ge 8 ]
	check "and no more" [ "$stuck_children" -le 10 ]
	kill -INT $watcher
	wait $watcher || [ $? -eq 2 ] || fail "hang --watch ended with status $?"
}

# Each program is loaded under it: nothing can be looked at.
stuck text_mutex 2 --json --timeout 8
check_json /tmp/stuck.out "it says what was stuck, and where" \
	'summary | .partial and (.trouble | test("loading the BPF programs") and test("text_poke|mutex_lock|bpf"))'
# All others are not needed.
for mutex in kvm_lock event_mutex module_mutex cgroup_mutex; do
	stuck $mutex 0 --json
	check_json /tmp/stuck.out "$mutex does not stop it" '(waits | map(select(.lock and .owner.comm != "holder")) | length == 3) and summary.trouble == null'
done
pass
