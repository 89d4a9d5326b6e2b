# scim_http as PostgREST calls it: conflicts are 503 and happen once, a token
# ends at once and is followed by another without a gap, no token or password
# is in the database or the server's log, and clients come back from a dump.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $schemas = '"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]';
my $patch = '"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "title", "value": "x"}]';

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "max_connections = 30\nlog_statement = all\nlog_min_duration_statement = 0\nlog_parameter_max_length = -1\nlog_parameter_max_length_on_error = -1");
$node->start;

# What PostgREST does in a transaction, in one call.
my $setup = q{
	CREATE FUNCTION public.http(method text, uri text, token text, body text DEFAULT NULL, tenant text DEFAULT 'acme') RETURNS text
	LANGUAGE plpgsql AS $$
	DECLARE
		answer text;
	BEGIN
		PERFORM set_config('request.headers', jsonb_build_object('x-scim-method', method, 'x-scim-tenant', tenant, 'x-scim-uri', uri,
			'x-scim-authorization', 'Bearer ' || token, 'x-scim-client-addr', '203.0.113.7')::text, true);
		answer := convert_from(scim_api.scim_http(convert_to(body, 'UTF8')), 'UTF8');
		RETURN current_setting('response.status') || CASE WHEN current_setting('response.headers') LIKE '%"Retry-After":"1"%' THEN ' later' ELSE '' END;
	END $$;
	GRANT USAGE ON SCHEMA scim_api TO anonymous;
	GRANT EXECUTE ON FUNCTION scim_api.scim_http(bytea) TO anonymous;
};
$node->safe_psql('postgres', qq{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	CREATE ROLE authenticator LOGIN;
	CREATE ROLE anonymous;
	CREATE ROLE serve;
	GRANT anonymous TO authenticator;
	ALTER SYSTEM SET scim_audit.trusted_authenticators = 'authenticator';
	SELECT pg_reload_conf();
	SELECT scim.create_tenant('acme', settings => '{"password": "hash"}'), scim.grant_duty('serve', 'provisioning_admin');
	$setup});
my $token = $node->safe_psql('postgres', q{SELECT scim.create_client('acme', 'entra', 'serve')});

# A call of its own, or one in a session that stays; settings come first.
sub http
{
	my ($settings, @arguments) = @_;
	my $database = 'postgres';

	($database, $settings) = @$settings if ref $settings;
	return $node->safe_psql($database, "$settings SELECT public.http(" . join(', ', map { "'$_'" } @arguments) . ')',
		extra_params => ['-U', 'authenticator']);
}

is(http('', 'POST', '/Users', $token, qq({$schemas, "userName": "one"})), '201', 'a user is created');
is(http('', 'POST', '/Users', $token, qq({$schemas, "userName": "two"})), '201', 'and another');
my ($one, $two) = split /\n/, $node->safe_psql('postgres', 'SELECT id FROM scim.users ORDER BY user_name');

# --- conflicts

# Status and number of request events that a call leaves.
sub attempts
{
	my ($id, $status) = @_;

	return $node->safe_psql('postgres',
		"SELECT count(*) FROM scim_audit.events WHERE category = 'request' AND resource_id = '$id' AND status = $status");
}

my $holder = $node->background_psql('postgres');
$holder->query_safe("BEGIN; UPDATE scim.users SET nick_name = 'held' WHERE id = '$one'");
is(http("SET lock_timeout = '50ms';", 'PATCH', "/Users/$one", $token, "{$patch}"), '503 later', 'a lock timeout is 503 with Retry-After');
is(attempts($one, 503), 1, 'and was one attempt, which is in the log');
$holder->query_safe('ROLLBACK');
is(http('', 'PATCH', "/Users/$one", $token, "{$patch}"), '200', 'trying again succeeds');

# A deadlock with a session that locks in the other order: the call is its victim.
$node->safe_psql('postgres', qq{
	CREATE FUNCTION public.lock_two() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
		\$\$ BEGIN PERFORM FROM scim.users WHERE id = '$two' FOR UPDATE; RETURN NULL; END \$\$;
	CREATE TRIGGER lock_two AFTER UPDATE ON scim.users FOR EACH ROW WHEN (NEW.id = '$one') EXECUTE FUNCTION public.lock_two()});
