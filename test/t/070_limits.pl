# Many savepoints, many events, many sessions: one transaction with thousands
# of savepoints, memory that does not grow with the events of a transaction,
# twice as many committing sessions as chains, and sessions that wait idle and
# hold none.  EVENTS says how many events one transaction writes.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::BackgroundPsql;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $savepoints = 10000;
my $events = $ENV{EVENTS} || 20000;

my $node = PostgreSQL::Test::Cluster->new('limits');
$node->init;
$node->append_conf('postgresql.conf', "max_connections = 100\nlog_statement = none\n");
$node->start;
sub sql { return $node->safe_psql('postgres', @_); }
sql(q{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	SELECT scim_audit.ensure_partitions();
	CREATE TABLE item (id int, note text);
	CREATE SEQUENCE ids START 1000000;
	SELECT scim_audit.track('item', key_columns => '{id}');
	CREATE FUNCTION used_memory() RETURNS bigint LANGUAGE sql AS 'SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts';
	CREATE FUNCTION fill(n int) RETURNS bigint LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. n LOOP
			INSERT INTO item VALUES (-i, 'value');
		END LOOP;
		RETURN used_memory();
	END $$;
});
my $sealed = q{SELECT string_agg(s.events || ' ' || (SELECT count(*) FROM scim_audit.events e WHERE e.tx_id = s.tx_id), ', ' ORDER BY s.at DESC)
	FROM (SELECT * FROM scim_audit.seals ORDER BY at DESC LIMIT 1) s};
sub found { is(sql('SELECT * FROM scim_audit.verify()'), '', "$_[0]: verify finds nothing"); return; }

# One after the other, each rolled back; and nested, the upper half rolled back.
my $one_by_one = join '', map { "SAVEPOINT s; INSERT INTO item VALUES ($_); ROLLBACK TO s;\n" } 1 .. $savepoints;
sql("BEGIN;\n$one_by_one INSERT INTO item VALUES (0); COMMIT;");
is(sql($sealed), '1 1', "$savepoints savepoints rolled back: one event is left");
my $nested = join '', map { "SAVEPOINT s$_; INSERT INTO item VALUES ($_);\n" } 1 .. $savepoints;
my $half = $savepoints / 2;
sql("BEGIN;\n$nested ROLLBACK TO s$half; INSERT INTO item VALUES (0); RELEASE s1; COMMIT;");
is(sql($sealed), "$half $half", "$savepoints savepoints inside one another, half of them rolled back");
sql("DO \$\$ BEGIN FOR i IN 1 .. $savepoints LOOP BEGIN INSERT INTO item VALUES (i); IF i % 2 = 0 THEN RAISE division_by_zero; END IF;
	EXCEPTION WHEN division_by_zero THEN END; END LOOP; END \$\$");
is(sql($sealed), "$half $half", "$savepoints exception blocks, half of them rolled back");
found('savepoints');

# The memory of a transaction after a tenth of its events, and after all.
my $few = $events / 10;
my ($first, $then) = split /\n/, sql("BEGIN; SELECT fill($few); SELECT fill($events); COMMIT;");
note("figures: memory of the backend: $first bytes after $few events, $then after " . ($few + $events));
cmp_ok($then - $first, '<', 65536, 'the memory of a transaction does not grow with its events');
is(sql($sealed), join(' ', ($few + $events) x 2), 'it has them all, under one seal');
found('many events');

# Idle in a transaction that has written: no chain is held.
my @idle = map { $node->background_psql('postgres') } 1 .. 40;
$_->query_safe("BEGIN; INSERT INTO item VALUES (nextval('ids'))") for @idle;
is(sql(q{SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND objid = 'scim_audit.seals'::regclass}), '0',
	'forty idle transactions hold no chain');

# Twice as many sessions that commit as there are chains.
my $script = "$PostgreSQL::Test::Utils::tmp_check/insert.sql";
append_to_file($script, "INSERT INTO item VALUES (nextval('ids'), 'x');\n");
$_->query_safe('COMMIT'), $_->quit for @idle;
my $before = sql('SELECT count(*) FROM scim_audit.seals');
$node->command_checks_all([ 'pgbench', '-n', '-c', 64, '-j', 2, '-t', 40, '-M', 'prepared', '-f', $script, $node->connstr('postgres') ],
	0, [qr/number of transactions actually processed: 2560\/2560/], [qr/^/], '64 sessions, 32 chains');
is(sql('SELECT count(*) FROM scim_audit.seals') - $before, 2560, 'each transaction is sealed');
cmp_ok(sql('SELECT max(chain) FROM scim_audit.seals'), '<=', 31, 'in the chains there are');
found('many sessions');
$node->stop;
done_testing();
