#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Compares two trees that lie in tar archives: paths, types, modes, owners, targets of links, names of one file,
# contents, extended attributes; not times. Reads tar by itself, so that it shares no mistake with Kiln.
#
#     tree-differences.pl KILN.tar REFERENCE.tar ACCEPTED
#
# ACCEPTED has a line "KIND PATH REASON" for each difference that may be; in PATH "*" is anything within a name, "**"
# anything at all. The kinds are
#
#     only-kiln, only-reference, type, mode, target (or numbers of a device), attributes
#     names       the file has other names, too
#     owner       the names of user and group, as each tree has them
#     number      the same names have other numbers
#     order       the same lines in another order
#     numbers     the same lines but for numbers in them, in any order
#     content     anything else
#
# Exit code 1 for a difference without a line, and for a line without a difference; 2 for bad input.
use strict;
use warnings;
use Digest::SHA;

$SIG{__DIE__} = sub { print STDERR @_; exit 2 };

my %types = ('' => 'file', 0 => 'file', 1 => 'file', 2 => 'link', 3 => 'character device',
	4 => 'block device', 5 => 'directory', 6 => 'pipe');
my $ignored = qr/^(?:[amc]time|uname|gname|comment)$/;

# ---- tar: POSIX.1-2017 "pax Interchange Format", and GNU tar's long names

sub padded { return ($_[0] + 511) & ~511 }

sub take {
	my ($tar, $size) = @_;
	my $data;
	my $got = read $tar->{handle}, $data, $size;
	die "$tar->{name}: ends in the middle of a member\n" unless defined $got && $got == $size;
	return $data;
}

