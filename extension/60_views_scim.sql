-- The multi-valued attributes of users as rows, and memberships with names.
-- security_invoker: who looks sees what its own row-level security shows.

CREATE VIEW scim.user_emails WITH (security_invoker) AS
	SELECT u.tenant, u.id AS user_id, u.user_name,
		e.value ->> 'value' AS value, e.value ->> 'type' AS type, coalesce((e.value ->> 'primary')::boolean, false) AS is_primary, e.value ->> 'display' AS display,
		e.ordinality::integer AS position
	FROM scim.users u, LATERAL pg_catalog.jsonb_array_elements(u.emails) WITH ORDINALITY AS e;
COMMENT ON VIEW scim.user_emails IS 'emails of users, a row for each value';
COMMENT ON COLUMN scim.user_emails.tenant IS 'The user''s tenant';
COMMENT ON COLUMN scim.user_emails.user_id IS 'The user';
COMMENT ON COLUMN scim.user_emails.user_name IS 'userName of the user';
COMMENT ON COLUMN scim.user_emails.value IS 'emails.value';
COMMENT ON COLUMN scim.user_emails.type IS 'emails.type';
COMMENT ON COLUMN scim.user_emails.is_primary IS 'emails.primary: the preferred value; at most one is';
COMMENT ON COLUMN scim.user_emails.display IS 'emails.display';
COMMENT ON COLUMN scim.user_emails.position IS 'Place in the attribute, from 1';

CREATE VIEW scim.user_phone_numbers WITH (security_invoker) AS
	SELECT u.tenant, u.id AS user_id, u.user_name,
		e.value ->> 'value' AS value, e.value ->> 'type' AS type, coalesce((e.value ->> 'primary')::boolean, false) AS is_primary, e.value ->> 'display' AS display,
		e.ordinality::integer AS position
	FROM scim.users u, LATERAL pg_catalog.jsonb_array_elements(u.phone_numbers) WITH ORDINALITY AS e;
COMMENT ON VIEW scim.user_phone_numbers IS 'phoneNumbers of users, a row for each value';
COMMENT ON COLUMN scim.user_phone_numbers.tenant IS 'The user''s tenant';
COMMENT ON COLUMN scim.user_phone_numbers.user_id IS 'The user';
COMMENT ON COLUMN scim.user_phone_numbers.user_name IS 'userName of the user';
COMMENT ON COLUMN scim.user_phone_numbers.value IS 'phoneNumbers.value';
COMMENT ON COLUMN scim.user_phone_numbers.type IS 'phoneNumbers.type';
COMMENT ON COLUMN scim.user_phone_numbers.is_primary IS 'phoneNumbers.primary: the preferred value; at most one is';
COMMENT ON COLUMN scim.user_phone_numbers.display IS 'phoneNumbers.display';
COMMENT ON COLUMN scim.user_phone_numbers.position IS 'Place in the attribute, from 1';

CREATE VIEW scim.user_ims WITH (security_invoker) AS
	SELECT u.tenant, u.id AS user_id, u.user_name,
		e.value ->> 'value' AS value, e.value ->> 'type' AS type, coalesce((e.value ->> 'primary')::boolean, false) AS is_primary, e.value ->> 'display' AS display,
		e.ordinality::integer AS position
	FROM scim.users u, LATERAL pg_catalog.jsonb_array_elements(u.ims) WITH ORDINALITY AS e;
COMMENT ON VIEW scim.user_ims IS 'ims of users, a row for each value';
COMMENT ON COLUMN scim.user_ims.tenant IS 'The user''s tenant';
COMMENT ON COLUMN scim.user_ims.user_id IS 'The user';
COMMENT ON COLUMN scim.user_ims.user_name IS 'userName of the user';
COMMENT ON COLUMN scim.user_ims.value IS 'ims.value';
COMMENT ON COLUMN scim.user_ims.type IS 'ims.type';
COMMENT ON COLUMN scim.user_ims.is_primary IS 'ims.primary: the preferred value; at most one is';
COMMENT ON COLUMN scim.user_ims.display IS 'ims.display';
COMMENT ON COLUMN scim.user_ims.position IS 'Place in the attribute, from 1';

