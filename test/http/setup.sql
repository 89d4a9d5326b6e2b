-- The database that test/http and test/idp replay into over HTTP.  Everything
-- that can be logged is: the tests look for tokens in the logs.
CREATE EXTENSION scim_audit CASCADE;
SELECT scim.create_standard_roles();
SELECT scim.create_tenant('acme');
SELECT scim.create_tenant('other');
CREATE ROLE http_test_auditor;
SELECT scim.grant_duty('http_test_auditor', 'auditor', 'acme');
CREATE ROLE http_test_overseer;
SELECT scim.grant_duty('http_test_overseer', 'auditor');
SELECT format('ALTER DATABASE %I SET log_statement = %L', current_database(), 'all') \gexec
SELECT format('ALTER DATABASE %I SET log_min_duration_statement = 0', current_database()) \gexec
SELECT format('ALTER DATABASE %I SET log_error_verbosity = verbose', current_database()) \gexec

-- Faults to order: a user of this name fails to be written, as by a conflict
-- between transactions.
CREATE FUNCTION public.fail_to_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'failed to order' USING ERRCODE = substr(NEW.user_name, 6);
END
$$;
CREATE TRIGGER fail_to_order BEFORE INSERT ON scim.users
	FOR EACH ROW WHEN (NEW.user_name LIKE 'fail-%') EXECUTE FUNCTION public.fail_to_order();
