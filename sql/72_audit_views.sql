-- The auditor's views: who did what, from where, why.
\set VERBOSITY terse
\pset footer off
SET client_min_messages = warning;
SET application_name = 'regress';

INSERT INTO scim.tenants (tenant) VALUES ('regress-view');
CREATE ROLE regress_view_audit;
SELECT scim.grant_duty('regress_view_audit', 'auditor', 'regress-view');
CREATE SCHEMA regress_view;
CREATE TABLE regress_view.invoice (id integer PRIMARY KEY, customer text, amount numeric, iban text);
SELECT scim_audit.track('regress_view.invoice', tenant_column => 'customer', redact => '{iban}');

-- What happens: a user is hired, promoted, deactivated; joins a group, leaves,
-- joins again, and the group is emptied; an invoice comes and goes.
SET scim_audit.reason = 'hired';
SET scim_audit.ticket = 'HR-1';
INSERT INTO scim.users (tenant, user_name, display_name, active, emails)
	VALUES ('regress-view', 'ann', 'Ann', true, '[{"value": "ann@example.com", "type": "work"}]');
INSERT INTO scim.users (tenant, user_name) VALUES ('regress-view', 'bob');
RESET scim_audit.ticket;
SET scim_audit.reason = 'promoted';
UPDATE scim.users SET title = 'Head', display_name = 'Ann A.' WHERE user_name = 'ann' AND tenant = 'regress-view';
RESET scim_audit.reason;
UPDATE scim.users SET active = false WHERE user_name = 'ann' AND tenant = 'regress-view';
INSERT INTO scim.groups (tenant, display_name) VALUES ('regress-view', 'staff');
SET scim_audit.reason = 'joins';
INSERT INTO scim.group_members (tenant, group_id, member_type, member_id)
	SELECT tenant, g.id, 'User', u.id FROM scim.groups g JOIN scim.users u USING (tenant) WHERE tenant = 'regress-view' AND user_name = 'ann';
SET scim_audit.reason = 'leaves';
DELETE FROM scim.group_members WHERE tenant = 'regress-view';
SET scim_audit.reason = 'joins again';
INSERT INTO scim.group_members (tenant, group_id, member_type, member_id)
	SELECT tenant, g.id, 'User', u.id FROM scim.groups g JOIN scim.users u USING (tenant) WHERE tenant = 'regress-view' ORDER BY u.user_name;
SET scim_audit.reason = 'bob goes';
DELETE FROM scim.users WHERE user_name = 'bob' AND tenant = 'regress-view';
RESET scim_audit.reason;
INSERT INTO regress_view.invoice VALUES (1, 'regress-view', 9.50, 'DE00');
UPDATE regress_view.invoice SET amount = 10, iban = 'DE01' WHERE id = 1;
DELETE FROM regress_view.invoice WHERE id = 1;
TRUNCATE regress_view.invoice;
-- Calls as the service records them.
SELECT scim_audit.log_event('request', 'patch', 'user.update', 'regress-view', 'User', '1',
	'{"resource_name":"Ann","endpoint":"/Users/1","user_agent":"curl","request":{"Operations":[]},"response":{"id":"1","version":"W/\"2\""},"tolerances":["op"]}');
SELECT scim_audit.log_event('request', 'create', 'user.create', 'regress-view', 'User', NULL,
	'{"endpoint":"/Users","query":"attributes=id","request_base64":"ew==","idp_ref":"x-1","response":{"status":"400","detail":"The body is not JSON."}}');
SET scim_audit.tenant = 'regress-view';
SELECT status FROM scim.scim_apply('POST', '/Users?attributes=id', '{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ANN"}', '{"User-Agent": "regress"}');
RESET scim_audit.tenant;

SET ROLE regress_view_audit;
\echo -- the log, newest first
SELECT event_type, resource_type, resource_id IS NOT NULL AS has_id, changed, outcome, origin, erased FROM scim_audit.log;
SELECT event_id = tx_id || ':' || n AS named, who = current_setting('session_authorization') AS who, session_role = who AS session_role,
	octet_length(leaf_hash) AS leaf, octet_length(prev_hash) AS prev FROM scim_audit.log WHERE event_type = 'user.deactivate';

\echo -- changes, one row per attribute
SELECT event_type, resource_type, resource_name, attribute, CASE WHEN old::text ~ '-7...-' THEN '"a uuid"' ELSE old END AS old,
	CASE WHEN new::text ~ '-7...-' THEN '"a uuid"' ELSE new END AS new, reason, ticket, application_name
	FROM scim_audit.changes WHERE attribute IS NULL OR attribute NOT IN ('created', 'tenant', 'id', 'granted_at', 'granted_by', 'role_oid') ORDER BY tx_id DESC, n DESC, attribute;

\echo -- requests
SELECT method, status, scim_type, endpoint, query, outcome, error, resource_name, user_agent, application_name, idp_ref, request, request_base64, response, tolerances FROM scim_audit.requests;

