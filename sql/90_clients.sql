-- Clients of identity providers and their tokens: who may make them, what is
-- kept, rotation, revocation, and what the log has of it.
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT scim.create_tenant('regress-90a'), scim.create_tenant('regress-90b');
CREATE ROLE regress_90_serve;
CREATE ROLE regress_90_all;
CREATE ROLE regress_90_super SUPERUSER;
CREATE ROLE regress_90_bypass BYPASSRLS;
CREATE ROLE regress_90_idle;
CREATE ROLE regress_90_admin;
CREATE ROLE regress_90_auditor;
CREATE ROLE regress_90_outsider;
CREATE ROLE regress_90_owner;
GRANT CURRENT_USER TO regress_90_owner;
SELECT scim.grant_duty('regress_90_serve', 'provisioning_admin', 'regress-90a');
SELECT scim.grant_duty('regress_90_all', 'provisioning_admin');
SELECT scim.grant_duty('regress_90_super', 'provisioning_admin', 'regress-90a'), scim.grant_duty('regress_90_bypass', 'provisioning_admin', 'regress-90a');
SELECT scim.grant_duty('regress_90_admin', 'provisioning_admin', 'regress-90a');
SELECT scim.grant_duty('regress_90_auditor', 'auditor', 'regress-90a');
SELECT scim.grant_duty('regress_90_outsider', 'provisioning_admin', 'regress-90b');
GRANT regress_90_serve TO regress_90_admin;

-- a token is 256 bits of base64url; its digest is what is kept
SELECT scim.create_client('regress-90a', 'okta', 'regress_90_serve', profile => 'okta') AS token \gset
SELECT :'token' ~ '^scim_[A-Za-z0-9_-]{43}$';
SELECT digest = sha256(convert_to(:'token', 'UTF8')), last_four = right(:'token', 4) FROM scim.client_tokens WHERE tenant = 'regress-90a';
SELECT count(DISTINCT (t).token), count(DISTINCT (t).digest), bool_and((t).token LIKE '%' || (t).last_four) FROM (SELECT scim.draw_token() AS t FROM generate_series(1, 1000) OFFSET 0) x;
SELECT client, role, profile, enabled, last_four = right(:'token', 4), state, expires_at, last_used FROM scim.list_clients('regress-90a');

-- what cannot be made
SELECT scim.create_client('regress-90a', 'okta', 'regress_90_serve');
SELECT scim.create_client('regress-90a', 'x y', 'regress_90_serve');
SELECT scim.create_client('regress-90a', '', 'regress_90_serve');
SELECT scim.create_client('regress-90a', NULL, 'regress_90_serve');
SELECT scim.create_client('regress-90', 'x', 'regress_90_serve');
SELECT scim.create_client(NULL, 'x', 'regress_90_serve');
SELECT scim.create_client('regress-90a', 'x', 'regress_90_serve', now() - interval '1 s');
SELECT scim.create_client('regress-90a', 'x', 'regress_90_serve', profile => 'azure');
SELECT scim.create_client('regress-90a', 'x', 'regress_90_serve', profile => NULL);
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT scim.create_client('regress-90a', 'x', NULL);
SELECT scim.create_client('regress-90a', 'x', 'regress_90_super');
SELECT scim.create_client('regress-90a', 'x', 'regress_90_bypass');
SELECT scim.create_client('regress-90a', 'x', 'regress_90_idle');
SELECT scim.create_client('regress-90b', 'x', 'regress_90_serve');
SELECT scim.create_client('regress-90a', 'x', 'regress_90_owner');

\set VERBOSITY terse

-- by a provisioning administrator: its own tenant, a role it is a member of
SET ROLE regress_90_admin;
SELECT length(scim.create_client('regress-90a', 'entra', 'regress_90_serve', 'infinity'));
SELECT scim.create_client('regress-90a', 'x', 'regress_90_all');
SELECT scim.create_client('regress-90b', 'x', 'regress_90_serve');
SELECT client, issued_by = session_user AS by_owner, issued_by = current_user AS by_admin FROM scim.list_clients('regress-90a') ORDER BY 1;
SELECT count(*) FROM scim.list_clients('regress-90b');
SELECT digest FROM scim.client_tokens;
SELECT last_four IS NOT NULL FROM scim.client_tokens;
UPDATE scim.clients SET enabled = false;
SELECT scim.draw_token();
SET ROLE regress_90_auditor;
SELECT client FROM scim.list_clients('regress-90a') ORDER BY 1;
SELECT scim.revoke_token('regress-90a', 'okta', 'abcd');
SELECT count(digest) FROM scim.client_tokens;
SET ROLE regress_90_outsider;
SELECT count(*) FROM scim.list_clients('regress-90a');
SELECT scim.revoke_token('regress-90a', 'okta', right(:'token', 4));
SELECT scim.rotate_token('regress-90a', 'okta');
SELECT scim.drop_client('regress-90a', 'okta');
SET ROLE regress_90_idle;
SELECT scim.list_clients('regress-90a');
RESET ROLE;

