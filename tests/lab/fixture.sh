#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Build the lab's kernel modules (fixture/) for a suite's kernel, with BTF, into
# the cache and print the directory of the .ko files. Called by run.sh for cases
# with fixture=yes, and by hand. Exit status 77: they cannot be built here for
# this kernel (the reason is on stderr). A directory there is complete.
set -euo pipefail

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=common.sh
. "$LAB_DIR/common.sh"

usage() {
	cat <<-END
	Usage: fixture.sh SUITE | --btf SUITE
	Build the fixture modules for SUITE's kernel and print their directory.
	  --btf   only extract the kernel's own BTF; print the file's name
	Suites: ${LAB_SUITES[*]}
	Example: tests/lab/fixture.sh bookworm
	END
}

set_tools() {
	ARCH=$1
	CC=$(tool_for "$ARCH" gcc)
	OBJCOPY=$(tool_for "$ARCH" objcopy)
	OBJDUMP=$(tool_for "$ARCH" objdump)
}

skip() {
	echo "${0##*/}: $*" >&2
	exit 77
}

# read_le FILE OFFSET SIZE: an unsigned little-endian number.
read_le() {
	od -An -v -t "u$3" -j "$2" -N "$3" --endian=little "$1" | tr -d ' '
}

# The kernel's ELF file out of a bzImage, to stdout. Offsets are those of
# Documentation/arch/x86/boot.rst: 0x1f1 setup_sects, 0x248 payload_offset,
# 0x24c payload_length. The payload ends with four bytes of its unpacked size,
# which only gzip has as part of its own format.
unpack_bzimage() {
	local image=$1 setup_sects start length magic tool
	setup_sects=$(read_le "$image" $((0x1f1)) 1)
	start=$(((setup_sects + 1) * 512 + $(read_le "$image" $((0x248)) 4)))
	length=$(read_le "$image" $((0x24c)) 4)
	magic=$(od -An -v -t x1 -j "$start" -N 4 "$image" | tr -d ' ')
	case $magic in
	1f8b*) tool=gzip; length=$((length + 4)) ;;
	fd377a58) tool=xz ;;
	28b52ffd) tool=zstd ;;
	02214c18) tool=lz4 ;;
	*) die "$image is packed in a way this script does not know (magic $magic)" ;;
	esac
	need_tool $tool
	# head ends early on purpose; tail's SIGPIPE is no failure.
	{ tail -c +$((start + 1)) "$image" || true; } | head -c $((length - 4)) | $tool -dc
}

# The kernel's BTF as a raw file beside its vmlinuz; made once. Headers have an ELF file
# with just that from some time after 6.1 on; arm64's vmlinuz has none in it.
extract_btf() {
	local kernel=$1 elf=$1/headers/vmlinux scratch
	local -r btf=$kernel/vmlinux.btf
	if [ ! -s "$btf" ]; then
		need_tool "$OBJCOPY"
		scratch=$(mktemp -d "$kernel/.btf.XXXXXX")
		if [ ! -s "$elf" ]; then
			elf=$scratch/vmlinux
			unpack_bzimage "$kernel/vmlinuz" >"$elf"
		fi
		"$OBJCOPY" --dump-section .BTF="$scratch/btf" "$elf" /dev/null ||
			die "the kernel in $kernel has no BTF"
		mv "$scratch/btf" "$btf"
		rm -rf "$scratch"
	fi
	echo "$btf"
}

# The modules that this kernel can take: VFIO's emulated-IOMMU interface and
# struct kvm in the form the others want came with 6.1.
modules_for() {
	local suite=$1
	case $suite in
	bullseye) echo lt_locks lt_waits ;;
	*) echo lt_locks lt_waits lt_vfio lt_objects lt_destroy ;;
	esac
}

# unpack_module KERNEL FILE OUT: FILE is in the kernel's modules, without .ko. One that
# is built in has its types in the kernel's BTF.
unpack_module() {
	if [ -z "$2" ]; then
		cp "$1/vmlinux.btf" "$3"
		return
	fi
	local from=$1/modules/kernel/$2.ko
	if [ -e "$from.xz" ]; then
		xz -dc "$from.xz" >"$3"
	else
		cp "$from" "$3"
	fi
}

# A line of C with the offset of a member of a structure that only a module has.
offset_line() {
	local btf=$1 module=$2 structure=$3 member=$4 name offset
	offset=$(pahole --btf_base "$btf" -C "$structure" "$module" |
		sed -n "s,^.* \**$member; */\* *\([0-9]*\) .*,\1,p")
	name=LT_${structure}_$member
	[ -n "$offset" ] || die "no $structure.$member in the BTF of $module"
	echo "#define ${name^^} $offset"
}

