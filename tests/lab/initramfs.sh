#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Make the base initramfs of a suite's kernel (busybox, kernel modules, /init,
# ltguest, ltexit) in the cache and print the name of the cpio file. Called by
# run.sh, which appends an overlay per case. Needs cpio and busybox-static; no
# root: the files are given to root inside the archive.
set -euo pipefail

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=common.sh
. "$LAB_DIR/common.sh"

# What every image holds; modules.dep says what these need in turn.
BASE_MODULES=(kvm-amd vfio vfio_iommu_type1 vfio-pci)

usage() {
	cat <<-END
	Usage: initramfs.sh SUITE [MODULE...]
	Make the initramfs of SUITE's kernel and print its name.
	  MODULE   kernel modules to hold beside ${BASE_MODULES[*]}
	Example: tests/lab/initramfs.sh bookworm
	END
}

# The line of modules.dep for a module; "-" and "_" are the same in names.
module_line() {
	local modules_dep=$1 name=$2
	awk -F: -v name="$name" '
		BEGIN { gsub("-", "_", name) }
		{
			file = $1
			sub(".*/", "", file)
			sub("[.]ko.*", "", file)
			gsub("-", "_", file)
			if (file == name) { print; exit }
		}' "$modules_dep"
}

unpack_module() {
	local from=$1 to=$2
	mkdir -p "$(dirname "$to")"
	case $from in
	*.ko) cp "$from" "$to" ;;
	*.ko.xz) xz -dc "$from" >"$to" ;;
	*.ko.zst) zstd -q -dc "$from" >"$to" ;;
	*.ko.gz) gzip -dc "$from" >"$to" ;;
	*) die "do not know how to unpack $from" ;;
	esac
}

# Copy the modules and all they need, unpacked, with a modules.dep of their own.
add_modules() {
	local kernel=$1 root=$2 release name line file bare target
	shift 2
	release=$(cat "$kernel/release")
	target=$root/lib/modules/$release
	mkdir -p "$target"
	for name in "$@"; do
		line=$(module_line "$kernel/modules/modules.dep" "$name")
		[ -n "$line" ] || die "kernel $release has no module $name"
		for file in ${line//:/ }; do
			bare=${file%%.ko*}.ko
			[ -e "$target/$bare" ] || unpack_module "$kernel/modules/$file" "$target/$bare"
		done
	done
	# Lines of the modules that are here, without the suffix of compression.
	sed -E 's/\.ko\.[a-z]+/.ko/g' "$kernel/modules/modules.dep" | while IFS=: read -r file line; do
		[ ! -e "$target/$file" ] || echo "$file:$line"
	done >"$target/modules.dep"
	touch "$target/modules.alias" "$target/modules.symbols" "$target/modules.builtin"
}

add_busybox() {
	local root=$1 busybox applet
	busybox=$(command -v busybox)
	! ldd "$busybox" >/dev/null 2>&1 || die "$busybox is not static: install busybox-static"
	cp "$busybox" "$root/bin/busybox"
	"$busybox" --list | while read -r applet; do
		[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
	done
}

build_root() {
	local kernel=$1 root=$2 guest
	shift 2
	mkdir -p "$root"/{bin,sbin,dev,proc,sys,tmp,root,etc,run,usr/bin,usr/sbin,lab/bin,var/tmp}
	ln -s ../proc/mounts "$root/etc/mtab"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	add_busybox "$root"
	add_modules "$kernel" "$root" "$@"
	guest=$("$LAB_DIR/guest.sh")
	cp "$guest/ltguest" "$guest/ltexit" "$root/lab/bin"
	install -m 755 "$LAB_DIR/init.sh" "$root/init"
}

# All that decides what is in the image, as a short hash.
image_hash() {
	{
		cat "$LAB_DIR/init.sh" "$LAB_DIR/initramfs.sh" "$(command -v busybox)"
		"$LAB_DIR/guest.sh"
		echo "$@"
	} | sha256sum | cut -c 1-12
}

main() {
	local suite=${1:-} kernel image scratch modules
	case $suite in
	-h | --help) usage; exit 0 ;;
	'' | -*) usage >&2; exit 2 ;;
	esac
	shift
	check_suite "$suite"
	need_tool cpio busybox xz
	kernel=$("$LAB_DIR/kernels.sh" "$suite")
	mapfile -t modules < <(printf '%s\n' "${BASE_MODULES[@]}" "$@" | sort -u)
	mkdir -p "$LAB_CACHE/initramfs"
	image=$LAB_CACHE/initramfs/$(basename "$kernel")-$(image_hash "${modules[@]}").cpio
	if [ ! -s "$image" ]; then
		scratch=$(mktemp -d "$LAB_CACHE/initramfs/.partial.XXXXXX")
		# shellcheck disable=SC2064 # the name is wanted as it is now
		trap "rm -rf '$scratch'" EXIT
		build_root "$kernel" "$scratch/root" "${modules[@]}"
		pack_cpio "$scratch/root" >"$scratch/image"
		mv "$scratch/image" "$image"
	fi
	echo "$image"
}

main "$@"
