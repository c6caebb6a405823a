# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Where it cannot work, or is asked for what there is not, it says what is wrong
# and ends with status 2. That KVM and VFIO are not there yet is no such case:
# it waits, attaches when they come and finds the deadlock of 2023 as ever. And
# output that cannot be written is no success.
# lab: kernels=bookworm,bookworm-backports timeout=400 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

# ends STATUS WHAT PATTERN COMMAND...: the command ends by itself with this
# status, and the extended regular expression is in its messages.
ends() {
	ends_status=$1 ends_what=$2 ends_pattern=$3
	shift 3
	status=0
	timeout 20 "$@" >/tmp/ends.out 2>/tmp/ends.err || status=$?
	if [ "$status" != "$ends_status" ] || ! grep -qE -- "$ends_pattern" /tmp/ends.err; then
		tail -n 20 /tmp/ends.out /tmp/ends.err
		fail "$ends_what: status $status, not $ends_status, or no '$ends_pattern' in the messages (above): $*"
	fi
	note "ok: $ends_what"
}

refuses() {
	ends 2 "$@"
	[ ! -s /tmp/ends.out ] || fail "$1: and yet there is output"
}

LOCKTRACE=/lab/bin/locktrace
check "lt_locks loads" insmod /lab/fixture/lt_locks.ko

for words in --help "watch --help"; do
	# shellcheck disable=SC2086 # a list
	check "$words" $LOCKTRACE $words >/tmp/help
	check_contains "$words has an example" /tmp/help '^Example: |^  locktrace watch '
	check_contains "$words tells the exit status" /tmp/help 'Exit status: 0 nothing found but information, 1 findings, 2'
done

refuses "an unknown command" "no command 'nosuch'.*--help" $LOCKTRACE nosuch
refuses "an unknown option" "unrecognized option '--nosuch'" $LOCKTRACE watch --nosuch
refuses "an argument too many" "'extra' is not expected" $LOCKTRACE watch extra
refuses "--duration without a number" "--duration x: expected a number" $LOCKTRACE watch --duration x
refuses "--duration 0" "--duration 0: expected a number from 1" $LOCKTRACE watch --duration 0
refuses "--duration -1" "--duration -1: expected a number from 1" $LOCKTRACE watch --duration -1
refuses "--attach of no kind" "--attach foo: expected auto, fentry, kprobe.multi, kprobe or contention" $LOCKTRACE watch --attach foo
refuses "--pid of no number" "--pid x: expected a number" $LOCKTRACE watch --pid x
refuses "--ring-size of less than a page" "--ring-size 4095: expected 4096 bytes" $LOCKTRACE watch --ring-size 4095
refuses "--ring-size of too much" "--ring-size 2G: expected 4096 bytes .a page. to 1G" $LOCKTRACE watch --ring-size 2G
refuses "--watch of no form" "expected STRUCT.MEMBER@SYMBOL" $LOCKTRACE watch --watch nonsense
refuses "--watch without a symbol" "expected STRUCT.MEMBER@SYMBOL" $LOCKTRACE watch --watch lt_locks_state.outer@
refuses "--watch of no symbol" "no symbol 'nosuch'" $LOCKTRACE watch --watch lt_locks_state.outer@nosuch
refuses "--watch of no symbol that is a pointer" "no symbol 'nosuch'" $LOCKTRACE watch --watch 'lt_locks_state.outer@*nosuch'
refuses "--watch of no struct" "no struct 'nosuch'" $LOCKTRACE watch --watch nosuch.outer@lt_locks_state
refuses "--watch of no member" "no member 'nosuch'" $LOCKTRACE watch --watch lt_locks_state.nosuch@lt_locks_state
refuses "--watch of an rwsem" "no struct mutex but 'rw_semaphore'" $LOCKTRACE watch --watch lt_locks_state.sem@lt_locks_state

