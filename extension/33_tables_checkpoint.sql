-- The Merkle tree over the log's events, and the checkpoints of it; see
-- docs/audit-log.md, section 7.  Rows are written by the library only.

-- A log is known by its origin, the first line of its checkpoints.  A database
-- that may have lost what was published goes on under a new one, with a tree
-- of its own; the newest row is the one in use.
CREATE TABLE scim_audit.log_origins (
	number      integer NOT NULL,
	generation  integer NOT NULL,
	opened      timestamptz NOT NULL,
	base        text NOT NULL,
	origin      text NOT NULL COLLATE pg_catalog."C",
	incarnation text NOT NULL,
	reason      text NOT NULL,
	CONSTRAINT log_origins_pkey PRIMARY KEY (number),
	CONSTRAINT log_origins_origin_key UNIQUE (origin)
);
COMMENT ON TABLE scim_audit.log_origins IS 'Origins under which this log has made checkpoints; the one with the highest number is in use';
COMMENT ON COLUMN scim_audit.log_origins.number IS 'Which origin of this log it is, from 1';
COMMENT ON COLUMN scim_audit.log_origins.generation IS 'Which origin of this base it is, from 1';
COMMENT ON COLUMN scim_audit.log_origins.opened IS 'When it was opened';
COMMENT ON COLUMN scim_audit.log_origins.base IS 'The name given to scim_audit.set_log_origin()';
COMMENT ON COLUMN scim_audit.log_origins.origin IS 'base, from the second generation on with / and its number behind';
COMMENT ON COLUMN scim_audit.log_origins.incarnation IS 'The database it is for: system identifier, timeline and oid, joined by slashes';
COMMENT ON COLUMN scim_audit.log_origins.reason IS 'Why it was opened: first, named, restored or moved';

CREATE TABLE scim_audit.log_keys (
	added  timestamptz NOT NULL,
	origin text NOT NULL COLLATE pg_catalog."C",
	vkey   text NOT NULL COLLATE pg_catalog."C",
	CONSTRAINT log_keys_pkey PRIMARY KEY (origin, vkey)
);
COMMENT ON TABLE scim_audit.log_keys IS 'Public keys whose signatures a published checkpoint may have; private keys are never here';
COMMENT ON COLUMN scim_audit.log_keys.added IS 'When the key was made known';
COMMENT ON COLUMN scim_audit.log_keys.origin IS 'The origin that it is for';
COMMENT ON COLUMN scim_audit.log_keys.vkey IS 'The key as C2SP signed-note writes it: name+id+base64';

CREATE TABLE scim_audit.checkpoints (
	size   bigint NOT NULL,
	at     timestamptz NOT NULL,
	origin text NOT NULL COLLATE pg_catalog."C",
	root   bytea NOT NULL,
	edge   bytea NOT NULL,
	CONSTRAINT checkpoints_pkey PRIMARY KEY (origin, size)
);
COMMENT ON TABLE scim_audit.checkpoints IS 'Sizes and roots of the Merkle tree over the log''s events';
COMMENT ON COLUMN scim_audit.checkpoints.size IS 'How many events the tree has';
COMMENT ON COLUMN scim_audit.checkpoints.at IS 'When it was made';
COMMENT ON COLUMN scim_audit.checkpoints.origin IS 'Which log''s tree it is';
COMMENT ON COLUMN scim_audit.checkpoints.root IS 'Root of the tree (RFC 6962)';
COMMENT ON COLUMN scim_audit.checkpoints.edge IS 'Roots of the full subtrees that the tree is made of, the largest first: what it goes on from';

