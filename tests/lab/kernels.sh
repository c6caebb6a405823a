#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
#
# Fetch and unpack the Debian cloud kernel of a suite, with its headers, into
# the cache and print the directory that holds it. Called by run.sh,
# initramfs.sh and fixture.sh, and by hand. Needs apt, dpkg and busybox; no root.
# The mirror is the one the host's own apt uses. What it leaves behind:
#   unpacked/ (the packages), release, vmlinuz, modules/ and headers/ (links)
set -euo pipefail

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=common.sh
. "$LAB_DIR/common.sh"

ARCH=amd64
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
META_PACKAGES=("linux-image-cloud-$ARCH" "linux-headers-cloud-$ARCH")

usage() {
	cat <<-END
	Usage: kernels.sh [--refresh] SUITE
	Print the directory of SUITE's unpacked kernel, fetching it if missing.
	  --refresh   ask the mirror for a newer kernel even if one is cached
	Suites: ${LAB_SUITES[*]}
	Example: tests/lab/kernels.sh bookworm
	END
}

# The URI of the Debian archive in the host's apt configuration. Security and
# third-party archives have another label or origin and are passed over.
mirror_uri() {
	local uri
	if [ -n "${LOCKTRACE_MIRROR:-}" ]; then
		echo "$LOCKTRACE_MIRROR"
		return
	fi
	# Label and origin are empty until the host has run "apt-get update".
	# shellcheck disable=SC2016 # the fields are for apt
	uri=$(apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(LABEL)' |
		awk -F'|' '$2 !~ /-security/ && $3 == "main" && $4 == "Debian" { print $1; exit }')
	[ -n "$uri" ] || uri=$(sources_uri)
	[ -n "$uri" ] || die "no Debian archive in this host's apt sources; set LOCKTRACE_MIRROR to its URI"
	echo "$uri"
}

# The same from the source lists themselves, for a host without package lists.
sources_uri() {
	local files=()
	local file
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources}; do
		[ ! -r "$file" ] || files+=("$file")
	done
	[ ${#files[@]} -gt 0 ] || return 0
	grep -hoE '^(deb .*|URIs: *)https?://[^ ]+/debian/?( |$)' "${files[@]}" |
		grep -oE 'https?://[^ ]+' | head -n 1 || true
}

# A private apt state for one suite: own lists and cache, nothing installed.
# The host's configuration is still read (proxies), its hooks are not.
write_apt_state() {
	local apt_dir=$1 suite=$2 uri
	uri=$(mirror_uri)
	mkdir -p "$apt_dir/lists/partial" "$apt_dir/archives/partial" "$apt_dir/empty"
	echo "deb [arch=$ARCH signed-by=$KEYRING] $uri $suite main" >"$apt_dir/sources.list"
	cat >"$apt_dir/apt.conf" <<-END
	#clear APT::Update::Pre-Invoke;
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
	#clear APT::Default-Release;
	Dir::State "$apt_dir";
	Dir::State::Lists "$apt_dir/lists";
	Dir::State::status "/dev/null";
	Dir::Cache "$apt_dir";
	Dir::Cache::archives "$apt_dir/archives";
	Dir::Etc::SourceList "$apt_dir/sources.list";
	Dir::Etc::SourceParts "$apt_dir/empty";
	Dir::Etc::Preferences "/dev/null";
	Dir::Etc::PreferencesParts "$apt_dir/empty";
	APT::Architecture "$ARCH";
	APT::Architectures { "$ARCH"; };
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	Acquire::Retries "3";
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
			version=$(apt-cache -c "$conf" policy "$package" | awk '$1 == "Candidate:" { print $2 }')
			case $version in
			'' | '(none)') continue ;;
			esac
			echo "$package=$version"
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
	local conf=$1 scratch=$2 packages=() deb release
	mapfile -t packages < <(resolve_packages "$conf")
	[ ${#packages[@]} -gt 0 ] || die "the package index names no kernel packages behind ${META_PACKAGES[*]}"
	note "fetching ${packages[*]}"
	mkdir "$scratch/debs" "$scratch/tree" "$scratch/tree/unpacked"
	(cd "$scratch/debs" && apt-get -q -c "$conf" download "${packages[@]}" >&2) ||
		die "apt-get could not download the kernel packages (see above)"
	for deb in "$scratch"/debs/*.deb; do
		dpkg -x "$deb" "$scratch/tree/unpacked"
	done
	release=$(printf '%s\n' "${packages[@]}" |
		sed -n "s/^linux-image-\(.*-cloud-$ARCH\)=.*/\1/p" | head -n 1)
	[ -n "$release" ] || die "no linux-image package among ${packages[*]}"
	finish_tree "$scratch/tree" "$release"
}

# The key of a kernel in the cache: its package version is part of it, because
# Debian rebuilds under one release name (5.10.0-32).
kernel_key() {
	local conf=$1
	apt-cache -c "$conf" show --no-all-versions "${META_PACKAGES[0]}" |
		awk '$1 == "Version:" { print $2; exit }'
}

update_suite() {
	local suite=$1 link=$2 apt_dir=$LAB_CACHE/apt/$1 conf key scratch tree
	local -r kernels=$LAB_CACHE/kernels
	need_tool apt-get dpkg busybox
	[ -r "$KEYRING" ] || die "$KEYRING is missing: install debian-archive-keyring"
	write_apt_state "$apt_dir" "$suite"
	conf=$apt_dir/apt.conf
	note "reading the package index of $suite"
	apt-get -q -c "$conf" update >&2 || die "apt-get update failed for $suite (see above)"
	key=$(kernel_key "$conf")
	[ -n "$key" ] || die "suite $suite has no ${META_PACKAGES[0]}"
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
