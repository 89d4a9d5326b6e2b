# Clocks: a month's and a year's end, a leap second, a clock that is set back
# or ahead, one that stands still.  A transaction stays in the month in which
# it began to write, the time of a chain never goes back, verify finds nothing.
#
# The server's clock is test/clock/set_clock.c, preloaded, so that the test
# sets it to the microsecond while the server runs.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::BackgroundPsql;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::Local qw(timegm);

my $library = "$PostgreSQL::Test::Utils::tmp_check/set_clock.so";
my $clock_file = "$PostgreSQL::Test::Utils::tmp_check/clock";
system_or_bail($ENV{CC} // 'cc', qw(-O1 -fPIC -shared -Wall -Werror -o), $library, 'test/clock/set_clock.c');

# The clock shows this time: standing, or going on from there.
sub set_clock
{
	my ($standing, $text, $fraction) = @_;
	my ($year, $month, $day, $hour, $minute, $second) = split /[- :]/, $text;
	my $micros = timegm($second, $minute, $hour, $day, $month - 1, $year) * 1000000 + ($fraction // 0);

	$micros -= time * 1000000 unless $standing;
	open my $out, '+<', $clock_file or die "$clock_file: $!";
	binmode $out;
	print $out pack 'qq', $standing, $micros;
	close $out or die "$clock_file: $!";
	return;
}
open my $new, '>', $clock_file or die "$clock_file: $!";
print $new pack 'qq', 0, 0;
close $new;
set_clock(1, '2031-10-15 12:00:00');

my $node = PostgreSQL::Test::Cluster->new('clocks');
$node->init;
$node->append_conf('postgresql.conf', "scim_audit.chains = 1\nautovacuum = off\ntimezone = 'UTC'\n");
{
	local $ENV{LD_PRELOAD} = $library;
	local $ENV{CLOCK_FILE} = $clock_file;
	$node->start;
}
sub sql { return $node->safe_psql('postgres', @_); }

sql(q{
	SET client_min_messages = error;
	CREATE EXTENSION scim_audit CASCADE;
	SELECT scim_audit.ensure_partitions();
	CREATE TABLE item (id int PRIMARY KEY, at timestamptz);
	CREATE TRIGGER scim_audit_row AFTER INSERT OR UPDATE OR DELETE ON item FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change();
});
is(sql('SELECT clock_timestamp()'), '2031-10-15 12:00:00+00', 'the server has the clock of the test');

# Partitions, newest first, and the one an item's event is in.
my $months = q{SELECT string_agg(inhrelid::regclass::text, ' ' ORDER BY inhrelid::regclass::text)
	FROM pg_inherits WHERE inhparent = 'scim_audit.events'::regclass};
sub months { return join ' ', map { "scim_audit.events_$_" } @_; }
sub month_of
{
	my ($id) = @_;
	return sql("SELECT tableoid::regclass FROM scim_audit.events WHERE resource_type = 'public.item' AND resource_id = '$id' AND action = 'insert'");
}
sub found { my ($what) = @_; is(sql('SELECT rule, chain, seq, message FROM scim_audit.verify()'), '', "$what: verify finds nothing"); return; }
my $id = 0;
sub insert { $id++; sql("INSERT INTO item VALUES ($id, clock_timestamp())"); return $id; }

is(sql($months), months(qw(2031_10 2031_11 2031_12 2032_01)), 'three months ahead');

# The first event of all is that of a command on an audited table: the partitions are made inside of it.
$node->safe_psql('postgres', 'CREATE DATABASE first');
is($node->safe_psql('first', "SET client_min_messages = error; CREATE EXTENSION scim_audit CASCADE; ALTER TABLE scim.users ADD COLUMN extra text; $months"),
	months(qw(2031_10 2031_11 2031_12 2032_01)), 'partitions made by the event of a command');
is($node->safe_psql('first', 'SELECT count(*) > 0 FROM scim_audit.events; SELECT * FROM scim_audit.verify()'), 't', 'which is in the log, and whole');

# A month's end.
set_clock(1, '2031-10-31 23:59:59', 999_999);
my $open = $node->background_psql('postgres');
$open->query_safe('BEGIN; INSERT INTO item VALUES (1000)');
is(month_of(insert()), months('2031_10'), 'the last microsecond of a month');
set_clock(1, '2031-11-01 00:00:00');
is(month_of(insert()), months('2031_11'), 'the first of the next');
is(sql($months), months(qw(2031_10 2031_11 2031_12 2032_01 2032_02)), 'still three months ahead');
$open->query_safe('INSERT INTO item VALUES (1001); COMMIT');
is(month_of(1000) . ' ' . month_of(1001), months('2031_10') . ' ' . months('2031_10'),
	'a transaction over the month\'s end is in the month in which it began');
is(sql("SELECT DISTINCT at FROM scim_audit.events WHERE resource_id = '1001'"), '2031-11-01 00:00:00+00',
	'while its events have their own time');
found('a month\'s end');

# Who makes a month ahead of its time keeps nobody waiting, and whom that fails it does not fail.
set_clock(0, '2031-12-31 23:59:59');
$open->query_safe('BEGIN; INSERT INTO item VALUES (1002)');
insert();
set_clock(0, '2032-01-01 00:00:00');
$open->query_safe('COMMIT; BEGIN; INSERT INTO item VALUES (1003)');
is(month_of(insert()), months('2032_01'), 'a year\'s end, while another transaction makes a month');
$open->query_safe('COMMIT');
is(month_of(1002) . ' ' . month_of(1003), months('2031_12') . ' ' . months('2032_01'), 'on either side of it');
is(sql($months), months(qw(2031_10 2031_11 2031_12 2032_01 2032_02 2032_03 2032_04)), 'still three months ahead');
sql(q{
	CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no DDL today'; END$$;
	CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION refuse();
});
set_clock(0, '2032-02-01 00:00:00');
is(month_of(insert()), months('2032_02'), 'where DDL is refused, writing goes on');
sql('DROP EVENT TRIGGER refuse');
is(sql("BEGIN; DECLARE c CURSOR FOR SELECT * FROM scim_audit.events; FETCH 1 FROM c;
		INSERT INTO item VALUES (1004) RETURNING id; COMMIT") =~ s/^.*\n//r, '1004', 'and while the log is read');
insert();
is(sql($months), months(qw(2031_10 2031_11 2031_12 2032_01 2032_02 2032_03 2032_04 2032_05)), 'then the month is made');
found('a year\'s end');

# A leap second, as input and as a second that comes twice.
is(sql("INSERT INTO item VALUES (2000, '2016-12-31 23:59:60+00') RETURNING at"), "2017-01-01 00:00:00+00", 'a leap second is taken');
is(sql("SELECT detail -> 'new' ->> 'at' FROM scim_audit.events WHERE resource_id = '2000'"),
	sql("SELECT scim_audit.row_values('item', item) ->> 'at' FROM item WHERE id = 2000"), 'and logged as it is stored');
set_clock(1, '2032-06-30 23:59:59', 900_000);
insert();
set_clock(1, '2032-06-30 23:59:59', 100_000);
insert();
set_clock(1, '2032-07-01 00:00:00');
insert();
found('a second that comes twice');

# Set back: by a minute, and into months that have and have not been.
sub seal_times { return sql("SELECT string_agg(DISTINCT date_trunc('second', at)::text, ' ') FROM (SELECT at FROM scim_audit.seals ORDER BY seq DESC LIMIT $_[0]) s"); }
set_clock(1, '2032-06-30 23:59:00');
is(month_of(insert()), months('2032_06'), 'set back into another month');
set_clock(1, '2031-10-20 00:00:00');
is(month_of(insert()), months('2031_10'), 'into one that was');
set_clock(1, '2030-02-28 23:59:59');
is(month_of(insert()), months('2030_02'), 'into one that was not');
is(seal_times(4), '2032-07-01 00:00:00+00', 'the time of the chain stands meanwhile');
set_clock(1, '1969-12-31 23:59:59');
is(month_of(insert()), months('1970_01'), 'a clock that was never set');
found('a clock that was set back');
is(sql("SELECT count(*) FROM scim_audit.seals s JOIN scim_audit.seals t ON t.chain = s.chain AND t.seq > s.seq AND t.at < s.at"), '0',
	'no time of a seal is before that of one before it');

# Standing still: transactions, and events, of the same time.
set_clock(1, '2032-08-01 00:00:00');
sql(join '', map { "INSERT INTO item VALUES ($_, clock_timestamp());" } 3000 .. 3199);
is(sql("SELECT count(DISTINCT tx_id), count(DISTINCT at), count(*) FROM scim_audit.events WHERE at = '2032-08-01' AND resource_type = 'public.item'"),
	'200|1|200', 'two hundred transactions of one time');
is(sql("SELECT string_agg(e.resource_id, ' ' ORDER BY s.seq) FROM scim_audit.seals s JOIN scim_audit.events e USING (tx_id) WHERE e.at = '2032-08-01'"),
	join(' ', 3000 .. 3199), 'the chain has their order');
found('transactions of one time');

# What is audited changes while the clock goes back, with many chains.
$node->append_conf('postgresql.conf', 'scim_audit.chains = 8');
$node->reload;
my @sessions = map { $node->background_psql('postgres') } 1 .. 3;
$_->query_safe("INSERT INTO item VALUES (4000 + pg_backend_pid())") for @sessions;
set_clock(1, '2032-08-01 12:00:00');
$sessions[0]->query_safe("UPDATE item SET at = now() WHERE id = 4000 + pg_backend_pid()");
for my $time ('2032-08-01 11:00:00', '2032-08-01 10:00:00', '2032-08-01 11:30:00')
{
	set_clock(1, $time);
	$sessions[1]->query_safe('CREATE TABLE other (id int PRIMARY KEY)');
	$sessions[1]->query_safe("SELECT scim_audit.track('other')");
	$_->query_safe("UPDATE item SET at = clock_timestamp() + interval '1 s' WHERE id = 4000 + pg_backend_pid()") for @sessions;
	set_clock(1, $time =~ s/:00$/:40/r);
	$_->query_safe("UPDATE item SET at = clock_timestamp() + interval '1 s' WHERE id = 4000 + pg_backend_pid()") for @sessions;
	insert();
	$sessions[2]->query_safe("SELECT scim_audit.untrack('other')");
	$sessions[2]->query_safe('DROP TABLE other');
	$_->query_safe("UPDATE item SET at = clock_timestamp() + interval '2 s' WHERE id = 4000 + pg_backend_pid()") for @sessions;
	found("$time: another configuration under a clock that was set back");
}
cmp_ok(sql('SELECT count(DISTINCT chain) FROM scim_audit.seals'), '>', 2, 'in several chains');

# Ahead by decades, and back.
set_clock(1, '2099-05-05 00:00:00');
$sessions[0]->query_safe("UPDATE item SET at = clock_timestamp() WHERE id = 4000 + pg_backend_pid()");
set_clock(0, '2032-08-02 00:00:00');
sql("CREATE TABLE another (id int PRIMARY KEY); SELECT scim_audit.track('another'); INSERT INTO another VALUES (1)");
$_->query_safe("UPDATE item SET at = clock_timestamp() WHERE id = 4000 + pg_backend_pid()") for @sessions;
insert();
found('a clock that was decades ahead');
$_->quit for @sessions, $open;

$node->stop;
done_testing();
