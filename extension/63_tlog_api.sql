-- The log as a tiled transparency log over HTTP (C2SP tlog-tiles): checkpoint,
-- tile/<L>/<N>[.p/<W>] and tile/entries/<N>[.p/<W>], for auditors.

CREATE DOMAIN scim_api."text/plain" AS text;
COMMENT ON DOMAIN scim_api."text/plain" IS 'To PostgREST: text';
CREATE DOMAIN scim_api."application/octet-stream" AS bytea;
COMMENT ON DOMAIN scim_api."application/octet-stream" IS 'To PostgREST: bytes';

-- Nothing else than what is asked for, and how long it is good.  Who asks is
-- authorised, so no cache that others share may keep it.
CREATE FUNCTION scim_api.answer_tlog(present boolean, content_type text, cache text) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT present THEN
		PERFORM set_config('response.status', '404', true);
	END IF;
	PERFORM set_config('response.headers', jsonb_build_array(jsonb_build_object('Content-Type', content_type),
		jsonb_build_object('Cache-Control', CASE WHEN present THEN 'private, ' || cache ELSE 'no-store' END),
		jsonb_build_object('X-Content-Type-Options', 'nosniff'))::text, true);
END
$$;
COMMENT ON FUNCTION scim_api.answer_tlog(boolean, text, text) IS 'Sets status and headers of an answer';

CREATE FUNCTION scim_api.checkpoint() RETURNS scim_api."text/plain"
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	note text := scim_audit.published_checkpoint();
BEGIN
	PERFORM scim_api.answer_tlog(note IS NOT NULL, 'text/plain; charset=utf-8', 'max-age=5');
	RETURN coalesce(note, E'no checkpoint has been signed yet\n');
END
$$;
COMMENT ON FUNCTION scim_api.checkpoint() IS 'Over HTTP: the newest signed checkpoint; 404 when there is none';

CREATE FUNCTION scim_api.tile(path text) RETURNS scim_api."application/octet-stream"
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tile bytea := scim_audit.tile(path);
BEGIN
	PERFORM scim_api.answer_tlog(tile IS NOT NULL, 'application/octet-stream', 'max-age=31536000, immutable');
	RETURN coalesce(tile, '');
END
$$;
COMMENT ON FUNCTION scim_api.tile(text) IS 'Over HTTP: a tile of hashes, or for auditors of all tenants a bundle of entries; 404 when there is none';

REVOKE ALL ON FUNCTION scim_api.answer_tlog(boolean, text, text), scim_api.checkpoint(), scim_api.tile(text) FROM PUBLIC;
