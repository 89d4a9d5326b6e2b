# One chain and several writers: a committing transaction waits for the one
# that holds the chain, and then links to the head that is, whatever its
# snapshot; transactions that hold nothing block nobody.
#
# A prepared transaction holds its chain until it is decided, so it stands in
# for one that is flushing its commit.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::BackgroundPsql;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('chains');
$node->init;
$node->append_conf('postgresql.conf', "scim_audit.chains = 1\nmax_prepared_transactions = 5\n");
$node->start;
$node->safe_psql('postgres', q{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	CREATE TABLE item (id int PRIMARY KEY);
	CREATE TRIGGER scim_audit_row AFTER INSERT ON item FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change();
	CREATE ROLE writer LOGIN;
	GRANT INSERT ON item TO writer;
	INSERT INTO item VALUES (0);
});

# Ids of the rows in the order in which their transactions were sealed.
my $order = q{SELECT string_agg(e.resource_id, ' ' ORDER BY s.seq, e.n)
	FROM scim_audit.seals s JOIN scim_audit.events e USING (tx_id) WHERE e.resource_type = 'public.item'};
my $waiting = q{SELECT count(*) = %d FROM pg_locks
	WHERE locktype = 'object' AND objid = 'scim_audit.seals'::regclass AND NOT granted};

sub prepare
{
	my ($id) = @_;
	$node->safe_psql('postgres', qq{
		SET scim_audit.allow_prepare = on;
		BEGIN;
		INSERT INTO item VALUES ($id);
		PREPARE TRANSACTION 'p$id';});
	return;
}

# A session that has a snapshot and a row, and is about to commit.
sub writer
{
	my ($id, $isolation) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	$session->query_safe("BEGIN ISOLATION LEVEL $isolation");
	$session->query_safe('SELECT count(*) FROM pg_class WHERE oid = 0');
	$session->query_safe("INSERT INTO item VALUES ($id)");
	return $session;
}

my $expected = '0';
my $id = 0;
for my $isolation ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')
{
	for my $decision ('COMMIT', 'ROLLBACK')
	{
		my ($prepared, $first, $second) = ($id + 1, $id + 2, $id + 3);
		my $a = writer($first, $isolation);
		my $b = writer($second, $isolation);

		# Two open transactions with events hold no chain.
		prepare($prepared);
		$a->query_until(qr/asked/, "\\echo asked\nCOMMIT;\n");
		ok($node->poll_query_until('postgres', sprintf($waiting, 1)), "$isolation: a commit waits for the chain");
		$node->safe_psql('postgres', "$decision PREPARED 'p$prepared'");
		$a->query_safe('SELECT 1');
		$b->query_safe('COMMIT');
		$expected .= ' ' . join ' ', $decision eq 'COMMIT' ? $prepared : (), $first, $second;
		is($node->safe_psql('postgres', $order), $expected, "$isolation, $decision: sealed one after the other");
		$_->quit for $a, $b;
		$id += 3;
	}
}

# A prepared transaction survives a restart with its chain.
prepare(100);
$node->restart;
my $late = writer(101, 'REPEATABLE READ');
$late->query_until(qr/asked/, "\\echo asked\nCOMMIT;\n");
ok($node->poll_query_until('postgres', sprintf($waiting, 1)), 'a prepared transaction keeps its chain over a restart');
$node->safe_psql('postgres', "COMMIT PREPARED 'p100'");
$late->query_safe('SELECT 1');
$late->quit;
$expected .= ' 100 101';
is($node->safe_psql('postgres', $order), $expected, 'and the next seal follows it');

# Fail closed: who may not wait for the chain does not commit.
prepare(110);
my ($status, $out, $err) = $node->psql('postgres', "SET lock_timeout = '10ms'; INSERT INTO item VALUES (111)");
like($err, qr/lock timeout/, 'a commit that may not wait fails');
is($node->safe_psql('postgres', 'SELECT count(*) FROM item WHERE id = 111'), '0', 'and its row is not there');
$node->safe_psql('postgres', "ROLLBACK PREPARED 'p110'");

# No role can take the lock: it is not in the advisory space.
my $seals = $node->safe_psql('postgres', "SELECT 'scim_audit.seals'::regclass::oid");
my $hostile = $node->background_psql('postgres');
$hostile->query_safe("SET SESSION AUTHORIZATION writer");
$hostile->query_safe("SELECT count(pg_advisory_lock($seals)), count(pg_advisory_lock($seals, i)), count(pg_advisory_lock(i))
	FROM generate_series(0, 40) i");
$node->safe_psql('postgres', 'SET SESSION AUTHORIZATION writer; INSERT INTO item VALUES (120)');
$hostile->quit;
is($node->safe_psql('postgres', $order), "$expected 120", 'advisory locks block no commit');

is($node->safe_psql('postgres', 'SELECT * FROM scim_audit.verify()'), '', 'verify finds nothing');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT chain) FROM scim_audit.seals'), '1', 'all in one chain');
$node->stop;
done_testing();
