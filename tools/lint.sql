-- What tools/lint asks the catalogs of a database where scim_audit is
-- installed.  Each query lists what offends against the line above it.

-- check: every object of the extension has a comment
SELECT pg_describe_object(d.classid, d.objid, d.objsubid)
FROM pg_depend d
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'scim_audit' AND d.deptype = 'e'
  AND obj_description(d.objid, d.classid::regclass::name) IS NULL
  AND NOT EXISTS (SELECT FROM pg_depend i      -- sequences of identity columns
                  WHERE i.classid = d.classid AND i.objid = d.objid AND i.deptype = 'i')
ORDER BY 1;

-- Two trigger functions are PUBLIC's, so that owners can give audited tables partitions; a hook lets nobody else make triggers of them.
-- check: no function is executable by PUBLIC but those that reveal nothing
SELECT p.oid::regprocedure
FROM pg_proc p
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
WHERE e.extname = 'scim_audit' AND a.grantee = 0 AND a.privilege_type = 'EXECUTE'
  AND p.oid::regprocedure::text NOT IN
	('scim.keep_version()', 'scim_audit.record_change()', 'scim.fold(text)', 'scim.folded_values(jsonb)', 'scim.uuid7()', 'scim.tenants_of(text[])', 'scim.all_tenants(text[])', 'scim.current_tenant()')
ORDER BY 1;

-- check: no table, view or sequence is open to PUBLIC
SELECT c.oid::regclass, a.privilege_type
FROM pg_class c
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
CROSS JOIN aclexplode(c.relacl) a
WHERE e.extname = 'scim_audit' AND a.grantee = 0
ORDER BY 1;

-- check: every SECURITY DEFINER function sets its search_path
SELECT p.oid::regprocedure
FROM pg_proc p
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'scim_audit' AND p.prosecdef
  AND NOT EXISTS (SELECT FROM unnest(p.proconfig) s WHERE s LIKE 'search_path=%')
ORDER BY 1;

-- check: every table that knows tenants has row-level security
SELECT c.oid::regclass
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'tenant' AND NOT t.attisdropped
WHERE n.nspname IN ('scim', 'scim_audit', 'scim_api') AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
ORDER BY 1;

-- check: every view answers with the rights of the one who asks
SELECT c.oid::regclass
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('scim', 'scim_audit', 'scim_api') AND c.relkind = 'v'
  AND NOT coalesce((SELECT bool_or(o IN ('security_invoker=true', 'security_invoker=on')) FROM unnest(c.reloptions) o), false)
ORDER BY 1;

-- check: every table and sequence is part of a dump
SELECT c.oid::regclass
FROM pg_class c
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'scim_audit' AND c.relkind IN ('r', 'p', 'S') AND NOT c.oid = ANY (coalesce(e.extconfig, '{}'))
ORDER BY 1;
