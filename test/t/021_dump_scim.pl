# Tenants with their settings, users, groups, members and password hashes come
# back from a dump as they were, versions and times included.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('dump_scim');
$node->init;
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(source target);

my $urn = 'urn:ietf:params:scim:schemas';
$node->safe_psql('source', qq{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	SELECT scim.create_tenant('acme', 'https://acme.example/scim', '{"password": "hash"}');
	SELECT scim.alter_tenant('default', '{"base_url": "https://example/scim"}');
	SET scim_audit.tenant = 'acme';
	SELECT scim.scim_apply('POST', '/Users', '{"schemas": ["$urn:core:2.0:User"], "userName": "boss", "password": "abc"}');
	SELECT scim.scim_apply('POST', '/Users', jsonb_build_object('schemas', '["$urn:core:2.0:User"]'::jsonb, 'userName', 'report',
		'$urn:extension:enterprise:2.0:User', jsonb_build_object('manager', jsonb_build_object('value', id))))
		FROM scim.users WHERE user_name = 'boss';
	SELECT scim.scim_apply('POST', '/Groups', jsonb_build_object('schemas', '["$urn:core:2.0:Group"]'::jsonb, 'displayName', 'g',
		'members', jsonb_build_array(jsonb_build_object('value', id)))) FROM scim.users WHERE user_name = 'report';
	UPDATE scim.users SET title = 'x' WHERE user_name = 'boss';
	SELECT scim.register_schema('{"id": "urn:x:Badge", "name": "Badge", "attributes": [{"name": "number", "uniqueness": "server"}, {"name": "doors", "multiValued": true}]}',
		extends => 'User', indexed => '{doors}');
	SELECT scim.register_schema('{"id": "urn:x:Device", "name": "Device", "attributes": [{"name": "serial", "required": true, "uniqueness": "server"},
		{"name": "pin", "returned": "never"}]}');
	SELECT scim.register_resource_type('{"name": "Device", "endpoint": "/Devices", "schema": "urn:x:Device"}');
	SELECT scim.register_schema('{"id": "urn:x:Place", "name": "Place", "attributes": [{"name": "room", "type": "integer"}]}', extends => 'Device', indexed => '{room}');
	CREATE TABLE car (id uuid PRIMARY KEY, tenant text NOT NULL, plate text UNIQUE, version bigint NOT NULL, made timestamptz NOT NULL, changed timestamptz NOT NULL);
	SELECT scim.register_schema('{"id": "urn:x:Car", "name": "Car", "attributes": [{"name": "plate", "caseExact": true}]}');
	SELECT scim.register_resource_type('{"name": "Car", "endpoint": "/Cars", "schema": "urn:x:Car"}');
	ALTER TABLE car ALTER version SET DEFAULT 1, ALTER made SET DEFAULT now(), ALTER changed SET DEFAULT now();
	SELECT scim.bind_table('Car', 'car', '{"id": "id", "tenant": "tenant", "version": "version", "created": "made", "lastModified": "changed", "attributes": {"plate": "plate"}}');
	SELECT scim.scim_apply('POST', '/Cars', '{"schemas": ["urn:x:Car"], "plate": "P1"}');
	SELECT scim.scim_apply('POST', '/Users', '{"schemas": ["$urn:core:2.0:User"], "userName": "badged", "urn:x:Badge": {"number": "n1"}}');
	SELECT scim.scim_apply('POST', '/Devices', '{"schemas": ["urn:x:Device"], "serial": "s1", "pin": "p", "urn:x:Place": {"room": 7}}');
});

# Every row of the SCIM tables.
my $rows = join(' UNION ALL ', map { "SELECT '$_ ' || t FROM scim.$_ t" }
	  qw(tenant_settings users groups group_members user_passwords schemas resource_types schema_extensions attribute_indexes resource_devices))
  . q{ UNION ALL SELECT 'car ' || t FROM car t UNION ALL SELECT 'tenant ' || tenant FROM scim.tenants ORDER BY 1};
my $before = $node->safe_psql('source', $rows);

# What registering made: tables, columns, indexes and what they are for, triggers, policies, privileges.
my $objects = q{
	SELECT indexrelid::regclass::text || ' ' || pg_get_indexdef(indexrelid) || ' ' || coalesce(obj_description(indexrelid, 'pg_class'), '')
		FROM pg_index WHERE indrelid IN ('scim.users'::regclass, 'scim.resource_devices'::regclass)
	UNION ALL SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE tgrelid IN ('scim.resource_devices'::regclass, 'car'::regclass)
	UNION ALL SELECT polname::text || pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = 'scim.resource_devices'::regclass
	UNION ALL SELECT attname::text || format_type(atttypid, atttypmod) || attnotnull::text || coalesce(attacl::text, '') || coalesce(col_description(attrelid, attnum), '')
		FROM pg_attribute WHERE attrelid = 'scim.resource_devices'::regclass AND attnum > 0
	UNION ALL SELECT relname::text || relrowsecurity::text || coalesce(relacl, acldefault('r', relowner))::text FROM pg_class WHERE oid = 'scim.resource_devices'::regclass ORDER BY 1};
my $objects_before = $node->safe_psql('source', $objects);

my $dump = $node->basedir . '/source.dump';
$node->command_ok(['pg_dump', '-Fc', '-f', $dump, $node->connstr('source')], 'dumped');
{
	local $ENV{PGOPTIONS} = '-c scim_audit.restore=on';
	$node->command_ok(['pg_restore', '--exit-on-error', '-d', $node->connstr('target'), $dump], 'restored');
}
is($node->safe_psql('target', $rows), $before, 'every row is as it was');
like($before, qr/^users \(acme,[^,]+,2,/m, 'among them a version that is not 1');

$node->safe_psql('target', 'SELECT scim_audit.restored()');
is($node->safe_psql('target', $objects), $objects_before, 'what was registered is there, with its indexes');
is($node->safe_psql('target', qq{
		SET scim_audit.tenant = 'acme';
		SELECT status, body ->> 'detail' FROM scim.scim_apply('POST', '/Users', '{"schemas": ["$urn:core:2.0:User"], "userName": "other", "urn:x:Badge": {"number": "N1"}}');
		SELECT status, body ->> 'detail' FROM scim.scim_apply('POST', '/Devices', '{"schemas": ["urn:x:Device"], "serial": "S1"}');
		SELECT body -> 'totalResults' FROM scim.scim_apply('GET', '/Devices?filter=urn:x:Place:room%20eq%207');
		SELECT status, body ->> 'detail' FROM scim.scim_apply('POST', '/Cars', '{"schemas": ["urn:x:Car"], "plate": "P1"}');
		UPDATE car SET plate = 'P2'; SELECT version FROM car}),
	"409|urn:x:Badge:number: another resource has this value already\n409|serial: another resource has this value already\n1\n409|plate: another resource has this value already\n2", 'and works');
is($node->safe_psql('target', q{
		SET scim_audit.tenant = 'acme';
		SELECT status FROM scim.scim_apply('GET', '/Users?filter=userName%20eq%20%22BOSS%22');
		SELECT scim.check_password(id, 'abc') FROM scim.users WHERE user_name = 'boss';
		SELECT headers ->> 'ETag' FROM scim.users u, scim.scim_apply('PATCH', '/Users/' || u.id,
			'{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "remove", "path": "title"}]}') WHERE user_name = 'boss';
		SELECT count(*) FROM scim_audit.verify()}),
	"200\nt\nW/\"3\"\n0", 'and it all goes on');

$node->stop;
done_testing();
