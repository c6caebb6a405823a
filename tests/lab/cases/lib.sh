# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# What the lab's cases share. Runs inside the guest under busybox sh; a case
# starts with ". /lab/lib.sh" and ends with "pass". Set: LAB_CASE, LAB_SUITE.
# shellcheck disable=SC3040 # busybox has pipefail
set -euo pipefail

# note TEXT: tell what goes on. pass, fail TEXT, skip TEXT: end the case.
note() {
	echo "$LAB_CASE: $*"
}

pass() {
	note "pass${1:+: $*}"
	exit 0
}

fail() {
	note "FAIL: $*"
	exit 1
}

skip() {
	note "SKIP: $*"
	exit 77
}

# check WHAT COMMAND...: the case fails, naming WHAT, if the command does.
check() {
	check_what=$1
	shift
	"$@" || fail "$check_what (status $? of: $*)"
	note "ok: $check_what"
}

# check_not WHAT COMMAND...: the opposite.
check_not() {
	check_what=$1
	shift
	! "$@" || fail "$check_what (it succeeded: $*)"
	note "ok: $check_what"
}

# check_contains WHAT FILE PATTERN: an extended regular expression.
check_contains() {
	if ! grep -qE -- "$3" "$2"; then
		cat "$2"
		fail "$1: no '$3' in $2 (above)"
	fi
	note "ok: $1"
}

# wait_for SECONDS COMMAND...: until it succeeds; false after that time.
wait_for() {
	wait_left=$(($1 * 10))
	shift
	until "$@"; do
		wait_left=$((wait_left - 1))
		[ $wait_left -gt 0 ] || return 1
		sleep 0.1
	done
}

load_kvm() {
	modprobe kvm-amd || fail "cannot load kvm-amd"
	[ -c /dev/kvm ] || fail "no /dev/kvm with kvm-amd loaded"
}

load_vfio() {
	modprobe vfio || fail "cannot load vfio"
	modprobe vfio_iommu_type1 || fail "cannot load vfio_iommu_type1"
}

# load_fixture [PARAMETER=VALUE...]: lt_locks, and lt_vfio (if this kernel has
# it) with these parameters. The case's head needs fixture=yes.
load_fixture() {
	insmod /lab/fixture/lt_locks.ko || fail "cannot load lt_locks"
	[ -e /lab/fixture/lt_vfio.ko ] || return 0
	load_kvm
	load_vfio
	insmod /lab/fixture/lt_vfio.ko "$@" || fail "cannot load lt_vfio"
}

# The VFIO group's file in /dev/vfio for a device in sysfs: its number, or
# noiommu-NUMBER.
vfio_group_of() {
	group_number=$(basename "$(readlink "$1/iommu_group")")
	if [ -e "/dev/vfio/$group_number" ]; then
		echo "$group_number"
	elif [ -e "/dev/vfio/noiommu-$group_number" ]; then
		echo "noiommu-$group_number"
	else
		fail "group $group_number of $1 has no file in /dev/vfio"
	fi
}

# Group of the fixture's device number $1 (default 0).
lt_vfio_group() {
	vfio_group_of "/sys/bus/platform/devices/lt_vfio.${1:-0}"
}

# Bind QEMU's "edu" PCI device to vfio-pci; sets EDU_ADDRESS and EDU_GROUP.
bind_edu() {
	modprobe vfio-pci || fail "cannot load vfio-pci"
	load_vfio
	EDU_ADDRESS=''
	for edu_device in /sys/bus/pci/devices/*; do
		[ "$(cat "$edu_device/vendor" "$edu_device/device" | tr -d '\n')" = 0x12340x11e8 ] || continue
		EDU_ADDRESS=$(basename "$edu_device")
	done
	[ -n "$EDU_ADDRESS" ] || fail "no edu device on the PCI bus"
	echo vfio-pci >"/sys/bus/pci/devices/$EDU_ADDRESS/driver_override"
	echo "$EDU_ADDRESS" >/sys/bus/pci/drivers_probe
	[ -e "/sys/bus/pci/drivers/vfio-pci/$EDU_ADDRESS" ] || fail "vfio-pci did not take $EDU_ADDRESS"
	# shellcheck disable=SC2034 # for the cases
	EDU_GROUP=$(vfio_group_of "/sys/bus/pci/devices/$EDU_ADDRESS")
}

# The thread ids of all threads called $1.
threads_named() {
	grep -lxF -- "$1" /proc/[0-9]*/task/[0-9]*/comm 2>/dev/null | cut -d/ -f5
}

# State letter of a thread: R, S, D, ...
thread_state() {
	sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status"
}

# thread_stack NAME: the kernel stack of the thread called so.
thread_stack() {
	cat "/proc/$(threads_named "$1" | head -n 1)/stack"
}
