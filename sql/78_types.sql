-- Every type, in sessions of every setting: the same row gives the same bytes,
-- detail is valid jsonb, verify() finds nothing.  And keys of every kind,
-- personal ones too.  In a database of its own, because verify() looks at all
-- of the log.
\set VERBOSITY terse
\pset footer off
SET client_min_messages = warning;
\set home :DBNAME
CREATE DATABASE regress_types;
\connect regress_types
SET client_min_messages = warning;
CREATE EXTENSION scim_audit CASCADE;
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('good', 'b"ad', 'mä,h');
CREATE TYPE app.inner AS (at timestamptz, f float8);
CREATE TYPE app.outer AS (b bytea, i app.inner, n interval[]);
CREATE DOMAIN app.positive AS numeric CHECK (value > 0);
CREATE DOMAIN app.days AS date[];
CREATE DOMAIN app.pair AS app.inner;
CREATE TYPE app.span AS RANGE (subtype = float8, multirange_type_name = app.multispan);

-- Literals of each type; all are input under the same settings.
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
CREATE TABLE sample (place integer GENERATED ALWAYS AS IDENTITY, type text, literals text[]);
INSERT INTO sample (type, literals) VALUES
	('bool', '{t,f}'),
	('bytea', ARRAY['\x', '\x00ff5c22', '\xe282ac']),
	('"char"', ARRAY['a', '"', '\', '', '\303']),
	('name', ARRAY['n', 'Na"me', repeat('é', 31)]),
	('int2', '{0,-32768,32767}'), ('int4', '{0,-2147483648,2147483647}'), ('int8', '{0,-9223372036854775808,9223372036854775807}'),
	('int2vector', '{"","1 2 3"}'), ('oidvector', '{"","1 4294967295"}'),
	('oid', '{0,4294967295}'), ('tid', '{"(0,1)","(4294967295,65535)"}'), ('xid', '{0,4294967295}'), ('cid', '{0,4294967295}'), ('xid8', '{0,18446744073709551615}'),
	('text', ARRAY['', ' ', 'NULL', 'null', '{}', '"', '\', E'\b\t\n\f\r\x01\x1f\x7f', E'\u0080\u009f\u2028\ufeff\uffff😀', 'e' || E'\u0301', repeat('x', 3000)]),
	('varchar(10)', '{"",ä,"a  "}'), ('bpchar', '{"","a  "}'), ('char(5)', '{"",ä}'),
	('json', ARRAY['null', '1.0e+2', '"\u0000"', '"\ud800"', '{"a":1,"a":2}', ' { "b" : [ 1 , 2 ] } ', '{"\u0061":1}', E'"\x7f"', '1e400000', '-0', '"\/"', '"<\u2028>"', repeat('[', 300) || repeat(']', 300), repeat('1', 2000)]),
	('jsonb', ARRAY['null', '1.0e+2', '{"b":1,"a":{"c":[null,"\u00e9"]},"a":2}', '[]', '"x"', '1e1000', '-0.0', E'"\x7f"']),
	('jsonpath', '{"$.a[*] ? (@ > 1.50)","strict $.\"b c\""}'),
	('xml', ARRAY['', '<a b="1">&amp;<![CDATA[<]]></a>', '<?xml version="1.0" encoding="UTF-8"?><é/>', 'text']),
	('point', '{"(1.1,0.30000000000000004)","(-Infinity,NaN)"}'), ('lseg', '{"[(0.1,0.2),(3,4)]"}'), ('path', '{"[(0.1,0.2),(3,4)]","((1,2),(3,4))"}'),
	('box', '{"(3,4),(0.1,0.2)"}'), ('polygon', '{"((0.1,0.2),(3,4),(5,6))"}'), ('line', '{"{1,0.1,0.30000000000000004}"}'), ('circle', '{"<(0.1,0.2),0.30000000000000004>"}'),
	('float4', '{0,-0,0.1,3.4028235e38,1e-45,NaN,Infinity,-Infinity,16777216,1e15}'),
	('float8', '{0,-0,0.1,0.30000000000000004,1.7976931348623157e308,5e-324,NaN,Infinity,-Infinity,9007199254740993,1e15,1e22}'),
	('numeric', ARRAY['0', '-0.00', '1.10', '1e-20', 'NaN', 'Infinity', '-Infinity', '1e1000', '.000', repeat('9', 5000)]),
	('numeric(10,3)', '{0,1.1,-1234567.891,NaN}'),
	('money', '{0,12.50,-1234567.89}'),
	('macaddr', '{08:00:2b:01:02:03}'), ('macaddr8', '{08:00:2b:01:02:03:04:05}'),
	('inet', '{10.0.0.1,10.0.0.1/8,::1,fe80::1/64}'), ('cidr', '{10.0.0.0/8,10.1.2.3/32,::/0}'),
	('aclitem', '{=r/pg_monitor}'),
	('date', ARRAY['2026-02-01', '0001-01-01', '0001-12-31 BC', '4714-11-24 BC', '5874897-12-31', 'infinity', '-infinity']),
	('time', '{00:00,24:00,12:34:56.789012}'), ('time(2)', '{12:34:56.789}'), ('timetz', '{00:00+00,24:00-12:30:15,12:34:56.789012+05:45}'),
	('timestamp', ARRAY['2026-02-01 12:34:56.789', '2026-02-01', '0044-03-15 12:00 BC', '294276-12-31 23:59:59.999999', '4714-11-24 00:00 BC', 'infinity', '-infinity']),
	('timestamptz', ARRAY['2026-02-01 12:34:56.789+09', '2026-03-29 01:30+00', '0044-03-15 12:00+00 BC', '0001-01-01 00:00+00', '294276-12-31 23:59:59.999999+00', 'infinity', '-infinity', '1883-11-18 12:00-05']),
	('interval', ARRAY['0', '1 day', '-1 mon +2 days -03:04:05.678', '178000000 years', '1 year 2 mons -3 days', '@ 1 hour ago']),
	('interval day to second', '{"1 02:03:04"}'),
	('bit(3)', '{101}'), ('varbit', '{"",1,10110}'),
	('uuid', '{00000000-0000-7000-8000-0000000000ff}'), ('pg_lsn', '{16/B374D848}'),
	('tsvector', ARRAY['', 'a:1A,2 ''b c'':3', '''it''''s''']), ('tsquery', ARRAY['', 'a & !b:*A', '''x y'' <2> z']),
	('refcursor', '{c}'), ('txid_snapshot', '{"10:20:10,14,15"}'), ('pg_snapshot', '{"10:20:10,14,15"}'),
	('regproc', '{pg_catalog.now,-}'), ('regprocedure', '{"pg_catalog.abs(integer)"}'), ('regoper', '{"pg_catalog.||/"}'), ('regoperator', '{"pg_catalog.+(integer,integer)"}'),
	('regclass', '{pg_class,sample}'), ('regcollation', '{"pg_catalog.\"C\""}'), ('regtype', '{integer,app.mood}'), ('regrole', '{pg_monitor}'),
	('regnamespace', '{app}'), ('regconfig', '{english}'), ('regdictionary', '{simple}'),
	('int4[]', ARRAY['{}', '{1,NULL,3}', '[0:1]={1,2}', '{{1,2},{3,NULL}}']),
	('text[]', ARRAY['{}', '{"",NULL,"NULL","a,b","\"","{}"," "}', '{{"a b","c\\"}}', '{{{x}}}']),
	('timestamptz[]', ARRAY['{"2026-02-01 12:34:56.789+09",infinity}', '{{"2026-02-01 12:34:56.789+09"}}', '[2:2]={"2026-02-01 00:00+00"}']),
	('date[]', ARRAY['{2026-02-01}', '{{2026-02-01}}']), ('float8[]', ARRAY['{0.1,NaN}', '{{0.30000000000000004}}']), ('bytea[]', ARRAY['{"\\x00ff"}', '{{"\\x00ff"}}']),
	('interval[]', ARRAY['{"1 day 02:00"}', '{{"1 day 02:00"}}']), ('money[]', ARRAY['{1.50}', '{{1.50}}']), ('json[]', ARRAY['{"{\"a\":\"\\u0000\"}"}', '{{1}}']), ('jsonb[]', ARRAY['{"{\"b\": 1}"}']),
	('numeric[]', ARRAY['{1.10,NaN}']), ('bool[]', ARRAY['{t,NULL}']), ('app.mood[]', ARRAY['{good,"b\"ad","mä,h"}']), ('app.inner[]', ARRAY['{"(\"2026-02-01 00:00+09\",0.1)",NULL}', '{{"(\"2026-02-01 00:00+09\",0.1)"}}']),
	('int4range', '{empty,"[1,5)","(,)"}'), ('int8range', '{"[1,5)"}'), ('numrange', '{"[1.10,NaN]"}'), ('tsrange', '{"[2026-02-01 12:00,infinity)"}'), ('tstzrange', '{"[2026-02-01 12:00+09,)"}'), ('daterange', '{"[2026-02-01,2026-03-01)"}'),
	('int4multirange', '{"{}","{[1,3),[5,7)}"}'), ('int8multirange', '{"{[1,3)}"}'), ('nummultirange', '{"{[1.10,2]}"}'), ('tsmultirange', '{"{[2026-02-01 12:00,2026-02-02 12:00)}"}'), ('tstzmultirange', '{"{[2026-02-01 12:00+09,2026-02-02 12:00+09)}"}'), ('datemultirange', '{"{[2026-02-01,2026-03-01)}"}'),
	('tstzrange[]', ARRAY['{"[\"2026-02-01 12:00+09\",)"}', '{{"[\"2026-02-01 12:00+09\",)"}}']), ('app.span', '{"[0.1,0.30000000000000004]"}'), ('app.multispan', '{"{[0.1,0.30000000000000004]}"}'),
	('app.mood', ARRAY['good', 'b"ad', 'mä,h']), ('app.inner', ARRAY['("2026-02-01 12:00+09",0.30000000000000004)', '(,)']),
	('app.outer', ARRAY['("\\x00ff","(""2026-02-01 12:00+09"",0.1)","{""1 day 02:00""}")']), ('app.positive', '{1.10,NaN}'), ('app.days', ARRAY['{2026-02-01}', '{{2026-02-01}}']), ('app.pair', ARRAY['("2026-02-01 12:00+09",0.1)']);
-- A server may be built without XML.
DO $$ BEGIN
	PERFORM '<a/>'::text::xml;
EXCEPTION WHEN feature_not_supported THEN
	CREATE DOMAIN app.xml AS text;
	UPDATE sample SET type = 'app.xml' WHERE type = 'xml';
END $$;
\echo -- types that are not here: those that take no input, or none as a column
SELECT array_agg(typname ORDER BY typname) FROM pg_type
	WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm') AND typelem = 0 AND oid NOT IN (SELECT type::regtype FROM sample)
		AND typname NOT IN ('xml', 'gtsvector', 'pg_brin_bloom_summary', 'pg_brin_minmax_multi_summary', 'pg_dependencies', 'pg_mcv_list', 'pg_ndistinct', 'pg_node_tree', 'pg_ddl_command', 'oid8', 'regdatabase');

-- A row for each sample, with one column of its type filled; a row of nulls.
-- Between the columns, some that are dropped.
DO $$
DECLARE
	statement text;
BEGIN
	FOR statement IN
		(SELECT format('CREATE TABLE app.source (sample integer, %s)', string_agg(format('gone%s integer, c%s %s', place, place, type), ', ' ORDER BY place)) FROM sample)
		UNION ALL (SELECT format('ALTER TABLE app.source %s', string_agg(format('DROP COLUMN gone%s', place), ', ')) FROM sample)
		UNION ALL (SELECT format('INSERT INTO app.source (sample, c%s) VALUES (%s, %L)', place, place * 100 + n, literal)
			FROM sample, unnest(literals) WITH ORDINALITY u (literal, n) ORDER BY place, n)
	LOOP
		EXECUTE statement;
	END LOOP;
END $$;
INSERT INTO app.source (sample) VALUES (0);
CREATE TABLE app.every (session integer, LIKE app.source, PRIMARY KEY (session, sample));
SELECT scim_audit.track('app.every');
RESET datestyle;
RESET timezone;

CREATE PROCEDURE app.write(session integer) LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO app.every SELECT session, s.* FROM app.source s;
	UPDATE app.every e SET session = e.session + 100 WHERE e.session = write.session AND sample % 3 = 0;
	DELETE FROM app.every e WHERE e.session = write.session AND sample % 3 = 1;
END $$;
CALL app.write(1);
SELECT rule, message FROM scim_audit.verify();
SET datestyle = 'German';
SET timezone = 'Asia/Kathmandu';
SET intervalstyle = 'sql_standard';
SET extra_float_digits = -15;
SET bytea_output = 'escape';
SET xmlbinary = 'hex';
SET client_encoding = 'LATIN1';
CALL app.write(2);
SELECT rule, message FROM scim_audit.verify();
SET datestyle = 'SQL, DMY';
SET timezone = 'America/St_Johns';
SET intervalstyle = 'postgres_verbose';
SET extra_float_digits = 3;
SET client_encoding = 'SQL_ASCII';
SET search_path = app, pg_catalog;
SET quote_all_identifiers = on;
CALL app.write(3);
SELECT rule, message FROM scim_audit.verify();
SET datestyle = 'Postgres, MDY';
SET timezone = '<odd>+03:21';
SET intervalstyle = 'iso_8601';
SET extra_float_digits = 0;
SET client_encoding = 'UTF8';
SET xmloption = 'document';
SET default_text_search_config = 'pg_catalog.simple';
SET search_path = '';
SET session_replication_role = replica;
CALL app.write(4);
SELECT rule, message FROM scim_audit.verify();
-- Whichever of these the machine has.
DO $$
DECLARE
	locale text;
BEGIN
	FOREACH locale IN ARRAY '{C,C.UTF-8,en_US.UTF-8,de_DE.UTF-8,ja_JP.UTF-8}'::text[] LOOP
		BEGIN
			PERFORM pg_catalog.set_config('lc_monetary', locale, false), pg_catalog.set_config('lc_numeric', locale, false), pg_catalog.set_config('lc_time', locale, false);
		EXCEPTION WHEN invalid_parameter_value THEN NULL;
		END;
	END LOOP;
END $$;
CALL app.write(5);
SELECT rule, message FROM scim_audit.verify();
RESET ALL;
SET client_min_messages = warning;

\echo -- each row has one rendering, whoever wrote it, and whether it came or went
SELECT count(*) AS rows, count(*) FILTER (WHERE renderings <> 1) AS unequal, min(sessions) AS sessions FROM (
	SELECT v.new->>'sample', count(DISTINCT regexp_replace(v.new::text, '^{"session":\d+,', '{')) AS renderings, count(DISTINCT v.new->>'session') AS sessions
	FROM scim_audit.events e, LATERAL (SELECT coalesce(e.detail->'new', e.detail->'old') AS new) v
	WHERE e.resource_type = 'app.every' AND e.category = 'change' AND e.action <> 'update' GROUP BY 1) r;
SELECT count(*) - count(detail::jsonb) AS not_jsonb FROM scim_audit.events;
SELECT s.type, string_agg(CASE WHEN v.value::text ~ '^[ -~äéüßö]{0,99}$' THEN v.value::text ELSE md5(v.value::text) END, '  ' ORDER BY e.n) AS rendered
	FROM scim_audit.events e, json_each(e.detail->'new') v JOIN sample s ON v.key = 'c' || s.place
	WHERE e.resource_type = 'app.every' AND e.action = 'insert' AND e.resource_id LIKE '[1,%' AND s.type NOT LIKE '%xml' GROUP BY s.place, s.type ORDER BY s.place;

\echo -- values that are stored apart, or are too long for the log
CREATE TABLE app.big (id integer PRIMARY KEY, a text, b bytea, c jsonb, d text);
ALTER TABLE app.big ALTER COLUMN a SET STORAGE EXTERNAL, ALTER COLUMN b SET STORAGE EXTERNAL;
SELECT scim_audit.track('app.big');
INSERT INTO app.big VALUES (1, repeat('ä', 400000), decode(repeat('00ff', 3000000), 'hex'), to_jsonb(array_fill(1.5, ARRAY[300000])), repeat(E'\x01', 1048576)), (2, repeat('x', 1048577), NULL, NULL, '');
UPDATE app.big SET d = 'd' WHERE id = 1;
UPDATE app.big SET a = a, b = b, c = c;
UPDATE app.big SET a = a || 'x', b = b || '\x00';
SELECT action, resource_id, changed, v.key AS column, length(v.value::text) AS length, left(v.value::text, 60) AS value FROM scim_audit.events e, json_each(coalesce(e.detail->'new', '{}')) v WHERE resource_type = 'app.big' AND category = 'change' ORDER BY tx_id, n, v.key;
SELECT rule, message FROM scim_audit.verify();

\echo -- as many columns as a table can have
DO $$ BEGIN EXECUTE (SELECT format('CREATE TABLE app.wide (%s, PRIMARY KEY (c1, c1600))', string_agg(format('c%s smallint', i), ', ')) FROM generate_series(1, 1600) i); END $$;
SELECT scim_audit.track('app.wide');
DO $$ BEGIN EXECUTE (SELECT format('INSERT INTO app.wide VALUES (%s)', string_agg(i::text, ', ')) FROM generate_series(1, 1600) i); END $$;
DO $$ BEGIN EXECUTE (SELECT format('UPDATE app.wide SET %s', string_agg(format('c%s = -c%s', i, i), ', ')) FROM generate_series(2, 1599) i); END $$;
ALTER TABLE app.wide DROP COLUMN c2;
UPDATE app.wide SET c3 = 0;
SELECT action, resource_id, cardinality(changed) AS changed, changed[cardinality(changed)] AS last, (SELECT count(*) FROM json_each(detail->'new')) AS values FROM scim_audit.events WHERE resource_type = 'app.wide' AND category = 'change' ORDER BY tx_id, n;
SELECT rule, message FROM scim_audit.verify();

\echo -- generated columns are values like others; excluded and redacted ones are not in the log
CREATE TABLE app.derived (id integer PRIMARY KEY, a integer, twice integer GENERATED ALWAYS AS (a * 2) STORED, secret text, copy text GENERATED ALWAYS AS (secret || '!') STORED);
SELECT scim_audit.track('app.derived', redact => '{secret}', exclude => '{copy}');
INSERT INTO app.derived (id, a, secret) VALUES (1, 2, 'hush'), (2, NULL, NULL);
UPDATE app.derived SET a = 3, secret = 'hush!' WHERE id = 1;
UPDATE app.derived SET secret = NULL WHERE id = 1;
UPDATE app.derived SET secret = '[redacted]' WHERE id = 2;
SELECT resource_id, changed, detail->'old' AS old, detail->'new' AS new FROM scim_audit.events WHERE resource_type = 'app.derived' AND category = 'change' ORDER BY tx_id, n;
SELECT count(*) AS leaked FROM scim_audit.events e WHERE e::text LIKE '%hush%';
SELECT rule, message FROM scim_audit.verify();

\echo -- keys: none, null, composite, named otherwise than the primary key
CREATE TABLE app.keyless (a integer, b text);
SELECT scim_audit.track('app.keyless');
SELECT scim_audit.track('app.keyless', key_columns => '{b}');
INSERT INTO app.keyless VALUES (1, NULL), (2, 'x'), (3, 'x'), (4, '');
UPDATE app.keyless SET a = a + 10;
DELETE FROM app.keyless WHERE a = 12;
SELECT action, coalesce(resource_id, '(null)') AS id, detail->'old' AS old, detail->'new' AS new FROM scim_audit.events WHERE resource_type = 'app.keyless' AND category = 'change' ORDER BY tx_id, n;
SELECT rule, message FROM scim_audit.verify();

\echo -- personal keys: a digest in the entry, the key in what can be erased
SELECT scim_audit.key_digest('a@b.c') IS NULL AS no_secret_yet;
CREATE TABLE app.person (mail text PRIMARY KEY, name text);
CREATE TABLE app.consent (mail text, topic text, given date, PRIMARY KEY (mail, topic)) PARTITION BY LIST (topic);
CREATE TABLE app.consent_all PARTITION OF app.consent DEFAULT;
INSERT INTO app.person VALUES ('a@b.c', 'Anna');
SELECT scim_audit.track('app.person', personal_key => true), scim_audit.track('app.consent', personal_key => true);
INSERT INTO app.person VALUES ('d"@e.f', 'Dora');
UPDATE app.person SET name = 'Ann' WHERE mail = 'a@b.c';
UPDATE app.person SET mail = 'x@y.z' WHERE mail = 'a@b.c';
DELETE FROM app.person WHERE mail LIKE 'd%';
INSERT INTO app.consent VALUES ('a@b.c', 'news', '2026-01-01'), ('a@b.c', 'ads', NULL);
UPDATE app.consent SET topic = 'mail', given = NULL WHERE topic = 'news';
SELECT action, resource_type, resource_id = scim_audit.key_digest(detail->>'key') AS by_digest, resource_id ~ '^hmac:[0-9a-f]{64}$' AS shape, changed, detail->>'key' AS key, detail->>'key_before' AS before, detail->'old' AS old, detail->'new' AS new
	FROM scim_audit.events WHERE resource_type IN ('app.person', 'app.consent') AND category = 'change' ORDER BY tx_id, n;
SELECT count(*) AS told FROM (SELECT to_jsonb(e) - 'detail' FROM scim_audit.events e WHERE resource_type <> 'app.keyless') e (entry) WHERE entry::text ~ '@';
SELECT count(DISTINCT resource_id) = 4 AS one_digest_each FROM scim_audit.events WHERE resource_type = 'app.person' AND category = 'change' OR resource_id = scim_audit.key_digest('["a@b.c","ads"]');
SELECT personal_key FROM scim_audit.tracked_tables WHERE table_name = 'app.person'::regclass;
SELECT rule, message FROM scim_audit.verify();
ALTER TABLE app.person RENAME TO people;
ALTER TABLE app.people RENAME mail TO address;
UPDATE app.people SET name = 'Anne';
SELECT rule, message FROM scim_audit.verify();
SET scim_audit.restore = on;
UPDATE app.people SET name = 'Eve';
RESET scim_audit.restore;
SELECT rule, message FROM scim_audit.verify();
UPDATE scim_audit.secrets SET secret = sha256('guessed');
DELETE FROM scim_audit.secrets;
TRUNCATE scim_audit.secrets;

\connect :home
DROP DATABASE regress_types;
