# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# It detaches by dying: killed with signal 9, while it attaches and while it
# traces a busy host, nothing of it stays behind. Programs, links, maps, kprobes
# and traced functions are those of before within ten seconds, the kernel has
# nothing to complain about, and the next run works. By each attach kind.
# lab: kernels=bookworm,bookworm-backports timeout=500 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

OUTER=lt_locks_state.outer

# What a tracer leaves in the kernel, one line each.
traces() {
	for traces_what in prog link map; do
		echo "$(/lab/bin/bpftool $traces_what list 2>/dev/null | grep -c '^[0-9]') ${traces_what}s"
	done
	sed 's/^/kprobe /' /sys/kernel/debug/kprobes/list
	sed 's/^/traced function /' /sys/kernel/tracing/enabled_functions
}

is_as_before() {
	traces >/tmp/traces_now
	cmp -s /tmp/traces_before /tmp/traces_now
}

check_gone() {
	if ! wait_for 10 is_as_before; then
		diff /tmp/traces_before /tmp/traces_now
		fail "$1: this is left behind after ten seconds (above)"
	fi
	note "ok: $1: nothing is left behind"
}

# Work for ever, each in its own processes, until /tmp/busy goes. One process
# opens and closes the group: two would meet in the deadlock of 2023.
be_busy() {
	touch /tmp/busy
	while [ -e /tmp/busy ]; do
		ltguest -name guest=runs -c '
			vm v; vcpu c v; vcpu d v 1; @cpu0& run c; @cpu1& run d; sleep 50
			hangs cpu0 1; kick c; kick d; join cpu0 5000; join cpu1 5000; close c; close d; close v'
	done &
	while [ -e /tmp/busy ]; do
		ltguest -name guest=attaches -c "
			vm v; container k; group g $group; setcontainer g k; iommu k; kvmvfio d v; groupadd d g
			device x g lt_vfio.0; close d; close v; close x; close g; close k"
	done &
	while [ -e /tmp/busy ]; do
		ltguest -c 'locks pairs 500 0, pairs_under outer 100 500, loop a 1000, pairs_under outer 100 500'
	done &
	sleep 1
}

be_idle() {
	rm /tmp/busy
	wait_for 60 no_ltguest || fail "the load does not end"
}

no_ltguest() {
	! grep -qsx ltguest /proc/[0-9]*/comm
}

# Some of its programs are attached.
has_links() {
	traces >/tmp/traces_now
	grep -qE '^[1-9].* links' /tmp/traces_now
}

# kill9 NAME: in mid-flight.
kill9() {
	kill -9 "$(tracer_pid "$1")" || tracer_fail "$1" "has ended by itself"
	wait_for 10 tracer_has_ended "$1" || tracer_fail "$1" "outlives signal 9"
}

load_fixture
group=$(lt_vfio_group)
traces >/tmp/traces_before
sed 's/^/before: /' /tmp/traces_before
check "before there is nothing" [ "$(tr -d 'a-z \n' </tmp/traces_before)" = 000 ]
[ $# -gt 0 ] || set -- fentry kprobe
for kind in "$@"; do
	tracer_launch "early_$kind" --json --attach "$kind"
	wait_for 60 has_links || tracer_fail "early_$kind" "nothing attached after a minute"
	if tracer_is_ready "early_$kind"; then note "$kind: it was ready already"; fi
	kill9 "early_$kind"
	check_gone "$kind, killed while it attaches"

	tracer_start "traces_$kind" --json --attach "$kind" --watch $OUTER@lt_locks_state
	be_busy
	traces >/tmp/traces_now
	check_not "$kind: now there is something" cmp -s /tmp/traces_before /tmp/traces_now
	note "$(grep -c kprobe /tmp/traces_now) kprobes, $(grep -c function /tmp/traces_now) traced functions, $(head -n 3 /tmp/traces_now | tr '\n' ' ')"
	kill9 "traces_$kind"
	check_gone "$kind, killed while it traces"
	be_idle
done

for kind in "$@"; do
	tracer_launch "again_$kind" --json --attach "$kind" --watch $OUTER@lt_locks_state
done
for kind in "$@"; do
	tracer_ready "again_$kind"
done
ltguest -c '@t1 locks lock outer, lock a, unlock a, unlock outer; @t2 locks lock a, lock outer, unlock outer, unlock a'
for kind in "$@"; do
	tracer_stop "again_$kind" 1
	check_json "/tmp/again_$kind.out" "$kind: the next run works" "cycle(\"$OUTER\"; \"lt_lock_a\") | length == 1"
done
check_gone "ended by Ctrl-C"
dmesg >/tmp/messages
check_not "the kernel does not complain" grep -E 'BUG|WARNING|Oops|Call Trace|stall|hung_task|lockup' /tmp/messages
check "and works" ltguest -c 'vm v; vcpu c v; @cpu& run c; sleep 100; kick c; join cpu 5000; locks lock a, unlock a'
pass
