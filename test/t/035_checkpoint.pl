# A checkpoint is on disk when it is committed, and all that it covers; a
# standby makes none; a promoted standby, a copy of the database and a restored
# dump never go on under a name that was published by another.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $vkey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
my $signature = "\n\xe2\x80\x94 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

my $node = PostgreSQL::Test::Cluster->new('node');
$node->init(allows_streaming => 1);
# Nothing reaches the disk by itself.
$node->append_conf('postgresql.conf', "synchronous_commit = off\nwal_writer_delay = 10s\nwal_writer_flush_after = 1GB\nautovacuum = off\n");
$node->start;
$node->safe_psql('postgres', qq{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	CREATE TABLE item (id int PRIMARY KEY);
	SELECT scim_audit.track('item');
	SELECT scim_audit.set_log_origin('example.com/foo', '{$vkey}');
});

# The rows are committed, but not flushed; the checkpoint over them is.
$node->safe_psql('postgres', 'INSERT INTO item VALUES (1), (2); INSERT INTO item VALUES (3)');
my $made = $node->safe_psql('postgres', "SELECT origin, size, encode(root, 'hex') FROM scim_audit.checkpoint()");
my $note = $node->safe_psql('postgres', 'SELECT scim_audit.checkpoint_note()') . $signature;
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', "SELECT origin, size, encode(root, 'hex') FROM scim_audit.checkpoints ORDER BY size DESC LIMIT 1"), $made,
	'a checkpoint survives a crash');
is($node->safe_psql('postgres', 'SELECT count(*) FROM item'), '3', 'and what it covers');
is($node->safe_psql('postgres', 'SELECT scim_audit.checkpoint_note()') . $signature, $note, 'so that the note holds');
is($node->safe_psql('postgres', "SELECT scim_audit.publish_checkpoint(\$note\$$note\$note\$)"), 't', 'it is published');
is($node->safe_psql('postgres', 'SELECT * FROM scim_audit.verify()'), '', 'verify finds nothing');
is($node->safe_psql('postgres', 'SELECT size FROM scim_audit.checkpoint(); SHOW synchronous_commit') =~ /off\z/, 1, 'the session has its setting again');

# A copy of the database has another oid.
$node->safe_psql('postgres', 'CREATE DATABASE copied TEMPLATE postgres');
is($node->safe_psql('copied', 'SELECT origin FROM scim_audit.checkpoint()'), 'example.com/foo/2', 'a copy goes on under another name');
is($node->safe_psql('copied', 'SELECT * FROM scim_audit.verify()'), '', 'and its log is whole');

# So has a restored one, whatever restored() says of it.
my $dump = $node->basedir . '/dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', 'postgres' ], 'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE target');
{
	local $ENV{PGOPTIONS} = '-c scim_audit.restore=on';
	$node->command_ok([ 'pg_restore', '-e', '-d', 'target', $dump ], 'restored');
}
for my $table (qw(log_origins log_keys checkpoints checkpoint_spans tiles checkpoint_notes))
{
	my $rows = "SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM scim_audit.$table t";
	is($node->safe_psql('target', $rows), $node->safe_psql('postgres', $rows), "$table is there again");
}
is($node->safe_psql('target', 'SELECT * FROM scim_audit.restored()'), '', 'verify finds nothing');
is($node->safe_psql('target', 'SELECT origin FROM scim_audit.checkpoint()'), 'example.com/foo/2', 'a new origin');
is($node->safe_psql('target', "SELECT * FROM scim_audit.verify_checkpoint(\$note\$$note\$note\$)"), '', 'what was published before still compares');
my ($status, $out, $err) = $node->psql('target', "SELECT scim_audit.publish_checkpoint(\$note\$$note\$note\$)");
like($err, qr/the checkpoint is of the log "example.com\/foo"/, 'but is not published again');

# A standby that lags behind what was published.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
for my $call ('checkpoint()', 'maintain()', "set_log_origin('example.com/bar')", "publish_checkpoint('x')")
{
	($status, $out, $err) = $standby->psql('postgres', "SELECT scim_audit.$call");
	like($err, qr/cannot execute scim_audit\.\w+\(\) during recovery/, "a standby refuses $call");
}
is($standby->safe_psql('postgres', "SELECT scim_audit.prove(tx_id, n) LIKE 'c2sp.org/tlog-proof%' FROM scim_audit.events WHERE resource_id = '2'"), 't', 'it proves');
is($standby->safe_psql('postgres', "SELECT length(scim_audit.tile('tile/0/000.p/4'))"), '128', 'and serves tiles');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$node->safe_psql('postgres', 'INSERT INTO item VALUES (4); SELECT scim_audit.checkpoint()');
my $ahead = $node->safe_psql('postgres', 'SELECT scim_audit.checkpoint_note()') . $signature;
$node->safe_psql('postgres', "SELECT scim_audit.publish_checkpoint(\$note\$$ahead\$note\$)");
$node->stop('immediate');
# Replay that is paused does not promote; what was not replayed is discarded with the connection's end.
my $lost = $standby->safe_psql('postgres', "SELECT rule FROM scim_audit.verify_checkpoint(\$note\$$ahead\$note\$)");
is($lost, 'checkpoint_rewound', 'behind what was published: the note from outside tells');
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'not promoted';
is($standby->safe_psql('postgres', "INSERT INTO item VALUES (5); SELECT origin FROM scim_audit.checkpoint()"), 'example.com/foo/2',
	'promoted, it goes on under a new name');
is($standby->safe_psql('postgres', 'SELECT reason FROM scim_audit.log_origins ORDER BY number DESC LIMIT 1'), 'moved', 'and says why');
is($standby->safe_psql('postgres', 'SELECT * FROM scim_audit.verify()'), '', 'verify finds nothing');
$standby->stop;
done_testing();