sub number {
	my ($field) = @_;
	return oct($field =~ s/[\0 ]+$//r) unless ord($field) & 0x80;
	my $n = 0;
	$n = $n * 256 + $_ for (ord($field) & 0x7f, unpack 'C*', substr $field, 1);
	return $n;
}

sub records {
	my ($text) = @_;
	my %records;
	while ($text =~ /\G(\d+) /gc) {
		my $rest = substr $text, pos $text, $1 - length($1) - 1;
		pos($text) += length $rest;
		my ($key, $value) = $rest =~ /^([^=]+)=(.*)\n$/s or die "a broken extended header\n";
		$records{$key} = $value;
	}
	return %records;
}

sub path_of {
	my ($path) = @_;
	$path =~ s{^(?:\./)+|/+$}{}g;
	return $path eq '.' || $path eq '' ? '/' : "/$path";
}

sub digest {
	my ($tar, $size) = @_;
	my $sha = Digest::SHA->new(256);
	for (my $left = $size; $left > 0; $left -= 1 << 20) {
		$sha->add(take($tar, $left < 1 << 20 ? $left : 1 << 20));
	}
	take($tar, padded($size) - $size);
	return $sha->hexdigest;
}

sub member {
	my ($tar, $header, %extended) = @_;
	my ($name, $mode, $uid, $gid, $size, undef, undef, $type, $target, $magic, undef, undef, undef, $major, $minor,
		$prefix) = unpack 'Z100 a8 a8 a8 a12 a12 a8 a1 Z100 a6 a2 a32 a32 a8 a8 Z155', $header;

	$name = "$prefix/$name" if $magic eq "ustar\0" && $prefix ne '';
	$name = delete $extended{path} // $name;
	$target = delete $extended{linkpath} // $target;
	$size = delete $extended{size} // number($size);
	$type =~ s/\0//;
	die "$tar->{name}: $name is of the strange type \"$type\"\n" unless $types{$type};
	my %m = (
		type => $types{$type},
		mode => sprintf('%04o', number($mode) & 07777),
		number => (delete $extended{uid} // number($uid)) . ':' . (delete $extended{gid} // number($gid)),
		target => $type eq 2 ? $target : $type =~ /[34]/ ? number($major) . ':' . number($minor) : '',
		hardlink => $type eq 1 ? path_of($target) : undef,
		at => tell $tar->{handle},
		size => $size,
		content => '',
	);
	$m{content} = digest($tar, $size) if $types{$type} eq 'file' && $type ne 1;
	for my $key (grep { !/$ignored/ } sort keys %extended) {
		die "$tar->{name}: $name has an unknown $key\n" unless $key =~ /^SCHILY\.xattr\.(.+)$/;
		$m{attributes} .= "$1=" . unpack('H*', $extended{$key}) . ' ';
	}
	$m{attributes} //= '';
	return (path_of($name), \%m);
}

# Every name of a file with several has all that the file has; {names} are all of them.
sub join_hard_links {
	my ($tree) = @_;
	my %names;
	for my $path (sort keys %$tree) {
		my $first = $tree->{$path}{hardlink} // $path;
		die "$path is another name of $first, which is not there\n" unless $tree->{$first};
		push @{ $names{$first} }, $path;
	}
	for my $first (keys %names) {
		my @all = @{ $names{$first} };
		$tree->{$_} = { %{ $tree->{$first} }, names => @all > 1 ? "@all" : '' } for @all;
	}
}

sub content_of {
	my ($tar, $path) = @_;
	my $member = $tar->{tree}{$path} or return '';
	seek $tar->{handle}, $member->{at}, 0 or die "$tar->{name}: $!\n";
	return take($tar, $member->{size});
}

sub name_owners {
	my ($tar) = @_;
	my %user = reverse content_of($tar, '/etc/passwd') =~ /^([^:]+):[^:]*:(\d+):/mg;
	my %group = reverse content_of($tar, '/etc/group') =~ /^([^:]+):[^:]*:(\d+):/mg;
	for my $member (values %{ $tar->{tree} }) {
		my ($uid, $gid) = split /:/, $member->{number};
		$member->{owner} = ($user{$uid} // $uid) . ':' . ($group{$gid} // $gid);
	}
}

sub read_tree {
	my ($name) = @_;
	open my $handle, '<:raw', $name or die "$name: $!\n";
	my ($tar, %tree, %extended) = ({ name => $name, handle => $handle });
	while ((my $header = take($tar, 512)) ne "\0" x 512) {
		my ($size, $type) = (number(substr $header, 124, 12), substr $header, 156, 1);
		if ($type =~ /[xgLK]/) {
			my $text = substr take($tar, padded($size)), 0, $size;
			die "$name: a global header\n" if $type eq 'g' && %{ { records($text) } };
			%extended = (%extended, records($text)) if $type eq 'x';
			$extended{ $type eq 'L' ? 'path' : 'linkpath' } = $text =~ s/\0.*//sr if $type =~ /[LK]/;
			next;
		}
		my ($path, $member) = member($tar, $header, %extended);
		die "$name: $path is there twice\n" if $tree{$path};
		$tree{$path} = $member;
		%extended = ();
	}
	join_hard_links(\%tree);
	$tar->{tree} = \%tree;
	name_owners($tar);
	return $tar;
}

# ---- what is accepted

sub pattern {
	my ($glob) = @_;
	my $regex = join '', map { $_ eq '**' ? '.*' : $_ eq '*' ? '[^/]*' : quotemeta } split /(\*\*?)/, $glob;
	return qr/^$regex$/;
}

sub read_accepted {
	my ($name) = @_;
	open my $handle, '<', $name or die "$name: $!\n";
	my @accepted;
	while (my $line = <$handle>) {
		next if $line =~ /^\s*(?:#|$)/;
		my ($kind, $path, $reason) = $line =~ /^(\S+)\s+(\S+)\s+(\S.*)$/ or die "$name:$.: KIND PATH REASON is missing\n";
		push @accepted, { kind => $kind, path => $path, pattern => pattern($path), line => $., used => 0 };
	}
	return @accepted;
}

# ---- the comparison

sub kind_of_content {
	my @lines = map { [sort split /^/, $_] } @_;
	return 'order' if "@{ $lines[0] }" eq "@{ $lines[1] }";
	my @plain = map { [sort map { s/\d+/0/gr } @$_] } @lines;
	return "@{ $plain[0] }" eq "@{ $plain[1] }" ? 'numbers' : 'content';
}

# The first line of each that the other has not at its place.
sub show_content {
	my ($ours, $theirs) = map { [split /^/, $_] } @_;
	while (@$ours && @$theirs && $ours->[0] eq $theirs->[0]) {
		shift @$ours;
		shift @$theirs;
	}
	return map { substr($_ // '(the end)', 0, 100) =~ s/[^ -~]/./gr } $ours->[0], $theirs->[0];
}

sub compare_members {
	my ($kiln, $reference, $path) = @_;
	my ($ours, $theirs) = ($kiln->{tree}{$path}, $reference->{tree}{$path});
	return ['type', $path, $ours->{type}, $theirs->{type}] if $ours->{type} ne $theirs->{type};
	my @kinds = grep { $ours->{$_} ne $theirs->{$_} } qw(mode owner target names attributes);
	push @kinds, 'number' if $ours->{owner} eq $theirs->{owner} && $ours->{number} ne $theirs->{number};
	my @found = map { [$_, $path, $ours->{$_}, $theirs->{$_}] } @kinds;
	if ($ours->{content} ne $theirs->{content}) {
		my @contents = (content_of($kiln, $path), content_of($reference, $path));
		push @found, [kind_of_content(@contents), $path, show_content(@contents)];
	}
	return @found;
}

sub differences {
	my ($kiln, $reference) = @_;
	return map {
		$kiln->{tree}{$_} && $reference->{tree}{$_} ? compare_members($kiln, $reference, $_)
			: [$kiln->{tree}{$_} ? 'only-kiln' : 'only-reference', $_]
	} sort keys %{ { %{ $kiln->{tree} }, %{ $reference->{tree} } } };
}

@ARGV == 3 or die "usage: tree-differences.pl KILN.tar REFERENCE.tar ACCEPTED\n";
my ($kiln, $reference, @accepted) = (read_tree($ARGV[0]), read_tree($ARGV[1]), read_accepted($ARGV[2]));
my ($bad, $good) = (0, 0);

for my $difference (differences($kiln, $reference)) {
	my ($kind, $path, @values) = @$difference;
	my @matching = grep { $_->{kind} eq $kind && $path =~ $_->{pattern} } @accepted;
	$_->{used}++ for @matching;
	if (@matching) {
		$good++;
		next;
	}
	$bad++;
	print "$kind $path", @values ? ": \"$values[0]\", in the reference \"$values[1]\"" : '', "\n";
}
for my $idle (grep { !$_->{used} } @accepted) {
	$bad++;
	print "$ARGV[2]:$idle->{line}: there is no difference \"$idle->{kind} $idle->{path}\" to accept\n";
}
printf "%d paths and %d, %d differences accepted, %d wrong\n", scalar keys %{ $kiln->{tree} },
	scalar keys %{ $reference->{tree} }, $good, $bad;
exit($bad ? 1 : 0);
