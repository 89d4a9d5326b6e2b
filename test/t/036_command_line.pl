# scim-audit, the command-line program: a log's whole life with it, and what it
# says of what it cannot work with.  (037: what it says of what was altered.)
use strict;
use warnings FATAL => 'all';

use File::Find;
use JSON::PP;
use List::Util qw(sum);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off\n");
$node->start;
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
$ENV{PGDATABASE} = 'postgres';
my $user = $node->safe_psql('postgres', 'SELECT current_user');
chdir $PostgreSQL::Test::Utils::tmp_check or die $!;

# Status, standard output, standard error; identifiers of transactions are TX.
sub audit
{
	my ($args, $input) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'scim-audit', @$args ], '<', \($input // ''), '>', \$out, '2>', \$err);
	my $status = $? >> 8;
	s/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/TX/g for $out, $err;
	return ($status, $out, $err);
}

sub says
{
	my ($args, $expected, $what, $input) = @_;
	is_deeply([ audit($args, $input) ], $expected, $what) or diag(explain([ audit($args, $input) ]));
}

# What goes wrong: status 2, and one line.
sub fails
{
	my ($args, $pattern, $what, $input) = @_;
	my ($status, $out, $err) = audit($args, $input);
	is("$status $out", '2 ', "$what: status 2");
	like($err, qr/\Ascim-audit[^\n]*$pattern[^\n]*\n\z/, "$what: says so");
}

