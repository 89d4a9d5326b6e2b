-- What the owner of an audited table wrote runs as nobody else.  The planner
-- evaluates what is constant in the expressions of indexes, statistics and
-- partition keys as whoever runs the query, and remembers some of it for the
-- session: each step has a session of its own.  In a database of its own.
\set VERBOSITY terse
\pset footer off
SET client_min_messages = warning;
\set home :DBNAME
CREATE ROLE regress_code_owner;
CREATE ROLE regress_code_writer;
CREATE ROLE regress_code_auditor;
CREATE DATABASE regress_code;
\connect regress_code
SET client_min_messages = warning;
CREATE EXTENSION scim_audit CASCADE;
CREATE SCHEMA app AUTHORIZATION regress_code_owner;
GRANT USAGE ON SCHEMA app TO PUBLIC;
GRANT USAGE ON SCHEMA scim, scim_audit TO regress_code_owner;
GRANT EXECUTE ON FUNCTION scim_audit.track(regclass, name, name[], name[], name[], boolean, boolean), scim_audit.untrack(regclass),
	scim.bind_table(text, regclass, json, name[], name[]), scim.unbind_table(text) TO regress_code_owner;
SELECT scim.grant_duty('regress_code_auditor', 'auditor');

\connect -
SET ROLE regress_code_owner;
CREATE FUNCTION app.x(n integer) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF current_user <> 'regress_code_owner' THEN
		RAISE EXCEPTION 'runs as %', current_user;
	END IF;
	RETURN 'x';
END
$$;
CREATE TABLE app.item (id integer PRIMARY KEY, tenant text, name text, CHECK (app.x(1) = 'x'));
CREATE INDEX ON app.item ((name || app.x(2)));
CREATE STATISTICS app.item_statistics ON (name || app.x(3)), id FROM app.item;
INSERT INTO app.item VALUES (1, 'a', 'one'), (2, 'b', 'two');
GRANT INSERT, SELECT, TRUNCATE ON app.item TO regress_code_writer;

\echo -- the trap works: who reads the table runs it
\connect -
SELECT count(*) FROM app.item WHERE name = 'one';

\echo -- track(), DDL, verify(), untrack()
\connect -
SET ROLE regress_code_owner;
SELECT scim_audit.track('app.item', tenant_column => 'tenant');
\connect -
SET ROLE regress_code_owner;
ALTER TABLE app.item ALTER name TYPE varchar(40) USING name || '!';
\connect -
SET ROLE regress_code_owner;
ALTER TABLE app.item ADD COLUMN stamp integer GENERATED ALWAYS AS IDENTITY;
\connect -
SET ROLE regress_code_writer;
TRUNCATE app.item;
\connect -
SET ROLE regress_code_owner;
INSERT INTO app.item VALUES (3, 'a', 'three');
\connect -
SELECT scim_audit.track('app.item', tenant_column => 'tenant');
\connect -
SET ROLE regress_code_auditor;
SELECT rule, message FROM scim_audit.verify();
\connect -
SET ROLE regress_code_owner;
SELECT scim_audit.untrack('app.item');
\connect -
SELECT event_type, tenant, resource_id, detail -> 'new' AS new, effective_role LIKE 'regress%' AS by_role FROM scim_audit.events
	WHERE resource_type = 'app.item' ORDER BY tx_id, n;

