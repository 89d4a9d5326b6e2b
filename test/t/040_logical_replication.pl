# Logical replication into tracked tables: what the initial copy and the apply
# worker write is in the subscriber's log, sealed, and whole.  Resources keep
# a version that goes forward.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(allows_streaming => 'logical');
$publisher->start;
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init;
$subscriber->append_conf('postgresql.conf', 'wal_retrieve_retry_interval = 100ms');
$subscriber->start;

my $tables = q{
	CREATE TABLE item (id integer PRIMARY KEY, name text, blob text);
	ALTER TABLE item ALTER COLUMN blob SET STORAGE EXTERNAL;
	CREATE TABLE part (day date, id integer, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
	CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
	CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
	CREATE TABLE keyless (a integer);
	ALTER TABLE keyless REPLICA IDENTITY FULL;
};
$publisher->safe_psql('postgres', qq{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	$tables
	INSERT INTO item VALUES (1, 'copied', repeat('x', 5000)), (2, 'copied', NULL);
	INSERT INTO part VALUES ('2026-01-01', 1);
	SELECT scim.create_tenant('acme');
	INSERT INTO scim.users (tenant, user_name) VALUES ('acme', 'anna'), ('acme', 'bert');
	UPDATE scim.users SET title = 'x' WHERE user_name = 'anna';
	UPDATE scim.users SET title = 'y' WHERE user_name = 'anna';
	INSERT INTO scim.groups (tenant, display_name) VALUES ('acme', 'g');
	INSERT INTO scim.group_members (tenant, group_id, member_id, member_type) SELECT 'acme', g.id, u.id, 'User' FROM scim.groups g, scim.users u WHERE user_name = 'anna';
	CREATE PUBLICATION pub FOR TABLE item, part, keyless, scim.users, scim.groups, scim.group_members WITH (publish_via_partition_root = true);
});
$subscriber->safe_psql('postgres', qq{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	$tables
	SELECT scim_audit.track('item'), scim_audit.track('part'), scim_audit.track('keyless', key_columns => '{a}');
	SELECT scim.create_tenant('acme');
	CREATE ROLE worker SUPERUSER LOGIN;
	SET SESSION AUTHORIZATION worker;
	CREATE SUBSCRIPTION sub CONNECTION '@{[$publisher->connstr]} dbname=postgres' PUBLICATION pub;
});

sub caught_up
{
	my $lsn = $publisher->lsn('write');
	$subscriber->poll_query_until('postgres', q{SELECT count(*) > 0 AND bool_and(srsubstate IN ('r', 's')) FROM pg_subscription_rel})
	  or die 'the initial copy does not end';
	$publisher->wait_for_catchup('sub');
	return;
}

sub changes
{
	my ($since) = @_;
	return $subscriber->safe_psql('postgres', qq{
		SELECT resource_type, action, coalesce(resource_id, '-'), changed, left(detail->>'old', 60), left(detail->>'new', 60) FROM scim_audit.events
		WHERE category = 'change' AND resource_type LIKE 'public.%' AND at > '$since' ORDER BY resource_type, tx_id, n});
}

sub now { return $subscriber->safe_psql('postgres', 'SELECT clock_timestamp()'); }

sub whole
{
	my ($what) = @_;
	is($subscriber->safe_psql('postgres', 'SELECT rule, message FROM scim_audit.verify()'), '', "the log is whole $what");
	is($subscriber->safe_psql('postgres', q{
			SELECT count(*) FROM scim_audit.seals s FULL JOIN (SELECT tx_id, count(*) FROM scim_audit.events GROUP BY 1) e USING (tx_id)
			WHERE s.events IS DISTINCT FROM e.count}), '0', "and each transaction has its seal $what");
	return;
}

caught_up();
is(changes('-infinity'), <<'END' =~ s/\n\z//r, 'the rows of the initial copy are events');
public.item|insert|1|||{"id":1,"name":"copied","blob":"xxxxxxxxxxxxxxxxxxxxxxxxxxxx
public.item|insert|2|||{"id":2,"name":"copied"}
public.part|insert|["2026-01-01",1]|||{"day":"2026-01-01","id":1}
END
whole('after the initial copy');
is($subscriber->safe_psql('postgres', q{SELECT user_name, version FROM scim.users ORDER BY 1}), "anna|3\nbert|1", 'resources are copied with their versions');

my $since = now();
$publisher->safe_psql('postgres', q{
	BEGIN;
	INSERT INTO item VALUES (3, 'applied', NULL), (4, 'applied', NULL);
	UPDATE item SET name = 'changed' WHERE id = 1;
	SAVEPOINT s;
	DELETE FROM item;
	ROLLBACK TO s;
	UPDATE item SET id = 20 WHERE id = 2;
	DELETE FROM item WHERE id = 3;
	COMMIT;
	UPDATE part SET day = '2026-02-01' WHERE id = 1;
	INSERT INTO keyless VALUES (1), (1);
	UPDATE keyless SET a = 2 WHERE ctid = '(0,1)';
});
caught_up();
is(changes($since), <<'END' =~ s/\n\z//r, 'the rows that the worker applies are events, one for each');
public.item|insert|3|||{"id":3,"name":"applied"}
public.item|insert|4|||{"id":4,"name":"applied"}
public.item|update|1|{name}|{"name":"copied"}|{"name":"changed"}
public.item|update|20|{id}|{"id":2}|{"id":20}
public.item|delete|3||{"id":3,"name":"applied"}|
public.keyless|insert|1|||{"a":1}
public.keyless|insert|1|||{"a":1}
public.keyless|update|2|{a}|{"a":1}|{"a":2}
public.part|delete|["2026-01-01",1]||{"day":"2026-01-01","id":1}|
public.part|insert|["2026-02-01",1]|||{"day":"2026-02-01","id":1}
END
is($subscriber->safe_psql('postgres', qq{
		SELECT DISTINCT actor, actor_type, effective_role, origin FROM scim_audit.events
		WHERE category = 'change' AND resource_type LIKE 'public.%' AND at > '$since'}),
	'worker|role|worker|direct', 'by the role of the subscription');
is($subscriber->safe_psql('postgres', qq{
		SELECT count(DISTINCT tx_id) FROM scim_audit.events WHERE resource_type = 'public.item' AND at > '$since'}), '1',
	'a transaction there is a transaction here');
whole('after changes');

$since = now();
$publisher->safe_psql('postgres', q{TRUNCATE item, keyless; INSERT INTO item VALUES (5, 'new', NULL)});
caught_up();
is(changes($since), <<'END' =~ s/\n\z//r, 'TRUNCATE is applied and recorded');
public.item|truncate|-|||
public.item|insert|5|||{"id":5,"name":"new"}
public.keyless|truncate|-|||
END
whole('after TRUNCATE');

# Versions: those of the publisher, never back, never the same after a change.
$publisher->safe_psql('postgres', q{UPDATE scim.users SET title = 'z' WHERE user_name = 'anna'});
caught_up();
is($subscriber->safe_psql('postgres', q{SELECT version, title FROM scim.users WHERE user_name = 'anna'}), '4|z', 'a new version is the publisher\'s');
$subscriber->safe_psql('postgres', q{UPDATE scim.users SET nick_name = 'local' WHERE user_name = 'anna'});
$publisher->safe_psql('postgres', q{UPDATE scim.users SET title = 'zz' WHERE user_name = 'anna'});
caught_up();
is($subscriber->safe_psql('postgres', q{SELECT version, title FROM scim.users WHERE user_name = 'anna'}), '6|zz', 'unless that was used for another state here');
my $group = $subscriber->safe_psql('postgres', 'SELECT version FROM scim.groups');
$publisher->safe_psql('postgres', q{DELETE FROM scim.users WHERE user_name = 'anna'});
caught_up();
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM scim.group_members'), '0', 'a cascade there is applied here');
cmp_ok($subscriber->safe_psql('postgres', 'SELECT version FROM scim.groups'), '>', $group, 'and the group has a new version');
whole('after changes of resources');

# DDL on the subscriber's table between changes.
$subscriber->safe_psql('postgres', q{ALTER TABLE item ADD COLUMN extra integer DEFAULT 7});
$publisher->safe_psql('postgres', q{UPDATE item SET name = 'newer' WHERE id = 5; INSERT INTO item VALUES (6, 'six', NULL)});
caught_up();
is($subscriber->safe_psql('postgres', 'SELECT id, name, extra FROM item ORDER BY id'), "5|newer|7\n6|six|7", 'replication goes on over a column added here');
whole('after DDL');

$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION sub');
$subscriber->stop;
$publisher->stop;
done_testing();