sub sql { return $node->safe_psql($_[1] // 'postgres', $_[0]) }

sub write_file
{
	my ($name, $bytes) = @_;
	open(my $file, '>:raw', $name) or die "$name: $!";
	print $file $bytes;
	close($file) or die $!;
}

# Commands and options.

for my $command ('export', 'verify', 'keygen', 'sign', 'prove', 'check', 'watch')
{
	my ($status, $out, $err) = audit([ $command, '--help' ]);
	is("$status$err", '0', "$command --help");
	like($out, qr/\AUsage: scim-audit $command .*Example.*\n  .*scim-audit $command/s, "$command --help has an example");
	fails([ $command, '--no-such' ], 'there is no option --no-such .*--help', "$command with an unknown option");
}
like((audit([ '--version' ]))[1], qr/\Ascim-audit \d+\.\d+\.\d+\n\z/, '--version');
like((audit([ '--help' ]))[1], qr/^  export .*^  watch /ms, '--help lists the commands');
fails([ 'exprot' ], 'there is no command "exprot"', 'a wrong command');
is((audit([]))[0], 2, 'no command');
fails([ 'verify', '-d' ], 'the option -d wants a value', 'an option without its value');
fails([ 'check' ], 'something is missing', 'check without a proof');
fails([ 'keygen', 'a', 'b', 'c' ], 'a word too many', 'keygen with three words');
fails([ 'watch', '--state', 's', '--interval', '0' ], 'the interval is a number from 1 to 86400', 'no interval');
fails([ 'watch' ], 'where is the last checkpoint', 'watch without a file');
fails([ 'export', '-d', 'host=/nowhere', 'x' ], 'No such file or directory', 'no server');
fails([ 'sign', 'no.key' ], 'No such file or directory .*keygen', 'no key');

# Keys.

my ($status, $vkey) = audit([ 'keygen', 'audit.example.com/scim', 'log.key' ]);
chomp $vkey;
like("$status $vkey", qr{\A0 audit\.example\.com/scim\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}\z}, 'keygen prints a vkey');
is(sprintf('%o', (stat 'log.key')[2] & 07777), '600', 'the key is its owner\'s');
my $key = slurp_file('log.key');
fails([ 'keygen', 'audit.example.com/scim', 'log.key' ], 'File exists .*never overwritten', 'keygen again');
is(slurp_file('log.key'), $key, 'the key is the same');
fails([ 'keygen', 'two words', 'other.key' ], 'without spaces', 'a name with a space');
ok(!-e 'other.key', 'and no file');
write_file('log.vkey', "$vkey\n");
my (undef, $stranger) = audit([ 'keygen', 'audit.example.com/scim', 'stranger.key' ]);
write_file('stranger.vkey', $stranger);

# The key, and the name of the log, of the documentation of Go's signed notes: others' keys are keys here.
write_file('neumann.key', "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n");
chmod 0600, 'neumann.key';
my $empty = "0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
my (undef, $note) = audit([ 'sign', '--stdin', 'neumann.key' ], "PeterNeumann\n$empty");
like($note, qr/\APeterNeumann\n\Q$empty\E\n\xe2\x80\x94 PeterNeumann x08go[A-Za-z0-9+\/]+={0,2}\n\z/, 'a key that another program made signs');
write_file('neumann.proof', "c2sp.org/tlog-proof\@v1\nextra e30=\nindex 0\n\n$note");
says([ 'check', 'neumann.proof', '-k', 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW' ],
	[ 1, '', "scim-audit check: not proved: this entry is not number 0 of the 0 of \"PeterNeumann\"\n" ], 'its signature holds, its tree is empty');

# A log, its origin and its first checkpoint.

sql(q{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	CREATE TABLE item (id int PRIMARY KEY, name text);
	SELECT scim_audit.track('item');
	CREATE ROLE nobody LOGIN;
});
fails([ 'sign', 'log.key' ], 'there is no checkpoint yet .*scim_audit.checkpoint', 'sign before there is a checkpoint');
fails([ 'watch', '--once', '--state', 'seen' ], 'the log has no checkpoint', 'watch before');
fails([ 'sign', '--make', 'log.key' ], 'the checkpoint is of the log "log.invalid/.*set_log_origin', 'sign before the log has a name');
sql("SELECT scim_audit.set_log_origin('audit.example.com/scim', '{$vkey}')");
says([ 'verify' ], [ 0, "whole: 5 events, 0 of them under a checkpoint of audit.example.com/scim\n", "scim-audit verify: signatures were not checked: no --key was given\n" ],
	'verify before the first checkpoint of this name');
sql(q{
	INSERT INTO item SELECT i, 'item ' || i FROM generate_series(1, 300) i;
	INSERT INTO item VALUES (301, 'single');
	UPDATE item SET name = 'renamed' WHERE id = 301;
});
sql(q{SELECT scim_audit.log_event('admin', 'test', 'test.newline', NULL, NULL, NULL, E'{"reason":\n"a line"}')});
($status, $note) = audit([ 'sign', '--make', 'log.key' ]);
is($status, 0, 'sign');
is(slurp_file('log.key.state'), $note, 'what was signed is kept');
is(sql('SELECT count(*) FROM scim_audit.checkpoint_notes'), '0', 'and not published');
says([ 'sign', '-p', 'log.key' ], [ 0, $note, '' ], 'the same again, published');
is(sql('SELECT scim_audit.published_checkpoint()'), $note, 'and there');
chmod 0640, 'log.key';
fails([ 'sign', 'log.key' ], 'others than its owner .*chmod', 'a key that others can read');
chmod 0600, 'log.key';
fails([ 'sign', 'log.vkey' ], 'others than its owner|no Ed25519 key', 'a public key signs nothing');

# Export, and what it holds.

my @key = ('--key', 'log.vkey');
my $whole = qr/\Awhole: \d+ events, \d+ of them under a checkpoint of audit\.example\.com\/scim\n\z/;
($status, my $out) = audit([ 'export', 'exported' ]);
like("$status $out", qr{\A0 exported: 308 events, 308 of them new, under a signed checkpoint of audit\.example\.com/scim; \d behind it\n\z}, 'export');

sub files
{
	my ($dir) = @_;
	my @files;
	find({ no_chdir => 1, wanted => sub { push @files, substr($_, length($dir) + 1) if -f $_ } }, $dir);
	return sort @files;
}
# Which chains sessions write to depends on their numbers, which 17 gives out another way.
is(join(' ', grep { !m{^seals/} } files('exported')), 'checkpoint checkpoints.ndjson details/000.ndjson details/001.p/52.ndjson export.json'
	  . ' tail.ndjson tile/0/000 tile/0/001.p/52 tile/1/000.p/1 tile/entries/000 tile/entries/001.p/52', 'its files');
my @seals = map { m{^seals/(\d+)/000\.p/(\d+)\.ndjson$} ? [ $1, $2 ] : () } files('exported');
is(scalar(@seals), scalar(grep { m{^seals/} } files('exported')), 'the seals of each chain, in one file');
is(sum(map { $_->[1] } @seals), 10, 'all of them');
is(slurp_file('exported/checkpoint'), $note, 'the checkpoint');
sub same_tiles
{
	my ($what) = @_;
	my @tiles = grep { m{^tile/} } files('exported');
	my @differ = grep { unpack('H*', slurp_file("exported/$_")) ne sql("SELECT encode(scim_audit.tile('$_'), 'hex')") } @tiles;
	is(join(' ', @differ), '', "$what: " . @tiles . ' tiles are those of scim_audit.tile()');
}
same_tiles('export');
my ($details) = grep { /test\.newline|a line/ } split(/\n/, slurp_file('exported/details/001.p/52.ndjson'));
like($details, qr/"detail_text":"\{\\"reason\\":\\n\\"a line\\",.*\}"\}\z/, 'a detail with a newline is a string');
is(scalar(grep { decode_json($_) } map { split /\n/, slurp_file("exported/$_") } grep { /json$/ } files('exported')), 308 + 10 + 1 + 1 + (() = slurp_file('exported/tail.ndjson') =~ /\n/g), 'all lines are JSON');
is(sql("SELECT count(*) FROM scim_audit.events WHERE event_type = 'log.export'"), '1', 'the export is an event');
says([ 'verify', @key, 'exported' ], [ 0, "whole: 311 events, 308 of them under a checkpoint of audit.example.com/scim\n", '' ], 'it is whole');
like((audit([ 'verify', @key ]))[1], $whole, 'so is the database');
like((audit([ 'verify', @key, '--rows' ]))[1], $whole, 'and its rows');

# More events: what is new is added.
sql("INSERT INTO item SELECT i, 'item' FROM generate_series(1001, 1260) i");
($status, $out) = audit([ 'export', 'exported' ]);
like($out, qr/: 308 events, 0 of them new, .*; 26\d behind it/, 'what no signed checkpoint covers is in the tail');
like((audit([ 'verify', @key, 'exported' ]))[1], $whole, 'and it is whole');
my %before = map { $_ => (stat "exported/$_")[9] . ' ' . (stat _)[1] } files('exported');
audit([ 'sign', '-m', '-p', 'log.key' ]);
my $second = slurp_file('log.key.state');
like((audit([ 'export', 'exported' ]))[1], qr/: 57\d events, 26\d of them new, /, 'a second export');
is(join(' ', grep { !m{^seals/} && defined $before{$_} && $before{$_} eq (stat "exported/$_")[9] . ' ' . (stat _)[1] } files('exported')), 'details/000.ndjson tile/0/000 tile/entries/000',
	'what was full is not written again');
is(join(' ', grep { m{\.p/} && m{seals} == 0 } files('exported')), join(' ', grep { m{002\.p/|tile/1} && m{\.p/} } files('exported')), 'what was partial is gone');
same_tiles('export again');
like((audit([ 'verify', @key, '-c', 'log.key.state', 'exported' ]))[1], $whole, 'it is whole');
audit([ 'export', 'new' ]);
is(join("\n", map { "$_ " . unpack('%32C*', slurp_file("exported/$_")) } grep { !/^(export.json|tail.ndjson|seals.*)$/ } files('exported')),
	join("\n", map { "$_ " . unpack('%32C*', slurp_file("new/$_")) } grep { !/^(export.json|tail.ndjson|seals.*)$/ } files('new')), 'and the same as a new one');

# An export that is interrupted leaves what was there; the next one goes on.
write_file('in_the_way', '');
mkdir 'interrupted';
mkdir "interrupted/$_" for 'log', 'log/tail.ndjson.tmp';
fails([ 'export', 'interrupted/log' ], 'is not empty', 'a directory with something in it');
rmdir 'interrupted/log/tail.ndjson.tmp';
audit([ 'export', 'interrupted/log' ]);
like((audit([ 'verify', 'interrupted/log' ]))[1], $whole, 'an export');
sql("INSERT INTO item SELECT i, 'item' FROM generate_series(1300, 1800) i");
audit([ 'sign', '-m', '-p', 'log.key' ]);
mkdir 'interrupted/log/checkpoints.ndjson.tmp';
fails([ 'export', 'interrupted/log' ], 'could not create .*checkpoints.ndjson.tmp', 'the next one, interrupted');
like((audit([ 'verify', @key, 'interrupted/log' ]))[1], $whole, 'is what it was');
rmdir 'interrupted/log/checkpoints.ndjson.tmp';
like((audit([ 'export', 'interrupted/log' ]))[1], qr/ 5\d\d of them new/, 'again');
like((audit([ 'verify', @key, 'interrupted/log' ]))[1], $whole, 'it is whole');
is(join(' ', grep { /\.tmp$/ } files('interrupted/log')), '', 'nothing half is left');
fails([ 'export', 'in_the_way' ], 'in_the_way: Not a directory', 'what is no directory');
fails([ 'export', '.' ], 'is not empty, and is no export', 'a directory with something else in it');
fails([ 'export', 'log.key' ], 'File exists|Not a directory', 'a file');
fails([ 'export', '-d', 'user=nobody dbname=postgres', 'other' ], 'permission denied|for auditors of all tenants', 'who is no auditor');
fails([ 'verify', '-d', 'user=nobody dbname=postgres' ], 'permission denied|auditors of all tenants', 'verify, who is no auditor');
fails([ 'verify', 'no-such-directory' ], 'is no export: could not read .*No such file', 'no such directory');
fails([ 'verify', '-d', 'x', 'exported' ], 'either a directory is verified, or a database', 'both');

# An auditor needs no more than the duty.
sql(q{CREATE ROLE checker LOGIN; SELECT scim.grant_duty('checker', 'auditor')});
my @checker = ('-d', 'user=checker dbname=postgres');
like((audit([ 'export', @checker, 'by-checker' ]))[1], qr/\Aby-checker: \d+ events/, 'an auditor exports');
like((audit([ 'verify', @key, $_ ]))[1], $whole, "and verifies $_") for 'by-checker';
like((audit([ 'verify', @key, '--rows', @checker ]))[1], $whole, 'and the database');
is((audit([ 'sign', @checker, 'log.key' ]))[0], 0, 'signs');
fails([ 'sign', @checker, '--make', 'log.key' ], "permission denied for function checkpoint .*audit_admin", 'and makes no checkpoint');

# Proofs.

my $event = sql("SELECT tx_id || ':' || n FROM scim_audit.events WHERE resource_id = '17' AND action = 'insert'");
says([ 'prove', '-o', 'event.proof', $event ], [ 0, '', '' ], 'prove, from the database');
my ($entry) = slurp_file('exported/tile/entries/000') =~ /(\{[^{}]*"resource_id":"17"[^{}]*\})/;
(my $entry_tx = $entry) =~ s/"tx_id":"[^"]*"/"tx_id":"TX"/;
says([ 'check', 'event.proof', @key ], [ 0, "$entry_tx\n", '' ], 'check');
is((audit([ 'prove', $event, 'interrupted/log' ]))[1], slurp_file('event.proof'), 'prove, from the export: the same');
my $proof = slurp_file('event.proof');
is(($proof =~ s/^extra .*\n//mr) . '', sql("SELECT scim_audit.prove(tx_id, n) FROM scim_audit.events WHERE resource_id = '17' AND action = 'insert'"), 'with the entry as extra data');
write_file('entry', "$entry\n");
says([ 'check', 'event.proof', 'entry', @key ], [ 0, "$entry_tx\n", '' ], 'check with the entry from a file');
write_file('other-entry', $entry =~ s/"17"/"18"/r);
my $not = "scim-audit check: not proved: this entry is not number";
like((audit([ 'check', 'event.proof', 'other-entry', @key ]))[2], qr/\A$not/, 'another entry is not proved');
is((audit([ 'check', 'event.proof', 'other-entry', @key ]))[0], 1, 'status 1');
says([ 'check', 'event.proof', '-k', 'stranger.vkey' ], [ 1, '', "scim-audit check: not proved: the note has no signature by a known key\n" ], 'another key of the same name');
fails([ 'check', 'event.proof' ], 'worth nothing without --key', 'no key');
fails([ 'check', 'event.proof', '-k', 'a+b+c' ], '--key: ', 'what is no key');
fails([ 'check', 'exported/checkpoint', @key ], 'this is no proof', 'a checkpoint is no proof');
write_file('cut.proof', substr($proof, 0, index($proof, "\n\n")));
fails([ 'check', 'cut.proof', @key ], 'ends before its checkpoint', 'a proof that is cut short');
write_file('bare.proof', $proof =~ s/^extra .*\n//mr);
fails([ 'check', 'bare.proof', @key ], 'does not carry the entry', 'a proof without entry');
says([ 'check', 'bare.proof', 'entry', @key ], [ 0, "$entry_tx\n", '' ], 'but with one');
write_file('moved.proof', $proof =~ s/^index (\d+)/"index " . ($1 + 1)/mer);
is((audit([ 'check', 'moved.proof', @key ]))[0], 1, 'another index');
write_file('forged.proof', $proof =~ s/^(— \S+ .{20})(.)/$1 . ($2 eq 'A' ? 'B' : 'A')/mer);
says([ 'check', 'forged.proof', @key ], [ 1, '', "scim-audit check: not proved: the signature by audit.example.com/scim does not verify\n" ], 'a forged signature');
fails([ 'prove', 'x:1' ], '"x:1" is no event_id', 'no event_id');
fails([ 'prove', '00000000-0000-7000-8000-000000000000:0' ], 'there is no such event', 'no such event');
fails([ 'prove', '00000000-0000-7000-8000-000000000000:0', 'exported' ], 'not among those', 'no such event in the export');
my $last = sql("SELECT tx_id || ':' || n FROM scim_audit.events ORDER BY at DESC LIMIT 1");
fails([ 'prove', $last ], 'no (signed )?checkpoint covers this event yet', 'an event that no checkpoint covers');

# Watching.

my $newest = qr{\Aaudit\.example\.com/scim: \d+ events\n\z};
like((audit([ 'watch', '--once', '--state', 'seen', @key ]))[1], $newest, 'watch');
is(slurp_file('seen'), slurp_file('log.key.state'), 'keeps the checkpoint');
says([ 'watch', '--once', '--state', 'seen', @key ], [ 0, '', '' ], 'nothing new');
like((audit([ 'watch', '--once', '--state', 'unsigned' ]))[1], $newest, 'watch without a key');
sql("INSERT INTO item VALUES (2000, 'x')");
audit([ 'sign', '-m', '-p', 'log.key' ]);
like((audit([ 'watch', '--once', '--state', 'seen', @key ]))[1], $newest, 'the log goes on');
is(slurp_file('seen'), slurp_file('log.key.state'), 'and the newest checkpoint is kept');
is((audit([ 'watch', '--once', '--state', 'other-seen', '-k', 'stranger.vkey' ]))[0], 1, 'signed by another');
ok(!-e 'other-seen', 'is not kept');
write_file('bad-state', "nonsense\n");
fails([ 'watch', '--once', '--state', 'bad-state' ], 'bad-state holds no checkpoint', 'a file with something else');

# Signing from standard input, with a proof of consistency.
my ($old_size) = slurp_file('log.key.state') =~ /\n(\d+)\n/;
sql("INSERT INTO item VALUES (2001, 'x')");
my $made = sql("SELECT scim_audit.checkpoint_text(origin, size, root) FROM scim_audit.checkpoint()");
my ($new_size) = $made =~ /\n(\d+)\n/;
my $hashes = sql("SELECT string_agg(encode(h, 'base64'), E'\\n' ORDER BY i) FROM unnest(scim_audit.prove_consistency($old_size, $new_size)) WITH ORDINALITY p (h, i)");
fails([ 'sign', '-s', 'log.key' ], "has no proof that the log goes on .*old $old_size", 'standard input without a proof', $made);
is((audit([ 'sign', '-s', 'log.key' ], "old $old_size\n" . ($hashes =~ s/^./=/r) . "\n\n$made"))[0], 2, 'with a proof that is none');
my $wrong = $made =~ s/^([A-Za-z0-9+\/]{43}=)$/('A' x 43) . '='/mer;
($status, $out) = audit([ 'sign', '-s', 'log.key' ], "old $old_size\n$hashes\n\n$wrong");
like("$status $out", qr/\A1 signed last:\naudit.*\nnot signed:\n\Q$wrong\E\z/s, 'a fork is not signed, and both are shown');
like((audit([ 'sign', '-s', 'log.key' ], "old $old_size\n$hashes\n\n$made"))[1], qr/\A\Q$made\E\n\xe2\x80\x94 audit/, 'a proof that is one');
fails([ 'sign', '-s', 'log.key' ], 'more than an origin, a size and a root', 'lines behind the root', "${made}more\n");
fails([ 'sign', '-s', 'log.key' ], 'this is no checkpoint', 'what is no checkpoint', "x\n");
($status, $out) = audit([ 'sign', '-s', 'log.key' ], $second =~ s/\n\n.*/\n/sr);
like("$status $out", qr/\A1 signed last:/, 'an older checkpoint is not signed');

$node->stop;
done_testing();
