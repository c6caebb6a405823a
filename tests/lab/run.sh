#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Run one case of the lab: boot a throw-away virtual machine with a Debian
# kernel under QEMU's software emulation, run cases/NAME.sh inside and return
# its status. Called by the Makefile's check and by hand. Needs no root, leaves
# nothing behind but the cache; any number may run side by side.
# Exit status: 0 pass, 1 fail, 77 skipped, 2 trouble with the lab itself.
set -euo pipefail

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=common.sh
. "$LAB_DIR/common.sh"

# What a machine of an architecture is made of: QEMU, QEMU_OPTIONS, KERNEL_OPTIONS, and
# the device for the results, which init.sh calls lab_result. "edu" is a PCI device to
# give to vfio-pci.
set_machine() {
	QEMU_OPTIONS=(-accel 'tcg,thread=single' -smp 2 -m 1024 -nodefaults -no-user-config -display none
		-no-reboot -device edu -serial "file:$SCRATCH/console.log")
	KERNEL_OPTIONS='panic=-1 quiet mitigations=off'
	case $1 in
	amd64)
		# 7.2's TCG panics guests with cx16 or with a thread per virtual CPU (stale
		# code after the kernel patches itself); no_timer_check removes one boot
		# panic in eight.
		QEMU=qemu-system-x86_64
		QEMU_OPTIONS+=(-machine q35 -cpu 'EPYC,+svm,-cx16' -device 'isa-debug-exit,iobase=0xf4,iosize=0x04'
			-device 'intel-iommu,intremap=on' -serial "file:$SCRATCH/result.log")
		KERNEL_OPTIONS+=' console=ttyS0 lab_result=ttyS1 no_timer_check intel_iommu=on'
		;;
	arm64)
		# With EL2, for KVM; the machine has only one serial line.
		QEMU=qemu-system-aarch64
		QEMU_OPTIONS+=(-machine 'virt,virtualization=on,gic-version=3,iommu=smmuv3' -cpu cortex-a57
			-semihosting-config 'enable=on,userspace=on,target=native'
			-chardev "file,id=result,path=$SCRATCH/result.log"
			-device virtio-serial-pci -device 'virtconsole,chardev=result')
		KERNEL_OPTIONS+=' console=ttyAMA0 lab_result=hvc0'
		;;
	esac
}

# init.sh adds this to a case's status; 99 is its own "could not start the case".
STATUS_OFFSET=16

# With PREEMPT_RT KVM wants a time stamp counter that is constant, which no CPU of TCG
# claims to have. To a guest that takes the machine for one of VMware's (by its serial
# number and QEMU's vmport) it is always that (arch/x86/kernel/cpu/vmware.c).
REALTIME_OPTIONS=(-cpu 'EPYC,+svm,-cx16,-hypervisor' -smbios 'type=1,serial=VMware-lab')

usage() {
	cat <<-END
	Usage: run.sh [OPTION]... CASE [ARGUMENT]...
	Run tests/lab/cases/CASE.sh (or the file CASE) in a virtual machine.
	  --kernel SUITE            ${LAB_SUITES[*]}
	                            (default: the first that the case names)
	  --kernels                 only print the suites the case is for
	  --file PATH[:GUESTPATH]   put a host file into the guest, by default as
	                            /lab/bin/NAME, with the libraries it needs
	  --append ARGUMENTS        more for the kernel's command line
	  --console                 show the kernel's console too
	  --keep                    keep the scratch directory and name it
	LAB_FILES in the environment: more files, as for --file, separated by blanks; for a
	suite of another architecture LAB_FILES_ and its name (programs without shared
	libraries).
	The case's head says what it needs, for example:
	  # lab: kernels=bookworm,sid timeout=120 fixture=yes modules=kvm-amd,vfio
	(fixture=if-possible: without it the case runs too)
	  # lab: text=docs/json.md        files of the tree, in /lab/text
	  # lab: append.sid=preempt=full  more for that kernel's command line
	Example: tests/lab/run.sh --kernel bookworm boot
	END
}

# The value of KEY in the "# lab:" lines of a case.
header_value() {
	local file=$1 key=$2
	sed -n 's/^# lab: *//p' "$file" | tr -s ' \t' '\n' | sed -n "s/^$key=//p" | tail -n 1
}

