-- What is due in the log, every minute, by pg_cron (which deploy/systemd does
-- without); as a superuser in pg_cron's database:
--   psql -v database=DATABASE -f deploy/pg_cron.sql
SELECT cron.schedule_in_database('scim_audit maintain', '* * * * *',
	'SELECT scim_audit.maintain()', :'database');
