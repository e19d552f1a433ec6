#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Serves a directory over HTTP on a free port of 127.0.0.1, one connection after another, until it is killed. Writes
# the port into the file named second, and each request's path and answer into the one named third.
use strict;
use warnings;
use IO::Socket::INET;

my ($directory, $port_file, $log_file) = @ARGV;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16, ReuseAddr => 1)
	or die "cannot listen: $!";
open(my $log, '>>', $log_file) or die "$log_file: $!";
$log->autoflush(1);
open(my $port, '>', "$port_file.new") or die "$port_file: $!";
print $port $server->sockport();
close($port);
rename("$port_file.new", $port_file) or die "$port_file: $!";

while (my $client = $server->accept()) {
	my $request = <$client> // '';
	while (my $line = <$client>) {
		last if $line =~ /^\r?\n$/;
	}
	my ($path) = $request =~ m{^GET (?:http://[^/]*)?(/\S*)};
	$path = '/' unless defined $path;
	$path =~ s/%([0-9a-fA-F]{2})/chr(hex($1))/ge;
	if ($path !~ m{/\.\.?(/|$)} && -f "$directory$path" && open(my $file, '<:raw', "$directory$path")) {
		my $bytes = do { local $/; <$file> };
		print $log "200 $path\n";
		print $client "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " . length($bytes) . "\r\n\r\n", $bytes;
	} else {
		print $log "404 $path\n";
		print $client "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
	}
	close($client);
}