# lt_offsets.h for lt_objects: members of structures that no header has.
make_offsets() {
	local kernel=$1 build=$2 btf=$3
	unpack_module "$kernel" "${LAB_KVM_TYPES[$ARCH]}" "$build/kvm.elf"
	unpack_module "$kernel" drivers/vfio/vfio "$build/vfio.elf"
	unpack_module "$kernel" drivers/vfio/vfio_iommu_type1 "$build/type1.elf"
	{
		offset_line "$btf" "$build/kvm.elf" kvm_vfio lock
		offset_line "$btf" "$build/vfio.elf" vfio_group group_lock
		offset_line "$btf" "$build/vfio.elf" vfio_group device_lock
		offset_line "$btf" "$build/vfio.elf" vfio_container iommu_data
		offset_line "$btf" "$build/vfio.elf" vfio_container group_lock
		offset_line "$btf" "$build/type1.elf" vfio_iommu lock
	} >"$build/lt_offsets.h"
}

# Everything that goes into the modules, as a short hash.
source_hash() {
	cat "$LAB_DIR"/fixture/* "$LAB_DIR/fixture.sh" | sha256sum | cut -c 1-12
}

# The kbuild programs are binaries of the suite's own Debian: one that is newer
# than this host may need a newer C library.
check_kbuild_runs() {
	local kernel=$1 program missing
	for program in scripts/basic/fixdep scripts/mod/modpost tools/objtool/objtool{,.real-x86}; do
		[ -e "$kernel/headers/$program" ] || continue
		missing=$(ldd "$kernel/headers/$program" 2>&1 | sed -n 's/^.*: \(version .* not found\).*/\1/p; s/^[[:space:]]*\(.*=> not found\)/\1/p' | sort -u | head -n 3) || true
		[ -z "$missing" ] || skip "cannot build modules for $(cat "$kernel/release"):" \
			"the headers' $program does not run on this host: ${missing//$'\n'/, }"
	done
}

# BTF is added here and not by kbuild: that wants a vmlinux and resolve_btfids
# in the headers, which older packages lack. The modules use no BTF ids.
# C cannot see the configuration turned off: struct module keeps its layout.
build_modules() {
	local kernel=$1 build=$2 modules=$3 btf=$4 module
	make -C "$kernel/headers" M="$build" CC="$CC" HOSTCC=gcc LT_MODULES="$modules" \
		CONFIG_DEBUG_INFO_BTF_MODULES= V=0 modules >"$build/log" 2>&1 || return 1
	# -Werror covers the compiler; these are modpost and objtool.
	if grep -E '^WARNING: |warning: objtool:' "$build/log" >&2; then
		return 1
	fi
	for module in $modules; do
		pahole -J --btf_base "$btf" "$build/$module.ko" >>"$build/log" 2>&1 || return 1
		"$OBJCOPY" --strip-debug "$build/$module.ko" || return 1
		# Not grep -q: it would end before objdump has written all.
		"$OBJDUMP" -h "$build/$module.ko" | grep ' \.BTF ' >/dev/null || return 1
	done
}

build_fixture() {
	local suite=$1 kernel=$2 target=$3 build modules btf module
	need_tool gcc "$CC" make pahole "$OBJCOPY" xz
	check_kbuild_runs "$kernel"
	btf=$(extract_btf "$kernel")
	modules=$(modules_for "$suite")
	build=$(mktemp -d "$LAB_CACHE/fixture/.partial.XXXXXX")
	# shellcheck disable=SC2064 # the name is wanted as it is now
	trap "rm -rf '$build'" EXIT
	cp "$LAB_DIR"/fixture/* "$build"
	case $modules in
	*lt_objects*) make_offsets "$kernel" "$build" "$btf" ;;
	esac
	if ! build_modules "$kernel" "$build" "$modules" "$btf"; then
		tail -n 30 "$build/log" >&2
		[ "$suite" != sid ] || skip "the modules do not build for $(cat "$kernel/release") on this host (see above)"
		die "the fixture modules do not build for $(cat "$kernel/release") (see above)"
	fi
	mkdir "$build/out"
	for module in $modules; do
		mv "$build/$module.ko" "$build/out"
	done
	rm -rf "$target"
	mv -T "$build/out" "$target"
}

main() {
	local suite='' btf_only=no kernel target
	while [ $# -gt 0 ]; do
		case $1 in
		--btf) btf_only=yes ;;
		-h | --help) usage; exit 0 ;;
		-*) usage >&2; die "unknown option $1" ;;
		*) suite=$1 ;;
		esac
		shift
	done
	[ -n "$suite" ] || { usage >&2; exit 2; }
	check_suite "$suite"
	set_tools "$(suite_arch "$suite")"
	kernel=$("$LAB_DIR/kernels.sh" "$suite")
	mkdir -p "$LAB_CACHE/fixture"
	exec 9>"$LAB_CACHE/fixture/.lock-$suite"
	flock 9
	if [ $btf_only = yes ]; then
		extract_btf "$kernel"
		return
	fi
	target=$LAB_CACHE/fixture/$(basename "$kernel")-$(source_hash)
	[ -d "$target" ] || build_fixture "$suite" "$kernel" "$target"
	echo "$target"
}

main "$@"
