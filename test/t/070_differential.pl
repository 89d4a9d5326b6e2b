# The server, src/core in memory and a model written from the RFC's text give
# the same answer to random filters, and leave the same after random PATCHes.
# SCIM_AUDIT_DIFFERENTIAL="--seed N --filters N --patches N" for other runs.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('differential');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\n");
$node->start;

my $program = $node->basedir . '/core_answers';
command_ok([$ENV{CC} // 'cc', '-std=gnu11', '-O1', '-g', '-Isrc', '-o', $program,
		'test/differential/core_answers.c', glob('src/core/*.o'), '-ljson-c', '-lm'],
	'core_answers is built');

local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
local $ENV{PGDATABASE} = 'postgres';
local $ENV{PYTHONDONTWRITEBYTECODE} = 1;
open(my $driver, '-|', 'python3', 'test/differential/driver.py', '--answers', $program, '--schemas', 'src/core/schemas',
	split(' ', $ENV{SCIM_AUDIT_DIFFERENTIAL} // '')) or die "could not run the driver: $!";
my @output = <$driver>;
close($driver);
foreach my $line (@output)
{
	if ($line =~ /^(not )?ok \d+ - (.*)/)
	{
		ok(!$1, $2);
	}
	else
	{
		diag($line =~ s/^# //r) if $line =~ /^#/;
	}
}
is($?, 0, 'the driver ended well');
is($node->safe_psql('postgres', 'SELECT count(*) FROM scim_audit.verify()'), '0', 'the log is whole');

$node->stop;
done_testing();
