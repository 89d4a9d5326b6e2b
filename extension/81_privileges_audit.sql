-- Who reads the log: auditors, each the events of its tenants; events of no
-- tenant are for auditors of all tenants.  SELECT itself comes with the duty
-- (scim.duty_privileges); INSERT, UPDATE, DELETE and TRUNCATE with nothing.

CREATE POLICY auditors ON scim_audit.events FOR SELECT USING (
	(SELECT scim.all_tenants('{auditor}'))
	OR tenant = ANY ((SELECT scim.tenants_of('{auditor}'))::text[]));

-- A seal has no tenant.  Whoever may see one of its events may see it; the
-- inner look at events is under their policy, and by their key.
CREATE POLICY auditors ON scim_audit.seals FOR SELECT USING (
	(SELECT scim.all_tenants('{auditor}'))
	OR EXISTS (SELECT FROM scim_audit.events e WHERE e.tx_id = seals.tx_id));

-- A tree has no tenant, and its hashes tell nothing of what they are made of:
-- they are for every auditor.
CREATE POLICY auditors ON scim_audit.log_origins FOR SELECT USING (
	(SELECT scim.all_tenants('{auditor,audit_admin}')) OR (SELECT pg_catalog.cardinality(scim.tenants_of('{auditor,audit_admin}')) > 0));
CREATE POLICY auditors ON scim_audit.log_keys FOR SELECT USING (
	(SELECT scim.all_tenants('{auditor,audit_admin}')) OR (SELECT pg_catalog.cardinality(scim.tenants_of('{auditor,audit_admin}')) > 0));
CREATE POLICY auditors ON scim_audit.checkpoints FOR SELECT USING (
	(SELECT scim.all_tenants('{auditor,audit_admin}')) OR (SELECT pg_catalog.cardinality(scim.tenants_of('{auditor,audit_admin}')) > 0));
CREATE POLICY auditors ON scim_audit.checkpoint_spans FOR SELECT USING (
	(SELECT scim.all_tenants('{auditor,audit_admin}')) OR (SELECT pg_catalog.cardinality(scim.tenants_of('{auditor,audit_admin}')) > 0));
CREATE POLICY auditors ON scim_audit.tiles FOR SELECT USING (
	(SELECT scim.all_tenants('{auditor,audit_admin}')) OR (SELECT pg_catalog.cardinality(scim.tenants_of('{auditor,audit_admin}')) > 0));
CREATE POLICY auditors ON scim_audit.checkpoint_notes FOR SELECT USING (
	(SELECT scim.all_tenants('{auditor,audit_admin}')) OR (SELECT pg_catalog.cardinality(scim.tenants_of('{auditor,audit_admin}')) > 0));
