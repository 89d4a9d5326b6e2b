# Every isolation level × every kind of subtransaction × every way to end:
# what committed is in the log, in order and sealed once; what did not has left
# neither event nor seal.  Among the ends are errors before and after the seal
# is made, timeouts and cancellation while a commit waits for a chain, and
# PREPARE TRANSACTION.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::BackgroundPsql;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $chains = 2;
my $node = PostgreSQL::Test::Cluster->new('matrix');
$node->init(allows_streaming => 1);
# Commits wait for a standby only where a session asks for it.
$node->append_conf('postgresql.conf', qq{
	scim_audit.chains = $chains
	max_prepared_transactions = 20
	synchronous_commit = local
	log_statement = none
});
$node->start;
sub sql { return $node->safe_psql('postgres', @_); }

sql(q{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	SELECT scim_audit.ensure_partitions();
	CREATE TABLE item (id int PRIMARY KEY, parent int REFERENCES item DEFERRABLE INITIALLY DEFERRED);
	CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON item
		FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change();
	CREATE TABLE skew (side int PRIMARY KEY, v int);
	INSERT INTO skew VALUES (0, 0), (1, 0);
	CREATE FUNCTION try(base int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO item VALUES (base);
		BEGIN
			INSERT INTO item VALUES (base + 1), (base);
		EXCEPTION WHEN unique_violation THEN
			INSERT INTO item VALUES (base + 2);
		END;
	END $$;
	CREATE PROCEDURE in_call(base int) LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO item VALUES (base);
		COMMIT;
	END $$;
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

my @levels = ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE');

# Name, statements, and of the ids base, base + 1, … those that a commit keeps, in order.
my @bodies = (
	[ 'no savepoint', 'INSERT INTO item VALUES (@0); INSERT INTO item VALUES (@1);', 0, 1 ],
	[ 'savepoint rolled back', 'INSERT INTO item VALUES (@0); SAVEPOINT s; INSERT INTO item VALUES (@1); ROLLBACK TO s; INSERT INTO item VALUES (@2);', 0, 2 ],
	[ 'savepoint released', 'INSERT INTO item VALUES (@0); SAVEPOINT s; INSERT INTO item VALUES (@1); RELEASE s; INSERT INTO item VALUES (@2);', 0, 1, 2 ],
	[ 'rolled back in one released', 'SAVEPOINT s; INSERT INTO item VALUES (@0); SAVEPOINT t; INSERT INTO item VALUES (@1); ROLLBACK TO t; RELEASE s; INSERT INTO item VALUES (@2);', 0, 2 ],
	[ 'released in one rolled back', 'SAVEPOINT s; INSERT INTO item VALUES (@0); SAVEPOINT t; INSERT INTO item VALUES (@1); RELEASE t; ROLLBACK TO s; INSERT INTO item VALUES (@2);', 2 ],
	[ 'all rolled back', 'SAVEPOINT s; INSERT INTO item VALUES (@0); ROLLBACK TO s; RELEASE s;' ],
	[ 'an error in a savepoint', 'INSERT INTO item VALUES (@0); SAVEPOINT s; INSERT INTO item VALUES (@1), (@0); ROLLBACK TO s; INSERT INTO item VALUES (@2);', 0, 2 ],
	[ 'exception block', 'SELECT try(@0);', 0, 2 ],
	[ 'written by a deferred trigger', 'SET CONSTRAINTS ALL DEFERRED; INSERT INTO late VALUES (@0); INSERT INTO item VALUES (@1);', 1, 0 ]);
sql(q{
	CREATE TABLE late (id int);
	CREATE FUNCTION write_late() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO item VALUES (NEW.id); RETURN NULL; END$$;
	CREATE CONSTRAINT TRIGGER write_late AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_late();
});

my $last_base = 0;
sub new_base { my $base = $last_base += 10; return $base; }
my @cells;    # base and the ids expected to be there

sub at_base { my ($text, $base) = @_; return $text =~ s/\@(\d)/$base + $1/egr; }

# Run each level and body with this end; each must fail with that error, or
# commit when there is none.  Bodies that write nothing need no seal: those
# ends that would fail for its sake let them pass.
sub run_end
{
	my ($end, $before, $finish, $error, $for_seal) = @_;
	my $bad = '';
	for my $level (@levels)
	{
		for my $body (@bodies)
		{
			my ($name, $text, @kept) = @$body;
			my $base = new_base();
			my ($status, $out, $err) = $node->psql('postgres',
				"$before BEGIN ISOLATION LEVEL $level;\n" . at_base($text, $base) . "\n" . at_base($finish, $base),
				on_error_stop => 0);

			$err =~ s/^.*duplicate key.*\n(?:DETAIL.*\n)?//gm;
			my $right = $error eq '' || ($for_seal && !@kept) ? $err !~ /ERROR/ : $err =~ /ERROR: +$error/;
			$bad .= "$level, $name: $err\n" unless $right;
			push @cells, [ $base, $error eq '' ? map { $base + $_ } @kept : () ];
		}
	}
	is($bad, '', "$end: every level and subtransaction " . ($error eq '' ? 'commits' : 'fails as it should'));
	return;
}

# What is in the table and in the log against what should be.
sub check
{
	my ($when) = @_;
	my $values = join ',', map { my ($base, @ids) = @$_; "($base, '@ids')" } @cells;
	is(sql(qq{
			SELECT c.base, c.expected, i.ids, e.ids, e.sealed FROM (VALUES $values) c (base, expected)
			LEFT JOIN LATERAL (SELECT string_agg(id::text, ' ' ORDER BY id) AS ids FROM item WHERE id BETWEEN c.base AND c.base + 9) i ON true
			LEFT JOIN LATERAL (
				SELECT string_agg(e.resource_id, ' ' ORDER BY e.n) AS ids, count(DISTINCT e.tx_id) || ' ' || max(s.events) AS sealed
				FROM scim_audit.events e LEFT JOIN scim_audit.seals s USING (tx_id)
				WHERE e.resource_type = 'public.item' AND e.resource_id::int BETWEEN c.base AND c.base + 9) e ON true
			WHERE c.expected <> coalesce(e.ids, '')
				OR (SELECT string_agg(x, ' ' ORDER BY x::int) FROM regexp_split_to_table(nullif(c.expected, ''), ' ') x) IS DISTINCT FROM i.ids
				OR (e.ids IS NOT NULL AND e.sealed <> '1 ' || cardinality(string_to_array(c.expected, ' ')))}),
		'', "$when: the log has exactly what committed, in order");
	is(sql($broken), '', "$when: no gap, no fork, no orphan");
	is(sql('SELECT rule, chain, seq, message FROM scim_audit.verify()'), '', "$when: verify finds nothing");
	return;
}

run_end('COMMIT', '', 'COMMIT;', '');
run_end('ROLLBACK', '', 'ROLLBACK; SELECT 1/0;', 'division by zero');
run_end('an error, then COMMIT', '', 'INSERT INTO item VALUES (NULL); COMMIT;', 'null value');
run_end('a deferred constraint at COMMIT', '', 'INSERT INTO item VALUES (@9, -1); COMMIT;', 'insert or update on table "item" violates foreign key');
run_end('PREPARE TRANSACTION', '', q{PREPARE TRANSACTION 'p@0';},
	'cannot PREPARE a transaction that has written audit events', 1);
sql(join ';', map { "ROLLBACK PREPARED '$_'" } split /\n/, sql('SELECT gid FROM pg_prepared_xacts'));
run_end('PREPARE where it is allowed, COMMIT PREPARED', 'SET scim_audit.allow_prepare = on;',
	q{PREPARE TRANSACTION 'p@0'; COMMIT PREPARED 'p@0';}, '');
run_end('PREPARE where it is allowed, ROLLBACK PREPARED', 'SET scim_audit.allow_prepare = on;',
	q{PREPARE TRANSACTION 'p@0'; ROLLBACK PREPARED 'p@0'; SELECT 1/0;}, 'division by zero');
check('ends in one session');

# After the seal is made: the lock that NOTIFY takes last is held by a commit that waits for a standby.
$node->append_conf('postgresql.conf', "synchronous_standby_names = 'nobody'");
$node->restart;
my $notifier = $node->background_psql('postgres', on_error_stop => 0);
$notifier->query_safe('SET synchronous_commit = on');
$notifier->query_until(qr/asked/, "\\echo asked\nBEGIN; UPDATE skew SET v = v; NOTIFY c; COMMIT;\n");
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'") or die 'no commit waits';
run_end('NOTIFY at COMMIT', "SET lock_timeout = '5ms';", 'NOTIFY c; COMMIT;', 'canceling statement due to lock timeout');
sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
$notifier->query('SELECT 1');
$node->adjust_conf('postgresql.conf', 'synchronous_standby_names', "''");
$node->reload;
check('errors after the seal');

# While every chain is held.
sub hold_chains
{
	for my $i (1 .. $chains)
	{
		my $base = new_base();
		sql("SET scim_audit.allow_prepare = on; BEGIN; INSERT INTO item VALUES ($base); PREPARE TRANSACTION 'hold$i'");
		push @cells, [ $base, $base ];
	}
	return;
}
sub free_chains { sql("COMMIT PREPARED 'hold$_'") for 1 .. $chains; return; }
my $waiting = q{SELECT pid FROM pg_locks WHERE locktype = 'object' AND objid = 'scim_audit.seals'::regclass AND NOT granted};

hold_chains();
run_end('lock_timeout while waiting for a chain', "SET lock_timeout = '5ms';", 'COMMIT;', 'canceling statement due to lock timeout', 1);
{
	my $base = new_base();
	my ($status, $out, $err) = $node->psql('postgres', "SET statement_timeout = '50ms'; CALL in_call($base)");
	like($err, qr/canceling statement due to statement timeout/, 'statement_timeout while a COMMIT in a procedure waits for a chain');
	push @cells, [$base];
}
for my $level (@levels)
{
	my $base = new_base();
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	$session->query("BEGIN ISOLATION LEVEL $level; INSERT INTO item VALUES ($base); SAVEPOINT s; INSERT INTO item VALUES ($base + 1); RELEASE s");
	$session->query_until(qr/asked/, "\\echo asked\nCOMMIT;\n");
	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($waiting) w") or die 'no commit waits';
	sql("SELECT pg_cancel_backend(pid) FROM ($waiting) w");
	$session->query('SELECT 1');
	like($session->{stderr}, qr/canceling statement due to user request/, "$level: a COMMIT that waits for a chain is cancelled");
	$session->{stderr} = '';
	push @cells, [$base];

	# The session goes on; it is terminated while it waits.
	$base = new_base();
	$session->query("BEGIN ISOLATION LEVEL $level; INSERT INTO item VALUES ($base)");
	$session->query_until(qr/asked/, "\\echo asked\nCOMMIT;\n");
	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($waiting) w") or die 'no commit waits';
	sql("SELECT pg_terminate_backend(pid) FROM ($waiting) w");
	$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM ($waiting) w") or die 'not terminated';
	$session->{run}->finish;
	push @cells, [$base];
}
# statement_timeout is not for COMMIT, as everywhere in PostgreSQL: this one waits, and commits.
my $base = new_base();
my $patient = $node->background_psql('postgres');
$patient->query_safe("SET statement_timeout = '50ms'");
$patient->query_safe("BEGIN; INSERT INTO item VALUES ($base)");
$patient->query_until(qr/asked/, "\\echo asked\nCOMMIT;\n");
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($waiting) w JOIN pg_stat_activity a USING (pid)
	WHERE clock_timestamp() - a.query_start > '150ms'") or die 'no commit waits';
free_chains();
$patient->query_safe('SELECT 1');
push @cells, [ $base, $base ];
$patient->quit;
check('ends while every chain is held');

# A failure at commit that the other transaction decides: write skew.
my $failed = 0;
for my $body (@bodies)
{
	my ($name, $text, @kept) = @$body;
	my @sessions = map { $node->background_psql('postgres', on_error_stop => 0) } 0, 1;
	my @bases = map { new_base() } 0, 1;
	for my $i (0, 1)
	{
		$sessions[$i]->query('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT sum(v) FROM skew');
		$sessions[$i]->query($_) for split /(?<=;)/, at_base($text, $bases[$i]);
	}
	$sessions[$_]->query("UPDATE skew SET v = v + 1 WHERE side = $_") for 0, 1;
	$_->{stderr} = '' for @sessions;
	$_->query('COMMIT') for @sessions;
	unlike($sessions[0]{stderr}, qr/ERROR/, "write skew, $name: the first commits");
	$failed++ if $sessions[1]{stderr} =~ /could not serialize access/;
	push @cells, [ $bases[0], map { $bases[0] + $_ } @kept ], [ $bases[1] ];
	$_->quit for @sessions;
}
is($failed, scalar(@bodies), 'write skew: the second fails at commit, each time');
check('serialization failures at commit');

# Cancelled, and timed out, in the middle of a SCIM write.
my $user = '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "%s"}';
sql(q{
	CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM pg_advisory_xact_lock(4711);
		RETURN NEW;
	END $$;
	CREATE TRIGGER wait_here BEFORE INSERT ON scim.users FOR EACH ROW WHEN (NEW.title IS NULL) EXECUTE FUNCTION wait_here();
	CREATE FUNCTION patient(body text) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		RETURN (SELECT status FROM scim.scim_apply('POST', '/Users', body));
	EXCEPTION WHEN query_canceled OR lock_not_available THEN
		RETURN 'gave up';
	END $$;
});
my $blocker = $node->background_psql('postgres');
$blocker->query_safe('SELECT count(pg_advisory_lock(4711))');
my $in_apply = q{FROM pg_stat_activity WHERE wait_event = 'advisory'};
my $n = 0;
my @users;
for my $level (@levels)
{
	for my $how ('cancel', 'statement_timeout', 'lock_timeout')
	{
		for my $place ('alone', 'savepoint', 'exception')
		{
			my $base = new_base();
			my $name = 'u' . ++$n;
			my $session = $node->background_psql('postgres', on_error_stop => 0);
			my $apply = sprintf q{SELECT status FROM scim.scim_apply('POST', '/Users', '%s')}, sprintf $user, $name;
			$apply = sprintf q{SELECT patient('%s')}, sprintf $user, $name if $place eq 'exception';
			$session->query('\\set VERBOSITY terse');
			$session->query("SET default_transaction_isolation = '$level'");
			$session->query($_) for $place eq 'alone' ? () : ('BEGIN', "INSERT INTO item VALUES ($base)", 'SAVEPOINT s');
			$session->query("SET $how = '20ms'") if $how ne 'cancel';
			$session->query_until(qr/asked/, "\\echo asked\n$apply;\n");
			if ($how eq 'cancel')
			{
				$node->poll_query_until('postgres', "SELECT count(*) = 1 $in_apply") or die 'no call waits';
				sql("SELECT pg_cancel_backend(pid) $in_apply");
			}
			my $out = $session->query('SELECT 1');
			my $told = $place eq 'exception' ? $out =~ /gave up/ : $session->{stderr} =~ /canceling statement due to/;
			push @users, "$level, $how, $place: $out $session->{stderr}" unless $told;
			$session->query('ROLLBACK TO s') if $place eq 'savepoint';
			$session->query("SET $how = 0") if $how ne 'cancel';
			if ($place ne 'alone')
			{
				$session->query("INSERT INTO item VALUES ($base + 1)");
				$session->query('COMMIT');
				push @cells, [ $base, $base, $base + 1 ];
			}
			# The session serves the next call as if nothing had been.
			$name = 'w' . $n;
			$session->{stderr} = '';
			$out = $session->query(sprintf q{SELECT status FROM scim.scim_apply('POST', '/Users', '%s')},
				(sprintf $user, $name) =~ s/\}$/, "title": "x"}/r);
			push @users, "$level, $how, $place: afterwards $out $session->{stderr}" unless $out =~ /201/;
			$session->quit;
		}
	}
}
$blocker->quit;
is(join("\n", @users), '', 'cancelled and timed out in a SCIM write: told so, and serving on');
is(sql(q{SELECT count(*) FILTER (WHERE user_name ~ '^u'), count(*) FILTER (WHERE user_name ~ '^w') FROM scim.users}), "0|$n", 'no user of theirs is there');
is(sql(q{SELECT count(*) FROM scim_audit.events WHERE detail::text ~ '"u\d+"'}), '0', 'and no event');
check('a SCIM write that was interrupted');

# Prepared, decided after a restart and after a crash.
for my $stop ('fast', 'immediate')
{
	my ($kept, $dropped) = (new_base(), new_base());
	sql("SET scim_audit.allow_prepare = on; BEGIN; INSERT INTO item VALUES ($kept); SAVEPOINT s; INSERT INTO item VALUES ($kept + 1);
		ROLLBACK TO s; INSERT INTO item VALUES ($kept + 2); PREPARE TRANSACTION 'kept'");
	sql("SET scim_audit.allow_prepare = on; BEGIN; INSERT INTO item VALUES ($dropped); PREPARE TRANSACTION 'dropped'");
	$node->stop($stop);
	$node->start;
	is(sql("SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND objid = 'scim_audit.seals'::regclass AND granted"), $chains,
		"$stop: prepared transactions keep their chains");
	my $base = new_base();
	my ($status, $out, $err) = $node->psql('postgres', "SET lock_timeout = '5ms'; INSERT INTO item VALUES ($base)");
	like($err, qr/lock timeout/, "$stop: and a commit waits for them");
	sql("ROLLBACK PREPARED 'dropped'");
	sql("INSERT INTO item VALUES ($base + 1)");
	sql("COMMIT PREPARED 'kept'");
	push @cells, [ $kept, $kept, $kept + 2 ], [$dropped], [ $base, $base + 1 ];
	check("prepared, $stop shutdown");
}

# On disjoint keys no more serialization failures than without the audit: every
# order of the steps of two transactions, on an audited table and on one that is
# not.  Those that insert meet on a page of the index, and PostgreSQL fails some
# of them; those that only update meet nowhere.
sql(q{
	CREATE TABLE audited (k int PRIMARY KEY, v int) WITH (fillfactor = 50);
	SELECT scim_audit.track('audited');
	CREATE TABLE unaudited (k int PRIMARY KEY, v int) WITH (fillfactor = 50);
	INSERT INTO unaudited SELECT k, 0 FROM generate_series(1, 16000) k;
	INSERT INTO audited SELECT k, 0 FROM generate_series(1, 16000) k;
	ANALYZE audited; ANALYZE unaudited;
});
sub orders
{
	my ($left, $right) = @_;
	return [ (0) x $left, (1) x $right ] if !$left || !$right;
	return ((map { [ 0, @$_ ] } orders($left - 1, $right)), (map { [ 1, @$_ ] } orders($left, $right - 1)));
}
my @orders = orders(4, 4);
my %failures;
for my $table ('unaudited', 'audited')
{
	my $top = 100000;
	my @pair = map { $node->background_psql('postgres', on_error_stop => 0) } 0, 1;
	my $k = 0;
	for my $order (@orders)
	{
		$k++;
		my @updates = map { [ 'BEGIN ISOLATION LEVEL SERIALIZABLE', "SELECT v FROM $table WHERE k = " . ($k + 8000 * $_),
			"UPDATE $table SET v = v + 1 WHERE k = " . ($k + 8000 * $_), 'COMMIT' ] } 0, 1;
		my @inserts = map { [ 'BEGIN ISOLATION LEVEL SERIALIZABLE', "SELECT v FROM $table WHERE k = $_",
			"INSERT INTO $table VALUES ($_, 0)", 'COMMIT' ] } $top, $top + 1;
		$top += 2;
		for my $steps (\@updates, \@inserts)
		{
			$pair[$_]->query(shift @{ $steps->[$_] }) for @$order;
			$failures{$table}{ $steps == \@updates ? 'update' : 'insert' } .= join('', map { $_->{stderr} =~ /could not serialize/ ? 1 : 0 } @pair) . ' ';
			$_->{stderr} = '' for @pair;
		}
	}
	$_->quit for @pair;
}
is($failures{unaudited}{update} =~ tr/1//, 0, scalar(@orders) . ' orders of two transactions on disjoint keys without audit: no serialization failure');
is($failures{audited}{update}, $failures{unaudited}{update}, 'with audit: none either');
is($failures{audited}{insert}, $failures{unaudited}{insert},
	'where an index makes ' . ($failures{unaudited}{insert} =~ tr/1//) . ' of them fail, the same do with audit');

# The same under load, from eight clients.
my %load;
for my $table ('unaudited', 'audited')
{
	my $script = "$PostgreSQL::Test::Utils::tmp_check/$table.sql";
	append_to_file($script, "\\set k :client_id * 2000 + random(1, 2000)\nBEGIN ISOLATION LEVEL SERIALIZABLE;\n"
		. "SELECT v FROM $table WHERE k = :k;\nUPDATE $table SET v = v + 1 WHERE k = :k;\nCOMMIT;\n");
	my ($out, $err) = run_command([ 'pgbench', '-n', '-c', 8, '-j', 2, '-t', 250, '-f', $script, $node->connstr('postgres') ]);
	like($out, qr/number of transactions actually processed: \d+\/2000/, "$table: the load ran");
	$load{$table} = $out =~ /number of failed transactions: (\d+)/ ? $1 : die $out;
}
note("figures: serialization failures of 2000 transactions: $load{unaudited} without audit, $load{audited} with");
cmp_ok($load{audited}, '<=', $load{unaudited}, 'eight clients on disjoint keys: no more serialization failures with audit');
check('at the end');
is(sql('SELECT string_agg(DISTINCT chain::text, $$ $$) FROM scim_audit.seals'), '0 1', 'both chains were used');
note('figures: ' . scalar(@cells) . ' transactions compared');

$node->stop;
done_testing();
