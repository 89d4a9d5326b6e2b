-- The audit log: events (a hash-linked list per transaction) and seals (hash
-- chains over transactions).  Rows are written by the library only; see
-- docs/audit-log.md for the format.

-- No key, no index and no partition here: pg_dump leaves out the partitions of
-- an extension's table when they belong to the extension, and cannot restore
-- them under a keyed parent.  scim_audit.ensure_partitions() and the first
-- event of a month make them, each with the key (tx_id, n).  The columns of
-- fixed length stand so that none is padded for its alignment.
CREATE TABLE scim_audit.events (
	tx_id          uuid NOT NULL,
	at             timestamptz NOT NULL,
	n              integer NOT NULL,
	status         integer,
	request_id     uuid,
	tenant         text,
	category       text NOT NULL,
	action         text NOT NULL,
	event_type     text NOT NULL,
	outcome        text NOT NULL,
	scim_type      text,
	actor          text,
	actor_type     text,
	credential     text,
	session_role   text NOT NULL,
	effective_role text NOT NULL,
	origin         text NOT NULL,
	resource_type  text,
	resource_id    text COLLATE pg_catalog."C",
	changed        text[],
	method         text,
	detail_hash    bytea,
	prev_hash      bytea NOT NULL,
	leaf_hash      bytea NOT NULL,
	detail_salt    bytea,
	detail         json
) PARTITION BY RANGE (tx_id);

-- A detail of some kilobytes costs more to compress than all else about its
-- event with PostgreSQL's own method, and half of that with lz4, where the
-- server was built with it.
DO $$
BEGIN
	ALTER TABLE scim_audit.events ALTER COLUMN detail SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
	NULL;
END $$;

COMMENT ON TABLE scim_audit.events IS 'The audit log, one row per event: insert-only, hash-linked within its transaction, partitioned by month';
COMMENT ON COLUMN scim_audit.events.tx_id IS 'UUID version 7, one for each database transaction that wrote events';
COMMENT ON COLUMN scim_audit.events.n IS 'Place of the event in its transaction, from 0';
COMMENT ON COLUMN scim_audit.events.status IS 'HTTP status of a SCIM call';
COMMENT ON COLUMN scim_audit.events.at IS 'Wall clock when the event was written';
COMMENT ON COLUMN scim_audit.events.request_id IS 'The SCIM call that the event belongs to';
COMMENT ON COLUMN scim_audit.events.tenant IS 'Tenant whose data it is; null for what concerns all tenants';
COMMENT ON COLUMN scim_audit.events.category IS 'request, change, security, admin, schema or system';
COMMENT ON COLUMN scim_audit.events.action IS 'What was done: create, read, list, replace, patch, delete, bulk; insert, update, delete, truncate';
COMMENT ON COLUMN scim_audit.events.event_type IS 'What it means: user.create, group.member.add, token.issue, …';
COMMENT ON COLUMN scim_audit.events.outcome IS 'success, failure or denied';
COMMENT ON COLUMN scim_audit.events.scim_type IS 'RFC 7644 table 9 keyword of a failed SCIM call';
COMMENT ON COLUMN scim_audit.events.actor IS 'Client or role that acted, a name the server issued or knows';
COMMENT ON COLUMN scim_audit.events.actor_type IS 'client, role or system';
COMMENT ON COLUMN scim_audit.events.credential IS 'Last four characters of the token';
COMMENT ON COLUMN scim_audit.events.session_role IS 'session_user';
COMMENT ON COLUMN scim_audit.events.effective_role IS 'current_user outside any SECURITY DEFINER function';
COMMENT ON COLUMN scim_audit.events.origin IS 'scim, direct, break_glass or system';
COMMENT ON COLUMN scim_audit.events.resource_type IS 'SCIM resource type, or schema.table';
COMMENT ON COLUMN scim_audit.events.resource_id IS 'Identifier of the resource, or key of the row (JSON array when composite)';
COMMENT ON COLUMN scim_audit.events.changed IS 'Attribute paths, or columns, that an update changed';
COMMENT ON COLUMN scim_audit.events.method IS 'HTTP method of the SCIM call';
COMMENT ON COLUMN scim_audit.events.detail_hash IS 'SHA-256 of detail_salt and detail; stays when detail is erased';
COMMENT ON COLUMN scim_audit.events.prev_hash IS 'leaf_hash of the previous event of the transaction; 32 zero bytes for the first';
COMMENT ON COLUMN scim_audit.events.leaf_hash IS 'SHA-256 of 0x00 and the entry rendered from the covered columns (RFC 6962 leaf hash)';
COMMENT ON COLUMN scim_audit.events.detail_salt IS '16 random bytes, erased with detail';
COMMENT ON COLUMN scim_audit.events.detail IS 'Everything that may identify a person; the one part that can be erased';

CREATE TABLE scim_audit.seals (
	chain       integer NOT NULL,
	events      integer NOT NULL,
	seq         bigint NOT NULL,
	at          timestamptz NOT NULL,
	tx_id       uuid NOT NULL,
	last_leaf   bytea NOT NULL,
	config_hash bytea NOT NULL,
	prev_hash   bytea NOT NULL,
	hash        bytea NOT NULL,
	CONSTRAINT seals_pkey PRIMARY KEY (chain, seq)
);
-- From an event to its seal, and so to its place in the tree.
CREATE INDEX seals_tx_id_idx ON scim_audit.seals (tx_id);

COMMENT ON TABLE scim_audit.seals IS 'One row per transaction that wrote events, linked into hash chains in commit order; kept for ever';
COMMENT ON COLUMN scim_audit.seals.chain IS 'Chain, from 0';
COMMENT ON COLUMN scim_audit.seals.events IS 'Number of events of the transaction';
COMMENT ON COLUMN scim_audit.seals.seq IS 'Place in the chain, from 1 without gaps';
COMMENT ON COLUMN scim_audit.seals.at IS 'Wall clock at commit, never before that of the previous seal of the chain';
COMMENT ON COLUMN scim_audit.seals.tx_id IS 'The transaction';
COMMENT ON COLUMN scim_audit.seals.last_leaf IS 'leaf_hash of its last event, which commits to all of them';
COMMENT ON COLUMN scim_audit.seals.config_hash IS 'Digest of what is audited: tables, triggers and their state, version';
COMMENT ON COLUMN scim_audit.seals.prev_hash IS 'hash of the previous seal of the chain; 32 zero bytes for the first';
COMMENT ON COLUMN scim_audit.seals.hash IS 'SHA-256 of 0x02 and the entry rendered from the other columns';

-- No one writes by SQL, not even the owner; the guards of 42_audit_write.sql
-- stop what a superuser might do by accident.
REVOKE ALL ON TABLE scim_audit.events, scim_audit.seals FROM PUBLIC;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER
	ON TABLE scim_audit.events, scim_audit.seals FROM CURRENT_USER;

ALTER TABLE scim_audit.events ENABLE ROW LEVEL SECURITY;
ALTER TABLE scim_audit.seals ENABLE ROW LEVEL SECURITY;
