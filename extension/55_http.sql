-- What PostgREST calls for a SCIM request.  A domain named after a media type
-- is how PostgREST is told what a function returns.

CREATE DOMAIN scim_api."*/*" AS bytea;
COMMENT ON DOMAIN scim_api."*/*" IS 'To PostgREST: an answer of whatever media type the function says';

CREATE FUNCTION scim_api.scim_http(bytea) RETURNS scim_api."*/*"
	LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'scim_audit_http';
COMMENT ON FUNCTION scim_api.scim_http(bytea) IS 'Serves a SCIM request that PostgREST was given: the body''s bytes in and out, the rest in request.headers, response.status and response.headers';
REVOKE EXECUTE ON FUNCTION scim_api.scim_http(bytea) FROM PUBLIC;
