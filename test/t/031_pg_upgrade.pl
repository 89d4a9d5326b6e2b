# pg_upgrade carries the log over: rows, partitions with their guards, duties,
# configuration.  From this PostgreSQL to a new cluster of it, or to that of
# UPGRADE_TO, the bin directory of a later one that has the extension.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = PostgreSQL::Test::Cluster->new('old');
$old->init;
$old->start;
$old->safe_psql('postgres', q{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	SELECT scim_audit.ensure_partitions(5);
	CREATE TABLE item (id int PRIMARY KEY, v text);
	SELECT scim_audit.track('item');
	INSERT INTO item SELECT i, repeat('y', 3000) FROM generate_series(1, 50) i;
	UPDATE item SET v = 'z' WHERE id < 10;
	CREATE ROLE provisioner LOGIN;
	SELECT scim.grant_duty('provisioner', 'provisioning_admin', 'default');
	SELECT scim.scim_apply('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ana"}');
});
my $content = q{
	SELECT md5(string_agg(e::text, E'\n' ORDER BY tx_id, n)) FROM scim_audit.events e
	UNION ALL SELECT md5(string_agg(s::text, E'\n' ORDER BY chain, seq)) FROM scim_audit.seals s
	UNION ALL SELECT md5(string_agg(u::text, E'\n' ORDER BY id)) FROM scim.users u};
my $tables = q{
	SELECT c.relname, c.relacl, c.relrowsecurity, pg_get_expr(c.relpartbound, c.oid),
		(SELECT array_agg(tgname || ' ' || tgenabled::text ORDER BY tgname) FROM pg_trigger t WHERE t.tgrelid = c.oid),
		(SELECT array_agg(pg_get_indexdef(indexrelid) ORDER BY indexrelid::regclass::text) FROM pg_index i WHERE i.indrelid = c.oid)
	FROM pg_class c WHERE c.relnamespace = 'scim_audit'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1};
my $config = 'SELECT config_hash FROM scim_audit.seals ORDER BY at DESC LIMIT 1';
my @before = map { $old->safe_psql('postgres', $_) } $content, $tables, $config;
$old->stop;

my $new = PostgreSQL::Test::Cluster->new('new', $ENV{UPGRADE_TO} ? (install_path => $ENV{UPGRADE_TO} =~ s{/bin/?$}{}r) : ());
# pg_upgrade wants both with data checksums or both without; 18 made them the default.
my ($old_version, $new_version) = map { int($_->config_data('--version') =~ s/^\D+//r =~ s/\D.*//sr) } $old, $new;
$new->init(extra => $old_version < 18 && $new_version >= 18 ? ['--no-data-checksums'] : []);
my $old_bin = $old->config_data('--bindir');
my $new_bin = $new->config_data('--bindir');
chdir $PostgreSQL::Test::Utils::tmp_check or die $!;
$new->command_ok(
	[ "$new_bin/pg_upgrade", '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $old_bin, '-B', $new_bin,
		'-s', $new->host, '-p', $old->port, '-P', $new->port ], 'pg_upgrade');
$new->start;
my @after = map { $new->safe_psql('postgres', $_) } $content, $tables, $config;
# 17 brought the privilege MAINTAIN; what had none of it gives it to the owner.
s{\{postgres=([a-z]*)m/postgres\}}{$1 ? "{postgres=$1/postgres}" : '{}'}ge for ($old_version < 17 && $new_version >= 17 ? $after[1] : ());
is($after[$_], $before[$_], (qw(rows tables configuration))[$_] . ': as before') for 0 .. 2;
is($new->safe_psql('postgres', 'SELECT * FROM scim_audit.verify()'), '', 'verify finds nothing');
is($new->safe_psql('postgres', q{
		INSERT INTO item VALUES (100, 'new');
		SET SESSION AUTHORIZATION provisioner;
		SELECT status FROM scim.scim_apply('GET', '/Users?filter=userName%20eq%20%22ANA%22');
		SELECT status FROM scim.scim_apply('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ben"}')}),
	"200\n201", 'duties are as they were, and writing goes on');
is($new->safe_psql('postgres', 'SELECT * FROM scim_audit.verify()'), '', 'still nothing is found');
is($new->safe_psql('postgres', $config), $before[2], 'the same is audited');
my ($status, $out, $err) = $new->psql('postgres', 'DROP EXTENSION scim_audit CASCADE');
like($err, qr/cannot drop the audit log while it holds events/, 'and it is guarded');
$new->stop;
done_testing();