$holder->query_safe("SET deadlock_timeout = '600s'; BEGIN; SELECT FROM scim.users WHERE id = '$two' FOR UPDATE");
my $call = $node->background_psql('postgres', extra_params => ['-U', 'postgres'], on_error_stop => 0);
my $deadlock = "SET deadlock_timeout = '1s'; SET SESSION AUTHORIZATION authenticator; SELECT public.http('PATCH', '/Users/$one', '$token', "
  . "'" . ($patch =~ s/"x"/"y"/r =~ s/^/{/r) . "}');";
$call->query_until(qr/begun/, "\\echo begun\n$deadlock\n");
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
  or die 'the call did not wait';
$holder->query_safe("UPDATE scim.users SET nick_name = 'mine' WHERE id = '$one'; ROLLBACK");
like($call->query('SELECT 1'), qr/503 later/, 'a deadlock is 503 with Retry-After');
is(attempts($one, 503), 2, 'and was one attempt');
is($node->safe_psql('postgres', "SELECT title FROM scim.users WHERE id = '$one'"), 'x', 'that changed nothing');
$call->quit;
$holder->quit;
$node->safe_psql('postgres', 'DROP TRIGGER lock_two ON scim.users');

# A statement that was cancelled leaves nothing.
$node->safe_psql('postgres', q{
	CREATE FUNCTION public.linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); RETURN NULL; END $$;
	CREATE TRIGGER linger AFTER INSERT ON scim.users FOR EACH ROW EXECUTE FUNCTION public.linger()});
my ($status, $out, $err) = $node->psql('postgres',
	"SET statement_timeout = '200ms'; SELECT public.http('POST', '/Users', '$token', '{$schemas, \"userName\": \"slow\"}')",
	extra_params => ['-U', 'authenticator']);
like($err, qr/canceling statement due to statement timeout/, 'a cancelled call is an error');
is($node->safe_psql('postgres', q{SELECT (SELECT count(*) FROM scim.users WHERE user_name = 'slow')
	+ (SELECT count(*) FROM scim_audit.events WHERE detail::text LIKE '%slow%')}), 0, 'and leaves nothing');
$node->safe_psql('postgres', 'DROP TRIGGER linger ON scim.users');

# Many at a time with one token: none waits for the note of its use.
$node->pgbench('--no-vacuum --client=8 --jobs=2 --transactions=25 --username=authenticator', 0, [qr{processed: 200/200}], [qr/^$/],
	'8 clients with one token', {'080_create' => qq{
		SELECT public.http('POST', '/Users', '$token', '{$schemas, "userName": "' || gen_random_uuid() || '"}')}});
is($node->safe_psql('postgres', q{SELECT count(*) FROM scim.users WHERE user_name LIKE '%-%'}), 200, 'created 200 users');
is($node->safe_psql('postgres', q{SELECT count(*) FROM scim_audit.events WHERE category = 'request' AND status = 201}), 202,
	'with as many events');
is($node->safe_psql('postgres', q{SELECT last_used IS NOT NULL, last_address, last_status IS NOT NULL FROM scim.list_clients('acme')}),
	't|203.0.113.7|t', 'and the use was noted');
is($node->safe_psql('postgres', q{SELECT n_tup_upd <= 3 FROM pg_stat_user_tables WHERE relname = 'client_uses'}), 't', 'but seldom');

# --- rotation, revocation, expiry, in the sight of one session that stays

my $session = $node->background_psql('postgres', extra_params => ['-U', 'authenticator']);
sub seen { return $session->query_safe("SELECT public.http('GET', '/Users?count=0', '$_[0]')") }

is(seen($token), '200', 'the first token is good');
my $second = $node->safe_psql('postgres', q{SELECT scim.rotate_token('acme', 'entra')});
is(seen($token) . seen($second), '200200', 'two tokens at a time');
$node->safe_psql('postgres', qq{SELECT scim.revoke_token('acme', 'entra', right('$token', 4))});
is(seen($token) . seen($second), '401200', 'revoked at once; the other goes on');
my $third = $node->safe_psql('postgres', q{SELECT scim.rotate_token('acme', 'entra', clock_timestamp() + interval '1 s')});
is(seen($second), '200', 'a third, for a second');
for (1 .. 300)
{
	last if seen($third) eq '401';
	$node->safe_psql('postgres', 'SELECT pg_sleep(0.05)');
}
is(seen($third) . seen($second), '401200', 'expired; the other goes on');
$node->safe_psql('postgres', q{SELECT scim.disable_client('acme', 'entra')});
is(seen($second), '401', 'disabled at once');
$node->safe_psql('postgres', q{SELECT scim.enable_client('acme', 'entra')});
is(seen($second), '200', 'and enabled');
$session->quit;

# --- secrets

