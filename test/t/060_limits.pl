# Hostile sizes: each is answered, and takes less than 64 MiB more memory than
# the backend had (the peak of its resident set, by /proc); failures raised at
# any step leave the session as it was; kept plans stay bounded.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $MIB = 1024;    # of the kilobytes that /proc tells

my $node = PostgreSQL::Test::Cluster->new('limits');
$node->init;
# Few buffers: those that a backend touches count as its own.
$node->append_conf('postgresql.conf', "fsync = off\nshared_buffers = 8MB\nscim_audit.tenant = 'default'\nmax_parallel_workers_per_gather = 0\n");
$node->start;

my $user = '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "b"';
my $patch = '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [';
$node->safe_psql('postgres', q{
	CREATE EXTENSION scim_audit CASCADE;
	INSERT INTO scim.users (user_name, title) SELECT 'u' || i, repeat('x%_\\', 2500) FROM generate_series(1, 1000) i;
	UPDATE scim.users SET emails = (SELECT jsonb_agg(jsonb_build_object('value', 'm' || i || '@x.example', 'type', md5(i::text))) FROM generate_series(1, 5000) i) WHERE user_name = 'u1';
	INSERT INTO scim.groups (display_name) VALUES ('g');
	INSERT INTO scim.group_members (tenant, group_id, member_id) SELECT 'default', g.id, u.id FROM scim.groups g, scim.users u;
	CREATE TABLE bad (name text PRIMARY KEY, method text, uri text, body text, headers jsonb DEFAULT '{}');
	CREATE FUNCTION list(template text, n int, separator text DEFAULT ',') RETURNS text LANGUAGE sql AS
		$$ SELECT string_agg(replace(template, '#', i::text), separator) FROM generate_series(1, n) i $$;
});
my $uid = $node->safe_psql('postgres', "SELECT id FROM scim.users WHERE user_name = 'u1'");
my $gid = $node->safe_psql('postgres', 'SELECT id FROM scim.groups');