CREATE VIEW scim.user_photos WITH (security_invoker) AS
	SELECT u.tenant, u.id AS user_id, u.user_name,
		e.value ->> 'value' AS value, e.value ->> 'type' AS type, coalesce((e.value ->> 'primary')::boolean, false) AS is_primary, e.value ->> 'display' AS display,
		e.ordinality::integer AS position
	FROM scim.users u, LATERAL pg_catalog.jsonb_array_elements(u.photos) WITH ORDINALITY AS e;
COMMENT ON VIEW scim.user_photos IS 'photos of users, a row for each value';
COMMENT ON COLUMN scim.user_photos.tenant IS 'The user''s tenant';
COMMENT ON COLUMN scim.user_photos.user_id IS 'The user';
COMMENT ON COLUMN scim.user_photos.user_name IS 'userName of the user';
COMMENT ON COLUMN scim.user_photos.value IS 'photos.value';
COMMENT ON COLUMN scim.user_photos.type IS 'photos.type';
COMMENT ON COLUMN scim.user_photos.is_primary IS 'photos.primary: the preferred value; at most one is';
COMMENT ON COLUMN scim.user_photos.display IS 'photos.display';
COMMENT ON COLUMN scim.user_photos.position IS 'Place in the attribute, from 1';

CREATE VIEW scim.user_addresses WITH (security_invoker) AS
	SELECT u.tenant, u.id AS user_id, u.user_name,
		e.value ->> 'formatted' AS formatted, e.value ->> 'streetAddress' AS street_address, e.value ->> 'locality' AS locality, e.value ->> 'region' AS region, e.value ->> 'postalCode' AS postal_code, e.value ->> 'country' AS country, e.value ->> 'type' AS type, coalesce((e.value ->> 'primary')::boolean, false) AS is_primary,
		e.ordinality::integer AS position
	FROM scim.users u, LATERAL pg_catalog.jsonb_array_elements(u.addresses) WITH ORDINALITY AS e;
COMMENT ON VIEW scim.user_addresses IS 'addresses of users, a row for each value';
COMMENT ON COLUMN scim.user_addresses.tenant IS 'The user''s tenant';
COMMENT ON COLUMN scim.user_addresses.user_id IS 'The user';
COMMENT ON COLUMN scim.user_addresses.user_name IS 'userName of the user';
COMMENT ON COLUMN scim.user_addresses.formatted IS 'addresses.formatted';
COMMENT ON COLUMN scim.user_addresses.street_address IS 'addresses.streetAddress';
COMMENT ON COLUMN scim.user_addresses.locality IS 'addresses.locality';
COMMENT ON COLUMN scim.user_addresses.region IS 'addresses.region';
COMMENT ON COLUMN scim.user_addresses.postal_code IS 'addresses.postalCode';
COMMENT ON COLUMN scim.user_addresses.country IS 'addresses.country';
COMMENT ON COLUMN scim.user_addresses.type IS 'addresses.type';
COMMENT ON COLUMN scim.user_addresses.is_primary IS 'addresses.primary: the preferred value; at most one is';
COMMENT ON COLUMN scim.user_addresses.position IS 'Place in the attribute, from 1';

CREATE VIEW scim.user_entitlements WITH (security_invoker) AS
	SELECT u.tenant, u.id AS user_id, u.user_name,
		e.value ->> 'value' AS value, e.value ->> 'type' AS type, coalesce((e.value ->> 'primary')::boolean, false) AS is_primary, e.value ->> 'display' AS display,
		e.ordinality::integer AS position
	FROM scim.users u, LATERAL pg_catalog.jsonb_array_elements(u.entitlements) WITH ORDINALITY AS e;
COMMENT ON VIEW scim.user_entitlements IS 'entitlements of users, a row for each value';
COMMENT ON COLUMN scim.user_entitlements.tenant IS 'The user''s tenant';
COMMENT ON COLUMN scim.user_entitlements.user_id IS 'The user';
COMMENT ON COLUMN scim.user_entitlements.user_name IS 'userName of the user';
COMMENT ON COLUMN scim.user_entitlements.value IS 'entitlements.value';
COMMENT ON COLUMN scim.user_entitlements.type IS 'entitlements.type';
COMMENT ON COLUMN scim.user_entitlements.is_primary IS 'entitlements.primary: the preferred value; at most one is';
COMMENT ON COLUMN scim.user_entitlements.display IS 'entitlements.display';
COMMENT ON COLUMN scim.user_entitlements.position IS 'Place in the attribute, from 1';