# As PostgREST does, with headers and body as parameters of a prepared statement.
my $offset = -s $node->logfile;
sub with_parameters
{
	my ($body) = @_;
	my $headers = qq({"x-scim-method":"POST","x-scim-tenant":"acme","x-scim-uri":"/Users","x-scim-authorization":"Bearer $second"});

	$node->command_ok(['pgbench', '--no-vacuum', '--transactions=1', '--protocol=prepared', '-U', 'authenticator', '-D', "headers=$headers", '-D', "body=$body",
			'-f', $node->basedir . '/call.sql', 'postgres'], 'called with parameters');
	my $written = slurp_file($node->logfile, $offset);
	$offset = -s $node->logfile;
	return $written;
}
append_to_file($node->basedir . '/call.sql', <<'SQL');
BEGIN;
SELECT set_config('request.headers', :headers, true);
SELECT scim_api.scim_http(convert_to(:body, 'UTF8'));
COMMIT;
SQL
like(with_parameters(qq({$schemas, "userName": "p1", "password": "Tr0ub4dor"})), qr/\Q$second\E/, 'PostgreSQL logs parameters where it is told to');
$node->safe_psql('postgres', 'ALTER ROLE authenticator SET log_parameter_max_length = 0; ALTER ROLE authenticator SET log_parameter_max_length_on_error = 0');
$offset = -s $node->logfile;
my $written = with_parameters(qq({$schemas, "userName": "p2", "password": "C0rrectHorse"}));
like($written, qr/scim_http/, 'the statement is in the log');
unlike($written, qr/\Q$second\E|C0rrectHorse/, 'neither token nor password is, with the settings that are advised');
my $made = $node->safe_psql('postgres', q{SELECT scim.create_client('acme', 'other', 'serve')});
unlike(slurp_file($node->logfile), qr/\Q$made\E/, 'a token that is made is not in the log');

my $dump = $node->basedir . '/primary.sql';
$node->command_ok(['pg_dump', '-f', $dump, $node->connstr('postgres')], 'dumped');
my $text = slurp_file($dump);
like($text, qr/token\.issue/, 'the dump has the log');
unlike($text, qr/\Q$_\E/, 'a token or password is nowhere in the database') foreach $token, $second, $third, $made, 'Tr0ub4dor', 'C0rrectHorse';

# --- dump and restore

my $list = q{SELECT * FROM scim.list_clients('acme') ORDER BY client, created};
my $before = $node->safe_psql('postgres', $list);
$node->command_ok(['pg_dump', '-Fc', '-f', "$dump.c", $node->connstr('postgres')], 'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE target');
{
	local $ENV{PGOPTIONS} = '-c scim_audit.restore=on';
	$node->command_ok(['pg_restore', '--exit-on-error', '-d', $node->connstr('target'), "$dump.c"], 'restored');
}
is($node->safe_psql('target', $list), $before, 'clients and tokens are as they were');
is(http(['target', ''], 'GET', '/Users', $second), '200', 'a token is good there');
is(http(['target', ''], 'GET', '/Users', $token), '401', 'one that was revoked is not');
is($node->safe_psql('target', 'SELECT count(*) FROM scim_audit.verify()'), 0, 'the log is whole');

# In another cluster the role has another oid.
$node->safe_psql('target', q{
	SELECT scim.revoke_duty('serve', 'provisioning_admin');
	DROP OWNED BY serve});
$node->safe_psql('postgres', q{SELECT scim.revoke_duty('serve', 'provisioning_admin'); DROP OWNED BY serve; DROP ROLE serve; CREATE ROLE serve});
$node->safe_psql('target', q{SELECT scim.grant_duty('serve', 'provisioning_admin')});
is(http(['target', ''], 'GET', '/Users', $second), '401', 'a role of the same name is another role');
like($node->safe_psql('target', q{SELECT message FROM scim.doctor('acme') WHERE NOT ok AND check_name LIKE 'role of entra%'}),
	qr/is not the one that was given/, 'the doctor says so');
$node->safe_psql('target', q{SELECT scim.alter_client('acme', 'entra', role => 'serve')});
is(http(['target', ''], 'GET', '/Users', $second), '200', 'alter_client brings the client back');

# --- on a standby

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
sub standby { return $standby->safe_psql('target', "SELECT public.http(" . join(', ', map { "'$_'" } @_) . ')', extra_params => ['-U', 'authenticator']) }
is(standby('GET', '/Users', $second), '200', 'a standby reads');
is(standby('POST', '/Users', $second, qq({$schemas, "userName": "x"})), '503 later', 'takes no writes');
is(standby('GET', '/Users', $token), '401', 'and refuses tokens');
like(slurp_file($standby->logfile), qr/a SCIM token was refused: revoked/, 'of which its own log tells');
is($standby->safe_psql('target', q{SELECT count(*) FROM scim.doctor('acme') WHERE check_name = 'entra: Okta: users' AND ok}), 1, 'the doctor looks at it');
$standby->stop;
$node->stop;
done_testing();