echo 'someone:x:1000:1000::/:/bin/sh' >>/etc/passwd
refuses "an ordinary user" "needs root" su someone -c "$LOCKTRACE watch --duration 1"
paranoid=$(cat /proc/sys/kernel/perf_event_paranoid)
echo 1 >/proc/sys/kernel/perf_event_paranoid
refuses "an ordinary user who may see addresses" "needs root" su someone -c "$LOCKTRACE watch --duration 1"
echo "$paranoid" >/proc/sys/kernel/perf_event_paranoid

mount -t tmpfs none /sys/kernel/btf
check "BTF is hidden" [ ! -e /sys/kernel/btf/vmlinux ]
refuses "a kernel without BTF" "type information.*CONFIG_DEBUG_INFO_BTF" $LOCKTRACE watch --duration 1
umount /sys/kernel/btf

sed 's/ mutex_lock$/ mutex_lock_nested/' /proc/kallsyms >/tmp/kallsyms
mount -o bind /tmp/kallsyms /proc/kallsyms
refuses "a kernel built with lockdep" "no function mutex_lock: .*lockdep.*see dmesg" $LOCKTRACE watch --duration 1
umount /proc/kallsyms

# Two at a time, for each kind; nothing of KVM and VFIO is there.
check_not "kvm is not loaded" [ -e /sys/module/kvm ]
tracer_launch fentry --json --attach fentry
tracer_launch kprobe --json --attach kprobe
tracer_ready fentry
tracer_ready kprobe
for kind in fentry kprobe; do
	check_contains "$kind: it says that it waits for kvm" /tmp/$kind.err 'module kvm is not loaded; it is attached to when it is'
	check_contains "$kind: and for vfio" /tmp/$kind.err 'module vfio is not loaded; it is attached to when it is'
done
# Both say that they have attached to a module that came later.
have_attached() {
	grep '^locktrace: modules were loaded' /tmp/fentry.err | grep -qw "$1" &&
		grep '^locktrace: modules were loaded' /tmp/kprobe.err | grep -qw "$1"
}
load_kvm
check "they attach to kvm" wait_for 120 have_attached kvm
load_vfio
check "they attach to vfio" wait_for 120 have_attached vfio
check "and to its type1 backend" wait_for 120 have_attached vfio_iommu_type1
insmod /lab/fixture/lt_vfio.ko || fail "cannot load lt_vfio"
group=$(lt_vfio_group)
check "both sides of the deadlock of 2023, one after the other" ltguest -name guest=demo -c "
	vm v; container k; group g $group; setcontainer g k; iommu k; kvmvfio d v; groupadd d g
	@opener device x g lt_vfio.0; @closer& close d; join closer 10000
	@opener close x; close g; close k; close v"
case $LAB_SUITE in
bookworm) status=1 ;;
*) status=0 ;;
esac
tracer_interrupt fentry
tracer_interrupt kprobe
for kind in fentry kprobe; do
	tracer_wait $kind $status 30
	check_json /tmp/$kind.out \
		"$kind: nothing was there when it was ready" \
		'ready.classes == [] and (["kvm.lock", "vfio_group.group_lock"] - ready.waiting == [])' \
		"$kind: the cycle is found where the kernel has it" \
		"cycle(\"vfio_group.group_lock\"; \"guests_lock\"; \"kvm.lock\") | map(.grade) ==
			if $status == 1 then [\"likely\"] else [] end" \
		"$kind: the objects are known" \
		'summary.seen.objects | .group == 1 and .device == 1' \
		"$kind: nothing was lost" 'summary.lost | all(. == 0)'
done

ends 2 "a full disk is no success" "report could not be written" \
	sh -c "$LOCKTRACE watch --json --duration 1 >/dev/full"
check "a reader that has ended: it ends too" \
	sh -c "{ $LOCKTRACE watch --duration 1; echo \$? >/tmp/status; } 2>/tmp/ends.err | true"
check_contains "with status 2" /tmp/status '^2$'
check_contains "and a message" /tmp/ends.err "report could not be written"

echo 2 >/proc/sys/kernel/kptr_restrict
refuses "root, where addresses are hidden from root too, is told why" "kptr_restrict" $LOCKTRACE watch --duration 1
pass
