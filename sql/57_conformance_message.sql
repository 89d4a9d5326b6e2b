-- What RFC 7644 sections 3.1, 3.8, 3.13 and 4 ask of a service provider: messages and discovery
-- The ids are those of docs/conformance.md.
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-57d', 'https://scim.example/v2');
CREATE ROLE regress_57d;
SELECT scim.grant_duty('regress_57d', 'provisioning_admin', 'regress-57d');
-- A request: status, what the paths find in the body, scimType, detail; ids masked.
CREATE FUNCTION pg_temp.ask(method text, uri text, body text DEFAULT NULL, headers jsonb DEFAULT '{}', paths text[] DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(concat_ws(' | ', a.status, (SELECT string_agg(coalesce((a.body #> string_to_array(p, '/'))::text, 'absent'), ' | ' ORDER BY n) FROM unnest(paths) WITH ORDINALITY AS e(p, n)),
		a.body ->> 'scimType', a.body ->> 'detail'), '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<id>', 'g') FROM scim.scim_apply(method, uri, body, headers) a $$;
CREATE FUNCTION pg_temp.user(more text) RETURNS text LANGUAGE sql AS $$ SELECT '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], ' || more || '}' $$;
CREATE FUNCTION pg_temp.operations(text) RETURNS text LANGUAGE sql AS $$ SELECT '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": ' || $1 || '}' $$;
-- 7644-1.3-01: a base URI has neither query nor fragment
SELECT scim.alter_tenant('regress-57d', jsonb_build_object('base_url', u)) FROM unnest(ARRAY['https://scim.example/v2?x=1']) u;
SELECT scim.alter_tenant('regress-57d', '{"base_url": "https://scim.example/v2#x"}');
SET ROLE regress_57d;

-- 7644-3.1-01: messages name themselves under urn:ietf:params:scim:api:, 7644-3.1-02: and are no schemas to be discovered
SELECT u, body -> 'schemas' FROM unnest(ARRAY['/Users', '/Schemas', '/Nothing']) u, scim.scim_apply('GET', u);
SELECT pg_temp.ask('GET', '/Schemas/urn:ietf:params:scim:api:messages:2.0:' || m) FROM unnest(ARRAY['ListResponse', 'PatchOp', 'Error', 'SearchRequest', 'BulkRequest']) m;
-- 7644-3.1-03: what is answered is the resource as the service has it
SELECT body - 'id' - 'meta' FROM scim.scim_apply('POST', '/Users', pg_temp.user('"userName": "state", "emails": [{"value": "s@x", "type": "WORK", "nosuch": 1}], "nosuch": 2, "title": null'));
-- 7644-3.2-01: the methods of each endpoint
SELECT u, string_agg(m || ' ' || status, ', ' ORDER BY n), string_agg(DISTINCT headers ->> 'Allow', ' or ') FROM unnest(ARRAY['/', '/Users', '/Users/00000000-0000-7000-8000-000000000000', '/Groups', '/.search', '/Users/.search', '/ServiceProviderConfig', '/Schemas', '/ResourceTypes', '/ResourceTypes/User']) u, unnest(ARRAY['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']) WITH ORDINALITY AS e(m, n), scim.scim_apply(m, u, CASE WHEN m LIKE 'P%' THEN '{}' END) GROUP BY u ORDER BY u COLLATE "C";

-- 7644-3.8-01: UTF-8, in and out; 7644-3.8-02: another encoding is refused
SELECT pg_temp.ask('POST', '/Users', pg_temp.user(U&'"userName": "\0436\0443\043A", "displayName": "\65E5\672C\8A9E \+01F41E", "nickName": "\\u00e9\\ud83d\\udc1e"'), '{"Content-Type": "application/scim+json; charset=UTF-8"}', '{userName,displayName,nickName}');
SELECT pg_temp.ask('GET', '/Users?filter=userName%20eq%20%22%D0%96%D0%A3%D0%9A%22', paths => '{totalResults}'), pg_temp.ask('GET', '/Users?filter=userName%20eq%20%22%FF%22'), pg_temp.ask('POST', '/Users', pg_temp.user('"userName": "\ud83d"'));
SELECT t, pg_temp.ask('POST', '/Users', pg_temp.user(format('"userName": "t%s"', n)), jsonb_build_object('Content-Type', t)) FROM unnest(ARRAY['application/scim+json', 'application/json', 'APPLICATION/SCIM+JSON', 'application/json ; charset="utf-8"', 'application/json;charset=us-ascii', 'application/scim+json; version=2', '', 'application/json; charset=iso-8859-1', 'application/scim+json; x=1; Charset=UTF-16', 'application/xml', 'application/json5', 'text/plain', 'application/x-www-form-urlencoded', 'application/scim+jsonx']) WITH ORDINALITY AS e(t, n);
-- 7644-3.8-03: Accept
SELECT a, headers ->> 'Content-Type' FROM unnest(ARRAY['application/scim+json', 'application/json', 'application/json, */*;q=0.1', 'application/json;q=0.9, application/scim+json', 'Application/JSON; charset=utf-8', '*/*', 'text/html', '']) a, scim.scim_apply('GET', '/Users', headers => jsonb_build_object('Accept', a));
SELECT u, status, headers ->> 'Content-Type' FROM unnest(ARRAY['/Nothing', '/ServiceProviderConfig', '/Users']) u, scim.scim_apply('GET', u, headers => '{"accept": "application/json"}');

-- 7644-3.13-01: the version before the endpoint: v2, or refused
SELECT u, pg_temp.ask('GET', u, paths => '{totalResults}') FROM unnest(ARRAY['/v2/Users', '/V2/Users?count=0', '/v2/', '/v2', '/v1/Users', '/v3/Users', '/v22/Users', '/v2Users', '/v2/v2/Users', '/v/Users', '/vx/Users']) u;
SELECT status, body #>> '{meta,location}' ~ '^https://scim.example/v2/Users/' FROM scim.scim_apply('POST', '/v2/Users', pg_temp.user('"userName": "versioned"'));

-- 7644-4-01: ServiceProviderConfig by its schema; 7644-4-02: /Schemas and /ResourceTypes are lists, 7644-4-03: and each of their resources has its own URI
SELECT body -> 'schemas' FROM scim.scim_apply('GET', '/ServiceProviderConfig');
SELECT u, body -> 'schemas', body -> 'totalResults', jsonb_array_length(body -> 'Resources'), (SELECT bool_and((SELECT a.body = r FROM scim.scim_apply('GET', replace(r #>> '{meta,location}', 'https://scim.example/v2', '')) a)) FROM jsonb_array_elements(body -> 'Resources') r) FROM unnest(ARRAY['/Schemas', '/ResourceTypes']) u, scim.scim_apply('GET', u);
-- 7644-4-04: sorting and pagination are ignored there; 7644-4-05: a filter is refused with 403
SELECT u, q, pg_temp.ask('GET', u || q, paths => '{totalResults}') FROM unnest(ARRAY['/Schemas', '/ResourceTypes', '/ServiceProviderConfig', '/Schemas/urn:ietf:params:scim:schemas:core:2.0:User']) u, unnest(ARRAY['?count=1&startIndex=2&sortBy=name', '?attributes=id', '?filter=id%20pr', '?filter=']) q;
-- 7644-4-06: what is announced is so
SELECT body #> '{patch,supported}', body #> '{filter,supported}', body #> '{sort,supported}', body #> '{etag,supported}', body #>> '{filter,maxResults}' = current_setting('scim_audit.max_results'), body #>> '{pagination,defaultPageSize}' = current_setting('scim_audit.default_page_size') FROM scim.scim_apply('GET', '/ServiceProviderConfig');

RESET ROLE;
SELECT scim.drop_tenant('regress-57d', 'regress-57d');
DROP ROLE regress_57d;
