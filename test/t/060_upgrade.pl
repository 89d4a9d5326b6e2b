# ALTER EXTENSION … UPDATE ends where CREATE EXTENSION does.
#
# For each released version test/upgrade keeps the install script as it was
# released, and extension/upgrade has a script that leads away from it: made,
# used with the library of today, and updated, its catalog must be that of a
# fresh installation (test/upgrade/catalog.sql), and the log be whole.
#
# That the comparison sees what it should is tested with older versions made up
# here: today's script with one thing different, and an update that mends it.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('upgrade');
$node->init;
$node->start;
my $folder = $node->config_data('--sharedir') . '/extension';
my ($version) = slurp_file("$folder/scim_audit.control") =~ /^default_version = '(.*)'/m;
my $today = slurp_file("$folder/scim_audit--$version.sql");
my $catalog = slurp_file('test/upgrade/catalog.sql');

# Scripts that this test installs, and takes away again.
my @installed;
END { unlink @installed; }
sub install
{
	my ($name, $text) = @_;
	my $file = "$folder/scim_audit--$name.sql";
	die "$file is there" if -e $file;
	push @installed, $file;
	append_to_file($file, $text);
	return;
}

# The lines in which two catalogs differ.
sub differences
{
	my ($left, $right) = map { { map { $_ => 1 } split /\n(?=member |comment |privilege |function |column |relation |view |constraint |index |trigger |policy |event |dump |aggregate |extension)/, $_ } } @_;
	return join "\n", sort((map { "- $_" } grep { !$right->{$_} } keys %$left), (map { "+ $_" } grep { !$left->{$_} } keys %$right));
}

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'SET client_min_messages = error; CREATE EXTENSION scim_audit CASCADE');
my $fresh = $node->safe_psql('fresh', $catalog);
cmp_ok(($fresh =~ tr/\n//), '>', 500, 'a fresh installation has a catalog');

# Write with an older version, update, write on.
my $n = 0;
sub use_and_update
{
	my ($from) = @_;
	my $database = 'updated' . ++$n;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, qq{
		SET client_min_messages = error;
		CREATE EXTENSION scim_audit VERSION '$from' CASCADE;
		SELECT status FROM scim.scim_apply('POST', '/Users', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ana"}');
		CREATE TABLE item (id int PRIMARY KEY);
		SELECT scim_audit.track('item');
		INSERT INTO item VALUES (1)});
	my $before = $node->safe_psql($database, $catalog);
	$node->safe_psql($database, 'ALTER EXTENSION scim_audit UPDATE');
	my $after = $node->safe_psql($database, $catalog);
	is($node->safe_psql($database, "INSERT INTO item VALUES (2); UPDATE scim.users SET title = 'x'; SELECT * FROM scim_audit.verify()"),
		'', "$from: the log is whole before and after the update");
	return ($before, $after);
}

# What could differ, the statement that makes it so, and the one that mends it.
my $update_start = "SELECT scim_audit.change_config();\n";
my $update_end = "SELECT scim_audit.config_changed('upgrade', 'log.upgrade', NULL, '{\"to\":\"$version\"}');\n";
my @made_up = (
	[ 'a comment', "COMMENT ON TABLE scim.users IS 'old'",
		"COMMENT ON TABLE scim.users IS 'SCIM users (RFC 7643 section 4.1), with the enterprise extension (section 4.3)'" ],
	[ 'a privilege', 'GRANT SELECT ON scim.users TO PUBLIC', 'REVOKE SELECT ON scim.users FROM PUBLIC' ],
	[ 'EXECUTE for PUBLIC', 'GRANT EXECUTE ON FUNCTION scim_audit.ensure_partitions(integer) TO PUBLIC',
		'REVOKE EXECUTE ON FUNCTION scim_audit.ensure_partitions(integer) FROM PUBLIC' ],
	[ 'the state of a trigger', 'ALTER TABLE scim.users ENABLE TRIGGER scim_audit_truncate',
		'ALTER TABLE scim.users ENABLE ALWAYS TRIGGER scim_audit_truncate' ],
	[ 'the volatility of a function', 'ALTER FUNCTION scim.fold(text) STABLE', 'ALTER FUNCTION scim.fold(text) IMMUTABLE' ],
	[ 'a setting of a function', 'ALTER FUNCTION scim_audit.untrack(regclass) RESET ALL',
		'ALTER FUNCTION scim_audit.untrack(regclass) SET search_path = pg_catalog, pg_temp' ],
	[ 'a default', "ALTER TABLE scim.users ALTER title SET DEFAULT 'x'", 'ALTER TABLE scim.users ALTER title DROP DEFAULT' ],
	[ 'an index', 'DROP INDEX scim.users_last_modified_idx', 'CREATE INDEX users_last_modified_idx ON scim.users (tenant, last_modified)' ],
	[ 'row-level security', 'ALTER TABLE scim_audit.seals DISABLE ROW LEVEL SECURITY', 'ALTER TABLE scim_audit.seals ENABLE ROW LEVEL SECURITY' ],
	[ 'a policy', 'ALTER POLICY auditors ON scim_audit.events TO postgres', 'ALTER POLICY auditors ON scim_audit.events TO PUBLIC' ],
	[ 'the owner\'s privileges', 'GRANT UPDATE ON scim_audit.seals TO CURRENT_USER', 'REVOKE UPDATE ON scim_audit.seals FROM CURRENT_USER' ],
	[ 'what a dump carries', "SELECT pg_catalog.pg_extension_config_dump('scim.duties', 'WHERE false')",
		"SELECT pg_catalog.pg_extension_config_dump('scim.duties', '')" ],
	[ 'an object too many', 'CREATE VIEW scim.extra AS SELECT 1 AS x', 'DROP VIEW scim.extra' ],
	[ 'an event trigger', 'ALTER EVENT TRIGGER scim_audit_drop_guard ENABLE', 'ALTER EVENT TRIGGER scim_audit_drop_guard ENABLE ALWAYS' ]);
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
for my $i (0 .. $#made_up)
{
	my ($what, $break, $mend) = @{ $made_up[$i] };
	$break =~ s/TO postgres$/TO $superuser/;
	install("0.0.$i", "$today\n$break;\n");
	install("0.0.$i--$version", "\\echo Use \"ALTER EXTENSION scim_audit UPDATE\" to load this file. \\quit\n$update_start$mend;\n$update_end");
	my ($before, $after) = use_and_update("0.0.$i");
	my $seen = differences($fresh, $before) =~ s/^[-+] extension: .*\n?//gmr;
	isnt($seen, '', "$what: the comparison sees it");
	is(differences($fresh, $after), '', "$what: the updated catalog is that of a fresh installation");
}

# Every released version has its script here, and a way to today's.
my @released = grep { $_ ne $version } map { /^## (\S+) \(\d{4}-\d\d-\d\d\)/ ? $1 : () } split /\n/, slurp_file('CHANGELOG.md');
my @kept = map { m{--(.*)\.sql$} ? $1 : () } glob 'test/upgrade/scim_audit--*.sql';
is("@{[sort @kept]}", "@{[sort @released]}", 'test/upgrade keeps the install script of every released version');
for my $from (@kept)
{
	install($from, slurp_file("test/upgrade/scim_audit--$from.sql"));
	is(differences($fresh, (use_and_update($from))[1]), '', "$from: the updated catalog is that of a fresh installation");
}
$node->stop;
done_testing();
