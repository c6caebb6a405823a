#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Fetch and unpack the Debian kernel of a suite (the cloud one, or that with PREEMPT_RT),
# with its headers, into the cache and print the directory that holds it. Called by run.sh,
# initramfs.sh and fixture.sh, and by hand. Needs apt, dpkg and busybox; no root.
# The mirror is the one the host's own apt uses. What it leaves behind:
#   unpacked/ (the packages), release, vmlinuz, modules/ and headers/ (links)
set -euo pipefail

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=common.sh
. "$LAB_DIR/common.sh"
# shellcheck source=apt.sh
. "$LAB_DIR/apt.sh"

usage() {
	cat <<-END
	Usage: kernels.sh [--refresh] SUITE
	Print the directory of SUITE's unpacked kernel, fetching it if missing.
	  --refresh   ask the mirror for a newer kernel even if one is cached
	Suites: ${LAB_SUITES[*]}
	Example: tests/lab/kernels.sh bookworm
	END
}

# Follow the dependencies of the two meta packages; print PACKAGE=VERSION of
# each kernel package among them (the rest, as compilers, is not unpacked).
# From 7.2 on the image is a chain: image -> modules, binary.
resolve_packages() {
	local conf=$1 package version
	apt-cache -c "$conf" depends --recurse --no-recommends --no-suggests --no-conflicts \
		--no-breaks --no-replaces --no-enhances "${META_PACKAGES[@]}" |
		grep -E '^linux-(image|modules|binary|headers|kbuild)-' |
		grep -v -e '-unsigned$' | sort -u |
		while read -r package; do
			case " ${META_PACKAGES[*]} " in
			*" $package "*) continue ;;
			esac
			# The programs that build modules run here.
			case $package in
			linux-kbuild-*) package=$package:$LAB_HOST_ARCH ;;
			esac
			version=$(package_version "$conf" "$package")
			[ -z "$version" ] || echo "$package=$version"
		done
}

# Make the unpacked packages usable where they lie: links that say where things
# are, modules.dep, and headers that do not look below the host's /usr/src.
finish_tree() {
	local tree=$1 release=$2 image
	[ -e "$tree/unpacked/lib" ] || ln -s usr/lib "$tree/unpacked/lib"
	for image in "boot/vmlinuz-$release" "usr/lib/modules/$release/vmlinuz"; do
		[ ! -s "$tree/unpacked/$image" ] || ln -sfn "unpacked/$image" "$tree/vmlinuz"
	done
	[ -s "$tree/vmlinuz" ] || die "no vmlinuz in the packages of kernel $release"
	[ -d "$tree/unpacked/lib/modules/$release/kernel" ] || die "no modules in the packages of kernel $release"
	ln -sfn "unpacked/lib/modules/$release" "$tree/modules"
	busybox depmod -b "$tree/unpacked" "$release" || die "depmod failed for kernel $release"
	[ -d "$tree/unpacked/usr/src/linux-headers-$release" ] || die "no headers in the packages of kernel $release"
	ln -sfn "unpacked/usr/src/linux-headers-$release" "$tree/headers"
	relocate_headers "$tree/headers/Makefile"
	echo "$release" >"$tree/release"
}

# The Makefile of Debian's headers includes the common one by absolute path.
relocate_headers() {
	local makefile=$1
	# shellcheck disable=SC2016 # $(...) is for make
	sed -i 's|/usr/src/|$(dir $(abspath $(lastword $(MAKEFILE_LIST))))../|' "$makefile"
}

# Download and unpack into a scratch directory; rename only when all is there.
fetch_kernel() {
	local conf=$1 scratch=$2 packages=() release
	mapfile -t packages < <(resolve_packages "$conf")
	[ ${#packages[@]} -gt 0 ] || die "the package index names no kernel packages behind ${META_PACKAGES[*]}"
	mkdir "$scratch/tree"
	unpack_packages "$conf" "$scratch/debs" "$scratch/tree/unpacked" "${packages[@]}"
	release=$(printf '%s\n' "${packages[@]}" |
		sed -n "s/^linux-image-\(.*-$FLAVOUR-$ARCH\)=.*/\1/p" | head -n 1)
	[ -n "$release" ] || die "no linux-image package among ${packages[*]}"
	finish_tree "$scratch/tree" "$release"
}

# The key of a kernel in the cache: its package version is part of it, because
# Debian rebuilds under one release name (5.10.0-32). Kernels of all kinds have the same.
kernel_key() {
	local version=$1 kind=''
	[ "$FLAVOUR" = cloud ] || kind=-$FLAVOUR
	echo "$version$kind-$ARCH"
}

update_suite() {
	local suite=$1 link=$2 conf version key scratch tree
	local -r kernels=$LAB_CACHE/kernels
	need_tool busybox
	ARCH=$(suite_arch "$suite")
	META_PACKAGES=("linux-image-$FLAVOUR-$ARCH" "linux-headers-$FLAVOUR-$ARCH")
	# And the host's, for programs that run here.
	conf=$(read_index "$LAB_CACHE/apt/$suite" "$(suite_release "$suite")" "$ARCH,$LAB_HOST_ARCH")
	version=$(package_version "$conf" "${META_PACKAGES[0]}")
	[ -n "$version" ] || die "suite $suite has no ${META_PACKAGES[0]}"
	key=$(kernel_key "$version")
	tree=$kernels/$key
	if [ ! -s "$tree/release" ]; then
		# Left by runs of this suite that were killed: we have its lock.
		rm -rf "$kernels/.partial-$suite".*
		scratch=$(mktemp -d "$kernels/.partial-$suite.XXXXXX")
		# shellcheck disable=SC2064 # the name is wanted as it is now
		trap "rm -rf '$scratch'" EXIT
		fetch_kernel "$conf" "$scratch"
		rm -rf "$tree"
		mv -T "$scratch/tree" "$tree"
		rm -rf "$scratch"
	fi
	ln -sfnT "$key" "$link.new"
	mv -T "$link.new" "$link"
}

main() {
	local refresh=no suite='' link
	while [ $# -gt 0 ]; do
		case $1 in
		--refresh) refresh=yes ;;
		-h | --help) usage; exit 0 ;;
		-*) usage >&2; die "unknown option $1" ;;
		*) suite=$1 ;;
		esac
		shift
	done
	[ -n "$suite" ] || { usage >&2; exit 2; }
	check_suite "$suite"
	FLAVOUR=$(suite_flavour "$suite")
	link=$LAB_CACHE/kernels/suite-$suite
	mkdir -p "$LAB_CACHE/kernels"
	# The suite's lock: two runs that miss the same kernel fetch it once.
	if [ $refresh = yes ] || [ ! -s "$link/release" ]; then
		exec 9>"$LAB_CACHE/kernels/.lock-$suite"
		flock 9
		if [ $refresh = yes ] || [ ! -s "$link/release" ]; then
			update_suite "$suite" "$link"
		fi
		exec 9>&-
	fi
	readlink -f "$link"
}

main "$@"
