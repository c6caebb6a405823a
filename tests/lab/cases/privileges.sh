# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Not root, but some of its capabilities: CAP_BPF, CAP_PERFMON and CAP_SYSLOG are enough; with CAP_SYS_ADMIN
# all is as for root. What is missing with less is told.
# lab: kernels=bookworm,bookworm-backports timeout=300 fixture=yes
# shellcheck disable=SC2086,SC2046 # FEW and MORE are commands with their options
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

# As user 1000 with these capabilities only. Commands, so that what is started in the background is locktrace itself.
with() {
	echo "/lab/bin/setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps=-all,$1 --ambient-caps=-all,$1"
}
FEW=$(with +bpf,+perfmon,+syslog)
MORE=$(with +bpf,+perfmon,+syslog,+sys_admin)

# refused STATUS WHAT PATTERN COMMAND...
refused() {
	refused_status=$1 refused_what=$2 refused_pattern=$3
	shift 3
	status=0
	"$@" >/tmp/refused.out 2>/tmp/refused.err || status=$?
	if [ $status != "$refused_status" ] || ! grep -qE -- "$refused_pattern" /tmp/refused.err; then
		cat /tmp/refused.out /tmp/refused.err
		fail "$refused_what: status $status, or no '$refused_pattern' (above)"
	fi
	note "ok: $refused_what"
}

# both_sides NAME WRAP OPTION...: a watch, by whoever WRAP makes of it, over both sides of the deadlock of 2023.
both_sides() {
	both_name=$1 both_wrap=$2
	shift 2
	$both_wrap /lab/bin/locktrace watch --json "$@" >"/tmp/$both_name.out" 2>"/tmp/$both_name.err" &
	echo $! >"/tmp/$both_name.pid"
	tracer_ready "$both_name"
	check "both sides of the deadlock of 2023, one after the other" ltguest -name guest=demo -c "
		vm v; container k; group g $(lt_vfio_group); setcontainer g k; iommu k; kvmvfio d v; groupadd d g
		@opener device x g lt_vfio.0; @closer& close d; join closer 10000
		@opener close x; close g; close k; close v"
	tracer_stop "$both_name" "$expected"
	check_json "/tmp/$both_name.out" \
		"$both_name: the cycle is found where the kernel has it, with the VM's name" \
		"cycle(\"vfio_group.group_lock\"; \"guests_lock\"; \"kvm.lock\") | map([.grade, .edges[0].task.vm]) ==
			if $expected == 1 then [[\"likely\", \"demo\"]] else [] end" \
		"objects are known, and nothing was lost" '(summary.seen.objects | .group == 1 and .device == 1) and (summary.lost | all(. == 0))'
}

load_fixture
[ -x /lab/bin/setpriv ] || fail "setpriv is not in the guest (LAB_FILES)"
mount -t securityfs securityfs /sys/kernel/security
case $LAB_SUITE in
bookworm) expected=1 ;;
*) expected=0 ;;
esac

refused 2 "without CAP_SYSLOG no addresses are seen" "CAP_SYSLOG" $(with +bpf,+perfmon) /lab/bin/locktrace watch --duration 1
refused 2 "without CAP_PERFMON nothing is read" "CAP_PERFMON" $(with +bpf,+syslog) /lab/bin/locktrace watch --duration 1

# Debian's own: more than 2 keeps all of perf_event_open() from users without CAP_SYS_ADMIN, and so kprobes.
echo 3 >/proc/sys/kernel/perf_event_paranoid
case $LAB_SUITE in
bookworm)
	CHECK_WRAP=$FEW check_run strict 1
	check_json /tmp/strict.out "without kprobes modules are not reached, and that is told, with what mends it" \
		'feature("kprobe") == "no" and problems == ["kprobe"] and ([.[] | select(.type == "problem").fix] | any(test("perf_event_paranoid=2"))) and
			(functions_of("refused") | index("kvm_arch_init_vm") != null) and (functions_of("reached") | index("mutex_lock") != null)'
	;;
*)
	CHECK_WRAP=$FEW check_run strict 0
	check_json /tmp/strict.out "kprobe.multi does not ask for that, and reaches modules" \
		'feature("kprobe") == "no" and summary.watch == "full" and summary.attach == "kprobe.multi, fentry" and functions_of("refused") == []'
	;;
esac
echo 2 >/proc/sys/kernel/perf_event_paranoid

CHECK_WRAP=$FEW check_run few any
check_json /tmp/few.out "with CAP_BPF, CAP_PERFMON and CAP_SYSLOG all works; modules are reached by kprobes, whose misses may not be counted" \
	'problems - ["kprobe_misses"] == [] and summary.hang == "full" and summary.list == "full" and summary.watch != "impossible" and
		feature("btf_objects") == "no" and feature("fentry_module") == "no" and feature("fentry") == "yes" and
		(classes_of("found") | contains(["kvm.lock", "vfio_group.group_lock"]))'
both_sides few_watch "$FEW"
HANG_WRAP=$FEW hang_run few_hang 0 --json
$FEW /lab/bin/locktrace list --json --timeout 60 >/tmp/list.out || fail "list by a user: status $?"
check_json /tmp/list.out "the group is listed" 'any(.kind == "group")'

CHECK_WRAP=$MORE check_run more 0
both_sides more_watch "$MORE"
HANG_WRAP=$MORE hang_run more_hang 0 --json
pass
