-- scim_audit: loaded by CREATE EXTENSION, never by hand.
\echo Use "CREATE EXTENSION scim_audit CASCADE" to load this file. \quit

-- Whoever installs has a search_path, and whoever may create objects in one of
-- its schemas could put operators there that fit better than those of
-- pg_catalog (json -> json for detail -> 'old'): views, policies and defaults
-- would call them for ever.
SET LOCAL search_path = pg_catalog, pg_temp;

DO $$
BEGIN
	IF pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.<>) 'UTF8' THEN
		RAISE EXCEPTION 'scim_audit needs a database with encoding UTF8'
			USING ERRCODE = 'feature_not_supported',
			HINT = 'SCIM documents are UTF-8, and the audit log hashes their bytes.';
	END IF;
END
$$;
