# An index of the log that is built, rebuilt or dropped CONCURRENTLY while a
# session writes, which remembers what indexes there are: no event and no seal
# is missing in it.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::BackgroundPsql;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('indexes');
$node->init;
$node->append_conf('postgresql.conf', 'scim_audit.chains = 1');
$node->start;
$node->safe_psql('postgres', q{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	CREATE EXTENSION amcheck;
	CREATE TABLE item (id int PRIMARY KEY);
	SELECT scim_audit.track('item');
});

my $next = 1;
my $writer = $node->background_psql('postgres');

sub write_some
{
	$writer->query_safe('INSERT INTO item VALUES (' . $next++ . ')') for 1 .. 12;
	return;
}

# A statement that goes on CONCURRENTLY, written beside in each of its phases.
sub concurrently
{
	my ($statement) = @_;
	my $holder = $node->background_psql('postgres');
	my $reader = $node->background_psql('postgres');
	my $builder = $node->background_psql('postgres');

	# It waits for this one before it builds, and for that one before it is done.
	$holder->query_safe('BEGIN');
	$holder->query_safe('INSERT INTO item VALUES (' . $next++ . ')');
	$holder->query_safe("LOCK TABLE scim_audit.seals IN ROW EXCLUSIVE MODE");
	$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
	$reader->query_safe('SELECT count(*) FROM pg_class WHERE oid = 0');
	$builder->query_until(qr/asked/, "\\echo asked\n$statement;\n");
	for my $phase ('waiting for writers before build', 'waiting for old snapshots')
	{
		ok($node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE phase = '$phase')"),
			"$statement: $phase");
		write_some();
		$holder->query_safe('COMMIT') if $phase =~ /writers/;
	}
	$reader->query_safe('COMMIT');
	$builder->query_safe('SELECT 1');
	$_->quit for $holder, $reader, $builder;
	write_some();
	return;
}

my $indexes = q{SELECT count(bt_index_check(i.indexrelid, true)) FROM pg_index i
	WHERE i.indrelid = 'scim_audit.seals'::regclass OR i.indrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'scim_audit.events'::regclass)};
write_some();
my $events = $node->safe_psql('postgres', 'SELECT DISTINCT tableoid::regclass FROM scim_audit.events');
my $before = $node->safe_psql('postgres', $indexes);
concurrently("CREATE INDEX CONCURRENTLY by_type ON $events (event_type)");
is($node->safe_psql('postgres', $indexes), $before + 1, 'a new index of events has them all');
concurrently('CREATE UNIQUE INDEX CONCURRENTLY by_hash ON scim_audit.seals (hash)');
is($node->safe_psql('postgres', $indexes), $before + 2, 'a new index of seals has them all');
concurrently('REINDEX INDEX CONCURRENTLY scim_audit.seals_pkey');
is($node->safe_psql('postgres', $indexes), $before + 2, 'the primary key of seals, made anew, has them all');
$node->safe_psql('postgres', 'DROP INDEX CONCURRENTLY scim_audit.by_hash');
$node->safe_psql('postgres', 'DROP INDEX CONCURRENTLY scim_audit.by_type');
write_some();
is($node->safe_psql('postgres', $indexes), $before, 'indexes that are gone are not missed');
$writer->quit;
is($node->safe_psql('postgres', 'SELECT * FROM scim_audit.verify()'), '', 'verify finds nothing');
is($node->safe_psql('postgres', 'SELECT count(*) FROM item'), $next - 1, 'every row was written');
$node->stop;
done_testing();
