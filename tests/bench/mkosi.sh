#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Kiln against mkosi, which builds the same image natively and as root: a cold build, a build after a change of one
# overlay file, the sizes, and the time from firmware to service.
#
#     tests/bench/mkosi.sh [TREE]
#
# TREE (MKOSI_TREE, /var/tmp/kiln-mkosi) is a Debian tree with mkosi in it, made once by mmdebstrap from the mirror in
# KILN_MIRROR or that of this host's apt; it also keeps mkosi's package cache. Needs root, a network the first time,
# and IMAGE (rootfs/images/mpc) with its lock and every locked package in the store (kiln fetch).
# PAIRS, BENCH_TMPDIR, KILN: tests/bench/lib.sh. ROWS="cold warm size boot" chooses.
# shellcheck disable=SC2016 # lib.sh evaluates the command lines
set -eu
. tests/bench/lib.sh
require mmdebstrap dpkg-deb unshare jq curl swtpm swtpm_setup qemu-system-x86_64 apt-get
[ "$(id -u)" -eq 0 ] || die "mkosi is run natively and needs root"

tree=${1:-${MKOSI_TREE:-/var/tmp/kiln-mkosi}}
IMAGE=${IMAGE:-rootfs/images/mpc} ROWS=${ROWS:-cold warm size boot}
name=$(basename "$IMAGE")
store=${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}/store
cache=$bench_tmp/cache description=$bench_tmp/source/images/$name
out=$tree/bench/out
tools=mkosi,systemd-repart,systemd-boot-efi,systemd-ukify,erofs-utils,dosfstools,mtools,cryptsetup-bin,bubblewrap,zstd

wanted() { # row
	case " $ROWS " in *" $1 "*) return 0 ;; *) return 1 ;; esac
}

seconds() { # microseconds
	awk -v us="$1" 'BEGIN { printf "%.0f s", us / 1e6 }'
}

load() {
	echo "mkosi.sh: load average $(cut -d ' ' -f 1 /proc/loadavg) before $1" >&2
}

# ---------------------------------------------------------------- the peer's tree

# The root URL of the host's own mirror for suites that end in SUFFIX.
# shellcheck disable=SC1091 # the host's
host_mirror() { # suffix
	apt-get indextargets --format '$(SITE) $(RELEASE)' 'Identifier: Packages' |
		awk -v suite="$(. /etc/os-release && echo "$VERSION_CODENAME")$1" '$2 == suite { print $1; exit }'
}

# One line a suite of the lock: "deb URL SUITE main".
sources() {
	# shellcheck disable=SC2086 # KILN_MIRROR may hold two URLs
	set -- ${KILN_MIRROR:-$(host_mirror '') $(host_mirror -security)}
	[ $# -gt 0 ] || die "this host's apt sources name no mirror: set KILN_MIRROR"
	jq -r '.repositories[] | .suite + " " + .components' "$IMAGE/kiln.lock" | while read -r suite components; do
		case $suite in
		*-security) echo "deb ${2:-${1%/}-security} $suite $components" ;;
		*) echo "deb $1 $suite $components" ;;
		esac
	done
}

make_tree() {
	echo "mkosi.sh: making $tree" >&2
	rm -rf "$tree.new"
	sources > "$bench_tmp/sources.list"
	mmdebstrap --quiet --variant=apt --include="$tools" \
		"$(jq -r '.repositories[0].suite' "$IMAGE/kiln.lock")" "$tree.new" "$bench_tmp/sources.list" >&2
	mv "$tree.new" "$tree"
}

