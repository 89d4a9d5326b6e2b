# Crashes under load: what was acknowledged is in the tables and in the log,
# the chains have no gap and no fork, and writing goes on.
#
# Each client is a psql that echoes the number of a transaction once its
# COMMIT was answered.  Clients commit under different isolation levels, roll
# back to savepoints and abort, and share two chains, so they also wait for
# one another.  Every round ends in another kind of crash.
use strict;
use warnings FATAL => 'all';

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $clients = 6;
my $statements = 20000;    # more than a client can do before the crash
my $enough = 40;           # transactions acknowledged to each client before it

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', "scim_audit.chains = 2\nsynchronous_commit = on\n");
$node->start;
$node->safe_psql('postgres', q{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	CREATE TABLE item (id bigint PRIMARY KEY, client int NOT NULL, note text);
	CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON item
		FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change();
});

# Links that are wrong, anywhere in the log.
my $broken = q{
	SELECT 'event ' || tx_id || ':' || n FROM (
		SELECT tx_id, n, prev_hash, lag(leaf_hash) OVER w AS before, row_number() OVER w AS i
		FROM scim_audit.events WINDOW w AS (PARTITION BY tx_id ORDER BY n)) e
	WHERE n <> i - 1 OR prev_hash <> coalesce(before, decode(repeat('00', 32), 'hex'))
	UNION ALL
	SELECT 'seal of ' || coalesce(s.tx_id, e.tx_id) FROM scim_audit.seals s
	FULL JOIN (SELECT DISTINCT ON (tx_id) tx_id, n + 1 AS events, leaf_hash FROM scim_audit.events
		ORDER BY tx_id, n DESC) e USING (tx_id)
	WHERE (s.events, s.last_leaf) IS DISTINCT FROM (e.events, e.leaf_hash)
	UNION ALL
	SELECT 'chain ' || chain || ' at ' || seq FROM (
		SELECT chain, seq, at, prev_hash, lag(hash) OVER w AS before, lag(at) OVER w AS earlier, row_number() OVER w AS i
		FROM scim_audit.seals WINDOW w AS (PARTITION BY chain ORDER BY seq)) s
	WHERE seq <> i OR at < earlier OR prev_hash <> coalesce(before, decode(repeat('00', 32), 'hex'))};

# What a client does: transaction k writes rows with ids that only it uses.
sub script
{
	my ($round, $client) = @_;
	my $sql = "\\set ON_ERROR_STOP 1\n\\set QUIET 1\n";
	for my $k (1 .. $statements)
	{
		my $id = (($round * $clients + $client) * $statements + $k) * 10;
		# Of serializable transactions that meet in a page one may be cancelled: one client has them.
		my $isolation = ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')[ ($client + $k) % ($client == 0 ? 3 : 2) ];

		if ($k % 4 == 0)
		{
			$sql .= "INSERT INTO item VALUES ($id, $client, 'alone');\n";
		}
		elsif ($k % 4 == 3)
		{
			$sql .= "BEGIN;\nINSERT INTO item VALUES ($id, $client, 'never');\nROLLBACK;\n";
			next;
		}
		else
		{
			$sql .= "BEGIN ISOLATION LEVEL $isolation;\n"
			  . "INSERT INTO item VALUES ($id, $client, 'first');\n"
			  . "SAVEPOINT s;\nINSERT INTO item VALUES ($id + 1, $client, 'undone');\nROLLBACK TO s;\n"
			  . "UPDATE item SET note = 'updated' WHERE id = $id;\n"
			  . "COMMIT;\n";
		}
		$sql .= "\\echo $id\n";
	}
	my $file = "$PostgreSQL::Test::Utils::tmp_check/client_${round}_$client.sql";
	open my $out, '>', $file or die "$file: $!";
	print $out $sql;
	close $out;
	return $file;
}

