# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# A Debian repository of a few empty packages below $tmp/repository, signed with a throw-away key, and a
# description in $tmp/image that is made from it: fetching without a network. Source it after tests/sh/lib.sh.

require dpkg-deb apt-ftparchive apt-get gpg gpgconf jq

# shellcheck disable=SC2154 # lib.sh makes it
repository=$tmp/repository
image=$tmp/image
source=file://$repository
signing="<signing key=\"file://$tmp/key.gpg\"/>"
export KILN_CACHE="$tmp/cache" GNUPGHOME="$tmp/gnupg"
unset KILN_MIRROR
trap 'gpgconf --kill all 2>/dev/null || :; rm -rf "$tmp"' EXIT

# What Kiln's own sets ask of any repository.
tools='apt binutils-x86-64-linux-gnu cpp-14-x86-64-linux-gnu dosfstools e2fsprogs erofs-utils kmod libgcc-14-dev mount
	mtools passwd zstd ovmf systemd-boot-efi libc6-dev linux-libc-dev linux-image-9.9-cloud-amd64'

# Of packages from here on; the lists are for amd64 and for whatever else they were made.
architecture=amd64

package() { # name, version, control line...
	name=$1 version=$2
	shift 2
	mkdir -p "$tmp/package/DEBIAN" "$repository/pool"
	{
		printf 'Package: %s\nVersion: %s\nArchitecture: %s\n' "$name" "$version" "$architecture"
		printf 'Maintainer: nobody\nDescription: test\n'
		for line; do
			printf '%s\n' "$line"
		done
	} > "$tmp/package/DEBIAN/control"
	mkdir -p "$tmp/package/usr/share/$name"
	echo "$name $version" > "$tmp/package/usr/share/$name/about"
	dpkg-deb --root-owner-group -Zgzip -b "$tmp/package" \
		"$repository/pool/${name}_${version#*:}_$architecture.deb" > /dev/null
	rm -rf "$tmp/package"
}

key() { # address
	gpg --batch --quiet --passphrase '' --quick-gen-key "$1" ed25519 sign never 2> /dev/null
}

sign() { # address
	gpg --batch --quiet --yes --local-user "$1" --clearsign \
		-o "$repository/dists/trixie/InRelease" "$repository/dists/trixie/Release"
}

# Makes the lists anew from what is in the pool. Each further argument is a line for the Release file.
publish() { # address of the key that signs, field...
	lists=$repository/dists/trixie/main
	publish_for=amd64
	[ $architecture = amd64 ] || publish_for="amd64 $architecture"
	rm -f "$repository/dists/trixie/Release" "$repository/dists/trixie/InRelease"
	for publish_one in $publish_for; do
		mkdir -p "$lists/binary-$publish_one"
		(cd "$repository" && apt-ftparchive --arch "$publish_one" packages pool) \
			> "$lists/binary-$publish_one/Packages" 2> /dev/null
	done
	apt-ftparchive -o APT::FTPArchive::Release::Suite=trixie \
		-o APT::FTPArchive::Release::Codename=trixie \
		-o APT::FTPArchive::Release::Components=main \
		-o APT::FTPArchive::Release::Architectures="$publish_for" \
		release "$repository/dists/trixie" > "$tmp/Release"
	publish_key=$1
	shift
	{
		[ $# -eq 0 ] || printf '%s\n' "$@"
		cat "$tmp/Release"
	} > "$repository/dists/trixie/Release"
	rm "$tmp/Release"
	sign "$publish_key"
}

# Writes the description, with $source and $signing as its repository; each argument is one line of its package list.
describe() { # XML...
	mkdir -p "$image"
	cat > "$image/appliance.kiwi" <<-END
		<?xml version="1.0" encoding="utf-8"?>
		<image schemaversion="7.5" name="test">
		<description type="system"><author>a</author><contact>c</contact><specification>s</specification></description>
		<preferences><version>1.0.0</version><packagemanager>apt</packagemanager>
		<type image="oem" filesystem="xfs" firmware="uefi" eficsm="false" bootpartition="false" overlayroot="true"
		overlayroot_write_partition="false" overlayroot_readonly_filesystem="erofs" verity_blocks="all"
		kernelcmdline="quiet">
		<bootloader name="systemd_boot" timeout="0"/><initrd action="setup"><dracut uefi="true"/></initrd></type></preferences>
		<repository type="apt-deb" alias="local" distribution="trixie" components="main">
		<source path="$source">$signing</source>
		</repository>
		<packages type="image">
		$(printf '%s\n' "$@")
		</packages>
		</image>
	END
}

fetch() {
	"$KILN" fetch "$image" "$@"
}

locked() { # set: "name version" of its packages on one line
	jq -r ".sets.$1.packages | map(.name + \" \" + .version) | join(\", \")" "$image/kiln.lock"
}

objects() {
	find "$KILN_CACHE/store" -type f 2> /dev/null | wc -l
}

mkdir -m 700 "$GNUPGHOME"
mkdir -p "$repository/pool"
for tool in $tools; do
	package "$tool" 1.0
done
package linux-image-cloud-amd64 1.0 'Depends: linux-image-9.9-cloud-amd64 (= 1.0)'
package base 1:1.0 'Essential: yes'
package libapp 1.0+x~1
package app 1.0 'Depends: libapp (>= 1.0)'
package other 1.0 'Conflicts: app'
key archive@example.invalid
key stranger@example.invalid
gpg --batch --export archive@example.invalid > "$tmp/key.gpg"
publish archive@example.invalid
