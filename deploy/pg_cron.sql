-- The log's partitions of the coming months, once a week, by pg_cron (which
-- deploy/systemd does without); as a superuser in pg_cron's database:
--   psql -v database=DATABASE -f deploy/pg_cron.sql
SELECT cron.schedule_in_database('scim_audit partitions', '17 3 * * 1',
	'SELECT scim_audit.ensure_partitions()', :'database');
