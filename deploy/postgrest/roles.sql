-- The roles PostgREST works with; run once as a superuser in the database:
--   psql -X -v ON_ERROR_STOP=1 -d DATABASE -f deploy/postgrest/roles.sql
--
-- scim_authenticator logs in and holds nothing; scim_anonymous, which it
-- becomes for a request without JWT, may call scim_api.scim_http() and nothing
-- else.  Who an identity provider is, its token says.
SELECT 'CREATE ROLE scim_authenticator LOGIN NOINHERIT' WHERE to_regrole('scim_authenticator') IS NULL \gexec
SELECT 'CREATE ROLE scim_anonymous NOLOGIN' WHERE to_regrole('scim_anonymous') IS NULL \gexec
GRANT scim_anonymous TO scim_authenticator;
GRANT USAGE ON SCHEMA scim_api TO scim_anonymous;
GRANT EXECUTE ON FUNCTION scim_api.scim_http(bytea) TO scim_anonymous;

-- A request's headers, the token among them, are parameters of a statement of
-- PostgREST's: whatever else is logged, these are not.
ALTER ROLE scim_authenticator SET log_parameter_max_length = 0;
ALTER ROLE scim_authenticator SET log_parameter_max_length_on_error = 0;
ALTER ROLE scim_authenticator SET auto_explain.log_parameter_max_length = 0;

-- PostgreSQL gives up before nginx does, and nginx before the provider does.
ALTER ROLE scim_authenticator SET statement_timeout = '45s';
ALTER ROLE scim_authenticator SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE scim_authenticator SET default_transaction_isolation = 'read committed';

-- Only of this role does scim_http() believe the headers that nginx sets.
SELECT format('ALTER DATABASE %I SET scim_audit.trusted_authenticators = %L',
	current_database(), concat_ws(', ', nullif(current_setting('scim_audit.trusted_authenticators', true), ''), 'scim_authenticator'))
	WHERE 'scim_authenticator' <> ALL (regexp_split_to_array(coalesce(current_setting('scim_audit.trusted_authenticators', true), ''), '\s*,\s*')) \gexec
