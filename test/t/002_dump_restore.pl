# A dump holds the whole log, and is restored by a superuser who says so; a
# restore that does not is refused at the first row.  The log is dropped with
# nothing, whatever session asks, while it holds events.  What an operator
# runs is in docs/operations.md as it is here.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The log begins two months ago: the server's clock is test/clock/set_clock.c.
my $library = "$PostgreSQL::Test::Utils::tmp_check/set_clock.so";
my $clock_file = "$PostgreSQL::Test::Utils::tmp_check/clock";
system_or_bail($ENV{CC} // 'cc', qw(-O1 -fPIC -shared -o), $library, 'test/clock/set_clock.c');
sub set_clock_days_back
{
	my ($days) = @_;
	open my $out, -e $clock_file ? '+<' : '>', $clock_file or die "$clock_file: $!";
	print $out pack 'qq', 0, -$days * 86400 * 1000000;
	close $out or die "$clock_file: $!";
	return;
}
set_clock_days_back(62);

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init;
{
	local $ENV{LD_PRELOAD} = $library;
	local $ENV{CLOCK_FILE} = $clock_file;
	$node->start;
}
$node->safe_psql('postgres', 'CREATE DATABASE source');
$node->safe_psql('source', q{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	CREATE TABLE early (id int);
	CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON early FOR EACH ROW
		EXECUTE FUNCTION scim_audit.record_change('key=id');
	CREATE TABLE item (id int PRIMARY KEY, secret text, v text);
	CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON item FOR EACH ROW
		EXECUTE FUNCTION scim_audit.record_change('redact=secret');
	ALTER TABLE item ENABLE ALWAYS TRIGGER scim_audit_row;
	INSERT INTO early VALUES (1);
	SELECT scim_audit.ensure_partitions();
});
set_clock_days_back(31);
$node->safe_psql('source', 'INSERT INTO early VALUES (2)');
set_clock_days_back(0);
$node->safe_psql('source', q{
	INSERT INTO item SELECT i, 'x', repeat('y', 5000) FROM generate_series(1, 50) i;
	UPDATE item SET v = 'z' WHERE id < 10;
	INSERT INTO scim.users (tenant, user_name, display_name) SELECT 'default', 'user' || i, 'é' FROM generate_series(1, 5) i;
	-- Larger than what they refer to, and so restored before it in parallel.
	UPDATE scim.users u SET manager_id = m.id FROM scim.users m WHERE m.user_name = 'user5' AND u.user_name <> 'user5';
	INSERT INTO scim.groups (tenant, display_name) SELECT 'default', 'g' || i FROM generate_series(1, 20) i;
	INSERT INTO scim.group_members (tenant, group_id, member_id) SELECT 'default', g.id, u.id FROM scim.groups g, scim.users u;
	DELETE FROM item WHERE id > 40;
	SELECT scim.create_tenant('t1', settings => '{"password": "hash"}');
	SELECT scim.alter_tenant('default', '{"password": "hash"}');
	CREATE ROLE auditor;
	SELECT scim.grant_duty('auditor', 'auditor', 't1');
	CREATE ROLE directory;
	SELECT scim.grant_duty('directory', 'provisioning_admin', 't1');
	SELECT scim.create_client('t1', 'okta', 'directory'), scim.rotate_token('t1', 'okta');
	CREATE TABLE part (id int PRIMARY KEY, tenant text) PARTITION BY RANGE (id);
	CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
	SELECT scim_audit.track('part', tenant_column => 'tenant');
	CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (20);
	INSERT INTO part VALUES (1, 'a'), (11, 'b');
});

# The log's rows, and what its tables are besides.
my $content = q{
	SELECT md5(string_agg(e::text, E'\n' ORDER BY tx_id, n)) FROM scim_audit.events e
	UNION ALL SELECT md5(string_agg(s::text, E'\n' ORDER BY chain, seq)) FROM scim_audit.seals s};
my $tables = q{
	SELECT c.relname, c.relacl, c.relrowsecurity, pg_get_expr(c.relpartbound, c.oid),
		(SELECT array_agg(tgname || ' ' || tgenabled::text ORDER BY tgname) FROM pg_trigger t WHERE t.tgrelid = c.oid),
		(SELECT array_agg(pg_get_indexdef(indexrelid) ORDER BY indexrelid::regclass::text) FROM pg_index i WHERE i.indrelid = c.oid)
	FROM pg_class c WHERE c.relnamespace = 'scim_audit'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1};
my $config = 'SELECT config_hash FROM scim_audit.seals ORDER BY at DESC LIMIT 1';
my $always = 'SELECT table_name FROM scim_audit.tracked_tables WHERE always ORDER BY table_name::text';
my @log = map { $node->safe_psql('source', $_) } $content, $tables, $config, $always;
like($log[3], qr/^part$/m, 'a partitioned table is audited always');
is($node->safe_psql('source', 'SELECT count(DISTINCT tableoid) >= 3 FROM scim_audit.events'), 't', 'a log of three months');
cmp_ok(scalar(split /\n/, $log[1]), '>=', 2 + 5, 'and partitions months ahead');

my $dumps = $node->basedir;
$node->command_ok([ 'pg_dump', '-d', 'source', '-f', "$dumps/plain.sql" ], 'a plain dump');
$node->command_ok([ 'pg_dump', '-d', 'source', '-Fc', '-f', "$dumps/custom" ], 'a custom dump');
$node->command_ok([ 'pg_dump', '-d', 'source', '-Fd', '-f', "$dumps/directory" ], 'a directory dump');

my %restore = (
	plain => [ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-f', "$dumps/plain.sql", '-d', 'plain' ],
	custom => [ 'pg_restore', '-e', '-d', 'custom', "$dumps/custom" ],
	parallel => [ 'pg_restore', '-e', '-j', '3', '-d', 'parallel', "$dumps/directory" ]);
for my $kind (sort keys %restore)
{
	$node->safe_psql('postgres', "CREATE DATABASE $kind");
	$node->command_fails_like($restore{$kind}, qr/cannot INSERT rows of the audit log.*scim_audit\.restore=on/s,
		"$kind: refused without the setting, with a hint");
	$node->safe_psql('postgres', "DROP DATABASE $kind WITH (FORCE)");
	$node->safe_psql('postgres', "CREATE DATABASE $kind");
	{
		local $ENV{PGOPTIONS} = '-c scim_audit.restore=on';
		$node->command_ok($restore{$kind}, "$kind: restored with it");
	}
	is($node->safe_psql($kind, $content), $log[0], "$kind: every row of the log, and no other");
	is($node->safe_psql($kind, $tables), $log[1], "$kind: partitions with their bounds, guards, indexes and privileges");
	is($node->safe_psql($kind, 'SELECT count(*) FROM item'), '40', "$kind: the tracked table");
	is($node->safe_psql($kind, 'SELECT count(*), count(manager_id), (SELECT count(*) FROM scim.group_members), (SELECT count(*) FROM scim.client_tokens) FROM scim.users'),
		'5|4|100|2', "$kind: what refers to other rows");
	$node->command_fails_like([ 'psql', '-XqAt', '-d', $kind, '-c', 'INSERT INTO scim.group_members (tenant, group_id, member_id) SELECT tenant, id, id FROM scim.groups LIMIT 1' ],
		qr/violates foreign key/, "$kind: references are checked again");
	is($node->safe_psql($kind, 'SELECT * FROM scim_audit.verify()'), '', "$kind: verify finds nothing");
	is($node->safe_psql($kind, $always), $log[3], "$kind: what was audited always still is, partitions too");
	$node->safe_psql($kind, "INSERT INTO item VALUES (100); UPDATE scim.users SET title = 'x'; TRUNCATE part_2");
	is($node->safe_psql($kind, 'SELECT * FROM scim_audit.verify()'), '', "$kind: and nothing when writing has gone on");
	is($node->safe_psql($kind, $config), $log[2], "$kind: the same is audited as before");
}

# The database as it is, without its rows; then the rows.  Nothing may be logged in between.
$node->command_ok([ 'pg_dump', '-d', 'source', '--schema-only', '-f', "$dumps/schema.sql" ], 'a dump of the schema');
$node->safe_psql('postgres', 'CREATE DATABASE bare');
$node->command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-f', "$dumps/schema.sql", '-d', 'bare' ], 'restored without any setting');
is($node->safe_psql('bare', 'SELECT count(*) FROM scim_audit.events UNION ALL SELECT count(*) FROM scim_audit.seals'), "0\n0", 'it holds no row of the log');
is($node->safe_psql('bare', $tables), $log[1], 'but its partitions');
{
	local $ENV{PGOPTIONS} = '-c scim_audit.restore=on';
	$node->command_ok([ 'pg_restore', '-e', '--data-only', '-d', 'bare', "$dumps/custom" ], 'and then the rows');
}
is($node->safe_psql('bare', $content), $log[0], 'every row of the log, and no other');
is($node->safe_psql('bare', 'SELECT * FROM scim_audit.restored()'), '', 'verify finds nothing');

# The rows alone, with triggers disabled meanwhile: afterwards they fire always, as before.
my $states = q{SELECT t.tgrelid::regclass, t.tgname, t.tgenabled FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgrelid <> 'early'::regclass ORDER BY t.tgrelid::regclass::text, t.tgname};
my $states_before = $node->safe_psql('source', $states);
$node->safe_psql('postgres', 'CREATE DATABASE disabled');
$node->command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-f', "$dumps/schema.sql", '-d', 'disabled' ], 'the schema once more');
{
	local $ENV{PGOPTIONS} = '-c scim_audit.restore=on';
	$node->command_ok([ 'pg_restore', '-e', '--data-only', '--disable-triggers', '-d', 'disabled', "$dumps/custom" ], 'the rows, with --disable-triggers');
}
isnt($node->safe_psql('disabled', $states), $states_before, 'which leaves triggers that do not fire always');
is($node->safe_psql('disabled', 'SELECT * FROM scim_audit.restored()'), '', 'verify finds nothing, here too');
is($node->safe_psql('disabled', $states), $states_before, 'and all triggers are as they were');

# A database where the extension and its partitions are already.
$node->safe_psql('postgres', 'CREATE DATABASE prepared');
$node->safe_psql('prepared', 'SET client_min_messages = error; CREATE EXTENSION scim_audit CASCADE; SELECT scim_audit.ensure_partitions()');
{
	local $ENV{PGOPTIONS} = '-c scim_audit.restore=on';
	$node->command_fails_like([ 'pg_restore', '-d', 'prepared', "$dumps/custom" ], qr/relation "events_\d+_\d+" already exists/,
		'into existing partitions pg_restore has complaints');
}
is($node->safe_psql('prepared', $content), $log[0], 'and restores every row all the same');
is($node->safe_psql('prepared', $tables), $log[1], 'into the same tables');
is($node->safe_psql('prepared', 'SELECT * FROM scim_audit.restored()'), '', 'verify finds nothing');

# pg_restore --clean over a log that holds events.
$node->safe_psql('plain', 'SELECT scim_audit.restored()');
my $hashes = q{SELECT md5(string_agg(encode(hash, 'hex'), ' ' ORDER BY chain, seq)) FROM scim_audit.seals};
my $last = $node->safe_psql('plain', 'SELECT max(at) FROM scim_audit.seals');
my $before = $node->safe_psql('plain', $hashes);
$node->command_fails_like([ 'pg_restore', '--clean', '--if-exists', '-d', 'plain', "$dumps/custom" ],
	qr/cannot drop the audit log while it holds events.*cannot INSERT rows of the audit log/s, '--clean is refused');
# What it did get at: it dropped triggers, one a transaction, and tables, and brought back rows as they were.
# The seal of DROP TABLE is the first to show that the triggers of partitions had gone, too.
is($node->safe_psql('plain', q{SELECT v.rule, e.event_type, e.resource_type FROM scim_audit.verify() v
	JOIN scim_audit.events e ON e.tx_id = v.tx_id AND e.n = coalesce(v.n, 0) ORDER BY v.tx_id}),
	join("\n", 'row_mismatch|table.insert|public.item', 'row_mismatch|table.delete|public.part', 'config_changed|table.trigger|public.part',
		'config_changed|table.trigger|public.part', 'config_changed|table.trigger|public.item', 'config_changed|table.trigger|public.early',
		'config_changed|table.untrack|public.part'),
	'the log is whole, and verify names each trigger that was dropped and both rows that came back');
is($node->safe_psql('plain', "$hashes WHERE at <= '$last'"), $before, 'and no seal of it is gone');

# pg_restore --clean cannot drop the key that a partition has from its parent.
$node->safe_psql('plain', 'DROP TABLE part');
{
	local $ENV{PGOPTIONS} = '-c scim_audit.restore=on -c scim_audit.allow_drop=on';
	$node->command_ok([ 'pg_restore', '-e', '--clean', '--if-exists', '-d', 'plain', "$dumps/custom" ], 'with both settings it replaces the log');
}
is($node->safe_psql('plain', $content), $log[0], 'by that of the dump');
is($node->safe_psql('plain', 'SELECT * FROM scim_audit.restored()'), '', 'verify finds nothing');

# A session that has not used the extension yet.
for my $drop ('DROP EXTENSION scim_audit CASCADE', 'DROP EXTENSION pgcrypto CASCADE',
	'DROP TABLE ' . (split /\|/, (grep { /^events_/ } split /\n/, $log[1])[0])[0] =~ s/^/scim_audit./r)
{
	my ($status, $out, $err) = $node->psql('source', $drop);
	like($err, qr/cannot drop the audit log while it holds events/, "refused: $drop");
}
is($node->safe_psql('source', $content), $log[0], 'the log is untouched');
my ($status, $out, $err) = $node->psql('source', 'SET scim_audit.allow_drop = on; DROP EXTENSION scim_audit CASCADE');
is($status, 0, 'a superuser who means it drops it') or diag($err);
$node->stop;
done_testing();
