-- The tables of server.js: those of scim_audit as far as this server needs
-- them, with the same keys and indexes, and no tenant and no log.
CREATE TABLE users (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	user_name text NOT NULL,
	external_id text,
	active boolean,
	display_name text,
	title text,
	family_name text,
	given_name text,
	emails jsonb,
	department text,
	created timestamptz NOT NULL DEFAULT now(),
	last_modified timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX ON users (lower(user_name));
CREATE INDEX ON users (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX ON users (last_modified);
CREATE INDEX ON users USING gin (emails);

CREATE TABLE groups (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	display_name text NOT NULL,
	external_id text,
	created timestamptz NOT NULL DEFAULT now(),
	last_modified timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON groups (lower(display_name));
CREATE INDEX ON groups (external_id) WHERE external_id IS NOT NULL;

CREATE TABLE group_members (
	group_id uuid NOT NULL REFERENCES groups ON DELETE CASCADE,
	user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
	PRIMARY KEY (group_id, user_id)
);
CREATE INDEX ON group_members (user_id);
