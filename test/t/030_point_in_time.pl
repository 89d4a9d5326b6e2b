# A base backup and archived WAL, restored to a point in time: the log is
# whole up to there, writing goes on, and heads of chains that were noted
# outside the database show what was given up.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('original');
$node->init(has_archiving => 1, allows_streaming => 1);
$node->append_conf('postgresql.conf', "scim_audit.chains = 2\n");
$node->start;
$node->safe_psql('postgres', q{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	SELECT scim_audit.ensure_partitions();
	CREATE TABLE item (id int PRIMARY KEY, v text);
	SELECT scim_audit.track('item');
});

# Committed under load while the backup is taken, and noted when acknowledged.
my $script = "$PostgreSQL::Test::Utils::tmp_check/load.sql";
append_to_file($script, "\\set id :client_id * 100000 + :i\n\\set i :i + 1\n"
	. "INSERT INTO item VALUES (:id, 'x');\nUPDATE item SET v = 'y' WHERE id = :id;\n");
sub load
{
	my ($first) = @_;
	$node->command_ok([ 'pgbench', '-n', '-c', 4, '-t', 50, '-D', "i=$first", '-f', $script, $node->connstr('postgres') ], 'load');
	return;
}
load(1000);
my ($out, $err) = ('', '');
my $writer = IPC::Run::start([ 'pgbench', '-n', '-c', 2, '-T', 600, '-D', 'i=10000', '-f', $script, $node->connstr('postgres') ],
	'<', \undef, '>', \$out, '2>', \$err);
$node->poll_query_until('postgres', 'SELECT count(*) > 20 FROM item WHERE id % 100000 > 10000') or die 'no load';
$node->backup('base');
my $written = $node->safe_psql('postgres', 'SELECT count(*) FROM item');
$node->poll_query_until('postgres', "SELECT count(*) > $written FROM item") or die 'no load';
$writer->kill_kill;

load(2000);
my $then = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
my $heads = q{SELECT string_agg(chain || ' ' || last_seq || ' ' || encode(last_hash, 'hex'), ',' ORDER BY chain) FROM scim_audit.chain_status};
my $heads_then = $node->safe_psql('postgres', $heads);
my $rows_then = $node->safe_psql('postgres', 'SELECT count(*) FROM item');
load(3000);
$node->safe_psql('postgres', 'DROP TABLE item');
my $noted = $node->safe_psql('postgres', $heads);
$node->safe_psql('postgres', 'SELECT pg_switch_wal()');
$node->stop;

my $restored = PostgreSQL::Test::Cluster->new('restored');
$restored->init_from_backup($node, 'base', has_restoring => 1);
$restored->append_conf('postgresql.conf', "recovery_target_time = '$then'\nrecovery_target_action = 'promote'\n");
$restored->start;
$restored->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'not promoted';

is($restored->safe_psql('postgres', 'SELECT count(*) FROM item'), $rows_then, 'the table is as it was then');
is($restored->safe_psql('postgres', $heads), $heads_then, 'and so is every chain');
is($restored->safe_psql('postgres', 'SELECT * FROM scim_audit.verify()'), '', 'verify finds nothing');
is($restored->safe_psql('postgres', q{
		SET client_min_messages = error;
		INSERT INTO item VALUES (1, 'after');
		SELECT count(*) FROM scim_audit.restored();
		SELECT count(*) FROM scim_audit.verify()}), "0\n0", 'writing goes on, with the event log.restore');

# What a note of the heads tells: the seal that was noted is not the one that is there.
my ($chain, $seq, $hash) = split / /, (split /,/, $noted)[0];
isnt($restored->safe_psql('postgres', "SELECT encode(hash, 'hex') FROM scim_audit.seals WHERE (chain, seq) = ($chain, $seq)"), $hash,
	'a head noted after that time is not in the restored log');
($chain, $seq, $hash) = split / /, (split /,/, $heads_then)[0];
is($restored->safe_psql('postgres', "SELECT encode(hash, 'hex') FROM scim_audit.seals WHERE (chain, seq) = ($chain, $seq)"), $hash,
	'and one noted before it is');
$restored->stop;
done_testing();