# name, status, method, SQL expressions of uri, body, headers
my @bad = (
	[ 'arrays nested deeply', 400, 'POST', "'/Users'", "repeat('[', 1000000)" ],
	[ 'objects nested deeply', 400, 'POST', "'/Users'", q~repeat('{"a":', 200000)~ ],
	[ 'a body of 20 MB', 413, 'POST', "'/Users'", "repeat('x', 20000000)" ],
	[ 'a userName of 1 MB', 400, 'POST', "'/Users'", qq~'{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "' || (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 32000) i) || '"}'~ ],
	[ 'a title of 1 MB', 201, 'POST', "'/Users'", qq~'$user, "title": "' || repeat('x', 1000000) || '"}'~ ],
	[ '90,000 attributes', 201, 'POST', "'/Users'", qq~'$user,' || list('"a#":1', 90000) || '}'~ ],
	[ 'a member 90,000 times', 400, 'POST', "'/Users'", qq~'$user,' || list('"a":1', 90000) || '}'~ ],
	[ 'a member twice, 90,000 apart', 400, 'POST', "'/Users'", qq~'$user,' || list('"a#":1', 90000) || ',"A1":1}'~ ],
	[ '300,000 empty objects', 413, 'POST', "'/Users'", qq~'$user, "x": [' || list('{}', 300000) || ']}'~ ],
	[ '500,000 numbers', 201, 'POST', "'/Users'", qq~'$user, "x": [' || list('1', 500000) || ']}'~ ],
	[ '60,000 schemas', 400, 'POST', "'/Users'", qq~'{"userName": "b", "schemas": [' || list('"urn:a:#"', 60000) || ']}'~ ],
	[ '100,000 members', 413, 'PATCH', "'/Groups/$gid'", qq~'$patch {"op": "add", "path": "members", "value": [' || list('{"value": "00000000-0000-7000-8000-0000#"}', 100000) || ']}]}'~ ],
	[ '17,000 members that are not there', 400, 'PATCH', "'/Groups/$gid'", qq~'$patch {"op": "add", "path": "members", "value": [' || (SELECT string_agg('{"value": "' || gen_random_uuid() || '"}', ',') FROM generate_series(1, 17000)) || ']}]}'~ ],
	[ '12,000 operations', 413, 'PATCH', "'/Users/$uid'", qq~'$patch' || list('{"op":"add","path":"title","value":"#"}', 12000) || ']}'~ ],
	[ '10,000 operations', 200, 'PATCH', "'/Users/$uid'", qq~'$patch' || list('{"op":"add","path":"title","value":"#"}', 10000) || ']}'~ ],
	[ '9,000 filters over 5,000 elements', 413, 'PATCH', "'/Users/$uid'", qq~'$patch' || list('{"op":"replace","path":"emails[value eq \\"m#\@x.example\\"].display","value":"a"}', 9000) || ']}'~ ],
	[ 'a filter of 20,000 terms over 5,000 elements', 413, 'PATCH', "'/Users/$uid'", qq~'$patch {"op": "remove", "path": "emails[' || list('value co \\"#a\\"', 20000, ' or ') || ']"}]}'~ ],
	[ '9,000 members removed one by one', 204, 'PATCH', "'/Groups/$gid'", qq~'$patch' || (SELECT string_agg('{"op":"remove","path":"members[value eq \\"' || gen_random_uuid() || '\\"]"}', ',') FROM generate_series(1, 9000)) || ']}'~ ],
	[ '8,000 additions of one member', 204, 'PATCH', "'/Groups/$gid'", qq~'$patch' || list('{"op":"add","path":"members","value":[{"value":"$uid"}]}', 8000) || ']}'~ ],
	[ '8,000 filters over members', 413, 'PATCH', "'/Groups/$gid'", qq~'$patch' || list('{"op":"remove","path":"members[display co \\"#\\" and type eq \\"User\\"]"}', 8000) || ']}'~ ],
	[ '8,000 replacements of all members', 413, 'PATCH', "'/Groups/$gid'", qq~'$patch' || list('{"op":"replace","path":"members","value":[{"value":"$uid"}]}', 8000) || ']}'~ ],
	[ 'parentheses nested deeply', 400, 'GET', "'/Users?filter=' || repeat('(', 100000)" ],
	[ 'not nested deeply', 400, 'GET', "'/Users?filter=' || repeat('not%20(', 15000)" ],
	[ '2,000 terms', 400, 'GET', "'/Users?filter=' || list('title%20co%20%22a#%22', 2000, '%20or%20')" ],
	[ '199 value paths, of one attribute', 200, 'GET', "'/Users?filter=' || list('emails%5Bvalue%20co%20%22q#%22%5D', 199, '%20or%20')" ],
	[ '199 names of members', 400, 'GET', "'/Groups?filter=' || list('members.display%20co%20%22q#%22', 199, '%20or%20')" ],
	[ '199 names of managers, each looked up once', 200, 'GET', "'/Users?filter=' || list('urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName%20co%20%22q#%22', 199, '%20or%20')" ],
	[ 'as many as are served', 200, 'GET', "'/Groups?filter=' || list('members%5Bdisplay%20co%20%22q#%22%5D', 15, '%20or%20')" ],
	[ 'a literal of wildcards', 200, 'GET', "'/Users?filter=title%20co%20%22' || repeat('%25', 40000) || '%22'" ],
	[ 'a literal almost everywhere', 200, 'GET', "'/Users?filter=title%20co%20%22' || repeat('x%25_%5C%5C', 8000) || 'y%22'" ],
	[ 'the end almost everywhere', 200, 'GET', "'/Users?filter=title%20ew%20%22y' || repeat('x%25_%5C%5C', 2400) || '%22'" ],
	[ 'sorted by a value in jsonb', 200, 'GET', "'/Users?sortBy=emails.value&count=10'" ],
	[ 'a URI of 1 MB', 400, 'GET', "'/Users/' || repeat('a', 1000000)" ],
	[ 'a URI of 1 MB, all encoded', 400, 'GET', "'/Users/' || repeat('%41', 330000)" ],
	[ '250,000 parameters', 400, 'GET', "'/Users?count=1&' || repeat('a=b&', 250000)" ],
	[ '30,000 parameters', 200, 'GET', "'/Users?count=1&' || repeat('a=b&', 30000)" ],
	[ '10,000 attributes to return', 200, 'GET', "'/Users?count=1&attributes=' || repeat('emails.value,', 10000)" ],
	[ 'a page of 10 MB', 200, 'GET', "'/Users?count=1000'" ],
	[ 'a method of 10 MB', 405, 'x', "'/Users'" ],
	[ 'a header of 10 MB', 413, 'DELETE', "'/Users/x'", 'NULL', "jsonb_build_object('User-Agent', repeat('x', 10000000))" ],
	[ '200,000 headers', 413, 'DELETE', "'/Users/x'", 'NULL', "(SELECT jsonb_object_agg('h' || i, 'v') FROM generate_series(1, 200000) i)" ],
	[ '1,000 numbers of 131,072 digits', 413, 'DELETE', "'/Users/x'", 'NULL', "(SELECT jsonb_object_agg('h' || i, 1e131071) FROM generate_series(1, 1000) i)" ]);

