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

# A session that was alone in a chain for long enough goes on from the seal it
# made last, without reading; what it writes is taken back when that place is taken.
my $taken_back = q{SELECT pg_stat_force_next_flush();
	SELECT n_tup_del FROM pg_stat_user_tables WHERE relid = 'scim_audit.seals'::regclass};
my $alone = $node->background_psql('postgres');
my @ids = (201 .. 212);
$alone->query_safe("INSERT INTO item VALUES ($_)") for @ids;
is($alone->query_safe($taken_back), "\n0", 'nobody else: nothing is taken back');
for my $decision ('COMMIT', 'ROLLBACK')
{
	my ($other, $own) = ($ids[-1] + 1, $ids[-1] + 2);
	prepare($other);
	$node->safe_psql('postgres', "$decision PREPARED 'p$other'");
	$alone->query_safe("INSERT INTO item VALUES ($own)");
	push @ids, $decision eq 'COMMIT' ? $other : (), $own;
	is($alone->query_safe($taken_back), "\n1", "after another session's $decision: taken back only where it committed");

	# Believed again after as many that were right.
	push @ids, $ids[-1] + 2;
	$alone->query_safe("INSERT INTO item VALUES ($ids[-1])");
	for (1 .. 9)
	{
		push @ids, $ids[-1] + 1;
		$alone->query_safe("INSERT INTO item VALUES ($ids[-1])");
	}
}
$expected .= join ' ', ' 120', @ids;
is($node->safe_psql('postgres', $order), $expected, 'one after the other all the same');
is($node->safe_psql('postgres', 'SELECT * FROM scim_audit.verify()'), '', 'verify finds nothing');

# Of a log that was emptied nothing is believed.
$node->safe_psql('postgres', q{
	SET scim_audit.allow_drop = on;
	ALTER TABLE scim_audit.seals DISABLE TRIGGER USER;
	ALTER TABLE scim_audit.events DISABLE TRIGGER USER;
	DO $$BEGIN EXECUTE (SELECT string_agg(format('ALTER TABLE %s DISABLE TRIGGER USER', inhrelid::regclass), ';')
		FROM pg_inherits WHERE inhparent = 'scim_audit.events'::regclass); END$$;
	TRUNCATE scim_audit.events, scim_audit.seals;});
$alone->query_safe('INSERT INTO item VALUES (300)');
is($node->safe_psql('postgres', "SELECT min(seq) FROM scim_audit.seals"), '1', 'after TRUNCATE a chain begins anew');
$alone->quit;
is($node->safe_psql('postgres', 'SELECT count(DISTINCT chain) FROM scim_audit.seals'), '1', 'all in one chain');
$node->stop;
done_testing();
