#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# /init of the lab's virtual machines: mounts what a Linux system has, runs the
# case that run.sh put into /lab/case and ends the machine with its status.
# Put into the image by initramfs.sh. The case's output goes to the line that
# lab_result= on the kernel's command line names, what happens before it to the
# console. Status 99 is reserved:
# the case could not be started.

# The kernel hands what it does not know of its command line to us.
: "${lab_result:?the command line has no lab_result=}"
export PATH=/lab/bin:/bin:/sbin:/usr/bin:/usr/sbin HOME=/root TERM=dumb

mount_all() {
	mount -t devtmpfs devtmpfs /dev
	exec </dev/null >/dev/console 2>&1
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t debugfs debugfs /sys/kernel/debug
	mount -t tracefs tracefs /sys/kernel/tracing
	mount -t bpf bpf /sys/fs/bpf
	mount -t tmpfs tmpfs /tmp
	mkdir -p /dev/pts /dev/shm
	mount -t devpts devpts /dev/pts
	mount -t tmpfs tmpfs /dev/shm
	ln -sf /proc/self/fd /dev/fd
}

# Exit status of QEMU = 2 * (status + 16) + 1: 16 keeps a case's status apart
# from QEMU's own 1 for a bad option. stty waits until all output has left.
finish() {
	stty -F "/dev/$lab_result" -echo 2>/dev/null
	/lab/bin/ltexit $(($1 + 16))
	poweroff -f
}

run_case() {
	exec >"/dev/$lab_result" 2>&1
	# Only now: some devices forget it when nobody has them open.
	stty -F "/dev/$lab_result" raw -echo
	# shellcheck source=/dev/null
	. /lab/environment
	for module in $LAB_MODULES; do
		modprobe "$module" || {
			echo "cannot load module $module"
			return 99
		}
	done
	cd /lab || return 99
	# shellcheck source=/dev/null # "set -- ARGUMENTS", written by run.sh
	. /lab/arguments
	setsid sh /lab/case "$@"
}

mount_all
echo 0 >/proc/sys/kernel/kptr_restrict
ip link set lo up
run_case
finish $?
