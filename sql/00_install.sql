-- The extension as it is installed.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;

-- Only where texts are UTF-8.
\set home :DBNAME
CREATE DATABASE regress_install TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C';
\connect regress_install
SET client_min_messages = warning;
CREATE EXTENSION scim_audit CASCADE;
SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'scim%';
\connect :home
DROP DATABASE regress_install;

SELECT extrelocatable FROM pg_extension WHERE extname = 'scim_audit';
SELECT nspname FROM pg_namespace WHERE nspname IN ('scim', 'scim_audit', 'scim_api') ORDER BY 1;
SELECT tenant FROM scim.tenants WHERE tenant = 'default';

-- Every object says what it is.
SELECT d.classid::regclass AS catalog, pg_describe_object(d.classid, d.objid, 0) AS without_comment
	FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'scim_audit'
	WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
		AND d.classid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass)
		AND NOT (d.classid = 'pg_class'::regclass AND (SELECT relispartition OR relkind = 'i' FROM pg_class WHERE oid = d.objid))
		AND obj_description(d.objid, d.classid::regclass::name) IS NULL ORDER BY 2;
SELECT c.oid::regclass AS relation, a.attname AS column_without_comment
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	WHERE c.relnamespace = 'scim'::regnamespace AND c.relkind IN ('r', 'v', 'p') AND col_description(c.oid, a.attnum) IS NULL
	ORDER BY 1, 2;

-- A function that runs as its owner has its own search_path.
SELECT p.oid::regprocedure AS definer_without_search_path FROM pg_proc p
	WHERE p.pronamespace IN ('scim'::regnamespace, 'scim_audit'::regnamespace, 'scim_api'::regnamespace)
		AND p.prosecdef AND NOT EXISTS (SELECT FROM unnest(p.proconfig) s WHERE s = 'search_path=pg_catalog, pg_temp') ORDER BY 1;

-- What everybody may do: nothing but fold text and make ids, and ask about
-- itself.
SELECT p.oid::regprocedure AS open_to_public FROM pg_proc p
	WHERE p.pronamespace = 'scim'::regnamespace AND has_function_privilege('public', p.oid, 'EXECUTE') AND p.prorettype <> 'trigger'::regtype
	ORDER BY p.oid::regprocedure::text COLLATE "C";
SELECT c.oid::regclass AS open_to_public FROM pg_class c
	WHERE c.relnamespace = 'scim'::regnamespace AND c.relkind IN ('r', 'v') AND has_table_privilege('public', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
	ORDER BY c.oid::regclass::text COLLATE "C";
SELECT nspname FROM pg_namespace WHERE nspname IN ('scim', 'scim_audit') AND has_schema_privilege('public', oid, 'USAGE, CREATE');

-- Every table with a tenant is under row-level security.
SELECT c.oid::regclass FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant'
	WHERE c.relnamespace = 'scim'::regnamespace AND c.relkind = 'r' AND NOT c.relrowsecurity;

-- Every key includes the tenant.
SELECT conrelid::regclass, conname FROM pg_constraint
	WHERE conrelid IN ('scim.users'::regclass, 'scim.groups'::regclass, 'scim.group_members'::regclass, 'scim.user_passwords'::regclass)
		AND contype IN ('p', 'u', 'f')
		AND NOT (SELECT attnum FROM pg_attribute WHERE attrelid = conrelid AND attname = 'tenant') = ANY (conkey);
SELECT indexrelid::regclass FROM pg_index
	WHERE indrelid IN ('scim.users'::regclass, 'scim.groups'::regclass, 'scim.group_members'::regclass) AND indisunique
		AND NOT (SELECT attnum FROM pg_attribute WHERE attrelid = indrelid AND attname = 'tenant') = ANY (indkey::int2[]);

-- Names mean the same on every server.
SELECT scim.fold('ÄÖÜ ŞıI ΣΑΣ STRASSE ẞ'), scim.fold('') = '', scim.fold(NULL) IS NULL;
SELECT scim.folded_values('[{"value": "A@B"}, {"type": "x"}, "Q", {"value": 3}, null]'), scim.folded_values('{"value": "a"}'), scim.folded_values('"a"');
SELECT substr(scim.uuid7()::text, 15, 1);
