#!/bin/bash
# The first start of the database of compose.yaml: extension, roles, a tenant.
set -euo pipefail
psql -X -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" \
	-v password="$SCIM_AUTHENTICATOR_PASSWORD" -v tenant="$SCIM_TENANT" -v url="$SCIM_TENANT_URL" <<'SQL'
CREATE EXTENSION scim_audit CASCADE;
SELECT scim.create_standard_roles();
\i /usr/local/share/scim_audit/roles.sql
ALTER ROLE scim_authenticator PASSWORD :'password';
SELECT scim.create_tenant(:'tenant', :'url');
SQL
