#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Installs the Debian packages that are missing for a purpose: build, lab, arm64 (to
# build for it and to run it in the lab), lint.
# Asks for root (sudo) only when something is missing. Called by the Makefile, also twice
# at a time: the second one waits for the first.
set -eu

BUILD='gcc make libc6-dev linux-libc-dev clang llvm libbpf-dev bpftool libjansson-dev'
LAB='qemu-system-x86 busybox-static cpio pahole binutils xz-utils zstd lz4 jq
	apt dpkg debian-archive-keyring libcmocka-dev libclang-rt-dev'
ARM64='gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-system-arm apt dpkg debian-archive-keyring'
LINT='clang-format clang-tidy cppcheck shellcheck'

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

exec 9<"$0"
flock 9
missing=
for purpose in "$@"; do
	case $purpose in
	build) packages=$BUILD ;;
	lab) packages=$LAB ;;
	arm64) packages=$ARM64 ;;
	lint) packages=$LINT ;;
	*) echo "deps.sh: '$purpose' is none of build, lab, arm64, lint" >&2; exit 2 ;;
	esac
	for package in $packages; do
		is_installed "$package" || missing="$missing $package"
	done
done
[ -n "$missing" ] || exit 0

echo "installing:$missing"
root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "deps.sh: as root, run: apt-get install --no-install-recommends$missing" >&2
		exit 1
	}
	root=sudo
fi
# The lists may be old or missing on a fresh machine. What a package starts must not keep the lock.
$root apt-get -qq update 9<&-
# shellcheck disable=SC2086 # a list of words
DEBIAN_FRONTEND=noninteractive $root apt-get -qq -y install --no-install-recommends $missing 9<&-
