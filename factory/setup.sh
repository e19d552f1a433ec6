#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what Kiln needs from Debian and is not there yet, saying which packages and why. The only
# part of Kiln that ever asks for root. Usage: setup.sh demo|check
set -eu

# package | probe elsewhere (cmd:NAME, pc:MODULE, file:PATH, or ossl:MODULE for one of OpenSSL) | why
demo_packages='
gcc|cmd:gcc|compiles Kiln
make|cmd:make|builds Kiln
pkg-config|cmd:pkg-config|finds the libraries
libssl-dev|pc:libcrypto|digests and signatures
libxml2-dev|pc:libxml-2.0|reads image descriptions
libjansson-dev|pc:jansson|reads and writes manifests
libarchive-dev|pc:libarchive|reads packages
libcurl4-openssl-dev|pc:libcurl|uploads to EC2
libguestfs-dev|pc:libguestfs|runs the build appliance
libcryptsetup-dev|pc:libcryptsetup|makes the dm-verity tree
libfdisk-dev|pc:fdisk|writes the partition table
libtss2-dev|pc:tss2-mu|speaks to the TPM
libzstd-dev|pc:libzstd|reads what is compressed in a root file system
zlib1g-dev|pc:zlib|packs the variable store for EC2
supermin|cmd:supermin|assembles the build appliance
qemu-system-x86|cmd:qemu-system-x86_64|runs the appliance and the boot proof
qemu-utils|cmd:qemu-img|makes the appliance disks
swtpm|cmd:swtpm|is the TPM of the boot proof
swtpm-tools|cmd:swtpm_setup|prepares that TPM
kmod|cmd:depmod|indexes the appliance kernel modules
debian-archive-keyring|file:/usr/share/keyrings/debian-archive-keyring.gpg|verifies the archive signature
'
check_packages='
clang|cmd:clang|second compiler, fuzzers
git|cmd:git|lists the project files
perl|cmd:prove|runs the tests
awscli|cmd:aws|asks the rehearsal server independently
apt-utils|cmd:apt-ftparchive|makes test archives
gnupg|cmd:gpg|signs test archives
binutils|cmd:objdump|reads UKIs independently
cpio|cmd:cpio|reads initrds independently
cryptsetup-bin|cmd:veritysetup|checks verity trees independently
curl|cmd:curl|asks the booted service
dosfstools|cmd:mkfs.fat|makes test file systems
efitools|cmd:cert-to-efi-sig-list|makes signature lists independently
erofs-utils|cmd:fsck.erofs|checks the root file system independently
faketime|cmd:faketime|builds at another time
gdisk|cmd:sgdisk|checks the partition table independently
jq|cmd:jq|reads results in tests
libmicrohttpd-dev|pc:libmicrohttpd|is in the image service and the rehearsal server
mandoc|cmd:mandoc|lints the manual pages
mtools|cmd:mcopy|makes test file systems
opensc|cmd:pkcs11-tool|makes keys in a test token
openssl|cmd:openssl|checks and makes signatures independently
pkcs11-provider|ossl:pkcs11|reaches keys in a token
procps|cmd:pgrep|finds children left behind
python3-botocore|file:/usr/lib/python3/dist-packages/botocore/__init__.py|signs for the rehearsal server independently
sbsigntool|cmd:sbverify|checks signatures independently
shellcheck|cmd:shellcheck|lints shell scripts
softhsm2|cmd:softhsm2-util|is the test token
strace|cmd:strace|proves that a build uses no network
util-linux|cmd:setpriv|runs the build without privileges
'

die() {
	printf 'setup: %s\n' "$1" >&2
	exit 3
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		env DEBIAN_FRONTEND=noninteractive "$@"
	elif command -v sudo >/dev/null; then
		sudo env DEBIAN_FRONTEND=noninteractive "$@"
	else
		die "installing packages needs root, and there is no sudo; run as root: $*"
	fi
}

have() {
	case $1 in
	cmd:*) PATH=$PATH:/usr/sbin:/sbin command -v "${1#cmd:}" >/dev/null ;;
	ossl:*) [ -e "$(pkg-config --variable=modulesdir libcrypto)/${1#ossl:}.so" ] ;;
	pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
	file:*) [ -e "${1#file:}" ] ;;
	esac
}

