# Crashes under load: what was acknowledged is in the tables and in the log,
# the chains have no gap and no fork, and writing goes on.
#
# Each client is a psql that echoes the number of a transaction once its
# COMMIT was answered.  Clients commit under different isolation levels, roll
# back to savepoints and abort, and share two chains, so they also wait for
# one another.  Every round ends in another kind of crash, or with a full disk
# under the log; CRASHES says how many rounds (make crash N=100).
#
# The log stands in a tablespace on SMALL_DISK, a file system of its own that
# test/run mounts when root starts it, and that is filled up.  Where there is
# none, the server may not write past a size of file instead.
use strict;
use warnings FATAL => 'all';

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $clients = 6;
my $rounds = $ENV{CRASHES} || 6;
my $statements = 5000;     # more than a client can do before the crash
my $attempts = 20;         # a client that a serialization failure ended starts again

my $small_disk = $ENV{SMALL_DISK} // '';
my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init(extra => [ '--wal-segsize', 1 ]);
$node->append_conf('postgresql.conf',
	"scim_audit.chains = 2\nsynchronous_commit = on\nlog_statement = none\n");
$node->start;
if ($small_disk ne '')
{
	$node->safe_psql('postgres', "CREATE TABLESPACE small LOCATION '$small_disk'");
}
$node->safe_psql('postgres', q{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	CREATE TABLE acked (id bigint PRIMARY KEY);
	CREATE TABLE item (id bigint PRIMARY KEY, client int NOT NULL, note text);
	CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON item
		FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change();
});
$node->safe_psql('postgres', q{
	ALTER TABLE scim_audit.events SET TABLESPACE small;
	ALTER TABLE scim_audit.seals SET TABLESPACE small;
	ALTER INDEX scim_audit.seals_pkey SET TABLESPACE small;
}) if $small_disk ne '';
$node->safe_psql('postgres', 'SELECT scim_audit.ensure_partitions()');

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
	my ($round, $client, $attempt) = @_;
	my $sql = "\\set ON_ERROR_STOP 1\n\\set QUIET 1\n";
	for my $k (1 .. $statements)
	{
		my $id = ((($round * $clients + $client) * $attempts + $attempt) * $statements + $k) * 10;
		my $isolation = ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')[ ($client + $k) % 3 ];

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
	my $file = "$PostgreSQL::Test::Utils::tmp_check/client_${round}_${client}_$attempt.sql";
	open my $out, '>', $file or die "$file: $!";
	print $out $sql;
	close $out;
	return $file;
}

# Start a client, or start it again.  Neighbours on a page of the index make
# serialization failures, with and without an audit; they end the script.
sub start_client
{
	my ($c) = @_;
	my $file = script($c->{round}, $c->{client}, $c->{attempt}++);
	die 'too many serialization failures' if $c->{attempt} > $attempts;
	$c->{errors} = '';
	$c->{run} = IPC::Run::start([ 'psql', '-XAt', '-d', $node->connstr('postgres'), '-f', $file ],
		'<', \undef, '>>', \$c->{acked}, '2>', \$c->{errors});
	return;
}