# What mkosi is told: the configuration beside this script, and what the description says.
write_configuration() {
	bench=$tree/bench
	mkdir -p "$bench/packages" "$bench/cache" "$out" "$bench/mkosi.sandbox/etc/apt/sources.list.d"
	rm -rf "$bench/mkosi.extra"
	cp -r tests/bench/mkosi/mkosi.* "$bench/"
	cp -r "$IMAGE/root/." "$IMAGE/config.sh" "$bench/mkosi.extra/"
	tar -x -C "$bench/mkosi.extra" -f "$(find "$cache/stages/programs" -name programs.tar)"
	# With sources of its own mkosi does not add suites of debugging symbols, which few mirrors have.
	sources | sed 's#^deb #&[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] #' \
		> "$bench/mkosi.sandbox/etc/apt/sources.list.d/mkosi.list"
	: > "$bench/mkosi.sandbox/etc/apt/sources.list.d/mkosi.sources"
	{
		printf '[Output]\nOutputDirectory=/bench/out\n'
		printf '[Build]\nPackageCacheDirectory=/bench/packages\nCacheDirectory=/bench/cache\n'
		printf '[Content]\nRemoveFiles=\n'
		sed -n 's/.*kiln:path-exclude path="\([^"]*\)".*/        \1/p' "$IMAGE/appliance.kiwi"
		# Kiln's own /init puts a writable layer over the root; systemd's has to be asked.
		printf 'KernelCommandLine=%s systemd.volatile=overlay\nPackages=\n' \
			"$(sed -n 's/.*kernelcmdline="\([^"]*\)".*/\1/p' "$IMAGE/appliance.kiwi")"
		jq -r '.sets.image.packages[] | "        " + .name' "$IMAGE/kiln.lock"
	} > "$bench/mkosi.local.conf"
}

mkosi='sh tests/bench/mkosi/enter.sh "$tree" mkosi --directory=/bench --force'

# Both images hold the same packages, but for what the description takes away again and mkosi's own boot stub.
compare_packages() {
	jq -r '.sets.image.packages[] | .name + " " + .version' "$IMAGE/kiln.lock" |
		grep -v -e '^cpio ' -e '^tiny-initramfs' -e '^xz-utils ' | sort > "$bench_tmp/ours"
	jq -r '.packages[] | .name + " " + .version' "$out/mpc.manifest" |
		grep -v '^systemd-boot-efi ' | sort > "$bench_tmp/theirs"
	diff "$bench_tmp/ours" "$bench_tmp/theirs" >&2 ||
		echo "mkosi.sh: the two images' packages differ, as said above: kiln fetch --update" >&2
}

# ---------------------------------------------------------------- before each run

# What was fetched, and nothing that was made of it.
empty_cache() {
	rm -rf "$cache"
	mkdir -p "$cache"
	cp -rl "$store" "$cache/store" 2>/dev/null || cp -r "$store" "$cache/store"
}

change=0
change_overlay() { # directory of the overlay
	change=$((change + 1))
	echo "# change $change" >> "$1/etc/sysctl.d/60-mpc.conf"
}

fresh_machine() {
	rm -rf "$bench_tmp/machine"
	mkdir -p "$bench_tmp/machine/tpm"
	firmware=$(jq -r '.sets.firmware.packages[0].sha256' "$IMAGE/kiln.lock")
	for file in OVMF_CODE_4M.secboot.fd OVMF_VARS_4M.fd; do
		dpkg-deb --fsys-tarfile "$(find "$store" -name "$firmware")" |
			tar -x -O "./usr/share/OVMF/$file" > "$bench_tmp/machine/$file"
	done
	swtpm_setup --tpm2 --tpmstate "$bench_tmp/machine/tpm" --pcr-banks sha256,sha384 --config /dev/null \
		> /dev/null
}

# ---------------------------------------------------------------- the runs

kiln='env KILN_CACHE="$cache" "$KILN" --quiet build "$description" -o "$bench_tmp/results"'
accelerator=$("$KILN" doctor 2>/dev/null | sed -n 's/^[a-z]* *acceleration *\([a-z=,]*\):.*/\1/p')
case $accelerator in
kvm) aim_cold=0.7 aim_warm=0.35 ;;
tcg*) aim_cold=1.5 aim_warm=1.0 ;;
*) die "kiln doctor does not say how it accelerates" ;;
esac

[ -d "$store" ] || die "$store is missing: kiln fetch $IMAGE"
mkdir -p "$bench_tmp/source/images"
cp -r "$IMAGE" "$description"
cp -r "$(dirname "$IMAGE")/../services" "$bench_tmp/source/"

# Once without measuring: the service's program for mkosi's tree, and mkosi's own caches.
[ -d "$tree" ] || make_tree
empty_cache
once /dev/null "$kiln"
write_configuration
once /dev/null "$mkosi --incremental=yes --force build"
compare_packages

if wanted cold; then
	load 'cold builds'
	pairs 3 "$kiln" "$mkosi --incremental=no --cache-only=always build" empty_cache
	figure "cold build ($(seconds "$wall_a"))" "mkosi 25.3, native ($(seconds "$wall_b"))" "$aim_cold"
fi
if wanted warm; then
	load 'rebuilds'
	pairs 3 "$kiln" "$mkosi --incremental=yes --cache-only=always build" \
		'change_overlay "$description/root"' 'change_overlay "$tree/bench/mkosi.extra"'
	figure "rebuild after changing one overlay file ($(seconds "$wall_a"))" \
		"mkosi --incremental=yes, native ($(seconds "$wall_b"))" "$aim_warm"
fi
for disk in "$bench_tmp/results/$name"/*.raw; do :; done
if wanted size; then
	DISK=$disk PEER_DISK=$out/mpc.raw sh tests/bench/sizes.sh
fi
if wanted boot; then
	load boots
	boot='sh tests/bench/mkosi/boot.sh'
	pairs 3 "$boot \"\$disk\" \"\$bench_tmp/machine\" $accelerator" \
		"$boot \"\$out/mpc.raw\" \"\$bench_tmp/machine\" $accelerator" fresh_machine fresh_machine
	figure "firmware start to port 3000 ($(seconds "$wall_a"))" "mkosi's image, same machine ($(seconds "$wall_b"))" 0.5
fi