# Start the clients of a round; each collects what it was answered.
sub start_clients
{
	my ($round) = @_;
	my @running;
	for my $client (0 .. $clients - 1)
	{
		my %c = (acked => '', errors => '');
		$c{run} = IPC::Run::start(
			[ 'psql', '-XAt', '-d', $node->connstr('postgres'), '-f', script($round, $client) ],
			'<', \undef, '>', \$c{acked}, '2>', \$c{errors});
		push @running, \%c;
	}
	return @running;
}

# Wait until every client was answered often enough.
sub await_load
{
	my @running = @_;
	my $timer = IPC::Run::timer($PostgreSQL::Test::Utils::timeout_default);
	$timer->start;
	while (grep { ($_->{acked} =~ tr/\n//) < $enough } @running)
	{
		die 'the clients make no progress' if $timer->is_expired;
		for my $c (@running)
		{
			$c->{run}->pump_nb;
			die "a client ended: $c->{errors}" unless $c->{run}->pumpable;
		}
		$running[0]{run}->pump if ($running[0]{acked} =~ tr/\n//) < $enough;
	}
	return;
}

# The ways to crash.  The server does not restart by itself (restart_after_crash is off).
sub kill_backend
{
	my $pid = $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1");
	my $postmaster = (slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/)[0];
	kill 'KILL', $pid;
	my $gone = 0;
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$gone = !kill(0, $postmaster) and last;
		select undef, undef, undef, 0.1;
	}
	die 'the server survived the death of a backend' unless $gone;
	$node->_update_pid(0);
	return;
}

my @crashes = (
	[ 'an immediate shutdown' => sub { $node->stop('immediate') } ],
	[ 'a killed backend' => \&kill_backend ],
	[ 'an immediate shutdown after a checkpoint' => sub { $node->safe_psql('postgres', 'CHECKPOINT'); $node->stop('immediate') } ],
	[ 'another killed backend' => \&kill_backend ]);

my $total = 0;
for my $round (0 .. $#crashes)
{
	my ($name, $crash) = @{ $crashes[$round] };
	my @running = start_clients($round);

	await_load(@running);
	$crash->();
	$_->{run}->finish for @running;
	my @acked = map { split /\n/, $_->{acked} } @running;
	$total += @acked;

	$node->start;
	cmp_ok(scalar(@acked), '>=', $clients * $enough, "$name: there was load");
	my $values = join ',', map { "($_)" } @acked;
	is($node->safe_psql('postgres', "SELECT count(*) FROM (VALUES $values) a(id) LEFT JOIN item USING (id) WHERE item.id IS NULL"),
		'0', "$name: every acknowledged row is in the table");
	is($node->safe_psql('postgres', qq{
			SELECT count(*) FROM (VALUES $values) a(id) WHERE NOT EXISTS (
				SELECT FROM scim_audit.events e WHERE e.resource_id = a.id::text AND e.event_type = 'table.insert')}),
		'0', "$name: every acknowledged row is in the log");
	is($node->safe_psql('postgres', q{
			SELECT count(*) FROM item FULL JOIN (SELECT resource_id::bigint AS id FROM scim_audit.events
				WHERE event_type = 'table.insert' AND resource_type = 'public.item') e USING (id)
			WHERE item.id IS NULL OR e.id IS NULL}),
		'0', "$name: the log has an event for each row and no other");
	is($node->safe_psql('postgres', $broken), '', "$name: no gap, no fork, every event sealed");
	is($node->safe_psql('postgres', 'SELECT * FROM scim_audit.verify()'), '', "$name: verify finds nothing");
}

is($node->safe_psql('postgres', 'SELECT string_agg(DISTINCT chain::text, $$,$$) FROM scim_audit.seals'), '0,1',
	'two chains were used');
is($node->safe_psql('postgres', "SELECT count(*) FROM item WHERE note IN ('never', 'undone')"), '0',
	'nothing that was rolled back is there');
cmp_ok($total, '<=', $node->safe_psql('postgres', 'SELECT count(*) FROM item'), 'nothing acknowledged is missing in all');
$node->stop;
done_testing();
