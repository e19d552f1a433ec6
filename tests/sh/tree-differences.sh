#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The comparison of two trees sees every kind of difference, and nothing where there is none.
set -eu
. tests/sh/lib.sh
require perl tar

# shellcheck disable=SC2154 # lib.sh makes it
cd "$tmp"
differences=$OLDPWD/tests/tree-differences.pl
long=usr/$(printf '%0120d' 0)

plant() { # directory
	rm -rf "$1"
	mkdir -p "$1/etc" "$1/usr/bin"
	echo data > "$1/etc/file"
	echo data > "$1/$long"
	ln "$1/etc/file" "$1/usr/another"
	ln -s file "$1/etc/link"
	mkfifo "$1/usr/pipe"
	find "$1" -exec touch --no-dereference --date=@1000000000 {} +
}
pack() { # directory, option...
	from=$1
	shift
	tar --create --file="$from.tar" --directory="$from" --format=pax --numeric-owner --owner=0 --group=0 "$@" .
}
plant a
pack a
: > none

# ---- no difference
plant b
touch --date=@2000000000 b/etc/file
pack b --sort=name
is "$(perl "$differences" a.tar b.tar none 2>&1)" "9 paths and 9, 0 differences accepted, 0 wrong" \
	"times and the order of members are no difference"
pack b --format=gnu
ok "nor is tar's dialect" perl "$differences" a.tar b.tar none

# ---- each kind of difference
sees() { # line, description
	exits 1 '' "$2: it fails" perl "$differences" a.tar b.tar none
	like "$(cat out)" "^$1\$" "$2: and says where"
}
change() { # command...
	plant b
	(cd b && "$@")
	pack b
}
change rm etc/link
sees 'only-kiln /etc/link' "a path too many"
change mkdir new
sees 'only-reference /new' "a path too few"
change sh -c 'rm usr/pipe; mkdir usr/pipe'
sees 'type /usr/pipe: "pipe", in the reference "directory"' "another type"
change chmod 4755 etc/file
sees 'mode /usr/another: "0644", in the reference "4755"' "another mode"
plant b
pack b --owner=7 --group=8
sees 'owner /etc/link: "0:0", in the reference "7:8"' "another owner"
accounts() { # uid, gid
	mkdir -p etc
	echo "me:x:$1:$2::/:/bin/sh" > etc/passwd
	echo "us:x:$2:" > etc/group
}
plant a
(cd a && accounts 7 8)
pack a --owner=7 --group=8
plant b
(cd b && accounts 9 10)
pack b --owner=9 --group=10
sees 'number /etc/link: "7:8", in the reference "9:10"' "another number of the same owner"
like "$(cat out)" '^numbers /etc/passwd: "me:x:7:8:' "lines that differ in numbers"
pack b --owner=7 --group=10
sees 'owner /etc/link: "me:us", in the reference "7:us"' "an owner without a name"
plant a
pack a
change sh -c 'printf "a\n1\n" > usr/list'
mv b.tar a.tar
change sh -c 'printf "1\na\n" > usr/list'
sees 'order /usr/list: "a\.", in the reference "1\."' "lines in another order"
plant a
pack a
change ln -sfn ../file etc/link
sees 'target /etc/link: "file", in the reference "../file"' "another target"
change sh -c 'rm usr/another; echo data > usr/another'
sees 'names /usr/another: "/etc/file /usr/another", in the reference ""' "two files in place of two names"
change sh -c 'echo Data > etc/file'
sees 'content /usr/another: "data\.", in the reference "Data\."' "other contents"
change sh -c "echo data2 > $long"
sees "content /$long: \"data\\.\", in the reference \"data2\\.\"" "other contents under a long name"
plant b
pack b --pax-option=SCHILY.xattr.security.capability:=x
sees 'attributes /etc/link: "", in the reference "security\.capability=78 "' "extended attributes"

# ---- what is accepted
change sh -c 'rm etc/link; echo more > usr/bin/more; echo Data > etc/file'
cat > accepted <<'EOF'
# kind path reason
only-kiln /etc/link because

only-reference /usr/** because of all that
content /**/file because
content /usr/* because
EOF
ok "what is accepted is no failure" perl "$differences" a.tar b.tar accepted
echo 'mode /etc/file because' >> accepted
exits 1 '' "what is accepted and not there is one" perl "$differences" a.tar b.tar accepted
like "$(cat out)" '^accepted:7: there is no difference "mode /etc/file" to accept$' "by its line"
sed 's#/usr/\*\*#/usr/*#' accepted > narrower
exits 1 '' "a star stays within a name" perl "$differences" a.tar b.tar narrower
like "$(cat out)" '^only-reference /usr/bin/more$' "and does not reach deeper"
echo 'mode /etc/file' > accepted
exits 2 'KIND PATH REASON' "every line gives a reason" perl "$differences" a.tar b.tar accepted
head -c 3000 a.tar > cut.tar
exits 2 'ends in the middle' "a cut archive" perl "$differences" cut.tar b.tar none
finish