\echo -- memberships
SELECT group_name, member_type, member_name, added_why, added_at IS NOT NULL AS added, removed_why, removed_at IS NOT NULL AS removed,
	removed_at > added_at AS after, added_by = removed_by AS same FROM scim_audit.memberships ORDER BY tx_id DESC, n DESC;
RESET ROLE;
BEGIN;
INSERT INTO scim.tenants (tenant) VALUES ('regress-view-2');
INSERT INTO scim.groups (tenant, display_name) VALUES ('regress-view-2', 'outer'), ('regress-view-2', 'inner');
INSERT INTO scim.group_members (tenant, group_id, member_type, member_id)
	SELECT o.tenant, o.id, 'Group', i.id FROM scim.groups o, scim.groups i WHERE o.display_name = 'outer' AND i.display_name = 'inner';
TRUNCATE scim.group_members;
-- Each tenant's auditor learns of it.
SELECT tenant FROM scim_audit.events WHERE event_type = 'group.member.truncate' AND tx_id = (SELECT max(tx_id::text) FROM scim_audit.events)::uuid ORDER BY n;
SET ROLE regress_view_audit;
SELECT group_name, member_name, removed_at IS NOT NULL AS removed FROM scim_audit.memberships ORDER BY tx_id DESC, n DESC;
ROLLBACK;

\echo -- the head of a chain
SELECT bool_and(c.seals = c.last_seq) AS whole, bool_and(s.hash = c.last_hash AND s.tx_id = c.last_tx_id AND s.at = c.last_at) AS head
	FROM scim_audit.chain_status c JOIN scim_audit.seals s ON s.chain = c.chain AND s.seq = c.last_seq;

\echo -- every view is read with the rights of its reader and says what its columns mean
SELECT c.relname, c.reloptions, count(*) FILTER (WHERE col_description(c.oid, a.attnum) IS NULL) AS no_comment
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
	WHERE c.relnamespace = 'scim_audit'::regnamespace AND c.relkind = 'v' GROUP BY 1, 2 ORDER BY 1;

\echo -- a page is read through the key, newest partition first, and sorts no events
CREATE FUNCTION pg_temp.plan(query text) RETURNS TABLE (key_scans boolean, other_scans boolean, ordered boolean) LANGUAGE plpgsql AS $$
DECLARE
	plan text := '';
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	RETURN QUERY SELECT plan ~ 'Index Scan Backward using events_\d+_\d+_pkey' AND plan ~ 'Index Cond: \(ROW\(tx_id, n\) < ROW',
		plan ~ '(Seq|Bitmap Heap) Scan on events', plan !~ 'Sort Key: e\.tx_id DESC, e\.n DESC\n' OR plan ~ 'Presorted Key: e\.tx_id, e\.n';
END $$;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT view, p.* FROM (VALUES ('log'), ('requests'), ('changes')) v (view), LATERAL pg_temp.plan(format(
	'SELECT * FROM scim_audit.%s WHERE (tx_id, n) < (''ffffffff-ffff-ffff-ffff-ffffffffffff'', 0) ORDER BY tx_id DESC, n DESC LIMIT 100', view)) p;
SET ROLE regress_view_audit;
SELECT view, p.* FROM (VALUES ('log'), ('requests'), ('changes')) v (view), LATERAL pg_temp.plan(format(
	'SELECT * FROM scim_audit.%s WHERE (tx_id, n) < (''ffffffff-ffff-ffff-ffff-ffffffffffff'', 0) ORDER BY tx_id DESC, n DESC LIMIT 100', view)) p;
RESET ROLE;
RESET enable_seqscan;
RESET enable_bitmapscan;
\echo -- pages put together are the whole
WITH RECURSIVE page AS (
	SELECT ARRAY(SELECT ROW(tx_id, n)::text FROM scim_audit.log ORDER BY tx_id DESC, n DESC LIMIT 7) AS rows, 0 AS number
	UNION ALL
	SELECT ARRAY(SELECT ROW(l.tx_id, l.n)::text FROM scim_audit.log l
		WHERE (l.tx_id, l.n) < (substr(p.rows[cardinality(p.rows)], 2, 36)::uuid, rtrim(substr(p.rows[cardinality(p.rows)], 39), ')')::integer)
		ORDER BY l.tx_id DESC, l.n DESC LIMIT 7), p.number + 1
	FROM page p WHERE cardinality(p.rows) = 7)
SELECT (SELECT array_agg(r ORDER BY number, place) FROM page, unnest(rows) WITH ORDINALITY u (r, place))
	= (SELECT array_agg(ROW(tx_id, n)::text ORDER BY tx_id DESC, n DESC) FROM scim_audit.events) AS same;

SELECT scim.revoke_duty('regress_view_audit', 'auditor', 'regress-view');
DROP SCHEMA regress_view CASCADE;
DELETE FROM scim.group_members WHERE tenant = 'regress-view';
DELETE FROM scim.groups WHERE tenant = 'regress-view';
DELETE FROM scim.users WHERE tenant = 'regress-view';
DROP ROLE regress_view_audit;
DELETE FROM scim.tenants WHERE tenant = 'regress-view';
