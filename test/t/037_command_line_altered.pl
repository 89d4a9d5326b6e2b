# What scim-audit says of an export in which a byte was flipped, of a database
# that a superuser altered, and of one that was cut off or rewritten with all
# its hashes made anew.
use strict;
use warnings FATAL => 'all';

use File::Find;
use JSON::PP;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off\nscim_audit.chains = 1\n");
$node->start;
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
$ENV{PGDATABASE} = 'postgres';
chdir $PostgreSQL::Test::Utils::tmp_check or die $!;

sub sql { return $node->safe_psql($_[1] // 'postgres', $_[0]) }

sub audit
{
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'scim-audit', @_ ], '<', \undef, '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

sub write_file
{
	my ($name, $bytes) = @_;
	open(my $file, '>:raw', $name) or die "$name: $!";
	print $file $bytes;
	close($file) or die $!;
}

# The findings, each a line; identifiers of transactions are TX.  Without one, the status must be 0, else 1.
sub findings
{
	my ($status, $out, $err) = audit('verify', @_);
	my @lines = split /\n/, $out =~ s/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/TX/gr;
	my $last = pop @lines;
	return ("status $status", $out, $err) if $status > 1 || $err || ($last =~ /^whole: /) != ($status == 0) || ($status == 0) != !@lines;
	return @lines;
}

audit('keygen', 'audit.example.com/scim', 'log.key');
write_file('log.vkey', (audit('keygen', 'audit.example.com/scim', 'other.key'))[1]);
my ($vkey) = slurp_file('log.vkey') =~ /(.*)/;
rename 'other.key', 'log.key';
sql(qq{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	CREATE TABLE item (id int PRIMARY KEY, name text);
	SELECT scim_audit.track('item');
	SELECT scim_audit.set_log_origin('audit.example.com/scim', '{$vkey}');
});
sql(q{
	INSERT INTO item SELECT i, 'item ' || i FROM generate_series(1, 250) i;
	INSERT INTO item SELECT i, 'item ' || i FROM generate_series(251, 300) i;
	INSERT INTO item VALUES (301, 'single');
	UPDATE item SET name = 'renamed' WHERE id = 301;
});
sql(q{SELECT scim_audit.log_event('admin', 'test', 'test.newline', NULL, NULL, NULL, E'{"reason":\n"a line"}')});
audit('sign', '-m', '-p', 'log.key');
sql(q{INSERT INTO item VALUES (302, 'behind'), (303, 'the checkpoint'); DELETE FROM item WHERE id = 302});
my @key = ('--key', 'log.vkey');
my @export = (@key, 'exported');
audit('export', 'exported');
is_deeply([ findings(@export) ], [], 'the export is whole');

# One byte flipped.

my @files;
find({ no_chdir => 1, wanted => sub { push @files, $_ if -f $_ } }, 'exported');
my ($seals) = grep { /seals/ } @files;

# The file; where: in front of what is captured; what is changed in the byte; what is found.
my @flips = (
	[ 'checkpoint', 3, 1,
		'file_damaged: checkpoint: It is not the checkpoint of size 306 of "audit.example.com/scim".' ],
	[ 'checkpoint', qr/\n(3)06/, 1,
		'file_damaged: checkpoint: It is not the checkpoint of size 306 of "audit.example.com/scim".' ],
	[ 'checkpoint', qr/\n306\n(.)/, 1,
		'file_damaged: checkpoint: It is not the checkpoint of size 306 of "audit.example.com/scim".' ],
	[ 'checkpoint', qr/ .{20}(.)[^\n]*\n\z/, 1,
		'file_damaged: checkpoint: It is not the checkpoint of size 306 of "audit.example.com/scim".' ],
	[ 'checkpoints.ndjson', qr/"size":(.)/, 1,
		'file_damaged: checkpoints.ndjson: Its SHA-256 is not the one in export.json.' ],
	[ 'checkpoints.ndjson', qr/"at":"...(.)/, 1,
		'file_damaged: checkpoints.ndjson: Its SHA-256 is not the one in export.json.' ],
	[ 'checkpoints.ndjson', qr/(\n)\z/, 2,
		'file_damaged: checkpoints.ndjson: Its SHA-256 is not the one in export.json.' ],
	[ 'export.json', qr/"size":(.)/, 1,
		'file_damaged: export.json: It is not what was written: its SHA-256 is another one.' ],
	[ 'export.json', qr/"exported_at":"...(.)/, 1,
		'file_damaged: export.json: It is not what was written: its SHA-256 is another one.' ],
	[ 'export.json', qr/(.)"\}\n\z/, 1,
		'file_damaged: export.json: It is not what was written: its SHA-256 is another one.' ],
	[ 'tile/0/000', 100, 1,
		'checkpoint_tile: tile/0/000: Tile 0/0 of "audit.example.com/scim" is altered: the log has another one.' ],
	[ 'tile/0/001.p/50', 100, 128,
		'checkpoint_tile: tile/0/001.p/50: Tile 0/1 of "audit.example.com/scim" is altered: the log has another one.' ],
	[ 'tile/1/000.p/1', 31, 16,
		'checkpoint_tile: tile/1/000.p/1: Tile 1/0 of "audit.example.com/scim" is altered: the log has another one.' ],
	[ 'tile/entries/000', qr/"resource_id":"(1)7"/, 1,
		'entry_mismatch: tile/entries/000: event TX:16, chain 0, seal 3: The entry of this event is not the one that was written.' ],
	[ 'tile/entries/000', qr/"prev_hash":"(.)/, 1,
		'entry_mismatch: tile/entries/000: event TX:0, chain 0, seal 1: The entry of this event is not the one that was written.' ],
	[ 'tile/entries/000', 0, 1,
		'file_damaged: tile/entries/000: It does not hold 256 entries, one after another.' ],
	[ 'tile/entries/000', qr/(.)\{"v":1,"tx_id":"[^"]*","n":100,/s, 1,
		'file_damaged: tile/entries/000: It does not hold 256 entries, one after another.' ],
	[ 'tile/entries/001.p/50', qr/"resource_id":"(2)99"/, 1,
		'entry_mismatch: tile/entries/001.p/50: event TX:48, chain 0, seal 4: The entry of this event is not the one that was written.' ],
	[ 'tile/entries/001.p/50', qr/(\})\z/, 32,
		'entry_mismatch: tile/entries/001.p/50: event TX:0, chain 0, seal 7: The entry of this event is not the one that was written.' ],
	[ 'details/000.ndjson', qr/\n.*\n.*\n.*"(n)ame":"item/, 2,
		'detail_mismatch: details/000.ndjson: event TX:0, chain 0, seal 3: The detail of this event is not the one that was written.' ],
	[ 'details/000.ndjson', qr/\n.*\n.*\n\{"event":"(0)/, 1,
		'file_damaged: details/000.ndjson: Line 4 is of another event.' ],
	[ 'details/000.ndjson', qr/\n.*\n.*\n.*?"chain":(.)/, 2,
		'file_damaged: details/000.ndjson: Line 4: the event was sealed in chain 0 at 3.' ],
	[ 'details/000.ndjson', qr/\n.*\n.*\n.*?"seq":(.)/, 1,
		'file_damaged: details/000.ndjson: Line 4: the event was sealed in chain 0 at 3.' ],
	[ 'details/000.ndjson', qr/\n.*\n.*\n.*?"salt":"[a-f]*(\d)/, 1,
		'detail_mismatch: details/000.ndjson: event TX:0, chain 0, seal 3: The detail of this event is not the one that was written.' ],
	[ 'details/000.ndjson', qr/\n.*\n.*\n.*?"(s)alt":/, 1,
		'file_damaged: details/000.ndjson: Line 4 is not one that was written.' ],
	[ 'details/000.ndjson', qr/\n.*\n.*\n.*?"(d)etail":/, 1,
		'file_damaged: details/000.ndjson: Line 4 is not one that was written.' ],
	[ 'details/000.ndjson', qr/\n.*\n.*(\n)/, 1,
		'file_damaged: details/000.ndjson: It does not have 256 lines.',
		'detail_mismatch: details/000.ndjson: event TX:1, chain 0, seal 2: The detail of this event is not the one that was written.' ],
	[ 'details/000.ndjson', qr/(\n)\z/, 1,
		'file_damaged: details/000.ndjson: It does not have 256 lines.' ],
	[ 'details/001.p/50.ndjson', qr/"detail_text":.*(a) line/, 1,
		'detail_mismatch: details/001.p/50.ndjson: event TX:0, chain 0, seal 7: The detail of this event is not the one that was written.' ],
	[ 'details/001.p/50.ndjson', qr/"detail_text":.*?\\(n)/, 1,
		'file_damaged: details/001.p/50.ndjson: Line 50 is not one that was written.' ],
	[ 'seals', qr/"seq":(3),/, 1,
		'file_damaged: seals/0/000.p/12.ndjson: Line 3 is not one that was written.' ],
	[ 'seals', qr/"seq":3,.*?"events":(.)/, 1,
		'seal_mismatch: transaction TX, chain 0, seal 3: This seal is not the one that was written: its entry does not hash to its hash.' ],
	[ 'seals', qr/"seq":3,"tx_id":"(.)/, 1,
		'seal_mismatch: transaction TX, chain 0, seal 3: This seal is not the one that was written: its entry does not hash to its hash.' ],
	[ 'seals', qr/"seq":3,.*?"hash":"[a-f]*(\d)/, 1,
		'seal_mismatch: transaction TX, chain 0, seal 3: This seal is not the one that was written: its entry does not hash to its hash.' ],
	[ 'seals', qr/"seq":3,.*(\n)/, 1,
		'file_damaged: seals/0/000.p/12.ndjson: Line 3 is not one that was written.' ],
	[ 'seals', qr/"seq":3,.*?"(a)t"/, 1,
		'file_damaged: seals/0/000.p/12.ndjson: Line 3 is not one that was written.' ],
	[ 'seals', qr/(\n)\z/, 1,
		'file_damaged: seals/0/000.p/12.ndjson: Its last line is cut short.' ],
	[ 'tail.ndjson', qr/"outcome":"(s)uccess"/, 1,
		'entry_mismatch: tail.ndjson: event TX:0, chain 0, seal 8: This event is not the one that was written: its entry does not hash to its leaf_hash.' ],
	[ 'tail.ndjson', qr/"leaf_hash":"[a-f]*(\d)/, 1,
		'entry_mismatch: tail.ndjson: event TX:0, chain 0, seal 8: This event is not the one that was written: its entry does not hash to its leaf_hash.' ],
	[ 'tail.ndjson', qr/"event":"(.)/, 1,
		'file_damaged: tail.ndjson: Line 1 is not one that was written.' ],
	[ 'tail.ndjson', qr/"salt":"[a-f]*(\d)/, 1,
		'detail_mismatch: tail.ndjson: event TX:0, chain 0, seal 8: The detail of this event is not the one that was written.' ],
	[ 'tail.ndjson', qr/"detail":\{"(.)/, 1,
		'detail_mismatch: tail.ndjson: event TX:0, chain 0, seal 8: The detail of this event is not the one that was written.' ],
	[ 'tail.ndjson', qr/"seq":(.)/, 1,
		'file_damaged: tail.ndjson: Line 1: the event was sealed in chain 0 at 8.' ],
	[ 'tail.ndjson', qr/(\n)\z/, 1,
		'file_damaged: tail.ndjson: Line 6 is not one that was written.' ],
	[ 'tail.ndjson', qr/\A.*(\n)/, 1,
		'detail_mismatch: tail.ndjson: event TX:0, chain 0, seal 8: The detail of this event is not the one that was written.',
		'event_missing: event TX:0, chain 0, seal 9: Event 0 of this transaction is missing.',
		'file_damaged: tail.ndjson: It does not have 6 lines.' ],
	[ 'tail.ndjson', qr/"(e)vent"/, 1,
		'file_damaged: tail.ndjson: Line 1 is not one that was written.' ],
);
for my $flip (@flips)
{
	my ($file, $where, $mask, @expected) = @$flip;
	my $path = $file eq 'seals' ? $seals : "exported/$file";
	my $bytes = slurp_file($path);
	my $at = ref $where ? ($bytes =~ $where ? $-[1] : die "$file $where") : $where;
	my $altered = $bytes;
	substr($altered, $at, 1) ^= chr($mask);
	write_file($path, $altered);
	my @found = findings(@export);
	is_deeply(\@found, \@expected, "$file, byte $at ^ $mask") or diag("\t[ '$file', " . (ref $where ? 'qr/' . ($where =~ s/^\(\?\^:(.*)\)$/$1/sr) . '/' : $where) . ", $mask" . join('', map { ",\n\t\t'" . s/'/\\'/gr . "'" } @found) . " ],");
	write_file($path, $bytes);
}
is_deeply([ findings(@export) ], [], 'all is as it was');

# And anywhere, whatever is said of it.
my $seed = time;
srand $seed;
my @missed;
for my $file (@files)
{
	my $bytes = slurp_file($file);
	for (1 .. 5)
	{
		my ($at, $bit) = (int rand length $bytes, int rand 8);
		my $altered = $bytes;
		substr($altered, $at, 1) ^= chr(1 << $bit);
		write_file($file, $altered);
		my @found = findings(@export);
		push @missed, "$file $at $bit" if !@found || $found[0] =~ /^status/;
	}
	write_file($file, $bytes);
}
is("@missed", '', "a byte flipped in any file is found (seed $seed)");

# A file that is gone, or empty.
for my $file (sort @files)
{
	my $bytes = slurp_file($file);
	my $name = $file =~ s{^exported/}{}r;
	unlink $file;
	my @gone = findings(@export);
	write_file($file, '');
	my @empty = findings(@export);
	unlink $file;
	POSIX::mkfifo($file, 0600) or die "$file: $!";
	my @pipe = findings(@export);
	unlink $file;
	write_file($file, $bytes);
	is(scalar(grep { /\Q$name\E: / } @pipe), 1, "$name is a pipe that nobody writes to") or diag(join "\n", @pipe);
	next if $name eq 'export.json';
	my ($rule) = $name =~ m{^tile/\d} ? 'checkpoint_tile' : 'file_missing';
	is(scalar(grep { /^$rule: \Q$name\E: / } @gone), 1, "$name is gone") or diag(join "\n", @gone);
	is(scalar(@gone), 1, "$name is gone: nothing else") or diag(join "\n", @gone);
	is(scalar(grep { /\Q$name\E/ } @empty), 1, "$name is empty") or diag(join "\n", @empty);
}

# As JSON.
my $tile = slurp_file('exported/tile/1/000.p/1');
write_file('exported/tile/1/000.p/1', $tile ^ ("\0" x 31 . "\1"));
my ($status, $out) = audit('verify', '--json', @export);
is_deeply([ $status, decode_json($out) ], [ 1, { rule => 'checkpoint_tile', file => 'tile/1/000.p/1',
	message => 'Tile 1/0 of "audit.example.com/scim" is altered: the log has another one.' } ], '--json');
write_file('exported/tile/1/000.p/1', $tile);

# Keys and checkpoints that are not this log's.
audit('keygen', 'audit.example.com/scim', 'stranger.key');
write_file('stranger.vkey', (audit('keygen', 'audit.example.com/scim', 'stranger2.key'))[1]);
is_deeply([ findings('-k', 'stranger.vkey', 'exported') ],
	['checkpoint_signature: checkpoint: The checkpoint of size 306 is not signed by the log: the note has no signature by a known key.'], 'another key');
write_file('strange.checkpoint', "elsewhere.example.com\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
is_deeply([ findings('-c', 'strange.checkpoint', @export) ],
	['checkpoint_missing: This log has no checkpoint of "elsewhere.example.com": it is another log, or its checkpoints were removed.'], 'a checkpoint of another log');

# What a superuser alters in the database: the same is found as by verify(), there and in a new export.

sub alter
{
	my ($statement, $database) = @_;
	my @tables = ('events', 'seals', 'log_origins', 'log_keys', 'checkpoints', 'checkpoint_spans', 'tiles', 'checkpoint_notes');
	sql(join("\n", 'ALTER EVENT TRIGGER scim_audit_schema_end DISABLE;', (map { "ALTER TABLE scim_audit.$_ DISABLE TRIGGER guard_row;" } @tables),
		"$statement;", (map { "ALTER TABLE scim_audit.$_ ENABLE ALWAYS TRIGGER guard_row;" } @tables), 'ALTER EVENT TRIGGER scim_audit_schema_end ENABLE ALWAYS'), $database);
}
my $number = 0;
for my $case (
	[ 'an entry', q{UPDATE scim_audit.events SET resource_id = '18' WHERE resource_id = '17'} ],
	[ 'a detail', q{UPDATE scim_audit.events SET detail = '{}' WHERE resource_id = '17'} ],
	[ 'a detail taken away', q{UPDATE scim_audit.events SET detail = NULL, detail_salt = NULL WHERE resource_id = '17'} ],
	[ 'an event deleted', q{DELETE FROM scim_audit.events WHERE resource_id = '17'} ],
	[ 'events deleted at a transaction\'s end', q{DELETE FROM scim_audit.events WHERE resource_id IN ('249', '250')} ],
	[ 'a transaction without its seal', q{DELETE FROM scim_audit.seals WHERE tx_id = (SELECT tx_id FROM scim_audit.events WHERE resource_id = '17')} ],
	[ 'a seal', q{UPDATE scim_audit.seals SET at = at + interval '1 second' WHERE tx_id = (SELECT tx_id FROM scim_audit.events WHERE resource_id = '17')} ],
	[ 'a transaction and its seal', q{WITH t AS (SELECT tx_id FROM scim_audit.events WHERE resource_id = '17'), s AS (DELETE FROM scim_audit.seals WHERE tx_id = (SELECT tx_id FROM t))
		DELETE FROM scim_audit.events WHERE tx_id = (SELECT tx_id FROM t)} ],
	[ 'an event behind the checkpoint', q{UPDATE scim_audit.events SET outcome = 'denied' WHERE resource_id = '303'} ],
	[ 'a tile', q{UPDATE scim_audit.tiles SET hashes = set_byte(hashes, 100, get_byte(hashes, 100) # 1) WHERE level = 0 AND index = 0} ],
	[ 'the last tile', q{UPDATE scim_audit.tiles SET hashes = set_byte(hashes, 100, get_byte(hashes, 100) # 1) WHERE level = 0 AND index = 1} ],
	[ 'a tile above', q{UPDATE scim_audit.tiles SET hashes = set_byte(hashes, 0, get_byte(hashes, 0) # 1) WHERE level = 1} ],
	[ 'a checkpoint taken away', q{DELETE FROM scim_audit.checkpoints; DELETE FROM scim_audit.checkpoint_notes} ],
	[ 'a signed checkpoint taken away', q{DELETE FROM scim_audit.checkpoints} ],
	[ 'where leaves come from', q{UPDATE scim_audit.checkpoint_spans SET first = first + 1 WHERE first > 0} ],
	[ 'a checkpoint', q{UPDATE scim_audit.checkpoints SET root = set_byte(root, 0, get_byte(root, 0) # 1)} ],
  )
{
	my ($what, $statement) = @$case;
	my $name = 'altered_' . ++$number;
	$node->safe_psql('template1', "CREATE DATABASE $name TEMPLATE postgres");
	alter($statement, $name);
	my $here = sub {
		my (undef, $lines) = audit('verify', '--json', @_);
		return join("\n", sort map { my $f = decode_json($_);
			join(' ', $f->{rule}, defined $f->{seq} ? "$f->{chain}/$f->{seq}" : '-', $f->{tx_id} // '-', $f->{n} // '-') } split /\n/, $lines);
	};
	my $live = $here->('-d', "dbname=$name");
	my $by_server = sql(q{SELECT concat_ws(' ', rule, coalesce(chain || '/' || seq, '-'), coalesce(tx_id::text, '-'), coalesce(n::text, '-')) FROM scim_audit.verify()
		WHERE rule <> 'row_mismatch' ORDER BY 1}, $name);
	isnt($by_server, '', "$what: verify() finds it");
	is($live, $by_server, "$what: so does scim-audit");
	audit('export', '-d', "dbname=$name", $name);
	isnt($here->($name), '', "$what: and in an export") if $what !~ /taken away|leaves come/;
}

# The newest events and seals cut off, with all that was stored of the tree: whole, but for who kept a checkpoint.

my ($first) = sql('SELECT min(size) FROM scim_audit.checkpoints') =~ /(\d+)/;
audit('watch', '--once', '--state', 'seen', @key);
my $state = slurp_file('seen');
sql(q{SELECT scim_audit.log_event('admin', 'test', 'test.more', NULL, NULL, NULL, NULL) FROM generate_series(1, 40)});
audit('sign', '-m', '-p', 'log.key');
my $later = slurp_file('log.key.state');
my ($size) = $later =~ /\n(\d+)\n/;
is_deeply([ findings(@key, '-c', 'log.key.state') ], [], 'before');
is_deeply([ findings('-c', 'log.key.state', @export) ],
	["checkpoint_rewound: The tree of \"audit.example.com/scim\" has 306 events, that of the checkpoint kept outside has $size: the export is older, or the log was rewound."],
	'an export is older than the checkpoint');
is((audit('watch', '--once', '--state', 'seen', @key))[0], 0, 'watched');
alter(qq{
	DELETE FROM scim_audit.events e USING scim_audit.seals s, scim_audit.checkpoint_spans p
		WHERE e.tx_id = s.tx_id AND s.chain = p.chain AND s.seq >= p.from_seq AND p.first >= $first;
	DELETE FROM scim_audit.seals s WHERE s.seq > (SELECT max(to_seq) FROM scim_audit.checkpoint_spans p WHERE p.first < $first);
	DELETE FROM scim_audit.events e WHERE NOT EXISTS (SELECT FROM scim_audit.seals s WHERE s.tx_id = e.tx_id);
	DELETE FROM scim_audit.checkpoint_spans WHERE first >= $first;
	DELETE FROM scim_audit.checkpoints WHERE size > $first;
	DELETE FROM scim_audit.checkpoint_notes WHERE size > $first;
	UPDATE scim_audit.tiles SET hashes = substring(hashes FROM 1 FOR 32 * ($first - 256)) WHERE level = 0 AND index = 1
});
is_deeply([ findings(@key) ], [], 'the end cut off with all that told of it: the log alone is whole');
is_deeply([ findings(@key, '-c', 'log.key.state') ],
	["checkpoint_rewound: The tree of \"audit.example.com/scim\" has $first events, that of the checkpoint kept outside has $size: the log was rewound."], 'the checkpoint kept outside shows it');
($status, $out, my $err) = audit('watch', '--once', '--state', 'seen', @key);
is("$status $err", "1 scim-audit watch: the log was rewound: it has less events than it had\n", 'watch shouts');
is($out, "last seen:\n$later\nnow:\n$state", 'and shows both');
is(slurp_file('seen'), $later, 'and keeps what it had');
is((audit('sign', 'log.key'))[0], 1, 'nothing is signed');
like((audit('export', 'exported'))[2], qr/the newest seals were cut off/, 'nothing is exported over what was');

# And then others written in their place, until the tree is larger than it was.
sql(q{SELECT scim_audit.log_event('admin', 'test', 'test.other', NULL, NULL, NULL, NULL) FROM generate_series(1, 80)});
sql('SELECT scim_audit.checkpoint()');
is_deeply([ findings(@key) ], [], 'the log rewritten: alone it is whole');
is_deeply([ findings(@key, '-c', 'log.key.state') ],
	["checkpoint_mismatch: The first $size events of \"audit.example.com/scim\" have not the root of the checkpoint that was kept outside: the log was rewritten."], 'the checkpoint shows it');
write_file('unsigned', $later);
($status, $out, $err) = audit('watch', '--once', '--state', 'unsigned');
is("$status $err", "1 scim-audit watch: the log was forked: it does not begin with what it had\n", 'watch shouts');
($status, $out) = audit('sign', 'log.key');
like("$status $out", qr/\A1 signed last:\n\Q$later\E\nnot signed:\n/, 'no second history is signed');
is(slurp_file('log.key.state'), $later, 'and what was signed stays');
$node->stop;
done_testing();