# Wait until every client was answered often enough.
sub await_load
{
	my ($enough, @running) = @_;
	my $timer = IPC::Run::timer($PostgreSQL::Test::Utils::timeout_default);
	$timer->start;
	while (grep { ($_->{acked} =~ tr/\n//) < $enough } @running)
	{
		die 'the clients make no progress' if $timer->is_expired;
		for my $c (@running)
		{
			$c->{run}->pump_nb if $c->{run}->pumpable;
			next if $c->{run}->pumpable;
			$c->{run}->finish;
			die "a client ended: $c->{errors}" unless $c->{errors} =~ /could not serialize access/;
			start_client($c);
		}
		select undef, undef, undef, 0.01;
	}
	return;
}

# The ways to crash.  The server does not restart by itself (restart_after_crash is off).
# A process that was just ending when it was chosen brings nothing down: then another is.
sub kill_process
{
	my ($which) = @_;
	my $postmaster = (slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/)[0];
	my $until = time + $PostgreSQL::Test::Utils::timeout_default;
	while (kill 0, $postmaster)
	{
		die 'the server survived the death of its processes' if time > $until;
		my ($status, $pid) = $node->psql('postgres',
			"SELECT pid FROM pg_stat_activity WHERE $which AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1");
		kill 'KILL', $pid if $status == 0 && $pid ne '';
		for (1 .. 30)
		{
			last unless kill 0, $postmaster;
			select undef, undef, undef, 0.1;
		}
	}
	$node->_update_pid(0);
	return;
}

# No file of the server may grow past so many bytes; -1 for no limit.
sub limit_files
{
	my ($bytes) = @_;
	my $postmaster = (slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/)[0];
	my @pids = split /\n/, $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity');
	for my $pid ($postmaster, @pids)
	{
		system_or_bail('prlimit', "--fsize=$bytes:", '--pid', $pid) if kill 0, $pid;
	}
	return;
}

# Every client ends with an error, and the server goes on.
sub fill_disk
{
	my @running = @_;
	my $filler = "$small_disk/filler";
	if ($small_disk ne '')
	{
		open my $out, '>', $filler or die "$filler: $!";
		1 while syswrite $out, '.' x 8192;
		close $out;
	}
	else
	{
		limit_files($node->safe_psql('postgres', q{
			SELECT pg_relation_size(inhrelid) + 65536 FROM pg_inherits
			WHERE inhparent = 'scim_audit.events'::regclass ORDER BY pg_relation_size(inhrelid) DESC LIMIT 1}));
	}
	$_->{run}->finish for @running;
	my @other = grep { $_->{errors} !~ /could not extend file|No space left|File too large|could not serialize/ } @running;
	is(join("\n", map { $_->{errors} } @other), '', 'disk full: every client was told');
	$small_disk ne '' ? unlink $filler : limit_files('unlimited');
	return;
}

my @crashes = (
	[ 'an immediate shutdown' => sub { $node->stop('immediate') } ],
	[ 'a killed backend' => sub { kill_process("backend_type = 'client backend'") } ],
	[ 'a full disk' => \&fill_disk ],
	[ 'an immediate shutdown after a checkpoint' => sub { $node->safe_psql('postgres', 'CHECKPOINT'); $node->stop('immediate') } ],
	[ 'a killed process' => sub { kill_process('true') } ],
	[ 'a killed backend, with a checkpoint under way' => sub {
			my $checkpoint = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'CHECKPOINT' ],
				'<', \undef, '>', \my $out, '2>', \my $err);
			kill_process("backend_type = 'client backend'");
			$checkpoint->finish;
		} ]);

sub none { my ($query, $what) = @_; is($node->safe_psql('postgres', $query), '', $what); return; }

my $total = 0;
my %times;
for my $round (0 .. $rounds - 1)
{
	my ($name, $crash) = @{ $crashes[ $round % @crashes ] };
	my @running = map { { round => $round, client => $_, attempt => 0, acked => '' } } 0 .. $clients - 1;
	start_client($_) for @running;
	my $enough = 10 + int rand 40;

	await_load($enough, @running);
	$crash->(@running);
	$_->{run}->finish for @running;
	unlink glob "$PostgreSQL::Test::Utils::tmp_check/client_*.sql";
	my @acked = map { split /\n/, $_->{acked} } @running;
	$total += @acked;
	$times{$name}++;
	$name = $round + 1 . ": $name";

	$node->start if !defined $node->{_pid};
	cmp_ok(scalar(@acked), '>=', $clients * $enough, "$name: there was load");
	$node->safe_psql('postgres', 'INSERT INTO acked VALUES ' . join ',', map { "($_)" } @acked);
	none('SELECT a.id FROM acked a LEFT JOIN item USING (id) WHERE item.id IS NULL', "$name: every acknowledged row is in the table");
	none(q{SELECT a.id FROM acked a LEFT JOIN scim_audit.events e
			ON e.resource_id = a.id::text AND e.event_type = 'table.insert' WHERE e.n IS NULL}, "$name: every acknowledged row is in the log");
	none(q{SELECT id, e.id FROM item FULL JOIN (SELECT resource_id::bigint AS id FROM scim_audit.events
				WHERE event_type = 'table.insert' AND resource_type = 'public.item') e USING (id)
			WHERE item.id IS NULL OR e.id IS NULL}, "$name: the log has an event for each row and no other");
	none($broken, "$name: no gap, no fork, every event sealed");
	none('SELECT * FROM scim_audit.verify()', "$name: verify finds nothing");
}

is($node->safe_psql('postgres', 'SELECT string_agg(DISTINCT chain::text, $$,$$) FROM scim_audit.seals'), '0,1',
	'two chains were used');
none("SELECT id FROM item WHERE note IN ('never', 'undone')", 'nothing that was rolled back is there');
note("figures: $total transactions acknowledged, " . $node->safe_psql('postgres', 'SELECT count(*) FROM scim_audit.events') . ' events: '
	. join ', ', map { "$times{$_} × $_" } sort keys %times);
$node->stop;
done_testing();
