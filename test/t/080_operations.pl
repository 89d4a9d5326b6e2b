# docs/operations.md does what it says: its SQL and shell blocks, in order, one
# after the other, against a database that has been written.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $page = slurp_file('docs/operations.md');
my $node = PostgreSQL::Test::Cluster->new('operations');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE app');
$node->safe_psql('app', q{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	CREATE TABLE invoice (id int PRIMARY KEY, amount numeric);
	SELECT scim_audit.track('invoice');
	INSERT INTO invoice SELECT i, i * 1.5 FROM generate_series(1, 100) i;
	WITH boss AS (INSERT INTO scim.users (tenant, user_name) VALUES ('default', 'boss') RETURNING id)
	INSERT INTO scim.users (tenant, user_name, manager_id) SELECT 'default', 'report', id FROM boss;
});

$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
chdir $PostgreSQL::Test::Utils::tmp_check or die $!;
my %blocks = (sql => 0, sh => 0);
while ($page =~ /^```(sql|sh)\n(.*?)^```\n/gms)
{
	my ($kind, $block) = ($1, $2);
	my $file = "block.$kind";
	my ($out, $err) = ('', '');
	my ($title) = $block =~ /^(?:-- )?(.{1,60})/;

	$blocks{$kind}++;
	unlink $file;
	append_to_file($file, $block);
	my $ok = IPC::Run::run($kind eq 'sql' ? [ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', 'app', '-f', $file ] : [ 'sh', '-e', $file ],
		'<', \undef, '>', \$out, '2>', \$err);
	ok($ok, "$kind: $title") or diag("$out$err");
	# Whatever verifies, or looks for trouble, finds none.
	is($out =~ s/^\d+\|.*\n|^scim_audit\.events.*\n|^20.*\n|^.*\|superuser\n//gmr, '', "$title: finds nothing")
	  if $kind eq 'sql' && $block =~ /verify\(|NOT always|'off'|pg_prepared/;
	like($out, qr/\(0 rows\)/, "$title: finds nothing") if $block =~ /restored\(\)/;
}
cmp_ok($blocks{sql}, '>=', 9, 'SQL blocks');
cmp_ok($blocks{sh}, '>=', 7, 'shell blocks');
for my $database ('app', 'app_restored', 'app_plain')
{
	is($node->safe_psql($database, 'SELECT count(*) FROM invoice; SELECT * FROM scim_audit.verify()'), '100', "$database is whole");
}
is($node->safe_psql('app_empty', 'SELECT (SELECT count(*) FROM scim.users) + (SELECT count(*) FROM scim_audit.seals)'), '0', 'app_empty is empty');
$node->stop;
done_testing();
