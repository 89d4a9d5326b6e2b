# On a standby reads answer, writes and what would have to be recorded are 503.
# Promoted under load, a synchronous standby has all that was acknowledged, in
# tables and log, and the log goes on.
use strict;
use warnings FATAL => 'all';

use IPC::Run ();
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
is(call('', 'POST', '/Bulk', qq({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [{"method": "DELETE", "path": "/Users/$id"}]})), '503|1', 'Bulk is 503 as a whole');
is(call('', 'GET', '/Users/nobody'), '503|1', 'a failing read is 503 where it is to be recorded');
is(call("SET scim_audit.log_reads = 'none';", 'GET', '/Users/nobody'), '404|', 'and 404 where it is not');
is(call("SET scim_audit.log_reads = 'all';", 'GET', "/Users/$id"), '503|1', 'any read is 503 where all are to be recorded');

# Four writers, each noting what was acknowledged to it, when the primary goes.
$primary->safe_psql('postgres', 'CREATE TABLE item (id int PRIMARY KEY)');
$primary->safe_psql('postgres', "SELECT scim_audit.track('item')");
$primary->append_conf('postgresql.conf', "synchronous_standby_names = 'standby'");
$primary->reload;
$primary->poll_query_until('postgres', "SELECT sync_state = 'sync' FROM pg_stat_replication") or die 'the standby is not synchronous';
my @writers;
for my $i (1 .. 4)
{
	my $file = "$PostgreSQL::Test::Utils::tmp_check/writer_$i.sql";
	append_to_file($file, "\\set ON_ERROR_STOP 1\n" . join '', map { my $n = $i * 100000 + $_; "INSERT INTO item VALUES ($n);\n\\echo $n\n" } 1 .. 20000);
	my %writer = (acked => '', errors => '');
	$writer{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $primary->connstr('postgres'), '-f', $file ],
		'<', \undef, '>', \$writer{acked}, '2>', \$writer{errors});
	push @writers, \%writer;
}
for my $writer (@writers)
{
	$writer->{run}->pump until ($writer->{acked} =~ tr/\n//) > 30;
}
is($standby->safe_psql('postgres', 'SELECT count(*) > 0 FROM scim_audit.events'), 't', 'the log is read on the standby meanwhile');
is($standby->safe_psql('postgres', 'SELECT * FROM scim_audit.verify()'), '', 'and verified, without an event that says so');
$primary->stop('immediate');
$_->{run}->finish for @writers;
my @acked = map { split /\n/, $_->{acked} } @writers;

$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'not promoted';
is(call('', 'PATCH', "/Users/$id",
		'{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "title", "value": "x"}]}'),
	'200|', 'after the promotion writes go on');
my $values = join ',', map { "($_)" } @acked;
is($standby->safe_psql('postgres', "SELECT a.id FROM (VALUES $values) a (id) LEFT JOIN item USING (id) WHERE item.id IS NULL"), '',
	'what was acknowledged is in the table');
is($standby->safe_psql('postgres', "SELECT a.id FROM (VALUES $values) a (id) LEFT JOIN scim_audit.events e
	ON e.resource_type = 'public.item' AND e.resource_id = a.id::text WHERE e.n IS NULL"), '', 'and in the log');
is($standby->safe_psql('postgres', 'SELECT * FROM scim_audit.verify()'), '', 'and the log is whole');
$standby->safe_psql('postgres', 'INSERT INTO item VALUES (1)');
is($standby->safe_psql('postgres', 'SELECT * FROM scim_audit.verify()'), '', 'also when writing has gone on');

$standby->stop;
done_testing();