\echo -- keys of partitions; partitions made, attached and detached by their owner
\connect -
SET ROLE regress_code_owner;
CREATE TABLE app.part (id integer NOT NULL, name text NOT NULL) PARTITION BY LIST ((name || app.x(4)));
CREATE TABLE app.part_a PARTITION OF app.part FOR VALUES IN ('ax');
CREATE TABLE app.part_b PARTITION OF app.part FOR VALUES IN ('bx') PARTITION BY RANGE ((id + length(app.x(5))));
CREATE TABLE app.part_b1 PARTITION OF app.part_b FOR VALUES FROM (0) TO (100);
INSERT INTO app.part VALUES (1, 'a'), (1, 'b');
\connect -
SET ROLE regress_code_owner;
SELECT scim_audit.track('app.part', key_columns => '{id,name}');
\connect -
SELECT scim_audit.track('app.part', key_columns => '{id,name}');
\connect -
SET ROLE regress_code_owner;
CREATE TABLE app.part_c PARTITION OF app.part FOR VALUES IN ('cx') PARTITION BY RANGE (id);
CREATE TABLE app.part_c1 PARTITION OF app.part_c FOR VALUES FROM (0) TO (100);
CREATE TABLE app.part_d (gone text, name text NOT NULL, id integer NOT NULL);
ALTER TABLE app.part_d DROP COLUMN gone;
CREATE INDEX ON app.part_d ((name || app.x(6)));
INSERT INTO app.part_d VALUES ('d', 4), ('d', 5);
\connect -
SET ROLE regress_code_owner;
ALTER TABLE app.part ATTACH PARTITION app.part_d FOR VALUES IN ('dx');
INSERT INTO app.part VALUES (3, 'c'), (6, 'd');
TRUNCATE app.part_c1;
\connect -
SET ROLE regress_code_owner;
ALTER TABLE app.part DETACH PARTITION app.part_d;
\connect -
SET ROLE regress_code_auditor;
SELECT rule, message FROM scim_audit.verify();
\connect -
SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE tgrelid::regclass::text LIKE 'app.part%' AND tgname LIKE 'scim_audit%' ORDER BY tgrelid::regclass::text, tgname;
SELECT event_type, resource_id, detail -> 'old' AS old, detail -> 'new' AS new FROM scim_audit.events
	WHERE resource_type = 'app.part' AND category IN ('change', 'schema') ORDER BY tx_id, n;
\connect -
SET ROLE regress_code_owner;
DROP TABLE app.part;

\echo -- but no triggers with arguments that track() did not give, and no foreign partitions
CREATE TABLE app.forged (id integer PRIMARY KEY, tenant text);
CREATE TRIGGER scim_audit_row AFTER INSERT ON app.forged FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change('resource=User', 'tenant=tenant', 'key=id');
CREATE CONSTRAINT TRIGGER scim_audit_row AFTER INSERT ON app.forged DEFERRABLE FOR EACH ROW EXECUTE FUNCTION scim_audit.record_change('resource=User', 'tenant=tenant', 'key=id');
CREATE TRIGGER v BEFORE INSERT ON app.forged FOR EACH ROW EXECUTE FUNCTION scim.keep_version('type=User', 'tenant=tenant', 'id=id');
CREATE TRIGGER t BEFORE TRUNCATE ON app.forged FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.record_truncate('resource=User');
SELECT scim_audit.track('app.forged');
CREATE OR REPLACE TRIGGER scim_audit_row AFTER INSERT ON app.forged FOR EACH ROW WHEN (false) EXECUTE FUNCTION scim_audit.record_change('key=id');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'app.forged'::regclass;
\connect -
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nothing FOREIGN DATA WRAPPER nothing;
CREATE TABLE app.far (id integer NOT NULL) PARTITION BY RANGE (id);
CREATE FOREIGN TABLE app.far_1 PARTITION OF app.far FOR VALUES FROM (0) TO (10) SERVER nothing;
SELECT scim_audit.track('app.far', key_columns => '{id}');
ALTER TABLE app.far DETACH PARTITION app.far_1;
SELECT scim_audit.track('app.far', key_columns => '{id}');
ALTER TABLE app.far ATTACH PARTITION app.far_1 FOR VALUES FROM (0) TO (10);
CREATE FOREIGN TABLE app.far_2 PARTITION OF app.far FOR VALUES FROM (10) TO (20) SERVER nothing;
SELECT relid FROM pg_partition_tree('app.far');
SELECT rule, message FROM scim_audit.verify();

\echo -- a table of users is looked up together with memberships
\connect -
SET ROLE regress_code_owner;
CREATE TABLE app.person (id uuid PRIMARY KEY, tenant text NOT NULL, version bigint NOT NULL, made timestamptz NOT NULL, changed timestamptz NOT NULL,
	login text NOT NULL, UNIQUE (tenant, id));
CREATE UNIQUE INDEX ON app.person (tenant, scim.fold(login));
CREATE INDEX ON app.person ((login || app.x(7)));
SELECT scim.bind_table('User', 'app.person', '{"id": "id", "tenant": "tenant", "version": "version", "created": "made", "lastModified": "changed", "attributes": {"userName": "login"}}');

\connect :home
DROP DATABASE regress_code;
DROP ROLE regress_code_owner, regress_code_writer, regress_code_auditor;
