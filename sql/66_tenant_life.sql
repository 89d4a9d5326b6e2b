-- A tenant that is disabled, enabled and dropped; users who come back.
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-66', NULL, '{"reactivate": true}'), scim.create_tenant('regress-66b');
CREATE ROLE regress_66;
CREATE ROLE regress_66_auditor;
CREATE ROLE regress_66_gone;
SELECT scim.grant_duty('regress_66', 'provisioning_admin', 'regress-66'), scim.grant_duty('regress_66', 'provisioning_admin', 'regress-66b'),
	scim.grant_duty('regress_66_auditor', 'auditor', 'regress-66'), scim.grant_duty('regress_66_gone', 'reader', 'regress-66');
CREATE FUNCTION pg_temp.call(method text, uri text, body text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', status, body ->> 'userName', body ->> 'active', body ->> 'title', body ->> 'scimType', body ->> 'detail') FROM scim.scim_apply($1, $2, $3) $$;
CREATE FUNCTION pg_temp.user(name text, more text DEFAULT '') RETURNS text LANGUAGE sql AS $$
	SELECT format('{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": %s%s}', to_json($1), $2) $$;

-- a settings value that is none
SELECT scim.alter_tenant('regress-66', '{"reactivate": "perhaps"}');
SELECT scim.alter_tenant('regress-66', '{"reactive": true}');

-- an inactive user comes back with its id, its groups and a history; nothing of it that the request does not say
SET ROLE regress_66;
SET scim_audit.tenant = 'regress-66';
SELECT body ->> 'id' AS ada FROM scim.scim_apply('POST', '/Users', pg_temp.user('Ada@x', ', "title": "Engineer"')) \gset
SELECT status FROM scim.scim_apply('POST', '/Groups', format('{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "crew", "members": [{"value": "%s"}]}', :'ada'));
SELECT pg_temp.call('POST', '/Users', pg_temp.user('ada@X'));
SELECT pg_temp.call('PATCH', '/Users/' || :'ada', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "active", "value": false}]}');
SELECT status, headers ->> 'Location' = '/Users/' || :'ada', body ->> 'id' = :'ada', body ->> 'userName', body ->> 'active', body ->> 'title', headers ->> 'ETag', jsonb_array_length(body -> 'groups')
	FROM scim.scim_apply('POST', '/Users', pg_temp.user('ADA@x', ', "active": true'));
SELECT pg_temp.call('POST', '/Users', pg_temp.user('ada@x'));
-- a quote in a name is no filter
SELECT pg_temp.call('POST', '/Users', pg_temp.user('x" or userName pr or userName eq "y', ', "active": false'));
SELECT pg_temp.call('POST', '/Users', pg_temp.user('x" or userName pr or userName eq "y'));
-- another tenant answers as the RFC has it
SET scim_audit.tenant = 'regress-66b';
SELECT pg_temp.call('POST', '/Users', pg_temp.user('bo', ', "active": false'));
SELECT pg_temp.call('POST', '/Users', pg_temp.user('bo'));
RESET ROLE;
SELECT event_type, array_to_string(changed, ',') FROM scim_audit.events WHERE resource_id = :'ada' AND category = 'change' ORDER BY tx_id, n;

-- disabled: every call is refused and in the log, direct SQL is not concerned
SELECT scim.disable_tenant('no-such-tenant');
SELECT scim.disable_tenant(NULL);
SELECT scim.disable_tenant('regress-66');
SET ROLE regress_66;
SET scim_audit.tenant = 'regress-66';
SELECT pg_temp.call('GET', '/Users'), pg_temp.call('GET', '/ServiceProviderConfig'), pg_temp.call('POST', '/Users', pg_temp.user('x'));
SELECT scim.enable_tenant('regress-66');
SET scim_audit.tenant = 'regress-66b';
SELECT pg_temp.call('POST', '/Users', pg_temp.user('other tenants work'));
RESET ROLE;
SELECT count(*) FROM scim.users WHERE tenant = 'regress-66';
SELECT tenant, action, outcome, status FROM scim_audit.events WHERE tenant = 'regress-66' AND outcome = 'denied' ORDER BY tx_id, n;
SELECT scim.alter_tenant('regress-66', '{"password": "hash"}');
SET ROLE regress_66;
SET scim_audit.tenant = 'regress-66';
SELECT pg_temp.call('GET', '/Users/' || :'ada');
RESET ROLE;
SELECT scim.enable_tenant('regress-66');
SET ROLE regress_66;
SELECT pg_temp.call('GET', '/Users/' || :'ada');

-- dropped: all of it but the log
SELECT scim.drop_tenant('regress-66', 'regress-66');
RESET ROLE;
SELECT scim.create_client('regress-66', 'okta', 'regress_66') IS NOT NULL;
SELECT scim.drop_tenant('default', 'default');
SELECT scim.drop_tenant('no-such-tenant', 'no-such-tenant');
SELECT scim.drop_tenant('regress-66', NULL);
SELECT scim.drop_tenant('regress-66', 'regress-66b');
DROP OWNED BY regress_66_gone;
DROP ROLE regress_66_gone;
SELECT scim.drop_tenant('regress-66', 'regress-66');
SELECT (SELECT count(*) FROM scim.tenants WHERE tenant = 'regress-66') + (SELECT count(*) FROM scim.tenant_settings WHERE tenant = 'regress-66')
	+ (SELECT count(*) FROM scim.users WHERE tenant = 'regress-66') + (SELECT count(*) FROM scim.groups WHERE tenant = 'regress-66')
	+ (SELECT count(*) FROM scim.group_members WHERE tenant = 'regress-66') + (SELECT count(*) FROM scim.clients WHERE tenant = 'regress-66')
	+ (SELECT count(*) FROM scim.client_tokens WHERE tenant = 'regress-66') + (SELECT count(*) FROM scim.duties WHERE tenant = 'regress-66') AS left_of_it;
SELECT count(*) FROM scim.users WHERE tenant = 'regress-66b';
SELECT category, action, event_type, count(*) FROM scim_audit.events WHERE tenant = 'regress-66' AND action IN ('delete', 'drop', 'revoke', 'disable', 'enable') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT scim.create_tenant('regress-66');
SET ROLE regress_66;
SET scim_audit.tenant = 'regress-66';
SELECT pg_temp.call('GET', '/Users');
RESET scim_audit.tenant;
SELECT pg_temp.call('GET', '/Users?count=0');
RESET ROLE;
SELECT rule, message FROM scim_audit.verify();

SELECT scim.drop_tenant('regress-66b', 'regress-66b');
DROP ROLE regress_66, regress_66_auditor;
