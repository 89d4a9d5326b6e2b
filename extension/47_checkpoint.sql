-- Checkpoints: the events as leaves of a Merkle tree, signed outside (docs/audit-log.md, section 7).

-- The guards of the tables; what writes them goes past these.
DO LANGUAGE plpgsql $$
DECLARE
	tbl text;
BEGIN
	FOREACH tbl IN ARRAY ARRAY['log_origins', 'log_keys', 'checkpoints', 'checkpoint_spans', 'tiles', 'checkpoint_notes'] LOOP
		EXECUTE pg_catalog.format('CREATE TRIGGER guard_row BEFORE INSERT OR UPDATE OR DELETE ON scim_audit.%I
			FOR EACH ROW EXECUTE FUNCTION scim_audit.guard()', tbl);
		EXECUTE pg_catalog.format('CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON scim_audit.%I
			FOR EACH STATEMENT EXECUTE FUNCTION scim_audit.guard()', tbl);
		EXECUTE pg_catalog.format('ALTER TABLE scim_audit.%I ENABLE ALWAYS TRIGGER guard_row, ENABLE ALWAYS TRIGGER guard_truncate', tbl);
	END LOOP;
END
$$;

CREATE FUNCTION scim_audit.store(r record) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'scim_audit_store';
COMMENT ON FUNCTION scim_audit.store(record) IS 'Inserts a row of log_origins, log_keys or checkpoint_notes; for the functions of this extension';

CREATE FUNCTION scim_audit.lock_tree() RETURNS void
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'scim_audit_lock_tree';
COMMENT ON FUNCTION scim_audit.lock_tree() IS 'Waits for the turn of this transaction to change the tree or its origin';

CREATE FUNCTION scim_audit.incarnation() RETURNS text
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'scim_audit_incarnation';
COMMENT ON FUNCTION scim_audit.incarnation() IS 'The database that this is: system identifier, timeline and oid';

CREATE FUNCTION scim_audit.read_note(note text, OUT body text, OUT origin text, OUT size bigint, OUT root bytea, OUT signers text[])
	LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'scim_audit_read_note';
COMMENT ON FUNCTION scim_audit.read_note(text) IS 'A checkpoint taken apart, signed or not; signers are the beginnings of vkeys, their signatures not verified';

-- Where logs and their trees stand.

CREATE FUNCTION scim_audit.log_origin() RETURNS text
	LANGUAGE sql STABLE
	BEGIN ATOMIC
		SELECT o.origin FROM scim_audit.log_origins o ORDER BY o.number DESC LIMIT 1;
	END;
COMMENT ON FUNCTION scim_audit.log_origin() IS 'The origin under which this log makes checkpoints; null before the first';

-- A chain at a time from where the tree is: OFFSET 0 keeps it so, for seen as one
-- join this could read all seals there are.
CREATE FUNCTION scim_audit.new_seals(origin text) RETURNS SETOF scim_audit.seals
	LANGUAGE sql STABLE
	BEGIN ATOMIC
		WITH RECURSIVE c (chain) AS (
			SELECT pg_catalog.min(s.chain) FROM scim_audit.seals s
			UNION ALL
			SELECT (SELECT pg_catalog.min(s.chain) FROM scim_audit.seals s WHERE s.chain > c.chain) FROM c WHERE c.chain IS NOT NULL),
		p (chain, seq) AS MATERIALIZED (
			SELECT c.chain, coalesce((
				SELECT q.to_seq FROM scim_audit.checkpoint_spans q
				WHERE q.origin = new_seals.origin AND q.chain = c.chain ORDER BY q.from_seq DESC LIMIT 1), 0)
			FROM c WHERE c.chain IS NOT NULL)
		SELECT n.* FROM p CROSS JOIN LATERAL (
			SELECT s.* FROM scim_audit.seals s WHERE s.chain = p.chain AND s.seq > p.seq ORDER BY s.seq OFFSET 0) n;
	END;
COMMENT ON FUNCTION scim_audit.new_seals(text) IS 'Seals whose events are not in the tree of an origin yet';

CREATE FUNCTION scim_audit.checkpoint_text(origin text, size bigint, root bytea) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN origin || E'\n' || size || E'\n' || pg_catalog.encode(root, 'base64') || E'\n';
COMMENT ON FUNCTION scim_audit.checkpoint_text(text, bigint, bytea) IS 'A checkpoint as C2SP tlog-checkpoint writes it: the text to sign';

CREATE FUNCTION scim_audit.open_origin(base text, reason text) RETURNS text
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	generation integer := (SELECT coalesce(max(o.generation), 0) FROM scim_audit.log_origins o WHERE o.base = open_origin.base);
	before text := scim_audit.log_origin();
	name text;
BEGIN
	LOOP
		generation := generation + 1;
		name := base || CASE WHEN generation > 1 THEN '/' || generation ELSE '' END;
		EXIT WHEN NOT EXISTS (SELECT FROM scim_audit.log_origins o WHERE o.origin = name);
	END LOOP;
	PERFORM scim_audit.store(ROW((SELECT coalesce(max(o.number), 0) + 1 FROM scim_audit.log_origins o), generation, clock_timestamp(),
		base, name, scim_audit.incarnation(), reason)::scim_audit.log_origins);
	PERFORM scim_audit.log_event('admin', 'open', 'log.origin', NULL, NULL, NULL,
		json_strip_nulls(json_build_object('origin', name, 'before', before, 'cause', reason)));
	RETURN name;
END
$$;
COMMENT ON FUNCTION scim_audit.open_origin(text, text) IS 'Begins a new tree under a name that was never used';

-- A tree is never rewound.  What was published may be more than what is here:
-- after a restore, after a promotion, in a copy of the database.  So each of
-- these goes on under a name of its own.
CREATE FUNCTION scim_audit.ensure_origin() RETURNS text
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	current scim_audit.log_origins;
BEGIN
	SELECT * INTO current FROM scim_audit.log_origins o ORDER BY o.number DESC LIMIT 1;
	IF current.origin IS NULL THEN
		RETURN scim_audit.open_origin('log.invalid/' || gen_random_uuid(), 'first');
	ELSIF current.incarnation <> scim_audit.incarnation() THEN
		RETURN scim_audit.open_origin(current.base, 'moved');
	END IF;
	RETURN current.origin;
END
$$;
COMMENT ON FUNCTION scim_audit.ensure_origin() IS 'The origin in use; a new one where this is not the database that it was opened for';

CREATE FUNCTION scim_audit.name_log(origin text, vkeys text[]) RETURNS text
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	current scim_audit.log_origins;
	key text;
BEGIN
	SELECT * INTO current FROM scim_audit.log_origins o ORDER BY o.number DESC LIMIT 1;
	IF origin IN (current.base, current.origin) THEN
		origin := current.origin;
	ELSIF EXISTS (SELECT FROM scim_audit.log_origins o WHERE name_log.origin IN (o.base, o.origin)) THEN
		RAISE EXCEPTION 'the origin "%" was used before', origin USING ERRCODE = 'object_not_in_prerequisite_state',
			DETAIL = 'Who trusts it would be shown another log under its name.';
	ELSE
		origin := scim_audit.open_origin(origin, 'named');
	END IF;
	FOREACH key IN ARRAY vkeys LOOP
		CONTINUE WHEN EXISTS (SELECT FROM scim_audit.log_keys k WHERE k.origin = name_log.origin AND k.vkey = key);
		PERFORM scim_audit.store(ROW(clock_timestamp(), origin, key)::scim_audit.log_keys);
		PERFORM scim_audit.log_event('security', 'key', 'log.origin', NULL, NULL, NULL, json_build_object('origin', origin, 'vkey', key));
	END LOOP;
	RETURN origin;
END
$$;
COMMENT ON FUNCTION scim_audit.name_log(text, text[]) IS 'Does the work of set_log_origin()';

CREATE FUNCTION scim_audit.set_log_origin(origin text, vkeys text[] DEFAULT '{}') RETURNS text
	LANGUAGE c VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'scim_audit_set_log_origin';
COMMENT ON FUNCTION scim_audit.set_log_origin(text, text[]) IS
	'Names the log to the world and tells it the keys its checkpoints are signed with; with the name in use, adds keys. Returns the origin in use';

CREATE FUNCTION scim_audit.checkpoint(OUT origin text, OUT size bigint, OUT root bytea, OUT at timestamptz)
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'scim_audit_checkpoint';
COMMENT ON FUNCTION scim_audit.checkpoint() IS
	'Appends the events of new seals to the tree and returns the checkpoint; with nothing new, the last one. Forces its own commit to disk';

-- Only what is committed can be signed: what was made in this transaction
-- may never have been.
CREATE FUNCTION scim_audit.checkpoint_note() RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	newest record;
BEGIN
	SELECT c.origin, c.size, c.root, c.xmin INTO newest FROM scim_audit.checkpoints c
		WHERE c.origin = scim_audit.log_origin() ORDER BY c.size DESC LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no checkpoint yet' USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'SELECT scim_audit.checkpoint(), or scim_audit.maintain(), makes one.';
	ELSIF newest.xmin = pg_current_xact_id_if_assigned()::xid THEN
		RAISE EXCEPTION 'the checkpoint is not committed yet' USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'Sign it in another transaction.';
	END IF;
	RETURN scim_audit.checkpoint_text(newest.origin, newest.size, newest.root);
END
$$;
COMMENT ON FUNCTION scim_audit.checkpoint_note() IS 'The text of the newest checkpoint, to be signed outside of the database';

CREATE FUNCTION scim_audit.store_note(note text) RETURNS boolean
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given record;
	stored scim_audit.checkpoints;
	number integer;
BEGIN
	SELECT * INTO given FROM scim_audit.read_note(note);
	IF given.origin IS DISTINCT FROM scim_audit.log_origin() THEN
		RAISE EXCEPTION 'the checkpoint is of the log "%"', given.origin USING ERRCODE = 'invalid_parameter_value',
			DETAIL = format('This log is "%s" now.', scim_audit.log_origin());
	END IF;
	SELECT * INTO stored FROM scim_audit.checkpoints c WHERE c.origin = given.origin AND c.size = given.size;
	IF NOT FOUND AND given.size > (SELECT max(c.size) FROM scim_audit.checkpoints c WHERE c.origin = given.origin) THEN
		RAISE EXCEPTION 'a larger tree than this one was signed under its name' USING ERRCODE = 'data_corrupted',
			DETAIL = 'The database is behind what was published: it was rewound.', HINT = 'SELECT * FROM scim_audit.restored() begins a new origin.';
	ELSIF NOT FOUND OR given.body <> scim_audit.checkpoint_text(stored.origin, stored.size, stored.root) THEN
		RAISE EXCEPTION 'this is not a checkpoint of this log' USING ERRCODE = 'data_corrupted',
			DETAIL = CASE WHEN stored.size IS NULL THEN format('There is none of size %s.', given.size) ELSE format('That of size %s has another root.', given.size) END;
	ELSIF NOT EXISTS (SELECT FROM scim_audit.log_keys k WHERE k.origin = given.origin
			AND split_part(k.vkey, '+', 1) || '+' || split_part(k.vkey, '+', 2) = ANY (given.signers)) THEN
		RAISE EXCEPTION 'the note has no signature by a known key' USING ERRCODE = 'invalid_parameter_value',
			HINT = format('SELECT scim_audit.set_log_origin(%L, ARRAY[…]) makes keys known.', given.origin);
	END IF;
	IF EXISTS (SELECT FROM scim_audit.checkpoint_notes n WHERE n.origin = given.origin AND n.size = given.size AND n.note = store_note.note) THEN
		RETURN false;
	END IF;
	number := (SELECT coalesce(max(n.number), 0) + 1 FROM scim_audit.checkpoint_notes n WHERE n.origin = given.origin AND n.size = given.size);
	PERFORM scim_audit.store(ROW(given.size, clock_timestamp(), number, given.origin, note)::scim_audit.checkpoint_notes);
	PERFORM scim_audit.log_event('admin', 'publish', 'log.checkpoint', NULL, NULL, NULL,
		json_build_object('origin', given.origin, 'size', given.size, 'root', encode(given.root, 'hex'), 'signers', given.signers));
	RETURN true;
END
$$;
COMMENT ON FUNCTION scim_audit.store_note(text) IS 'Does the work of publish_checkpoint()';

CREATE FUNCTION scim_audit.publish_checkpoint(note text) RETURNS boolean
	LANGUAGE c VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'scim_audit_publish_checkpoint';
COMMENT ON FUNCTION scim_audit.publish_checkpoint(text) IS
	'Stores a signed checkpoint of this log, whose text must be that of a stored one and signed by a known key; false when it is there already';

CREATE FUNCTION scim_audit.published_checkpoint() RETURNS text
	LANGUAGE sql STABLE
	BEGIN ATOMIC
		SELECT n.note FROM scim_audit.checkpoint_notes n WHERE n.origin = scim_audit.log_origin()
		ORDER BY n.size DESC, n.number DESC LIMIT 1;
	END;
COMMENT ON FUNCTION scim_audit.published_checkpoint() IS 'The newest signed checkpoint; null when none was published';

CREATE FUNCTION scim_audit.latest_seal() RETURNS timestamptz
	LANGUAGE sql STABLE
	BEGIN ATOMIC
		WITH RECURSIVE c (chain) AS (
			SELECT pg_catalog.min(s.chain) FROM scim_audit.seals s
			UNION ALL
			SELECT (SELECT pg_catalog.min(s.chain) FROM scim_audit.seals s WHERE s.chain > c.chain) FROM c WHERE c.chain IS NOT NULL)
		SELECT pg_catalog.max((SELECT s.at FROM scim_audit.seals s WHERE s.chain = c.chain ORDER BY s.seq DESC LIMIT 1)) FROM c;
	END;
COMMENT ON FUNCTION scim_audit.latest_seal() IS 'When a transaction was sealed last';

CREATE FUNCTION scim_audit.maintain_log(every integer, OUT partitions integer, OUT heartbeat boolean, OUT origin text, OUT size bigint)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	partitions := scim_audit.ensure_partitions();
	heartbeat := every > 0 AND coalesce(scim_audit.latest_seal() <= clock_timestamp() - make_interval(secs => every), true);
	IF heartbeat THEN
		PERFORM scim_audit.log_event('system', 'heartbeat', 'log.heartbeat', NULL, NULL, NULL,
			json_strip_nulls(json_build_object('every', every, 'silent_since', scim_audit.latest_seal())));
	END IF;
	SELECT c.origin, c.size INTO maintain_log.origin, maintain_log.size FROM scim_audit.checkpoint() c;
END
$$;
COMMENT ON FUNCTION scim_audit.maintain_log(integer) IS 'Does the work of maintain()';

CREATE FUNCTION scim_audit.maintain(OUT partitions integer, OUT heartbeat boolean, OUT origin text, OUT size bigint)
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'scim_audit_maintain';
COMMENT ON FUNCTION scim_audit.maintain() IS
	'Everything that is due from time to time: partitions ahead, a heartbeat after a silence (scim_audit.heartbeat), a checkpoint';

-- Proofs and what they are made of.

CREATE FUNCTION scim_audit.prove(tx_id uuid, n integer) RETURNS text
	LANGUAGE c VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'scim_audit_prove';
COMMENT ON FUNCTION scim_audit.prove(uuid, integer) IS
	'Proof that an event is in the log, under the newest signed checkpoint (C2SP tlog-proof); for auditors of its tenant';

CREATE FUNCTION scim_audit.prove_consistency(old_size bigint, new_size bigint) RETURNS bytea[]
	LANGUAGE c VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'scim_audit_prove_consistency';
COMMENT ON FUNCTION scim_audit.prove_consistency(bigint, bigint) IS
	'Proof that the tree of the new size begins with that of the old one (RFC 9162, section 2.1.4)';

CREATE FUNCTION scim_audit.tree_root(origin text, size bigint) RETURNS bytea
	LANGUAGE c STABLE STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'scim_audit_tree_root';
COMMENT ON FUNCTION scim_audit.tree_root(text, bigint) IS 'Root of the first so many leaves, from the tiles; null when the tree is smaller';

CREATE FUNCTION scim_audit.tile(path text) RETURNS bytea
	LANGUAGE c STABLE STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'scim_audit_tile';
COMMENT ON FUNCTION scim_audit.tile(text) IS
	'A resource of C2SP tlog-tiles, tile/<L>/<N>[.p/<W>] or tile/entries/<N>[.p/<W>]; null when there is none';

CREATE FUNCTION scim_audit.log_verify(detail json) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'scim_audit_log_verify';
COMMENT ON FUNCTION scim_audit.log_verify(json) IS 'Writes the event log.verify of a checkpoint compared with the log; for auditors';

-- Whoever rewrote all of the log, and what is stored of its tree, cannot have
-- rewritten what others hold.
CREATE FUNCTION scim_audit.verify_checkpoint(note text,
	OUT rule text, OUT chain integer, OUT seq bigint, OUT tx_id uuid, OUT n integer, OUT message text)
	RETURNS SETOF record LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given record;
	size bigint;
BEGIN
	IF note IS NULL THEN
		RAISE EXCEPTION 'the checkpoint to compare must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT * INTO given FROM scim_audit.read_note(note);
	size := (SELECT max(c.size) FROM scim_audit.checkpoints c WHERE c.origin = given.origin);
	IF size IS NULL THEN
		rule := 'checkpoint_missing';
		message := format('This log has no checkpoint of "%s": it is another log, or its checkpoints were removed.', given.origin);
	ELSIF given.size > size THEN
		rule := 'checkpoint_rewound';
		message := format('The tree of "%s" has %s events, that of the checkpoint has %s: the log was rewound.', given.origin, size, given.size);
	ELSIF scim_audit.tree_root(given.origin, given.size) IS DISTINCT FROM given.root THEN
		rule := 'checkpoint_mismatch';
		message := format('The first %s events of "%s" have not the root of the checkpoint: the log was rewritten.', given.size, given.origin);
	END IF;
	PERFORM scim_audit.log_verify(json_build_object('checkpoint', given.body, 'findings', (rule IS NOT NULL)::integer));
	IF rule IS NOT NULL THEN
		RETURN NEXT;
	END IF;
END
$$;
COMMENT ON FUNCTION scim_audit.verify_checkpoint(text) IS
	'Compares a checkpoint that was kept elsewhere, signed or not, with the tree; no row: this log begins with what that covers. Signatures are not looked at';

REVOKE ALL ON FUNCTION scim_audit.store(record), scim_audit.lock_tree(), scim_audit.incarnation(), scim_audit.read_note(text),
	scim_audit.log_origin(), scim_audit.new_seals(text), scim_audit.checkpoint_text(text, bigint, bytea),
	scim_audit.open_origin(text, text), scim_audit.ensure_origin(), scim_audit.name_log(text, text[]),
	scim_audit.set_log_origin(text, text[]), scim_audit.checkpoint(), scim_audit.checkpoint_note(), scim_audit.store_note(text),
	scim_audit.publish_checkpoint(text), scim_audit.published_checkpoint(), scim_audit.latest_seal(),
	scim_audit.maintain_log(integer), scim_audit.maintain(), scim_audit.prove(uuid, integer),
	scim_audit.prove_consistency(bigint, bigint), scim_audit.tree_root(text, bigint), scim_audit.tile(text),
	scim_audit.log_verify(json), scim_audit.verify_checkpoint(text) FROM PUBLIC;