-- rotation: two live tokens, never three; the old one until a time, or until it is revoked
SELECT scim.rotate_token('regress-90a', 'okta', now() + interval '1 year', now() + interval '1 day') AS second \gset
SELECT state, expires_at - created > interval '364 days' AS new, expires_at < now() + interval '2 days' AS old FROM scim.list_clients('regress-90a') WHERE client = 'okta';
SELECT scim.rotate_token('regress-90a', 'okta');
SELECT scim.revoke_token('regress-90a', 'okta', :'token');
SELECT scim.revoke_token('regress-90a', 'okta', right(:'token', 4));
SELECT scim.revoke_token('regress-90a', 'okta', NULL);
SELECT scim.revoke_token('regress-90a', 'nobody', 'abcd');
SELECT length(scim.rotate_token('regress-90a', 'okta'));
SELECT state, count(*) FROM scim.list_clients('regress-90a') WHERE client = 'okta' GROUP BY 1 ORDER BY 1;

-- the rest of a client's life
SELECT scim.disable_client('regress-90a', 'okta');
SELECT DISTINCT enabled FROM scim.list_clients('regress-90a') WHERE client = 'okta';
SELECT scim.enable_client('regress-90a', 'okta');
SELECT scim.alter_client('regress-90a', 'okta', profile => 'rfc');
SELECT scim.alter_client('regress-90a', 'okta', 'regress_90_all');
SELECT DISTINCT role, profile, enabled FROM scim.list_clients('regress-90a') WHERE client = 'okta';
SELECT scim.alter_client('regress-90a', 'okta', 'regress_90_super');
SELECT scim.alter_client('regress-90a', 'okta', profile => 'azure');
SELECT scim.drop_client('regress-90a', 'okta');
SELECT scim.drop_client('regress-90a', 'okta');
SELECT count(*) FROM scim.client_tokens WHERE tenant = 'regress-90a' AND client = 'okta';

-- the log: every step, no token, no digest; direct SQL is in it too
SELECT category, action, event_type, outcome, resource_type, resource_id, actor = session_role AS by_owner, (detail::jsonb ? 'last_four') FROM scim_audit.events
	WHERE tenant = 'regress-90a' AND category = 'security' AND resource_id IN ('okta', 'entra') ORDER BY tx_id, n;
SELECT count(*) FROM scim_audit.events e, LATERAL (SELECT e.detail::text || coalesce(e.resource_id, '') AS text) x
	WHERE tenant = 'regress-90a' AND (x.text LIKE '%' || :'token' || '%' OR x.text LIKE '%' || :'second' || '%'
		OR x.text LIKE '%' || right(:'token', 40) || '%' OR x.text LIKE '%' || encode(sha256(convert_to(:'token', 'UTF8')), 'hex') || '%');
UPDATE scim.clients SET enabled = false WHERE tenant = 'regress-90a' AND client = 'entra';
SELECT event_type, resource_type, resource_id, changed FROM scim_audit.events WHERE tenant = 'regress-90a' ORDER BY tx_id DESC, n DESC LIMIT 1;

-- no tenant, no clients
DELETE FROM scim.tenants WHERE tenant = 'regress-90a';
SELECT (SELECT count(*) FROM scim.clients WHERE tenant LIKE 'regress%') + (SELECT count(*) FROM scim.client_tokens WHERE tenant LIKE 'regress%')
	+ (SELECT count(*) FROM scim.client_uses WHERE tenant LIKE 'regress%');
SELECT scim.revoke_duty('regress_90_serve', 'provisioning_admin', 'regress-90a'), scim.revoke_duty('regress_90_all', 'provisioning_admin'),
	scim.revoke_duty('regress_90_super', 'provisioning_admin', 'regress-90a'), scim.revoke_duty('regress_90_bypass', 'provisioning_admin', 'regress-90a'),
	scim.revoke_duty('regress_90_admin', 'provisioning_admin', 'regress-90a'), scim.revoke_duty('regress_90_auditor', 'auditor', 'regress-90a'),
	scim.revoke_duty('regress_90_outsider', 'provisioning_admin', 'regress-90b');
DROP ROLE regress_90_serve, regress_90_all, regress_90_super, regress_90_bypass, regress_90_idle, regress_90_admin, regress_90_auditor, regress_90_outsider, regress_90_owner;
DELETE FROM scim.tenants WHERE tenant = 'regress-90b';
