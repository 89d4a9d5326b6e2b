-- The log as PostgREST shows it: views for auditors, pages by key, NDJSON and
-- CSV that no spreadsheet takes for formulas, exports that leave an event.
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT scim.create_tenant('regress-93a'), scim.create_tenant('regress-93b');
CREATE ROLE regress_93_auditor;
CREATE ROLE regress_93_prov;
CREATE ROLE regress_93_web;
SELECT scim.grant_duty('regress_93_auditor', 'auditor', 'regress-93a'), scim.grant_duty('regress_93_prov', 'provisioning_admin', 'regress-93a');
GRANT USAGE ON SCHEMA scim_api TO regress_93_web;
SET scim_audit.tenant = 'regress-93a';
SELECT status FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"@SUM(1)","displayName":"=HYPERLINK(\"http://evil\")","title":"two\r\nlines, \"quoted\"","nickName":"-2+3","locale":"en"}'::text);
SELECT status FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"b"}'::text);
SELECT status FROM scim.scim_apply('POST', '/Users', '{}'::text);
SET scim_audit.tenant = 'regress-93b';
SELECT status FROM scim.scim_apply('POST', '/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"foreign"}'::text);
RESET scim_audit.tenant;

SET ROLE regress_93_auditor;
SELECT DISTINCT tenant FROM scim_api.log;
SELECT (SELECT count(*) FROM scim_api.log) = (SELECT count(*) FROM scim_audit.log), (SELECT count(*) FROM scim_api.requests), (SELECT count(*) FROM scim_api.memberships),
	(SELECT count(*) FROM scim_api.changes) = (SELECT count(*) FROM scim_audit.changes), (SELECT count(*) > 0 FROM scim_api.chain_status);

\echo -- pages follow one another without gap or overlap
WITH RECURSIVE page AS (
	SELECT 1 AS i, ARRAY(SELECT event_id FROM scim_api.log_page() LIMIT 2) AS ids
	UNION ALL
	SELECT i + 1, ARRAY(SELECT event_id FROM scim_api.log_page(ids[cardinality(ids)]) LIMIT 2) FROM page WHERE cardinality(ids) = 2)
SELECT array_agg(id ORDER BY i, o) = ARRAY(SELECT event_id FROM scim_api.log) FROM page, unnest(ids) WITH ORDINALITY u (id, o);
SELECT status FROM scim_api.requests_page() LIMIT 2;
SELECT status FROM scim_api.requests_page((SELECT event_id FROM scim_api.requests LIMIT 1)) LIMIT 5;
SELECT resource_name, string_agg(attribute, ',' ORDER BY attribute) FROM scim_api.changes_page(events => 1) GROUP BY 1;
SELECT resource_name, count(*) FROM scim_api.changes_page((SELECT max(event_id) FROM scim_api.changes_page(events => 1)), 1) GROUP BY 1;
SELECT count(*) FROM scim_api.log_page('00000000-0000-0000-0000-000000000000:0');
SELECT count(*) FROM scim_api.log_page('nonsense');

\echo -- CSV without formulas
SELECT v, scim_api.csv_cell(v) FROM unnest(ARRAY['plain', '=1', '+1', '-1', '@x', E'\tx', E'\rx', 'a=b', 'a,b', 'say "x"', '', NULL]) WITH ORDINALITY u (v, o) WHERE v !~ E'[\t\r]' OR v IS NULL ORDER BY o;
SELECT to_json(scim_api.csv_cell(v)) FROM unnest(ARRAY[E'\tx', E'\rx', E'\nx', E'a\r\nb']) WITH ORDINALITY u (v, o) ORDER BY o;
SELECT replace(scim_api.to_csv(v), E'\r', '<CR>') FROM (SELECT attribute, new FROM scim_api.changes WHERE resource_name LIKE '=HYP%' AND attribute NOT IN ('id', 'created') ORDER BY 1) v;
SELECT scim_api.to_ndjson(v) FROM (SELECT attribute, new FROM scim_api.changes WHERE resource_name LIKE '=HYP%' AND attribute NOT IN ('id', 'created') ORDER BY 1) v;
SELECT coalesce(scim_api.to_csv(v), 'null') || '|' || scim_api.to_ndjson(v) FROM scim_api.log v WHERE false;

\echo -- exports record themselves
BEGIN;
SELECT regexp_count(scim_api.export_csv('changes', events => 2), E'\r\n,?') > 0 AS rows, split_part(scim_api.export_csv('requests', events => 1), ',', 5) AS fifth;
SELECT h.key, regexp_replace(h.value, '^[0-9a-f-]{36}:\d+$', '<event>') FROM jsonb_array_elements(current_setting('response.headers')::jsonb) e, jsonb_each_text(e) h ORDER BY 1;
COMMIT;
SELECT l::json ->> 'status', l::json ->> 'tenant' FROM regexp_split_to_table(rtrim(scim_api.export_ndjson('requests'), E'\n'), E'\n') l ORDER BY 1;
SELECT scim_api.export_csv('memberships') = '', scim_api.export_ndjson('memberships') = '';
SELECT scim_api.export_csv('users');
SELECT scim_api.export_csv('log', events => 0);
SELECT scim_api.export_csv(NULL);
SELECT tenant, category, action, actor, detail ->> 'resource', detail ->> 'format', detail ->> 'rows' FROM scim_audit.events WHERE event_type = 'log.export' ORDER BY tx_id, n;

\echo -- for auditors only
SET ROLE regress_93_prov;
SELECT * FROM scim_api.log;
SET ROLE regress_93_web;
SELECT * FROM scim_api.log;
SELECT scim_api.export_csv();
SELECT scim_audit.log_export('log', 'csv', NULL, 1);
SELECT scim_api.scim_http(NULL);
RESET ROLE;
GRANT USAGE ON SCHEMA scim_audit TO regress_93_web;
GRANT EXECUTE ON FUNCTION scim_audit.log_export(text, text, text, bigint) TO regress_93_web;
SET ROLE regress_93_web;
SELECT scim_audit.log_export('log', 'csv', NULL, 1);
RESET ROLE;
DELETE FROM scim.users WHERE tenant LIKE 'regress-93%';
SELECT scim.revoke_duty('regress_93_auditor', 'auditor', 'regress-93a'), scim.revoke_duty('regress_93_prov', 'provisioning_admin', 'regress-93a');
DELETE FROM scim.tenants WHERE tenant LIKE 'regress-93%';
REVOKE ALL ON SCHEMA scim_api, scim_audit FROM regress_93_web;
REVOKE ALL ON FUNCTION scim_audit.log_export(text, text, text, bigint) FROM regress_93_web;
DROP ROLE regress_93_auditor, regress_93_prov, regress_93_web;