CREATE VIEW scim.user_roles WITH (security_invoker) AS
	SELECT u.tenant, u.id AS user_id, u.user_name,
		e.value ->> 'value' AS value, e.value ->> 'type' AS type, coalesce((e.value ->> 'primary')::boolean, false) AS is_primary, e.value ->> 'display' AS display,
		e.ordinality::integer AS position
	FROM scim.users u, LATERAL pg_catalog.jsonb_array_elements(u.roles) WITH ORDINALITY AS e;
COMMENT ON VIEW scim.user_roles IS 'roles of users, a row for each value';
COMMENT ON COLUMN scim.user_roles.tenant IS 'The user''s tenant';
COMMENT ON COLUMN scim.user_roles.user_id IS 'The user';
COMMENT ON COLUMN scim.user_roles.user_name IS 'userName of the user';
COMMENT ON COLUMN scim.user_roles.value IS 'roles.value';
COMMENT ON COLUMN scim.user_roles.type IS 'roles.type';
COMMENT ON COLUMN scim.user_roles.is_primary IS 'roles.primary: the preferred value; at most one is';
COMMENT ON COLUMN scim.user_roles.display IS 'roles.display';
COMMENT ON COLUMN scim.user_roles.position IS 'Place in the attribute, from 1';

CREATE VIEW scim.user_x509_certificates WITH (security_invoker) AS
	SELECT u.tenant, u.id AS user_id, u.user_name,
		e.value ->> 'value' AS value, e.value ->> 'type' AS type, coalesce((e.value ->> 'primary')::boolean, false) AS is_primary, e.value ->> 'display' AS display,
		e.ordinality::integer AS position
	FROM scim.users u, LATERAL pg_catalog.jsonb_array_elements(u.x509_certificates) WITH ORDINALITY AS e;
COMMENT ON VIEW scim.user_x509_certificates IS 'x509Certificates of users, a row for each value';
COMMENT ON COLUMN scim.user_x509_certificates.tenant IS 'The user''s tenant';
COMMENT ON COLUMN scim.user_x509_certificates.user_id IS 'The user';
COMMENT ON COLUMN scim.user_x509_certificates.user_name IS 'userName of the user';
COMMENT ON COLUMN scim.user_x509_certificates.value IS 'x509Certificates.value';
COMMENT ON COLUMN scim.user_x509_certificates.type IS 'x509Certificates.type';
COMMENT ON COLUMN scim.user_x509_certificates.is_primary IS 'x509Certificates.primary: the preferred value; at most one is';
COMMENT ON COLUMN scim.user_x509_certificates.display IS 'x509Certificates.display';
COMMENT ON COLUMN scim.user_x509_certificates.position IS 'Place in the attribute, from 1';

CREATE VIEW scim.group_memberships WITH (security_invoker) AS
	SELECT m.tenant, m.group_id, g.display_name AS group_name, m.member_type, m.member_id,
		coalesce(u.user_name, n.display_name) AS member_name, m.created AS added
	FROM scim.group_members m
	JOIN scim.groups g ON g.tenant = m.tenant AND g.id = m.group_id
	LEFT JOIN scim.users u ON u.tenant = m.tenant AND u.id = m.user_id
	LEFT JOIN scim.groups n ON n.tenant = m.tenant AND n.id = m.nested_group_id;
COMMENT ON VIEW scim.group_memberships IS 'Direct members of groups, with names';
COMMENT ON COLUMN scim.group_memberships.tenant IS 'The tenant';
COMMENT ON COLUMN scim.group_memberships.group_id IS 'The group';
COMMENT ON COLUMN scim.group_memberships.group_name IS 'displayName of the group';
COMMENT ON COLUMN scim.group_memberships.member_type IS 'User or Group';
COMMENT ON COLUMN scim.group_memberships.member_id IS 'The member';
COMMENT ON COLUMN scim.group_memberships.member_name IS 'userName of a user, displayName of a group';
COMMENT ON COLUMN scim.group_memberships.added IS 'When the member was added';