parse_arguments() {
	SUITE='' CASE='' APPEND='' CONSOLE=no KEEP=no LIST_KERNELS=no
	FILES=() ARGUMENTS=()
	while [ $# -gt 0 ]; do
		case $1 in
		--kernel | --file | --append)
			[ $# -gt 1 ] || die "$1 wants a value"
			case $1 in
			--kernel) SUITE=$2 ;;
			--file) FILES+=("$2") ;;
			--append) APPEND=$2 ;;
			esac
			shift
			;;
		--kernels) LIST_KERNELS=yes ;;
		--console) CONSOLE=yes ;;
		--keep) KEEP=yes ;;
		-h | --help) usage; exit 0 ;;
		-*) usage >&2; die "unknown option $1" ;;
		*) CASE=$1; shift; ARGUMENTS=("$@"); break ;;
		esac
		shift
	done
	[ -n "$CASE" ] || { usage >&2; exit 2; }
}

read_case() {
	case $CASE in
	*/*) CASE_FILE=$CASE ;;
	*) CASE_FILE=$LAB_DIR/cases/${CASE%.sh}.sh ;;
	esac
	[ -r "$CASE_FILE" ] || die "no case $CASE_FILE"
	CASE=$(basename "$CASE_FILE" .sh)
	KERNELS=$(header_value "$CASE_FILE" kernels)
	KERNELS=${KERNELS:-bookworm}
	TIMEOUT=$(header_value "$CASE_FILE" timeout)
	TIMEOUT=${TIMEOUT:-120}
	FIXTURE=$(header_value "$CASE_FILE" fixture)
	MODULES=$(header_value "$CASE_FILE" modules)
	MODULES=${MODULES//,/ }
	TEXTS=$(header_value "$CASE_FILE" text)
	SUITE=${SUITE:-${KERNELS%%,*}}
	check_suite "$SUITE"
	APPEND="$(header_value "$CASE_FILE" "append\.$SUITE") $APPEND"
	ARCH=$(suite_arch "$SUITE")
}

# Those of the environment: programs are of one architecture.
add_environment_files() {
	local variable=LAB_FILES
	[ "$ARCH" = "$LAB_HOST_ARCH" ] || variable=LAB_FILES_$ARCH
	# shellcheck disable=SC2206 # a list separated by blanks
	FILES+=(${!variable:-})
}

# Copy a host file into the overlay, and for a dynamic program its libraries
# and loader, to the very paths that it will look for them.
add_file() {
	local overlay=$1 path=$2 target=$3 library
	[ -r "$path" ] || die "cannot read $path"
	install -D "$path" "$overlay$target"
	ldd "$path" 2>/dev/null | grep -oE '/[^ ]+' | while read -r library; do
		[ -e "$overlay$library" ] || install -D "$library" "$overlay$library"
	done || true
}

add_fixture() {
	local overlay=$1 fixture status=0
	fixture=$("$LAB_DIR/fixture.sh" "$SUITE") || status=$?
	if [ $status -eq 77 ] && [ "$FIXTURE" = if-possible ]; then
		note "$CASE on $SUITE: without the fixture modules, which cannot be built here for this kernel"
		return
	fi
	if [ $status -eq 77 ]; then
		note "$CASE on $SUITE: SKIP: the fixture modules cannot be built here for this kernel"
		exit 77
	fi
	[ $status -eq 0 ] || exit 2
	mkdir -p "$overlay/lab/fixture"
	cp "$fixture"/*.ko "$overlay/lab/fixture"
}

# A line of shell that sets "$@" to these words.
quote_arguments() {
	local word
	printf 'set --'
	for word in "$@"; do
		printf " '%s'" "${word//\'/\'\\\'\'}"
	done
	echo
}

build_overlay() {
	local overlay=$1 entry path target
	mkdir -p "$overlay/lab/bin"
	cp "$CASE_FILE" "$overlay/lab/case"
	cp "$LAB_DIR/cases/lib.sh" "$overlay/lab/lib.sh"
	[ -z "$FIXTURE" ] || add_fixture "$overlay"
	for entry in ${TEXTS//,/ }; do
		install -D "$LAB_DIR/../../$entry" "$overlay/lab/text/$(basename "$entry")"
	done
	for entry in "${FILES[@]}"; do
		path=${entry%%:*}
		target=/lab/bin/$(basename "$path")
		[ "$entry" = "$path" ] || target=${entry#*:}
		add_file "$overlay" "$path" "$target"
	done
	echo "export LAB_CASE='$CASE' LAB_SUITE='$SUITE' LAB_ARCH='$ARCH' LAB_MODULES='$MODULES'" >"$overlay/lab/environment"
	quote_arguments "${ARGUMENTS[@]}" >"$overlay/lab/arguments"
}

# Show a growing file until process $2 ends; $3 goes before each line.
follow() {
	tail -n +1 -s 0.1 -f --pid="$2" "$1" 2>/dev/null | sed -u "s/^/$3/"
}

# Boot once. Sets STATUS to QEMU's exit status, 124 for a timeout.
boot() {
	local kernel=$1 followers=() pid
	: >"$SCRATCH/console.log"
	: >"$SCRATCH/result.log"
	timeout -k 5 "$TIMEOUT" "$QEMU" "${QEMU_OPTIONS[@]}" \
		-kernel "$kernel/vmlinuz" -initrd "$SCRATCH/initrd" \
		-append "$KERNEL_OPTIONS $APPEND" \
		</dev/null >"$SCRATCH/qemu.log" 2>&1 &
	MACHINE=$!
	follow "$SCRATCH/result.log" $MACHINE '' &
	followers+=($!)
	if [ $CONSOLE = yes ]; then
		follow "$SCRATCH/console.log" $MACHINE 'console: ' &
		followers+=($!)
	fi
	STATUS=0
	wait $MACHINE || STATUS=$?
	MACHINE=''
	for pid in "${followers[@]}"; do
		wait "$pid" || true
	done
}

# Turns QEMU's exit status into the case's, or "again" or "broken".
case_status() {
	local status=$1
	case $status in
	0 | 124 | 137) echo again ;;
	*)
		if [ $((status % 2)) -eq 1 ] && [ "$status" -gt $((2 * STATUS_OFFSET)) ]; then
			echo $(((status - 1) / 2 - STATUS_OFFSET))
		else
			echo broken
		fi
		;;
	esac
}

describe_again() {
	case $1 in
	0) echo "the virtual machine ended by itself (panic or power off)" ;;
	*) echo "no result after $TIMEOUT seconds" ;;
	esac
}

show_console() {
	echo "--- last lines of the console ---" >&2
	tail -n 40 "$SCRATCH/console.log" >&2
	echo "---" >&2
}

clean_up() {
	if [ -n "${MACHINE:-}" ]; then
		kill "$MACHINE" 2>/dev/null || true
		wait "$MACHINE" 2>/dev/null || true
	fi
	if [ "${KEEP:-no}" = yes ]; then
		note "kept $SCRATCH"
	else
		rm -rf "$SCRATCH"
	fi
}

# The result as one line and as the exit status.
report() {
	local result=$1 seconds=$2 remark=$3 what="$CASE on $SUITE"
	case $result in
	0) note "$what: PASS ($seconds s)$remark"; exit 0 ;;
	77) note "$what: SKIP ($seconds s)$remark"; exit 77 ;;
	again) show_console; note "$what: LAB TROUBLE: $(describe_again "$STATUS"), twice"; exit 2 ;;
	broken)
		cat "$SCRATCH/qemu.log" >&2
		note "$what: LAB TROUBLE: QEMU exited with status $STATUS (see above)"
		exit 2
		;;
	99) show_console; note "$what: LAB TROUBLE: the guest could not run the case$remark"; exit 2 ;;
	*) show_console; note "$what: FAIL ($seconds s, status $result)$remark"; exit 1 ;;
	esac
}

main() {
	local kernel image result remark='' started
	parse_arguments "$@"
	read_case
	if [ $LIST_KERNELS = yes ]; then
		echo "${KERNELS//,/ }"
		return
	fi
	case ",$KERNELS," in
	*",$SUITE,"*) ;;
	*) note "$CASE on $SUITE: SKIP: the case is for ${KERNELS//,/ }"; exit 77 ;;
	esac
	kernel=$("$LAB_DIR/kernels.sh" "$SUITE")
	# shellcheck disable=SC2086 # a list
	image=$("$LAB_DIR/initramfs.sh" "$SUITE" $MODULES)
	SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/locktrace-lab.XXXXXX")
	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	set_machine "$ARCH"
	case $SUITE in
	*-rt) QEMU_OPTIONS+=("${REALTIME_OPTIONS[@]}") ;;
	esac
	need_tool "$QEMU" cpio busybox timeout
	add_environment_files
	build_overlay "$SCRATCH/overlay"
	{ cat "$image"; pack_cpio "$SCRATCH/overlay"; } >"$SCRATCH/initrd"
	started=$SECONDS
	boot "$kernel"
	result=$(case_status "$STATUS")
	if [ "$result" = again ]; then
		show_console
		remark=", at the second try: $(describe_again "$STATUS") at the first"
		note "$CASE on $SUITE: $(describe_again "$STATUS"); trying once more"
		boot "$kernel"
		result=$(case_status "$STATUS")
	fi
	report "$result" $((SECONDS - started)) "$remark"
}

main "$@"
