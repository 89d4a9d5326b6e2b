-- What an auditor reads.  security_invoker: row-level security is the
-- reader's.  Newest first; (tx_id, n) is the key of the partitions, so that a
-- page costs the same wherever it is:
--   WHERE (tx_id, n) < ($1, $2) ORDER BY tx_id DESC, n DESC LIMIT 100

CREATE VIEW scim_audit.log WITH (security_invoker) AS
	SELECT e.tx_id::text || ':' || e.n AS event_id, e.at, e.tenant, e.actor AS who, e.event_type,
		e.resource_type, e.resource_id, e.changed, e.outcome, e.status, e.scim_type,
		e.category, e.action, e.origin, e.method, e.actor_type, e.credential, e.session_role, e.effective_role,
		e.request_id, e.detail_hash IS NOT NULL AND e.detail IS NULL AS erased,
		e.tx_id, e.n, e.detail_hash, e.prev_hash, e.leaf_hash
	FROM scim_audit.events e
	ORDER BY e.tx_id DESC, e.n DESC;
COMMENT ON VIEW scim_audit.log IS 'Every event, without its detail, newest first';
COMMENT ON COLUMN scim_audit.log.event_id IS 'Name of the event: tx_id:n';
COMMENT ON COLUMN scim_audit.log.at IS 'When it was written';
COMMENT ON COLUMN scim_audit.log.tenant IS 'Tenant whose data it is; null for what concerns all';
COMMENT ON COLUMN scim_audit.log.who IS 'Client or role that acted';
COMMENT ON COLUMN scim_audit.log.event_type IS 'What it means: user.create, group.member.add, duty.grant, …';
COMMENT ON COLUMN scim_audit.log.resource_type IS 'SCIM resource type, or schema.table';
COMMENT ON COLUMN scim_audit.log.resource_id IS 'Identifier of the resource, or key of the row';
COMMENT ON COLUMN scim_audit.log.changed IS 'Attributes that an update changed';
COMMENT ON COLUMN scim_audit.log.outcome IS 'success, failure or denied';
COMMENT ON COLUMN scim_audit.log.status IS 'HTTP status of a SCIM call';
COMMENT ON COLUMN scim_audit.log.scim_type IS 'SCIM error keyword of a failed call';
COMMENT ON COLUMN scim_audit.log.category IS 'request, change, security, admin, schema or system';
COMMENT ON COLUMN scim_audit.log.action IS 'What was done: create, patch, insert, update, grant, …';
COMMENT ON COLUMN scim_audit.log.origin IS 'scim, direct (plain SQL), break_glass or system';
COMMENT ON COLUMN scim_audit.log.method IS 'HTTP method of the SCIM call';
COMMENT ON COLUMN scim_audit.log.actor_type IS 'client, role or system';
COMMENT ON COLUMN scim_audit.log.credential IS 'Last four characters of the token';
COMMENT ON COLUMN scim_audit.log.session_role IS 'Role that had logged in';
COMMENT ON COLUMN scim_audit.log.effective_role IS 'Role in force, outside SECURITY DEFINER functions';
COMMENT ON COLUMN scim_audit.log.request_id IS 'The SCIM call it belongs to';
COMMENT ON COLUMN scim_audit.log.erased IS 'Its detail has been erased';
COMMENT ON COLUMN scim_audit.log.tx_id IS 'The transaction; with n the key, for paging';
COMMENT ON COLUMN scim_audit.log.n IS 'Place in the transaction';
COMMENT ON COLUMN scim_audit.log.detail_hash IS 'Salted hash of its detail';
COMMENT ON COLUMN scim_audit.log.prev_hash IS 'leaf_hash of the event before it in its transaction';
COMMENT ON COLUMN scim_audit.log.leaf_hash IS 'Hash of its entry';

