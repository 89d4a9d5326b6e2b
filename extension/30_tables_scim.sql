-- SCIM resources: one row per resource, columns named after the attribute
-- paths in snake_case.  Keys include the tenant, because foreign keys and
-- unique indexes do not look at row-level security.

CREATE FUNCTION scim.uuid7() RETURNS uuid
	LANGUAGE c VOLATILE PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_uuid7_sql';
COMMENT ON FUNCTION scim.uuid7() IS 'A new version 7 UUID: ordered by time';

-- LEAKPROOF, so that a filter on scim.fold(user_name) uses its index under
-- row-level security too.
CREATE FUNCTION scim.fold(value text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_fold';
COMMENT ON FUNCTION scim.fold(text) IS 'Unicode simple case folding of the normalized text, the same on every server: two names are one when their folds are equal';

-- For the filters co and ew.  Not LIKE: its time is the product of the two
-- lengths for a value and a literal that are made for it, this one's the sum.
CREATE FUNCTION scim.contains(value text, part text) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_contains';
COMMENT ON FUNCTION scim.contains(text, text) IS 'Does the value contain the part, byte by byte?';

CREATE FUNCTION scim.contains_each(value text, parts text[]) RETURNS boolean[]
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_contains_each';
COMMENT ON FUNCTION scim.contains_each(text, text[]) IS 'For each of the parts: does the value contain it, byte by byte? All are looked for in one pass';

CREATE FUNCTION scim.ends_with(value text, part text) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_ends_with';
COMMENT ON FUNCTION scim.ends_with(text, text) IS 'Does the value end with the part, byte by byte?';

CREATE FUNCTION scim.folded_values(attribute jsonb) RETURNS text[]
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_folded_values';
COMMENT ON FUNCTION scim.folded_values(jsonb) IS 'The folded "value" of each element of a multi-valued attribute, for its index';

CREATE FUNCTION scim.parse_time(value text) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_parse_time';
COMMENT ON FUNCTION scim.parse_time(text) IS 'A dateTime as it stands in JSON, whatever the session''s time zone; null for any other text. For indexes';

CREATE FUNCTION scim.base_url(tenant text) RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'scim_audit_base_url';
COMMENT ON FUNCTION scim.base_url(text) IS 'What meta.location of the tenant''s resources starts with; empty: locations are relative';

CREATE TABLE scim.tenants (
	tenant text COLLATE "C" PRIMARY KEY CHECK (tenant OPERATOR(pg_catalog.~) '^[a-z0-9][a-z0-9-]{0,62}$'),
	created timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE scim.tenants IS 'Tenants: each sees only its own resources and its own part of the log';
COMMENT ON COLUMN scim.tenants.tenant IS 'Name, as it stands in the tenant''s URL';
COMMENT ON COLUMN scim.tenants.created IS 'When the tenant was created';

INSERT INTO scim.tenants (tenant) VALUES ('default');

-- Apart from scim.tenants, so that a dump carries the settings of the tenant
-- "default" although CREATE EXTENSION makes that tenant itself.
CREATE TABLE scim.tenant_settings (
	tenant text COLLATE "C" PRIMARY KEY REFERENCES scim.tenants ON DELETE CASCADE,
	base_url text CHECK (base_url OPERATOR(pg_catalog.~) '^https?://[^[:space:]"?#]+[^[:space:]"?#/]$'),
	password text NOT NULL DEFAULT 'discard'
		CHECK (password OPERATOR(pg_catalog.=) 'discard' OR password OPERATOR(pg_catalog.=) 'hash'),
	reactivate boolean NOT NULL DEFAULT false,
	soft_delete boolean NOT NULL DEFAULT false,
	enabled boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE scim.tenant_settings IS 'Settings of a tenant; no row stands for the defaults';
COMMENT ON COLUMN scim.tenant_settings.tenant IS 'The tenant';
COMMENT ON COLUMN scim.tenant_settings.base_url IS 'What meta.location starts with, without a slash at its end; null: locations are relative (/Users/<id>)';
COMMENT ON COLUMN scim.tenant_settings.password IS 'What becomes of a password sent by SCIM: discard, or hash (bcrypt, for scim.check_password)';
COMMENT ON COLUMN scim.tenant_settings.reactivate IS 'Does a POST of the userName of an inactive or kept user bring that user back, in place of 409 or a new one?';
COMMENT ON COLUMN scim.tenant_settings.soft_delete IS 'Are deleted users kept in scim.deleted_users?';
COMMENT ON COLUMN scim.tenant_settings.enabled IS 'Are SCIM calls for the tenant served? See scim.disable_tenant()';

CREATE TABLE scim.users (
	tenant text COLLATE "C" NOT NULL DEFAULT scim.current_tenant(),
	id uuid NOT NULL DEFAULT scim.uuid7(),
	version bigint NOT NULL DEFAULT 1,
	created timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	last_modified timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	external_id text COLLATE "C",
	user_name text COLLATE "C" NOT NULL CHECK (user_name OPERATOR(pg_catalog.<>) ''),
	active boolean,
	display_name text COLLATE "C",
	nick_name text,
	profile_url text,
	title text,
	user_type text,
	preferred_language text,
	locale text,
	timezone text,
	name_formatted text,
	name_family_name text,
	name_given_name text,
	name_middle_name text,
	name_honorific_prefix text,
	name_honorific_suffix text,
	emails jsonb,
	phone_numbers jsonb,
	ims jsonb,
	photos jsonb,
	addresses jsonb,
	entitlements jsonb,
	roles jsonb,
	x509_certificates jsonb,
	employee_number text,
	cost_center text,
	organization text,
	division text,
	department text,
	manager_id uuid,
	extensions jsonb,
	PRIMARY KEY (tenant, id),
	CONSTRAINT users_manager_id_fkey FOREIGN KEY (tenant, manager_id)
		REFERENCES scim.users (tenant, id) ON DELETE SET NULL (manager_id)
);
CREATE UNIQUE INDEX users_user_name_key ON scim.users (tenant, scim.fold(user_name));
CREATE INDEX users_external_id_idx ON scim.users (tenant, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX users_display_name_idx ON scim.users (tenant, scim.fold(display_name));
CREATE INDEX users_manager_id_idx ON scim.users (tenant, manager_id) WHERE manager_id IS NOT NULL;
CREATE INDEX users_last_modified_idx ON scim.users (tenant, last_modified);
CREATE INDEX users_emails_idx ON scim.users USING gin (scim.folded_values(emails));

COMMENT ON TABLE scim.users IS 'SCIM users (RFC 7643 section 4.1), with the enterprise extension (section 4.3)';
COMMENT ON COLUMN scim.users.tenant IS 'The tenant the user belongs to';
COMMENT ON COLUMN scim.users.id IS 'id: a version 7 UUID, never changed and never used again';
COMMENT ON COLUMN scim.users.version IS 'meta.version: the number in the ETag; one more with each change, kept by a trigger';
COMMENT ON COLUMN scim.users.created IS 'meta.created; kept by a trigger';
COMMENT ON COLUMN scim.users.last_modified IS 'meta.lastModified; kept by a trigger';
COMMENT ON COLUMN scim.users.external_id IS 'externalId: the client''s own key';
COMMENT ON COLUMN scim.users.user_name IS 'userName: unique in its tenant, whatever its case';
COMMENT ON COLUMN scim.users.active IS 'active; null when no client has said';
COMMENT ON COLUMN scim.users.display_name IS 'displayName';
COMMENT ON COLUMN scim.users.nick_name IS 'nickName';
COMMENT ON COLUMN scim.users.profile_url IS 'profileUrl';
COMMENT ON COLUMN scim.users.title IS 'title';
COMMENT ON COLUMN scim.users.user_type IS 'userType';
COMMENT ON COLUMN scim.users.preferred_language IS 'preferredLanguage';
COMMENT ON COLUMN scim.users.locale IS 'locale';
COMMENT ON COLUMN scim.users.timezone IS 'timezone';
COMMENT ON COLUMN scim.users.name_formatted IS 'name.formatted';
COMMENT ON COLUMN scim.users.name_family_name IS 'name.familyName';
COMMENT ON COLUMN scim.users.name_given_name IS 'name.givenName';
COMMENT ON COLUMN scim.users.name_middle_name IS 'name.middleName';
COMMENT ON COLUMN scim.users.name_honorific_prefix IS 'name.honorificPrefix';
COMMENT ON COLUMN scim.users.name_honorific_suffix IS 'name.honorificSuffix';
COMMENT ON COLUMN scim.users.emails IS 'emails: array of {value, type, primary, display}; unfolded by scim.user_emails';
COMMENT ON COLUMN scim.users.phone_numbers IS 'phoneNumbers: array; unfolded by scim.user_phone_numbers';
COMMENT ON COLUMN scim.users.ims IS 'ims: array; unfolded by scim.user_ims';
COMMENT ON COLUMN scim.users.photos IS 'photos: array; unfolded by scim.user_photos';
COMMENT ON COLUMN scim.users.addresses IS 'addresses: array; unfolded by scim.user_addresses';
COMMENT ON COLUMN scim.users.entitlements IS 'entitlements: array; unfolded by scim.user_entitlements';
COMMENT ON COLUMN scim.users.roles IS 'roles: array; unfolded by scim.user_roles';
COMMENT ON COLUMN scim.users.x509_certificates IS 'x509Certificates: array; unfolded by scim.user_x509_certificates';
COMMENT ON COLUMN scim.users.employee_number IS 'employeeNumber of the enterprise extension';
COMMENT ON COLUMN scim.users.cost_center IS 'costCenter of the enterprise extension';
COMMENT ON COLUMN scim.users.organization IS 'organization of the enterprise extension';
COMMENT ON COLUMN scim.users.division IS 'division of the enterprise extension';
COMMENT ON COLUMN scim.users.department IS 'department of the enterprise extension';
COMMENT ON COLUMN scim.users.manager_id IS 'manager.value of the enterprise extension: a user of the same tenant';
COMMENT ON COLUMN scim.users.extensions IS 'Attributes of other extensions, by schema URN';

CREATE TABLE scim.groups (
	tenant text COLLATE "C" NOT NULL DEFAULT scim.current_tenant(),
	id uuid NOT NULL DEFAULT scim.uuid7(),
	version bigint NOT NULL DEFAULT 1,
	created timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	last_modified timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	external_id text COLLATE "C",
	display_name text COLLATE "C" NOT NULL CHECK (display_name OPERATOR(pg_catalog.<>) ''),
	extensions jsonb,
	PRIMARY KEY (tenant, id)
);
CREATE INDEX groups_external_id_idx ON scim.groups (tenant, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX groups_display_name_idx ON scim.groups (tenant, scim.fold(display_name));

COMMENT ON TABLE scim.groups IS 'SCIM groups (RFC 7643 section 4.2); their members are in scim.group_members';
COMMENT ON COLUMN scim.groups.tenant IS 'The tenant the group belongs to';
COMMENT ON COLUMN scim.groups.id IS 'id: a version 7 UUID, never changed and never used again';
COMMENT ON COLUMN scim.groups.version IS 'meta.version: the number in the ETag; grows with each change of the group or its members, kept by triggers';
COMMENT ON COLUMN scim.groups.created IS 'meta.created; kept by a trigger';
COMMENT ON COLUMN scim.groups.last_modified IS 'meta.lastModified; kept by triggers';
COMMENT ON COLUMN scim.groups.external_id IS 'externalId: the client''s own key';
COMMENT ON COLUMN scim.groups.display_name IS 'displayName; not unique, as RFC 7643 has it';
COMMENT ON COLUMN scim.groups.extensions IS 'Attributes of extensions, by schema URN';

-- A member is a user or a group; the two generated columns carry the foreign
-- keys, so that a membership goes with either end.
CREATE TABLE scim.group_members (
	tenant text COLLATE "C" NOT NULL DEFAULT scim.current_tenant(),
	group_id uuid NOT NULL,
	member_id uuid NOT NULL,
	member_type text NOT NULL DEFAULT 'User'
		CHECK (member_type OPERATOR(pg_catalog.=) 'User' OR member_type OPERATOR(pg_catalog.=) 'Group'),
	created timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	bound boolean NOT NULL DEFAULT false CHECK (NOT bound OR member_type OPERATOR(pg_catalog.=) 'User'),
	user_id uuid GENERATED ALWAYS AS (CASE WHEN member_type OPERATOR(pg_catalog.=) 'User' AND NOT bound THEN member_id END) STORED,
	nested_group_id uuid GENERATED ALWAYS AS (CASE WHEN member_type OPERATOR(pg_catalog.=) 'Group' THEN member_id END) STORED,
	PRIMARY KEY (tenant, group_id, member_id),
	CONSTRAINT group_members_group_id_fkey FOREIGN KEY (tenant, group_id)
		REFERENCES scim.groups (tenant, id) ON DELETE CASCADE,
	CONSTRAINT group_members_user_id_fkey FOREIGN KEY (tenant, user_id)
		REFERENCES scim.users (tenant, id) ON DELETE CASCADE,
	CONSTRAINT group_members_nested_group_id_fkey FOREIGN KEY (tenant, nested_group_id)
		REFERENCES scim.groups (tenant, id) ON DELETE CASCADE
);
CREATE INDEX group_members_member_id_idx ON scim.group_members (tenant, member_id);
CREATE INDEX group_members_user_id_idx ON scim.group_members (tenant, user_id) WHERE user_id IS NOT NULL;
CREATE INDEX group_members_nested_group_id_idx ON scim.group_members (tenant, nested_group_id)
	WHERE nested_group_id IS NOT NULL;

COMMENT ON TABLE scim.group_members IS 'Direct members of groups: users and groups; groups may contain each other';
COMMENT ON COLUMN scim.group_members.tenant IS 'The tenant of the group and of the member';
COMMENT ON COLUMN scim.group_members.group_id IS 'The group';
COMMENT ON COLUMN scim.group_members.member_id IS 'The member: members.value';
COMMENT ON COLUMN scim.group_members.member_type IS 'User or Group: members.type';
COMMENT ON COLUMN scim.group_members.bound IS 'Is the member a user in a table of an application (scim.bind_table)?';
COMMENT ON COLUMN scim.group_members.created IS 'When the member was added';
COMMENT ON COLUMN scim.group_members.user_id IS 'member_id where the member is a user of scim.users; computed';
COMMENT ON COLUMN scim.group_members.nested_group_id IS 'member_id where the member is a group; computed';

-- Nobody but the owner may read this one; applications ask scim.check_password.
CREATE TABLE scim.user_passwords (
	tenant text COLLATE "C" NOT NULL,
	user_id uuid NOT NULL,
	hash text NOT NULL,
	changed timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (tenant, user_id),
	FOREIGN KEY (tenant, user_id) REFERENCES scim.users (tenant, id) ON DELETE CASCADE
);
COMMENT ON TABLE scim.user_passwords IS 'Password hashes of tenants whose setting "password" is hash; never granted to anyone';
COMMENT ON COLUMN scim.user_passwords.tenant IS 'The user''s tenant';
COMMENT ON COLUMN scim.user_passwords.user_id IS 'The user';
COMMENT ON COLUMN scim.user_passwords.hash IS 'bcrypt, made by pgcrypto';
COMMENT ON COLUMN scim.user_passwords.changed IS 'When the password was set';

-- Apart from scim.users, so that whoever asks there, by whatever key, need not know of them.
CREATE TABLE scim.deleted_users (
	tenant text COLLATE "C" NOT NULL,
	id uuid NOT NULL,
	user_name text COLLATE "C" NOT NULL,
	deleted timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	resource jsonb NOT NULL,
	groups uuid[] NOT NULL,
	PRIMARY KEY (tenant, id)
);
CREATE INDEX deleted_users_user_name_idx ON scim.deleted_users (tenant, scim.fold(user_name));
COMMENT ON TABLE scim.deleted_users IS 'Deleted users of tenants whose setting "soft_delete" is on, until scim.restore_user() or scim.purge_deleted_users()';
COMMENT ON COLUMN scim.deleted_users.tenant IS 'The user''s tenant';
COMMENT ON COLUMN scim.deleted_users.id IS 'The user''s id';
COMMENT ON COLUMN scim.deleted_users.user_name IS 'userName; another user may have it by now';
COMMENT ON COLUMN scim.deleted_users.deleted IS 'When the user was deleted';
COMMENT ON COLUMN scim.deleted_users.resource IS 'The row of scim.users as it was; without the password';
COMMENT ON COLUMN scim.deleted_users.groups IS 'The groups that the user was a direct member of';

CREATE FUNCTION scim.keep_deleted() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'scim_audit_keep_deleted';
COMMENT ON FUNCTION scim.keep_deleted() IS 'Keeps a deleted user, where the tenant has it so';

CREATE TRIGGER keep_deleted BEFORE DELETE ON scim.users
	FOR EACH ROW EXECUTE FUNCTION scim.keep_deleted();

CREATE FUNCTION scim.tenants_changed() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'scim_audit_tenants_changed';
COMMENT ON FUNCTION scim.tenants_changed() IS 'Tells every backend that tenants or their settings have changed, and keeps a tenant that has resources';

CREATE TRIGGER tenants_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON scim.tenants
	FOR EACH STATEMENT EXECUTE FUNCTION scim.tenants_changed();
CREATE TRIGGER tenants_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON scim.tenant_settings
	FOR EACH STATEMENT EXECUTE FUNCTION scim.tenants_changed();
CREATE TRIGGER tenant_kept BEFORE DELETE OR UPDATE OF tenant ON scim.tenants
	FOR EACH ROW EXECUTE FUNCTION scim.tenants_changed();
ALTER TABLE scim.tenants ENABLE ALWAYS TRIGGER tenants_changed;
ALTER TABLE scim.tenant_settings ENABLE ALWAYS TRIGGER tenants_changed;

-- Before rows of a dump, which come in any order where pg_restore works in parallel.
CREATE FUNCTION scim.admit_restored() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'scim_audit_admit_restored';
COMMENT ON FUNCTION scim.admit_restored() IS 'Lets references of restored rows unchecked, for what they refer to may come later';

CREATE TRIGGER admit_restored BEFORE INSERT ON scim.tenant_settings
	FOR EACH STATEMENT EXECUTE FUNCTION scim.admit_restored();
CREATE TRIGGER admit_restored BEFORE INSERT ON scim.group_members
	FOR EACH STATEMENT EXECUTE FUNCTION scim.admit_restored();
CREATE TRIGGER admit_restored BEFORE INSERT ON scim.user_passwords
	FOR EACH STATEMENT EXECUTE FUNCTION scim.admit_restored();

-- version, created and last_modified, on direct writes and replicated ones
-- too (ALWAYS): else If-Match would accept a stale tag.  Also what is cheaper here than as a constraint:
-- the tenant exists (a foreign key would have all writers of a tenant share a
-- lock on its row), a multi-valued attribute is an array; and a delete locks
-- the groups it will touch in the order that PATCH locks them.
CREATE FUNCTION scim.keep_version() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'scim_audit_keep_version';
-- PUBLIC's, as scim_audit.record_change() is (42_audit_write.sql).
COMMENT ON FUNCTION scim.keep_version() IS 'Keeps version, created and last_modified of a resource';

CREATE TRIGGER keep_version BEFORE INSERT OR UPDATE OR DELETE ON scim.users
	FOR EACH ROW EXECUTE FUNCTION scim.keep_version();
CREATE TRIGGER keep_version BEFORE INSERT OR UPDATE OR DELETE ON scim.groups
	FOR EACH ROW EXECUTE FUNCTION scim.keep_version();
ALTER TABLE scim.users ENABLE ALWAYS TRIGGER keep_version;
ALTER TABLE scim.groups ENABLE ALWAYS TRIGGER keep_version;

-- A change of members is a change of the group: one version more for each
-- statement, cascades included.
CREATE FUNCTION scim.members_changed() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'scim_audit_members_changed';
COMMENT ON FUNCTION scim.members_changed() IS 'Gives the groups whose members a statement changed a new version';

CREATE TRIGGER members_inserted AFTER INSERT ON scim.group_members
	REFERENCING NEW TABLE AS changed_members
	FOR EACH STATEMENT EXECUTE FUNCTION scim.members_changed();
CREATE TRIGGER members_updated AFTER UPDATE ON scim.group_members
	REFERENCING OLD TABLE AS old_members NEW TABLE AS changed_members
	FOR EACH STATEMENT EXECUTE FUNCTION scim.members_changed();
CREATE TRIGGER members_deleted AFTER DELETE ON scim.group_members
	REFERENCING OLD TABLE AS changed_members
	FOR EACH STATEMENT EXECUTE FUNCTION scim.members_changed();
CREATE TRIGGER members_truncated AFTER TRUNCATE ON scim.group_members
	FOR EACH STATEMENT EXECUTE FUNCTION scim.members_changed();
ALTER TABLE scim.group_members
	ENABLE ALWAYS TRIGGER members_inserted, ENABLE ALWAYS TRIGGER members_updated,
	ENABLE ALWAYS TRIGGER members_deleted, ENABLE ALWAYS TRIGGER members_truncated;
