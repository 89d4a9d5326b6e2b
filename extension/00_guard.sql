-- scim_audit: loaded by CREATE EXTENSION, never by hand.
\echo Use "CREATE EXTENSION scim_audit CASCADE" to load this file. \quit

DO $$
BEGIN
	IF pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.<>) 'UTF8' THEN
		RAISE EXCEPTION 'scim_audit needs a database with encoding UTF8'
			USING ERRCODE = 'feature_not_supported',
			HINT = 'SCIM documents are UTF-8, and the audit log hashes their bytes.';
	END IF;
END
$$;
