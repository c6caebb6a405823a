#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Make the base initramfs of a suite's kernel (busybox, kernel modules, /init,
# ltguest, ltexit) in the cache and print the name of the cpio file. Called by
# run.sh, which appends an overlay per case. Needs cpio and busybox-static (for another
# architecture that and jq come from sysroot.sh); no root: the files are given to root
# inside the archive.
set -euo pipefail

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=common.sh
. "$LAB_DIR/common.sh"

# What every image holds, beside KVM's; modules.dep says what these need in turn.
BASE_MODULES=(vfio vfio_iommu_type1 vfio-pci)

usage() {
	cat <<-END
	Usage: initramfs.sh SUITE [MODULE...]
	Make the initramfs of SUITE's kernel and print its name.
	  MODULE   kernel modules to hold beside KVM and ${BASE_MODULES[*]}
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

# The programs of another architecture do not run here: their libraries and applets
# are named. The host's own jq comes with LAB_FILES.
add_foreign_programs() {
	local arch=$1 root=$2 from library
	from=$("$LAB_DIR/sysroot.sh" "$arch")
	cp "$from/bin/busybox" "$root/bin/busybox"
	cp "$from/usr/bin/jq" "$root/lab/bin"
	mkdir -p "$root/lib"
	cp "$from"/lib/ld-linux-*.so.* "$root/lib"
	for library in libc.so.6 libm.so.6 libjq.so.1 libonig.so.5; do
		cp "$(find "$from"/lib/*/ "$from"/usr/lib/*/ -name $library | head -n 1)" "$root/lib/$library"
	done
}

add_busybox() {
	local arch=$1 root=$2 busybox applet
	busybox=$(command -v busybox)
	if [ "$arch" = "$LAB_HOST_ARCH" ]; then
		! ldd "$busybox" >/dev/null 2>&1 || die "$busybox is not static: install busybox-static"
		cp "$busybox" "$root/bin/busybox"
	else
		add_foreign_programs "$arch" "$root"
	fi
	# Of one Debian release: the same applets.
	"$busybox" --list | while read -r applet; do
		[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
	done
}

build_root() {
	local arch=$1 kernel=$2 root=$3 guest
	shift 3
	mkdir -p "$root"/{bin,sbin,dev,proc,sys,tmp,root,etc,run,usr/bin,usr/sbin,lab/bin,var/tmp}
	ln -s ../proc/mounts "$root/etc/mtab"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	add_busybox "$arch" "$root"
	add_modules "$kernel" "$root" "$@"
	guest=$("$LAB_DIR/guest.sh" "$arch")
	cp "$guest/ltguest" "$guest/ltexit" "$root/lab/bin"
	install -m 755 "$LAB_DIR/init.sh" "$root/init"
}

# image_hash ARCH MODULE...: all that decides what is in the image, as a short hash.
image_hash() {
	{
		[ "$1" = "$LAB_HOST_ARCH" ] || "$LAB_DIR/sysroot.sh" "$1"
		cat "$LAB_DIR/init.sh" "$LAB_DIR/initramfs.sh" "$(command -v busybox)"
		"$LAB_DIR/guest.sh" "$1"
		echo "$@"
	} | sha256sum | cut -c 1-12
}

main() {
	local suite=${1:-} arch kernel image scratch modules
	case $suite in
	-h | --help) usage; exit 0 ;;
	'' | -*) usage >&2; exit 2 ;;
	esac
	shift
	check_suite "$suite"
	need_tool cpio busybox xz
	kernel=$("$LAB_DIR/kernels.sh" "$suite")
	arch=$(suite_arch "$suite")
	# shellcheck disable=SC2086 # one or none
	mapfile -t modules < <(printf '%s\n' ${LAB_KVM_MODULE[$arch]} "${BASE_MODULES[@]}" "$@" | sort -u)
	mkdir -p "$LAB_CACHE/initramfs"
	image=$LAB_CACHE/initramfs/$(basename "$kernel")-$(image_hash "$arch" "${modules[@]}").cpio
	if [ ! -s "$image" ]; then
		scratch=$(mktemp -d "$LAB_CACHE/initramfs/.partial.XXXXXX")
		# shellcheck disable=SC2064 # the name is wanted as it is now
		trap "rm -rf '$scratch'" EXIT
		build_root "$arch" "$kernel" "$scratch/root" "${modules[@]}"
		pack_cpio "$scratch/root" >"$scratch/image"
		mv "$scratch/image" "$image"
	fi
	echo "$image"
}

main "$@"
