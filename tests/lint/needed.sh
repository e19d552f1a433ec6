#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What kiln is linked with: the libraries of this list and no network library among them, nor among what those bring
# along; and of its own parts only the boot proof, which asks the booted machine, knows sockets. libguestfs, and
# by it libvirt and libcurl, is loaded by the process that starts an appliance: tests/sh/vm-airgap.sh watches that.
# kiln-upload is the one program with libcurl, and has nothing of what builds images.
set -eu
. tests/sh/lib.sh
parts=${KILN%/*}/lib

# library | for what
allowed='
libc|
libcrypto|digests and signatures
libz|the variable store for EC2
libxml2|descriptions
libjansson|manifests
libarchive|packages
libfdisk|the partition table
libtss2-mu|the TPM proxy
libzstd|what is compressed in a root file system
ld-linux-x86-64|
ld-linux-aarch64|
'
allowed_upload='
libc|
libcrypto|digests
libcurl|the way to EC2
libz|the variable store for EC2
libxml2|what EC2 answers
libjansson|what EBS answers, manifests
ld-linux-x86-64|
ld-linux-aarch64|
'
network='libcurl|libssl|libgnutls|libssh|libssh2|libnghttp2|libldap|libvirt|libguestfs|libresolv|libnss_.*|libcares|libsoup.*|libmicrohttpd'
# The C library's and the kernel's ways to other machines. (socketpair is none.)
calls='socket|connect|bind|listen|accept4?|send|sendto|sendm?msg|recv|recvfrom|recvm?msg|getaddrinfo|getnameinfo|gethostby.*|res_.*|__res_.*'


needed() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\.so.*/\1/p' | sort; }
outside_list() { # file, list
	needed "$1" | while read -r library; do
		echo "$2" | cut -d'|' -f1 | grep -qxF -e "$library" || echo "$library"
	done
}
network_libraries() { ldd "$1" | awk '{ print $1 }' | grep -xE "($network)\.so.*" || :; }
network_calls() { nm -A -u "$@" | grep -E " U ($calls)(@.*)?\$" || :; }
as_many_as() { # number, lines: a complaint when there are fewer
	[ "$(echo "$2" | grep -c .)" -ge "$1" ] || echo "expected $1 or more, got: $2"
}

[ -x "$KILN" ] || { echo "Bail out! $KILN is not there: make all"; exit 1; }
result "$(as_many_as 5 "$(needed "$KILN")")" "readelf names what kiln is linked with"
result "$(outside_list "$KILN" "$allowed")" "each library of it is on the list"
result "$(as_many_as 5 "$(ldd "$KILN")")" "ldd finds them and theirs"
result "$(network_libraries "$KILN")" "no network library is among all those"
for part in base format model rootfs keys stages factory; do
	result "$(network_calls "$parts/$part.a")" "nothing in $part makes a socket"
done
upload=${KILN%/*}/kiln-upload
result "$(outside_list "$upload" "$allowed_upload")" "each library of kiln-upload is on its list"
is "$(needed "$upload" | grep -c '^libcurl')" 1 "libcurl is among them"

# The checks themselves must be able to fail.
result "$(as_many_as 1 "$(network_libraries "$(command -v curl)")")" "of curl, ldd shows a network library"
result "$(as_many_as 1 "$(outside_list "$(command -v curl)" "$allowed")")" "and it is linked with one that is not on the list"
result "$(as_many_as 2 "$(network_calls "$parts/vm-test.a")")" "the boot proof does make sockets"

finish
