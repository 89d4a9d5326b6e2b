# On a standby reads answer, writes and what would have to be recorded are 503,
# and after a promotion the log goes on.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $user = '"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]';

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->safe_psql('postgres', qq{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	SELECT status FROM scim.scim_apply('POST', '/Users', '{$user, "userName": "ana", "emails": [{"value": "ana\@x"}]}');
	SELECT status FROM scim.scim_apply('POST', '/Users', '{$user, "userName": "ben"}');
});
my $id = $primary->safe_psql('postgres', "SELECT id FROM scim.users WHERE user_name = 'ana'");

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);

# Status and Retry-After of a call on the standby.
sub call
{
	my ($settings, @arguments) = @_;

	return $standby->safe_psql('postgres', "$settings SELECT status, headers ->> 'Retry-After' FROM scim.scim_apply("
		  . join(', ', map { "'$_'" } @arguments) . ')');
}

is(call('', 'GET', "/Users/$id"), '200|', 'a resource is read');
is(call('', 'GET', '/Users?filter=emails.value%20eq%20%22ana@x%22'), '200|', 'a list is read');
is(call('', 'GET', '/Schemas'), '200|', 'a discovery document is read');
is(call('', 'POST', '/Users', qq({$user, "userName": "c"})), '503|1', 'POST is 503');
is(call('', 'POST', '/Users', '{'), '503|1', 'a malformed POST is 503, for its refusal cannot be recorded');
is(call('', 'DELETE', "/Users/$id"), '503|1', 'DELETE is 503');
is(call('', 'GET', '/Users/nobody'), '503|1', 'a failing read is 503 where it is to be recorded');
is(call("SET scim_audit.log_reads = 'none';", 'GET', '/Users/nobody'), '404|', 'and 404 where it is not');
is(call("SET scim_audit.log_reads = 'all';", 'GET', "/Users/$id"), '503|1', 'any read is 503 where all are to be recorded');

$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'not promoted';
is(call('', 'PATCH', "/Users/$id",
		'{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "title", "value": "x"}]}'),
	'200|', 'after the promotion writes go on');
is($standby->safe_psql('postgres', 'SELECT * FROM scim_audit.verify()'), '', 'and the log is whole');

$standby->stop;
$primary->stop;
done_testing();
