# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# KVM and VFIO come when the tracer is there, and go before it does. They are attached to
# at once, and the deadlock of 2023 is found with all that belongs to it. With
# kprobes they can be unloaded under it; fentry holds them, and then it says what to do.
# lab: kernels=bookworm timeout=240 fixture=yes
# shellcheck source=tests/lab/cases/lib.sh
. /lab/lib.sh

# How long it took from the end of modprobe until kvm was attached to, in hundredths of a second.
attach_time() {
	read -r attach_from _ </proc/uptime
	wait_for 120 grep -q 'modules were loaded and attached to; so far: .*kvm' "/tmp/$1.err" ||
		tracer_fail "$1" "kvm was not attached to"
	read -r attach_to _ </proc/uptime
	ATTACH_CS=$((${attach_to%.*}${attach_to#*.} - ${attach_from%.*}${attach_from#*.}))
	note "$1: kvm is attached to $((ATTACH_CS / 100)).$((ATTACH_CS / 10 % 10)) s after it was loaded"
}

for kind in fentry kprobe; do
	check_not "kvm is not loaded" [ -e /sys/module/kvm ]
	check_not "nor is vfio" [ -e /sys/module/vfio ]
	tracer_start $kind --json -v --attach $kind
	load_kvm
	attach_time $kind
	# A second on a real machine; this one is emulated, many times slower, and shares its processor.
	check "that is soon" [ $ATTACH_CS -lt 600 ]
	load_vfio
	wait_for 120 grep -q 'attached to; so far: .*vfio_iommu_type1' /tmp/$kind.err || tracer_fail $kind "vfio was not attached to"
	insmod /lab/fixture/lt_vfio.ko || fail "cannot load lt_vfio"
	# The process stays until the cycle is told: the VM's name is read from it.
	rm -f /tmp/ran /tmp/end
	ltguest -name guest=demo -c "$(steps_2023); touch /tmp/ran; await /tmp/end 300000" &
	guest=$!
	check "both sides of the deadlock of 2023" wait_for 120 test -e /tmp/ran
	# Its symbols are wanted for the report.
	wait_for 120 grep -q '"grade":"likely"' /tmp/$kind.out || tracer_fail $kind "the cycle was not found"
	touch /tmp/end
	check "the process of the VM ends" wait $guest
	check "lt_vfio goes" rmmod lt_vfio
	case $kind in
	fentry)
		check_not "fentry holds kvm" rmmod kvm-amd kvm
		check_contains "and that was said, with what to do" /tmp/$kind.err \
			'^locktrace: while it runs, the kernel does not let modules that it is attached to by fentry be unloaded.*--attach kprobe'
		tracer_stop $kind 1
		# kvm-amd is not attached to: it went.
		rmmod kvm vfio_iommu_type1 vfio || fail "modules cannot be unloaded after the tracer has ended"
		;;
	kprobe)
		check_not "with kprobes there is nothing to say" grep -q 'does not let modules' /tmp/$kind.err
		check "kvm and vfio go while it is attached" rmmod kvm-amd kvm vfio_iommu_type1 vfio
		wait_for 120 grep -q 'module vfio was unloaded' /tmp/$kind.err || tracer_fail $kind "did not notice that vfio went"
		tracer_stop $kind 1
		;;
	esac
done
check_cycle_2023 /tmp/fentry.out
check_json /tmp/fentry.out "nothing was there when it was ready" 'ready.classes == []' \
	"the trust line tells what came late" 'summary.trust | test("Loaded after the start.*kvm.*vfio")'
# What went is counted as lost, which check_cycle_2023 does not want to see; the cycle is the same.
check_json /tmp/kprobe.out "the cycle by kprobes" \
	'cycle("vfio_group.group_lock"; "guests_lock"; "kvm.lock") | map([.grade, .known.commit]) == [["likely", "2b48f52f2bff"]]' \
	"that modules went is counted" 'summary.lost.attach >= 3 and summary.complete == false'
pass