foreach my $case (@bad)
{
	my ($name, $status, $method, $uri, $body, $headers) = @$case;
	$body //= 'NULL';
	$headers //= "'{}'::jsonb";
	my $sent = $method eq 'x' ? "repeat('x', 10000000)" : "'$method'";
	$node->safe_psql('postgres', "INSERT INTO bad VALUES (\$\$$name\$\$, $sent, $uri, $body, $headers)");
	# What a backend loads once is loaded before.
	my $peak = "SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\\s+(\\d+)')";
	my @answer = split(/\n/, $node->safe_psql('postgres', qq{
		SELECT count(*) FROM scim.scim_apply('GET', '/Users?count=1') a, scim.scim_apply('DELETE', '/Users/x') b, scim.scim_apply('PATCH', '/Groups/x', '{}'::text) c;
		$peak;
		BEGIN;
		SELECT a.status FROM bad b, scim.scim_apply(b.method, b.uri, b.body, b.headers) a WHERE b.name = \$\$$name\$\$;
		$peak;
		ROLLBACK}));
	is($answer[2], $status, "$name: answered");
	cmp_ok($answer[3] - $answer[1], '<', 64 * $MIB, "$name: " . sprintf('%.1f MiB', ($answer[3] - $answer[1]) / $MIB));
}

# The same by the function for jsonb, whose text can be far longer than itself.
is($node->safe_psql('postgres', q{SELECT status FROM scim.scim_apply('POST', '/Users', (SELECT jsonb_object_agg('a' || i, 1e131071) FROM generate_series(1, 1000) i))}),
	413, 'a jsonb body whose text is too long');

# A page that was cut is followed by the rest.
is($node->safe_psql('postgres', q{
		WITH RECURSIVE page AS (
			SELECT 1 AS first, a.body FROM scim.scim_apply('GET', '/Users?count=1000&startIndex=1') a
			UNION ALL
			SELECT first + (page.body ->> 'itemsPerPage')::int, a.body FROM page, scim.scim_apply('GET', '/Users?count=1000&startIndex=' || first + (page.body ->> 'itemsPerPage')::int) a
			WHERE first + (page.body ->> 'itemsPerPage')::int <= (page.body ->> 'totalResults')::int)
		SELECT count(*) > 1, count(DISTINCT r ->> 'id'), min(body ->> 'totalResults') = max(body ->> 'totalResults') FROM page, jsonb_array_elements(body -> 'Resources') r}),
	't|1000|t', 'pages that were cut are whole together');

