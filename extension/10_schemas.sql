-- The three schemas.  Plain CREATE SCHEMA: a schema that somebody else owns is
-- never adopted.

CREATE SCHEMA scim;
COMMENT ON SCHEMA scim IS 'SCIM 2.0 resources (users, groups, memberships, tenants) and the functions that serve SCIM requests';

CREATE SCHEMA scim_audit;
COMMENT ON SCHEMA scim_audit IS 'The hash-linked audit log: insert-only events and seals, the auditor''s views, verification';

CREATE SCHEMA scim_api;
COMMENT ON SCHEMA scim_api IS 'The only schema PostgREST exposes';
