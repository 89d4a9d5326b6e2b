-- Everything that the extension is in a database, a line each, without oids: two
-- databases with the same lines have the same extension.
WITH member AS (
	SELECT classid, objid FROM pg_depend
	WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
		AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'scim_audit')
), relation AS (
	SELECT c.* FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
), acl AS (
	SELECT 'pg_class'::regclass AS classid, oid AS objid, relacl AS acl, 'r'::"char" AS kind, relowner AS owner FROM relation
	UNION ALL SELECT 'pg_proc'::regclass, oid, proacl, 'f', proowner FROM pg_proc
	UNION ALL SELECT 'pg_namespace'::regclass, oid, nspacl, 'n', nspowner FROM pg_namespace
	UNION ALL SELECT 'pg_type'::regclass, oid, typacl, 'T', typowner FROM pg_type
)
SELECT 'member ' || pg_describe_object(classid, objid, 0) FROM member
UNION ALL
SELECT format('comment %s: %s', pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description)
FROM pg_description d JOIN member m ON m.classid = d.classoid AND m.objid = d.objoid
UNION ALL
SELECT format('comment %s: %s', pg_describe_object(d.classoid, d.objoid, 0), d.description)
FROM pg_description d LEFT JOIN pg_trigger t ON d.classoid = 'pg_trigger'::regclass AND t.oid = d.objoid
LEFT JOIN pg_policy p ON d.classoid = 'pg_policy'::regclass AND p.oid = d.objoid
JOIN relation r ON r.oid IN (t.tgrelid, p.polrelid)
UNION ALL
SELECT format('privilege %s: %s %s %s %s', pg_describe_object(a.classid, a.objid, 0),
	CASE x.grantee WHEN 0 THEN 'PUBLIC' WHEN a.owner THEN 'owner' ELSE x.grantee::regrole::text END,
	x.privilege_type, x.is_grantable, x.grantor = a.owner)
FROM acl a JOIN member m USING (classid, objid), aclexplode(coalesce(a.acl, acldefault(a.kind, a.owner))) x
UNION ALL
SELECT format('function %s cost %s rows %s: %s', p.oid::regprocedure, procost, prorows, pg_get_functiondef(p.oid))
FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid WHERE p.prokind <> 'a'
UNION ALL
SELECT format('aggregate %s: %s %s %s %s %s', p.oid::regprocedure, a.aggtransfn, a.aggcombinefn, a.aggtranstype::regtype, a.agginitval, p.proparallel)
FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid JOIN pg_aggregate a ON a.aggfnoid = p.oid
UNION ALL
SELECT format('relation %s: kind %s persistence %s row security %s %s options %s key %s', oid::regclass, relkind, relpersistence,
	relrowsecurity, relforcerowsecurity, reloptions, pg_get_partkeydef(oid)) FROM relation
UNION ALL
SELECT format('column %s.%s: number %s type %s collation %s not null %s default %s storage %s dropped %s', r.oid::regclass, attname,
	row_number() OVER (PARTITION BY attrelid ORDER BY attnum), format_type(atttypid, atttypmod), nullif(attcollation, 0)::regcollation,
	attnotnull, pg_get_expr(d.adbin, d.adrelid), attstorage, attisdropped)
FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
UNION ALL
SELECT format('view %s: %s', oid::regclass, pg_get_viewdef(oid)) FROM relation WHERE relkind IN ('v', 'm')
UNION ALL
SELECT format('constraint %s on %s: %s', conname, conrelid::regclass, pg_get_constraintdef(c.oid))
FROM pg_constraint c JOIN relation r ON r.oid = c.conrelid
UNION ALL
SELECT format('index on %s: %s', indrelid::regclass, pg_get_indexdef(indexrelid)) FROM pg_index i JOIN relation r ON r.oid = i.indrelid
UNION ALL
SELECT format('trigger on %s, %s: %s', tgrelid::regclass, tgenabled, pg_get_triggerdef(t.oid))
FROM pg_trigger t JOIN relation r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL
SELECT format('policy %s on %s: %s %s %s using %s check %s', polname, polrelid::regclass, polcmd, polpermissive, polroles,
	pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
FROM pg_policy p JOIN relation r ON r.oid = p.polrelid
UNION ALL
SELECT format('event trigger %s: %s %s %s %s', evtname, evtevent, evtfoid::regprocedure, evtenabled, evttags)
FROM pg_event_trigger e JOIN member m ON m.classid = 'pg_event_trigger'::regclass AND m.objid = e.oid
UNION ALL
SELECT format('dump %s: %s', t::regclass, c)
FROM pg_extension, unnest(extconfig, extcondition) x (t, c) WHERE extname = 'scim_audit'
UNION ALL
SELECT format('extension: %s %s %s', extversion, extrelocatable, extnamespace::regnamespace)
FROM pg_extension WHERE extname = 'scim_audit'
ORDER BY 1;
