#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Fetch and unpack Debian packages of another architecture into the cache and print
# the directory that holds them: libraries to build locktrace with (make ARCH=...), and
# programs for the guest. Called by the Makefile and initramfs.sh, and by hand. Needs
# apt and dpkg; no root, nothing is installed.
set -euo pipefail

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=common.sh
. "$LAB_DIR/common.sh"
# shellcheck source=apt.sh
. "$LAB_DIR/apt.sh"

# To build with (static ones are in the same packages), and for the guest with the
# libraries of jq. The C library to build with is the cross compiler's own.
PACKAGES=(libbpf-dev libelf-dev zlib1g-dev libjansson-dev busybox-static jq libjq1 libonig5 libc6)

usage() {
	cat <<-END
	Usage: sysroot.sh ARCHITECTURE
	Print the directory of Debian packages for it, fetching them if missing.
	Architectures: ${!LAB_TRIPLET[*]}
	Example: tests/lab/sysroot.sh arm64
	END
}

# The release of the host's own Debian: its cross compiler has that one's C library.
host_release() {
	sed -n 's/^VERSION_CODENAME=//p' /etc/os-release
}

fetch() {
	local arch=$1 target=$2 release scratch conf
	release=$(host_release)
	[ -n "$release" ] || die "/etc/os-release names no release (VERSION_CODENAME)"
	# Left by runs that were killed: we have the lock.
	rm -rf "$LAB_CACHE/sysroot/.partial-$arch".*
	scratch=$(mktemp -d "$LAB_CACHE/sysroot/.partial-$arch.XXXXXX")
	# shellcheck disable=SC2064 # the name is wanted as it is now
	trap "rm -rf '$scratch'" EXIT
	conf=$(read_index "$LAB_CACHE/apt/sysroot-$arch" "$release" "$arch")
	unpack_packages "$conf" "$scratch/debs" "$scratch/root" "${PACKAGES[@]}"
	[ -e "$scratch/root/lib" ] || ln -s usr/lib "$scratch/root/lib"
	rm -rf "$target"
	mv -T "$scratch/root" "$target"
}

main() {
	local arch=${1:-} target
	case $arch in
	-h | --help) usage; exit 0 ;;
	'' | -*) usage >&2; exit 2 ;;
	esac
	[ -n "${LAB_TRIPLET[$arch]:-}" ] || die "unknown architecture '$arch'; known: ${!LAB_TRIPLET[*]}"
	mkdir -p "$LAB_CACHE/sysroot"
	target=$LAB_CACHE/sysroot/$arch-$(echo "$(host_release) ${PACKAGES[*]}" | sha256sum | cut -c 1-12)
	exec 9>"$LAB_CACHE/sysroot/.lock-$arch"
	flock 9
	[ -d "$target" ] || fetch "$arch" "$target"
	exec 9>&-
	echo "$target"
}

main "$@"