CREATE VIEW scim_audit.requests WITH (security_invoker) AS
	SELECT e.tx_id::text || ':' || e.n AS event_id, e.at, e.tenant, e.actor AS who, e.method,
		e.detail ->> 'endpoint' AS endpoint, e.detail ->> 'query' AS query,
		e.status, e.outcome, e.scim_type,
		CASE WHEN e.outcome <> 'success' THEN e.detail -> 'response' ->> 'detail' END AS error,
		e.resource_type, e.resource_id, e.detail ->> 'resource_name' AS resource_name,
		e.detail ->> 'client_addr' AS client_addr, e.detail ->> 'user_agent' AS user_agent,
		e.detail ->> 'application_name' AS application_name,
		e.detail ->> 'actor_claimed' AS actor_claimed, e.detail ->> 'on_behalf_of' AS on_behalf_of,
		e.detail ->> 'reason' AS reason, e.detail ->> 'ticket' AS ticket, e.detail ->> 'idp_ref' AS idp_ref,
		(e.detail -> 'request')::jsonb AS request, e.detail ->> 'request_base64' AS request_base64,
		(e.detail -> 'response')::jsonb AS response, (e.detail -> 'tolerances')::jsonb AS tolerances,
		e.event_type, e.action, e.origin, e.actor_type, e.credential, e.session_role, e.effective_role,
		e.request_id, e.tx_id, e.n
	FROM scim_audit.events e
	WHERE e.category = 'request'
	ORDER BY e.tx_id DESC, e.n DESC;
COMMENT ON VIEW scim_audit.requests IS 'SCIM calls: what was asked by whom, from where and why, and how it was answered; newest first';
COMMENT ON COLUMN scim_audit.requests.event_id IS 'Name of the event: tx_id:n';
COMMENT ON COLUMN scim_audit.requests.at IS 'When it was answered';
COMMENT ON COLUMN scim_audit.requests.tenant IS 'The tenant';
COMMENT ON COLUMN scim_audit.requests.who IS 'Client or role that called';
COMMENT ON COLUMN scim_audit.requests.method IS 'HTTP method';
COMMENT ON COLUMN scim_audit.requests.endpoint IS 'Path below the SCIM base';
COMMENT ON COLUMN scim_audit.requests.query IS 'Query string, secrets replaced';
COMMENT ON COLUMN scim_audit.requests.status IS 'HTTP status of the answer';
COMMENT ON COLUMN scim_audit.requests.outcome IS 'success, failure or denied';
COMMENT ON COLUMN scim_audit.requests.scim_type IS 'SCIM error keyword';
COMMENT ON COLUMN scim_audit.requests.error IS 'What the client was told of the failure';
COMMENT ON COLUMN scim_audit.requests.resource_type IS 'SCIM resource type';
COMMENT ON COLUMN scim_audit.requests.resource_id IS 'The resource';
COMMENT ON COLUMN scim_audit.requests.resource_name IS 'Its displayName or userName then';
COMMENT ON COLUMN scim_audit.requests.client_addr IS 'Network address of the client';
COMMENT ON COLUMN scim_audit.requests.user_agent IS 'User-Agent of the client';
COMMENT ON COLUMN scim_audit.requests.application_name IS 'application_name of the session';
COMMENT ON COLUMN scim_audit.requests.actor_claimed IS 'Who acted, as the session claimed (scim_audit.actor)';
COMMENT ON COLUMN scim_audit.requests.on_behalf_of IS 'For whom, as the session claimed';
COMMENT ON COLUMN scim_audit.requests.reason IS 'Why, as the session claimed';
COMMENT ON COLUMN scim_audit.requests.ticket IS 'Ticket, as the session claimed';
COMMENT ON COLUMN scim_audit.requests.idp_ref IS 'The identity provider''s own id of the call';
COMMENT ON COLUMN scim_audit.requests.request IS 'Body of the request, secrets replaced';
COMMENT ON COLUMN scim_audit.requests.request_base64 IS 'Body that is no JSON, in base64';
COMMENT ON COLUMN scim_audit.requests.response IS 'The answer: an error whole, on success id and version';
COMMENT ON COLUMN scim_audit.requests.tolerances IS 'What the client''s profile changed in the request before it was served';
COMMENT ON COLUMN scim_audit.requests.event_type IS 'What it means';
COMMENT ON COLUMN scim_audit.requests.action IS 'create, read, list, replace, patch, delete or bulk';
COMMENT ON COLUMN scim_audit.requests.origin IS 'scim, break_glass or system';
COMMENT ON COLUMN scim_audit.requests.actor_type IS 'client, role or system';
COMMENT ON COLUMN scim_audit.requests.credential IS 'Last four characters of the token';
COMMENT ON COLUMN scim_audit.requests.session_role IS 'Role that had logged in';
COMMENT ON COLUMN scim_audit.requests.effective_role IS 'Role in force';
COMMENT ON COLUMN scim_audit.requests.request_id IS 'The call; the events it caused have it too';
COMMENT ON COLUMN scim_audit.requests.tx_id IS 'The transaction; with n the key, for paging';
COMMENT ON COLUMN scim_audit.requests.n IS 'Place in the transaction';