# Errors at every step, in one backend: it serves on as before, and keeps no more memory for them.
my $failing = q{
	CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF current_setting('test.fail', true) = TG_ARGV[0] THEN
			IF current_setting('test.how') = 'slow' THEN
				PERFORM pg_sleep(10);
			END IF;
			RAISE EXCEPTION 'failed at %', TG_ARGV[0] USING ERRCODE = current_setting('test.how');
		END IF;
		RETURN COALESCE(NEW, OLD);
	END $$;
	CREATE FUNCTION try(how text, at text, m text, u text, b text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		answer text;
	BEGIN
		PERFORM set_config('test.fail', at, false), set_config('test.how', how, false);
		BEGIN
			answer := status FROM scim.scim_apply(m, u, b);
		EXCEPTION WHEN OTHERS OR query_canceled THEN
			answer := SQLSTATE;
		END;
		PERFORM set_config('test.fail', '', false);
		RETURN answer;
	END $$;
};
foreach my $table ('scim.users', 'scim.groups', 'scim.group_members')
{
	foreach my $time ('BEFORE', 'AFTER')
	{
		$failing .= "CREATE TRIGGER fail_$time $time INSERT OR UPDATE OR DELETE ON $table FOR EACH ROW EXECUTE FUNCTION fail('$time $table');\n";
	}
}
$node->safe_psql('postgres', $failing);
my $calls = qq~
	(VALUES ('POST', '/Users', '$user, "password": "x"}'), ('PATCH', '/Users/$uid', '$patch {"op": "replace", "path": "title", "value": "t"}]}'), ('DELETE', '/Users/$uid', NULL),
		('POST', '/Groups', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "x", "members": [{"value": "$uid"}]}'),
		('PATCH', '/Groups/$gid', '$patch {"op": "remove", "path": "members[value eq \\"$uid\\"]"}]}')) c(m, u, b),
	(SELECT t || ' ' || n FROM unnest('{BEFORE,AFTER}'::text[]) t, unnest('{scim.users,scim.groups,scim.group_members}'::text[]) n) p(place)~;
my %expected = ('23505' => 409, '23503' => 400, '22023' => 400, 'P0001' => 'P0001', '40001' => '40001', '57014' => '57014', '53200' => '53200', 'XX000' => 'XX000');
foreach my $how (sort keys %expected)
{
	is($node->safe_psql('postgres', qq{
			BEGIN;
			SELECT string_agg(DISTINCT a, ' ' ORDER BY a) FROM (SELECT try('$how', p.place, c.m, c.u, c.b) AS a FROM $calls OFFSET 0) t WHERE a !~ '^20' AND (a <> '409' OR '$how' = '23505');
			ROLLBACK}),
		$expected{$how}, "errors $how at each step are $expected{$how}");
}
is($node->safe_psql('postgres', qq~
		SET statement_timeout = '200ms';
		SELECT try('slow', 'AFTER scim.users', 'POST', '/Users', '$user}'), (SELECT count(*) FROM scim.users WHERE user_name = 'b')~),
	'57014|0', 'a timeout passes, and undoes');

# 900 failures and 300 shapes of filters leave what they found, the bounded cache of plans being full.
my ($before, $after, $plans, $leftover) = split(/\n|\|/, $node->safe_psql('postgres', qq{
		DO \$\$ BEGIN FOR i IN 1..300 LOOP PERFORM scim.scim_apply('GET', '/Users?count=1&filter=' || list('userType%20eq%20%22#%22', i % 150 + 1, '%20or%20')); END LOOP; END \$\$;
		DO \$\$ BEGIN FOR i IN 1..300 LOOP PERFORM scim.scim_apply('GET', '/Users?count=1&filter=' || list('nickName%20co%20%22#%22', i % 150 + 1, '%20or%20')); END LOOP; END \$\$;
		DO \$\$ BEGIN PERFORM try('XX000', p.place, c.m, c.u, c.b) FROM generate_series(1, 10), $calls; END \$\$;
		SELECT sum(total_bytes) AS before FROM pg_backend_memory_contexts;
		DO \$\$ BEGIN PERFORM try('XX000', p.place, c.m, c.u, c.b) FROM generate_series(1, 30), $calls; END \$\$;
		DO \$\$ BEGIN FOR i IN 1..300 LOOP PERFORM scim.scim_apply('GET', '/Users?count=1&filter=' || list('nickName%20co%20%22#%22', i % 150 + 1, '%20or%20')); END LOOP; END \$\$;
		SELECT status FROM scim.scim_apply('GET', '/Users/$uid') \\gset
		SELECT sum(total_bytes) AS after, count(*) FILTER (WHERE name = 'CachedPlanSource') FROM pg_backend_memory_contexts;
		SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'scim request%'}));
cmp_ok($after - $before, '<', 4 * 1024 * 1024, sprintf('memory after many failures: %.1f MiB more', ($after - $before) / 1048576));
cmp_ok($plans, '<', 200, "kept plans: $plans");
is($leftover, 0, 'no request is left behind');

is($node->safe_psql('postgres', 'SELECT count(*) FROM scim_audit.verify()'), '0', 'the log is whole');

# The total of a list is kept only while every change leaves a seal that says so.
$node->safe_psql('postgres', 'CREATE DATABASE totals');
is($node->safe_psql('totals', q{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	INSERT INTO scim.users (user_name) SELECT 'u' || i FROM generate_series(1, 1500) i;
	SELECT body ->> 'totalResults' FROM scim.scim_apply('GET', '/Users?count=0');
	ALTER TABLE scim.users DISABLE TRIGGER scim_audit_row;
	SELECT body ->> 'totalResults' FROM scim.scim_apply('GET', '/Users?count=0');
	DELETE FROM scim.users WHERE user_name = 'u1';
	SELECT body ->> 'totalResults' FROM scim.scim_apply('GET', '/Users?count=0');
	DELETE FROM scim.users WHERE user_name = 'u2';
	ALTER TABLE scim.users ENABLE ALWAYS TRIGGER scim_audit_row;
	SELECT body ->> 'totalResults' FROM scim.scim_apply('GET', '/Users?count=0')}),
	"1500\n1500\n1499\n1498", 'totals are right where changes leave no seal');

# A role's name from a database of another encoding does not spoil the log.
$node->safe_psql('postgres', q{CREATE DATABASE latin TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'});
{
	local $ENV{PGCLIENTENCODING} = 'SQL_ASCII';
	$node->safe_psql('latin', q{DO $$ BEGIN EXECUTE 'CREATE ROLE "ev' || convert_from('\xe9', 'SQL_ASCII') || 'l" SUPERUSER'; END $$});
	$node->safe_psql('postgres', q{
		DO $$ BEGIN EXECUTE 'SET SESSION AUTHORIZATION "' || (SELECT rolname FROM pg_roles WHERE rolname::text LIKE 'ev%l') || '"'; END $$;
		UPDATE scim.groups SET external_id = 'x'});
}
is($node->safe_psql('postgres', q{SELECT actor, session_role, effective_role FROM scim_audit.events ORDER BY tx_id DESC, n DESC LIMIT 1}),
	'ev\xe9l|ev\xe9l|ev\xe9l', 'bytes that are no UTF-8 are written as \xHH');

$node->stop;
done_testing();
