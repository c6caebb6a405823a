# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# What the host side scripts of the lab share: names, the cache, messages.
# Sourced by kernels.sh, sysroot.sh, initramfs.sh, guest.sh, fixture.sh and run.sh;
# runs nothing.
# Exit status 2 is "the lab itself is in trouble" in all of them.

# The Debian suites the lab knows, oldest kernel first (5.10, 6.1, 6.12, 7.2). With "-rt"
# behind its name: the same suite's kernel with PREEMPT_RT; with "-arm64": that of
# another architecture than amd64.
# shellcheck disable=SC2034 # used by those who source this
LAB_SUITES=(bullseye bookworm bookworm-backports bookworm-backports-rt sid bookworm-backports-arm64)

# The architectures, by Debian's names, with the triplet that compilers and folders of
# libraries have in their names. How a machine is run: run.sh.
declare -A LAB_TRIPLET=([amd64]=x86_64-linux-gnu [arm64]=aarch64-linux-gnu)
# The module to load for KVM, and the file of that with its types; "" where it is built in.
# shellcheck disable=SC2034
declare -A LAB_KVM_MODULE=([amd64]=kvm-amd [arm64]='')
# shellcheck disable=SC2034
declare -A LAB_KVM_TYPES=([amd64]=arch/x86/kvm/kvm [arm64]='')
LAB_HOST_ARCH=amd64

# suite_arch SUITE: the architecture in its name.
suite_arch() {
	case $1 in
	*-arm64) echo arm64 ;;
	*) echo amd64 ;;
	esac
}

# tool_for ARCH PROGRAM: the name of a program of gcc or binutils that is for it.
tool_for() {
	if [ "$1" = "$LAB_HOST_ARCH" ]; then
		echo "$2"
	else
		echo "${LAB_TRIPLET[$1]}-$2"
	fi
}

# Everything that is slow to make lives outside the tree and can be deleted.
LAB_CACHE=${LOCKTRACE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/locktrace}

die() {
	echo "${0##*/}: $*" >&2
	exit 2
}

note() {
	echo "${0##*/}: $*" >&2
}

# need_tool COMMAND...: fail with the names of all that are missing.
need_tool() {
	local tool missing=()
	for tool in "$@"; do
		command -v "$tool" >/dev/null || missing+=("$tool")
	done
	[ ${#missing[@]} -eq 0 ] || die "not installed: ${missing[*]} (see tests/lab/README.md for the packages)"
}

check_suite() {
	case " ${LAB_SUITES[*]} " in
	*" $1 "*) ;;
	*) die "unknown suite '$1'; known: ${LAB_SUITES[*]}" ;;
	esac
}

# suite_release SUITE: what Debian calls it. suite_flavour SUITE: the kind of kernel package.
suite_release() {
	local release=${1%-arm64}
	echo "${release%-rt}"
}

suite_flavour() {
	case $1 in
	*-rt) echo rt ;;
	*) echo cloud ;;
	esac
}

# pack_cpio DIRECTORY: an initramfs archive of it on stdout, all owned by root.
pack_cpio() {
	(cd "$1" && find . -print0 | sort -z | cpio --null --quiet -o -H newc -R 0:0)
}