-- One row per attribute of old and new; a membership is one row, its
-- attribute "members"; what was erased shows the names of `changed` alone.
CREATE VIEW scim_audit.changes WITH (security_invoker) AS
	SELECT e.tx_id::text || ':' || e.n AS event_id, e.at, e.tenant, e.event_type,
		e.resource_type, e.resource_id, e.detail ->> 'resource_name' AS resource_name,
		c.attribute, c.old, c.new,
		e.actor AS who, e.origin, e.detail ->> 'client_addr' AS client_addr,
		e.detail ->> 'application_name' AS application_name,
		e.detail ->> 'actor_claimed' AS actor_claimed, e.detail ->> 'on_behalf_of' AS on_behalf_of,
		e.detail ->> 'reason' AS reason, e.detail ->> 'ticket' AS ticket,
		e.action, e.actor_type, e.credential, e.session_role, e.effective_role, e.request_id, e.tx_id, e.n
	FROM scim_audit.events e
	LEFT JOIN LATERAL (
		SELECT coalesce(o.key, w.key) AS attribute, o.value::jsonb AS old, w.value::jsonb AS new
		FROM pg_catalog.json_each(e.detail -> 'old') o
		FULL JOIN pg_catalog.json_each(e.detail -> 'new') w ON w.key = o.key
		WHERE e.event_type NOT LIKE 'group.member.%'
		UNION ALL
		SELECT 'members', (e.detail -> 'old')::jsonb - 'tenant' - 'group', (e.detail -> 'new')::jsonb - 'tenant' - 'group'
		WHERE e.event_type LIKE 'group.member.%' AND e.detail IS NOT NULL
		UNION ALL
		SELECT a, NULL, NULL FROM pg_catalog.unnest(e.changed) a WHERE e.detail IS NULL) c ON true
	WHERE e.category = 'change'
	ORDER BY e.tx_id DESC, e.n DESC;
