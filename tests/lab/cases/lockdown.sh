# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Kernel lockdown, raised step by step in one machine: in integrity mode (Secure Boot) all works; in
# confidentiality mode nothing can, and each command says why, also where the mode itself cannot be read.
# lab: kernels=bookworm,bookworm-backports,bullseye timeout=300
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

LOCKTRACE=/lab/bin/locktrace

# refuses WHAT COMMAND...: with status 2, no output, and words about lockdown.
refuses() {
	refuses_what=$1
	shift
	status=0
	timeout 60 "$@" >/tmp/refuses.out 2>/tmp/refuses.err || status=$?
	if [ $status != 2 ] || [ -s /tmp/refuses.out ] || ! grep -q 'lockdown is in confidentiality mode.*lockdown=integrity' /tmp/refuses.err; then
		cat /tmp/refuses.out /tmp/refuses.err
		fail "$refuses_what: status $status, or no word of lockdown, or output (above)"
	fi
	note "ok: $refuses_what"
}

# all_works NAME: a watch that sees a VM, a hang, a list.
all_works() {
	tracer_start "$1" --json
	check "a VM comes and goes" ltguest -name guest=new -c "vm v; vcpu c v; close c; close v"
	tracer_stop "$1" 0
	check_json "/tmp/$1.out" "$1: dependencies are seen" 'summary.seen.dependencies > 0' \
		"nothing is lost" 'summary.lost | all(. == 0)'
	hang_run "hang_$1" 0 --json
	list_run "list_$1"
}

# mode NAME: what check says of it.
mode() {
	check_json "/tmp/$1.out" "check: $1" "[.[] | select(.name == \"lockdown\").detail] == [\"$1\"]"
}

load_kvm
load_vfio
hold_exit
mount -t securityfs securityfs /sys/kernel/security
[ -e /sys/kernel/security/lockdown ] || fail "this kernel has no lockdown"

check_run none any
mode none
normal=$check_got
all_works watch_none

echo integrity >/sys/kernel/security/lockdown
check_run integrity "$normal"
mode integrity
all_works watch_integrity

echo confidentiality >/sys/kernel/security/lockdown
check_run confidentiality 2
mode confidentiality
check_json /tmp/confidentiality.out "one problem is told, not all that follows from it (5.10 has no types of modules besides)" \
	'problems | map(select(startswith("btf_") | not)) == ["lockdown"]' \
	"memory is not read" 'feature("read_memory") == "no" and feature("kprobe") == "no"'
refuses "watch" $LOCKTRACE watch --duration 1
refuses "hang" $LOCKTRACE hang
refuses "list" $LOCKTRACE list

umount /sys/kernel/security
check_run unseen 2
check_json /tmp/unseen.out "without securityfs the mode is unknown, and what it does is told" \
	'feature("lockdown") == "unknown" and (problems | index("read_memory") != null)'
refuses "watch, without securityfs" $LOCKTRACE watch --duration 1
refuses "hang, without securityfs" $LOCKTRACE hang
pass