# The rows of the table whose probe finds nothing.
missing_rows() {
	printf '%s' "$wanted" | while IFS='|' read -r package probe why; do
		[ -n "$package" ] || continue
		have "$probe" || printf '%s|%s\n' "$package" "$why"
	done
}

# Its run time is a package of its own, named after clang's version.
have_fuzzer() {
	echo 'int LLVMFuzzerTestOneInput(const char *d, long n); int LLVMFuzzerTestOneInput(const char *d, long n) { return !d && n; }' |
		clang -fsanitize=fuzzer -x c -o /dev/null - 2>/dev/null
}

qemu_major() {
	qemu-system-x86_64 --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p;q'
}

# The root URL from which this host already takes the suite $1.
host_mirror() {
	# shellcheck disable=SC2016 # apt expands these itself
	apt-get indextargets --format '$(SITE) $(RELEASE)' 2>/dev/null |
		awk -v suite="$1" '$2 == suite { print $1; exit }'
}

# QEMU older than 10 corrupts guests under multi-threaded emulation; Debian 12 has 7.2, its backports
# suite has 10. Where this is refused Kiln runs single-threaded, which is slower but right.
new_qemu() {
	major=$(qemu_major)
	if [ "${major:-0}" -ge 10 ]; then
		return 0
	fi
	suite=$codename-backports
	if [ "$codename" != bookworm ]; then
		return 0
	fi
	if [ -z "$(host_mirror "$suite")" ]; then
		mirror=$(host_mirror "$codename")
		if [ -z "$mirror" ]; then
			echo "setup: this host's apt sources name no mirror of $codename; keeping the older QEMU, single-threaded" >&2
			return 0
		fi
		file=/etc/apt/sources.list.d/kiln-backports.sources
		echo "setup: adding the suite $suite from this host's own mirror ($file), for QEMU 10"
		printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
			"$mirror" "$suite" /usr/share/keyrings/debian-archive-keyring.gpg |
			as_root tee "$file" >/dev/null
		as_root apt-get -q update
	fi
	as_root apt-get -q install -y --no-install-recommends -t "$suite" qemu-system-x86 qemu-utils ||
		echo "setup: no QEMU 10 from $suite; keeping the older one, single-threaded" >&2
}

case ${1-} in
demo) wanted=$demo_packages ;;
check) wanted=$demo_packages$check_packages ;;
*) die "usage: setup.sh demo|check" ;;
esac

id=unknown codename=unknown
if [ -r /etc/os-release ]; then
	id=$(sed -n 's/^ID=//p' /etc/os-release)
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
fi

missing=$(missing_rows)
if [ "$id" != debian ]; then
	[ -n "$missing" ] || exit 0
	echo "setup: this is not Debian. Please install these (named as in Debian) and try again:" >&2
	echo "$missing" | sed 's/\(.*\)|\(.*\)/  \1 (\2)/' >&2
	exit 3
fi

if [ -n "$missing" ]; then
	echo "setup: installing from Debian:"
	echo "$missing" | sed 's/\(.*\)|\(.*\)/  \1 (\2)/'
	as_root apt-get -q update
fi
# Before the rest, so that Debian 12 does not install QEMU 7 first and then replace it.
new_qemu
missing=$(missing_rows | cut -d'|' -f1)
if [ -n "$missing" ]; then
	# shellcheck disable=SC2086 # a list of names
	as_root apt-get -q install -y --no-install-recommends $missing ||
		die "apt-get could not install them; its message is above"
fi
# supermin reads this directory even when it is told of another kernel; a host without one lacks it.
if [ ! -d /lib/modules ]; then
	echo "setup: creating the empty directory /lib/modules, which supermin wants"
	as_root mkdir -p /lib/modules
fi
if [ "$1" = check ] && ! have_fuzzer; then
	version=$(clang -dumpversion | cut -d. -f1)
	echo "setup: installing libclang-rt-$version-dev (the fuzzers' run time)"
	as_root apt-get -q install -y --no-install-recommends "libclang-rt-$version-dev"
fi