-- Where a leaf of the tree comes from.  Each checkpoint begins a span for each
-- chain that has new seals, and a span ends after some 256 leaves; so a leaf
-- is found from an event, and an event from a leaf, by looking at few seals.
CREATE TABLE scim_audit.checkpoint_spans (
	first    bigint NOT NULL,
	from_seq bigint NOT NULL,
	to_seq   bigint NOT NULL,
	chain    integer NOT NULL,
	origin   text NOT NULL COLLATE pg_catalog."C",
	head     bytea NOT NULL,
	CONSTRAINT checkpoint_spans_pkey PRIMARY KEY (origin, first),
	CONSTRAINT checkpoint_spans_chain_key UNIQUE (origin, chain, from_seq)
);
COMMENT ON TABLE scim_audit.checkpoint_spans IS 'Which seals'' events are which leaves of the tree';
COMMENT ON COLUMN scim_audit.checkpoint_spans.first IS 'Index of the first leaf';
COMMENT ON COLUMN scim_audit.checkpoint_spans.from_seq IS 'The first seal, in the chain';
COMMENT ON COLUMN scim_audit.checkpoint_spans.to_seq IS 'The last seal';
COMMENT ON COLUMN scim_audit.checkpoint_spans.chain IS 'The chain';
COMMENT ON COLUMN scim_audit.checkpoint_spans.origin IS 'Which log''s tree it is';
COMMENT ON COLUMN scim_audit.checkpoint_spans.head IS 'hash of the last seal';

CREATE TABLE scim_audit.tiles (
	index  bigint NOT NULL,
	level  integer NOT NULL,
	origin text NOT NULL COLLATE pg_catalog."C",
	hashes bytea NOT NULL,
	CONSTRAINT tiles_pkey PRIMARY KEY (origin, level, index)
);
ALTER TABLE scim_audit.tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;
COMMENT ON TABLE scim_audit.tiles IS 'The tree in tiles (C2SP tlog-tiles); a full tile never changes, the last one of a level grows';
COMMENT ON COLUMN scim_audit.tiles.index IS 'Place of the tile in its level, from 0';
COMMENT ON COLUMN scim_audit.tiles.level IS 'Level of the tile: its hashes are nodes of the tree''s level 8 * level';
COMMENT ON COLUMN scim_audit.tiles.origin IS 'Which log''s tree it is';
COMMENT ON COLUMN scim_audit.tiles.hashes IS '1 to 256 hashes of 32 bytes';

CREATE TABLE scim_audit.checkpoint_notes (
	size      bigint NOT NULL,
	published timestamptz NOT NULL,
	number    integer NOT NULL,
	origin    text NOT NULL COLLATE pg_catalog."C",
	note      text NOT NULL,
	CONSTRAINT checkpoint_notes_pkey PRIMARY KEY (origin, size, number)
);
COMMENT ON TABLE scim_audit.checkpoint_notes IS 'Signed checkpoints, as they were published';
COMMENT ON COLUMN scim_audit.checkpoint_notes.size IS 'How many events the tree has';
COMMENT ON COLUMN scim_audit.checkpoint_notes.published IS 'When the note was stored';
COMMENT ON COLUMN scim_audit.checkpoint_notes.number IS 'Which note of this checkpoint, from 1; a later one may have more signatures';
COMMENT ON COLUMN scim_audit.checkpoint_notes.origin IS 'Which log''s checkpoint it is';
COMMENT ON COLUMN scim_audit.checkpoint_notes.note IS 'The signed note (C2SP signed-note)';

REVOKE ALL ON TABLE scim_audit.log_origins, scim_audit.log_keys, scim_audit.checkpoints, scim_audit.checkpoint_spans,
	scim_audit.tiles, scim_audit.checkpoint_notes FROM PUBLIC;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON TABLE scim_audit.log_origins, scim_audit.log_keys,
	scim_audit.checkpoints, scim_audit.checkpoint_spans, scim_audit.tiles, scim_audit.checkpoint_notes FROM CURRENT_USER;
ALTER TABLE scim_audit.log_origins ENABLE ROW LEVEL SECURITY;
ALTER TABLE scim_audit.log_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE scim_audit.checkpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE scim_audit.checkpoint_spans ENABLE ROW LEVEL SECURITY;
ALTER TABLE scim_audit.tiles ENABLE ROW LEVEL SECURITY;
ALTER TABLE scim_audit.checkpoint_notes ENABLE ROW LEVEL SECURITY;