COMMENT ON VIEW scim_audit.changes IS 'What became of each attribute of each row that changed, who changed it, from where and why; newest first';
COMMENT ON COLUMN scim_audit.changes.event_id IS 'Name of the event: tx_id:n';
COMMENT ON COLUMN scim_audit.changes.at IS 'When it was changed';
COMMENT ON COLUMN scim_audit.changes.tenant IS 'The row''s tenant';
COMMENT ON COLUMN scim_audit.changes.event_type IS 'What it means: user.create, user.deactivate, group.member.add, table.update, …';
COMMENT ON COLUMN scim_audit.changes.resource_type IS 'SCIM resource type, or schema.table';
COMMENT ON COLUMN scim_audit.changes.resource_id IS 'Identifier of the resource, or key of the row';
COMMENT ON COLUMN scim_audit.changes.resource_name IS 'Its displayName or userName then';
COMMENT ON COLUMN scim_audit.changes.attribute IS 'SCIM attribute path, or column; null when there is none to tell, as after TRUNCATE';
COMMENT ON COLUMN scim_audit.changes.old IS 'Value before; null when there was none';
COMMENT ON COLUMN scim_audit.changes.new IS 'Value after; null when there is none';
COMMENT ON COLUMN scim_audit.changes.who IS 'Client or role that acted';
COMMENT ON COLUMN scim_audit.changes.origin IS 'scim, direct (plain SQL), break_glass or system';
COMMENT ON COLUMN scim_audit.changes.client_addr IS 'Network address of the session''s client';
COMMENT ON COLUMN scim_audit.changes.application_name IS 'application_name of the session';
COMMENT ON COLUMN scim_audit.changes.actor_claimed IS 'Who acted, as the session claimed (scim_audit.actor)';
COMMENT ON COLUMN scim_audit.changes.on_behalf_of IS 'For whom, as the session claimed';
COMMENT ON COLUMN scim_audit.changes.reason IS 'Why, as the session claimed';
COMMENT ON COLUMN scim_audit.changes.ticket IS 'Ticket, as the session claimed';
COMMENT ON COLUMN scim_audit.changes.action IS 'insert, update, delete or truncate';
COMMENT ON COLUMN scim_audit.changes.actor_type IS 'client, role or system';
COMMENT ON COLUMN scim_audit.changes.credential IS 'Last four characters of the token';
COMMENT ON COLUMN scim_audit.changes.session_role IS 'Role that had logged in';
COMMENT ON COLUMN scim_audit.changes.effective_role IS 'Role in force';
COMMENT ON COLUMN scim_audit.changes.request_id IS 'The SCIM call that changed it';
COMMENT ON COLUMN scim_audit.changes.tx_id IS 'The transaction; with n the key, for paging';
COMMENT ON COLUMN scim_audit.changes.n IS 'Place in the transaction';

-- Additions and removals of one member in one group alternate; each addition
-- is paired with what came next, or with a TRUNCATE that came before that.
CREATE VIEW scim_audit.memberships WITH (security_invoker) AS
	WITH step AS (
		SELECT e.tenant, e.resource_id AS group_id, d.link ->> 'member' AS member_id, d.link ->> 'type' AS member_type,
			e.action = 'insert' AS added, e.at, e.actor, e.detail ->> 'reason' AS reason, e.tx_id, e.n,
			lag(e.action) OVER w AS before, lead(e.action) OVER w AS after, lead(e.at) OVER w AS after_at,
			lead(e.actor) OVER w AS after_actor, lead(e.detail ->> 'reason') OVER w AS after_reason
		FROM scim_audit.events e, LATERAL (SELECT coalesce(e.detail -> 'new', e.detail -> 'old') AS link) d
		WHERE e.category = 'change' AND e.event_type = ANY (ARRAY['group.member.add', 'group.member.remove'])
		WINDOW w AS (PARTITION BY e.tenant, e.resource_id, d.link ->> 'member' ORDER BY e.at, e.tx_id, e.n)
	), cleared AS MATERIALIZED (
		SELECT e.tenant, e.at, e.actor, e.detail ->> 'reason' AS reason
		FROM scim_audit.events e WHERE e.category = 'change' AND e.event_type = 'group.member.truncate'
	), named AS (
		SELECT DISTINCT ON (e.resource_type, e.resource_id) e.resource_type, e.resource_id, e.detail ->> 'resource_name' AS name
		FROM scim_audit.events e
		WHERE e.category = 'change' AND e.resource_type = ANY (ARRAY['User', 'Group']) AND e.detail ->> 'resource_name' IS NOT NULL
		ORDER BY e.resource_type, e.resource_id, e.tx_id DESC, e.n DESC
	)
	SELECT s.tenant, s.group_id, g.name AS group_name, s.member_type, s.member_id, m.name AS member_name,
		CASE WHEN s.added THEN s.at END AS added_at,
		CASE WHEN s.added THEN s.actor END AS added_by,
		CASE WHEN s.added THEN s.reason END AS added_why,
		CASE WHEN NOT s.added THEN s.at WHEN c.at IS NOT NULL THEN c.at WHEN s.after = 'delete' THEN s.after_at END AS removed_at,
		CASE WHEN NOT s.added THEN s.actor WHEN c.at IS NOT NULL THEN c.actor WHEN s.after = 'delete' THEN s.after_actor END AS removed_by,
		CASE WHEN NOT s.added THEN s.reason WHEN c.at IS NOT NULL THEN c.reason WHEN s.after = 'delete' THEN s.after_reason END AS removed_why,
		s.tx_id, s.n
	FROM step s
	LEFT JOIN named g ON g.resource_type = 'Group' AND g.resource_id = s.group_id
	LEFT JOIN named m ON m.resource_type = s.member_type AND m.resource_id = s.member_id
	LEFT JOIN LATERAL (
		SELECT c.at, c.actor, c.reason FROM cleared c
		WHERE s.added AND (c.tenant IS NULL OR c.tenant = s.tenant) AND c.at > s.at AND (s.after_at IS NULL OR c.at < s.after_at)
		ORDER BY c.at LIMIT 1) c ON true
	WHERE s.added OR s.before IS DISTINCT FROM 'insert'
	ORDER BY s.tx_id DESC, s.n DESC;
COMMENT ON VIEW scim_audit.memberships IS 'Who was in which group from when to when, and who put and took them; newest first';
COMMENT ON COLUMN scim_audit.memberships.tenant IS 'The tenant';
COMMENT ON COLUMN scim_audit.memberships.group_id IS 'The group';
COMMENT ON COLUMN scim_audit.memberships.group_name IS 'displayName it had last';
COMMENT ON COLUMN scim_audit.memberships.member_type IS 'User or Group';
COMMENT ON COLUMN scim_audit.memberships.member_id IS 'The member';
COMMENT ON COLUMN scim_audit.memberships.member_name IS 'displayName or userName it had last';
COMMENT ON COLUMN scim_audit.memberships.added_at IS 'When it was added; null when the log does not go back so far';
COMMENT ON COLUMN scim_audit.memberships.added_by IS 'Client or role that added it';
COMMENT ON COLUMN scim_audit.memberships.added_why IS 'Reason that the session claimed';
COMMENT ON COLUMN scim_audit.memberships.removed_at IS 'When it was removed; null while it is a member';
COMMENT ON COLUMN scim_audit.memberships.removed_by IS 'Client or role that removed it';
COMMENT ON COLUMN scim_audit.memberships.removed_why IS 'Reason that the session claimed';
COMMENT ON COLUMN scim_audit.memberships.tx_id IS 'Transaction of the event that added it (or, where that is not known, removed it)';
COMMENT ON COLUMN scim_audit.memberships.n IS 'Place in that transaction';

CREATE VIEW scim_audit.chain_status WITH (security_invoker) AS
	SELECT c.chain, c.seals, c.last_seq, s.at AS last_at, s.tx_id AS last_tx_id, s.hash AS last_hash
	FROM (SELECT chain, count(*) AS seals, max(seq) AS last_seq FROM scim_audit.seals GROUP BY chain) c
	JOIN scim_audit.seals s ON s.chain = c.chain AND s.seq = c.last_seq
	ORDER BY c.chain;
COMMENT ON VIEW scim_audit.chain_status IS 'Head of each chain; noted outside the database, it shows when newer seals were taken away';
COMMENT ON COLUMN scim_audit.chain_status.chain IS 'The chain';
COMMENT ON COLUMN scim_audit.chain_status.seals IS 'Number of its seals';
COMMENT ON COLUMN scim_audit.chain_status.last_seq IS 'seq of the last one; the same number in a whole chain';
COMMENT ON COLUMN scim_audit.chain_status.last_at IS 'Time of the last seal';
COMMENT ON COLUMN scim_audit.chain_status.last_tx_id IS 'Transaction it seals';
COMMENT ON COLUMN scim_audit.chain_status.last_hash IS 'Its hash, which commits to all before it';
