/*
 * A SCIM server of SCIMMY, Express and node-postgres, as one would write it for
 * an application: what bench/http measures scim_audit against.
 *
 * Tables as in tables.sql; a pool; one statement for each thing to do, a
 * transaction only where a group's members are written.  SCIMMY would take all
 * rows and filter in memory; here SQL finds an id, an equality of a unique
 * name, and the page of a list, and SCIMMY does only other filters itself.
 * There is no log, no ETag, no tenant and no users' groups.
 *
 * The environment has PORT, TOKEN and libpq's PG… variables.
 */
import crypto from "node:crypto";
import express from "express";
import pg from "pg";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const ENTERPRISE = SCIMMY.Schemas.EnterpriseUser.definition.id;
const pool = new pg.Pool({max: 20});

/* PostgreSQL's errors in SCIM's terms; without this SCIMMY answers 404 to all of them. */
function scimError(error) {
	if (error instanceof SCIMMY.Types.Error) return error;
	if (error.code === "23505") return new SCIMMY.Types.Error(409, "uniqueness", "userName is taken");
	if (error.code === "23503") return new SCIMMY.Types.Error(400, "invalidValue", "a member is no user");
	if (error.code === "22P02") return new SCIMMY.Types.Error(404, null, "Resource not found");
	return new SCIMMY.Types.Error(500, null, "The database could not do it");
}
const handler = (work) => async (...args) => {
	try {
		return await work(...args);
	} catch (error) {
		throw scimError(error);
	}
};
const notFound = (resource) => new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);

/* The value of a filter that is only: attribute eq "value". */
function equality(filter, attribute) {
	if (filter?.length !== 1) return undefined;
	const [[name, expression], ...more] = Object.entries(filter[0]);
	return !more.length && name.toLowerCase() === attribute.toLowerCase() && expression.length === 2 &&
		expression[0] === "eq" && typeof expression[1] === "string" ? expression[1] : undefined;
}

/*
 * Rows of a table as a list's handler returns them.  SCIMMY cuts off what is
 * before startIndex itself, so the rows start with the first.
 */
async function list(resource, select, table, unique, toScim) {
	const {startIndex = 1, count = 20, sortBy} = resource.constraints ?? {};
	const name = equality(resource.filter, unique.attribute);
	if (name !== undefined)
		return (await pool.query(`${select} WHERE lower(${unique.column}) = lower($1)`, [name])).rows.map(toScim);
	if (resource.filter || sortBy) {
		const all = (await pool.query(select)).rows.map(toScim);
		return resource.filter ? resource.filter.match(all) : all;
	}
	const total = await pool.query(`SELECT count(*)::int AS total FROM ${table}`);
	const {rows} = await pool.query(`${select} ORDER BY id LIMIT $1`, [startIndex - 1 + count]);
	resource.constraints = {...resource.constraints, totalResults: total.rows[0].total};
	return rows.map(toScim);
}

/* ---- users ---- */

function userToScim(row) {
	return {
		id: row.id,
		externalId: row.external_id ?? undefined,
		userName: row.user_name,
		active: row.active ?? undefined,
		displayName: row.display_name ?? undefined,
		title: row.title ?? undefined,
		name: row.family_name || row.given_name
			? {familyName: row.family_name ?? undefined, givenName: row.given_name ?? undefined} : undefined,
		emails: row.emails ?? undefined,
		...(row.department ? {[ENTERPRISE]: {department: row.department}} : {}),
		meta: {created: row.created, lastModified: row.last_modified}
	};
}

function userValues(user) {
	return [user.userName, user.externalId, user.active, user.displayName, user.title, user.name?.familyName,
		user.name?.givenName, user.emails ? JSON.stringify(user.emails) : null, user[ENTERPRISE]?.department];
}

const INSERT_USER = `INSERT INTO users
	(user_name, external_id, active, display_name, title, family_name, given_name, emails, department)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *`;
const UPDATE_USER = `UPDATE users SET user_name = $1, external_id = $2, active = $3, display_name = $4, title = $5,
	family_name = $6, given_name = $7, emails = $8, department = $9, last_modified = now() WHERE id = $10 RETURNING *`;

SCIMMY.Resources.declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false))
	.ingress(handler(async (resource, user) => {
		const {rows} = resource.id
			? await pool.query(UPDATE_USER, [...userValues(user), resource.id])
			: await pool.query(INSERT_USER, userValues(user));
		if (!rows.length) throw notFound(resource);
		return userToScim(rows[0]);
	}))
	.egress(handler(async (resource) => {
		if (!resource.id)
			return list(resource, "SELECT * FROM users", "users", {attribute: "userName", column: "user_name"}, userToScim);
		const {rows} = await pool.query("SELECT * FROM users WHERE id = $1", [resource.id]);
		if (!rows.length) throw notFound(resource);
		return userToScim(rows[0]);
	}))
	.degress(handler(async (resource) => {
		const {rowCount} = await pool.query("DELETE FROM users WHERE id = $1", [resource.id]);
		if (!rowCount) throw notFound(resource);
	}));

/* ---- groups ---- */

const SELECT_GROUPS = `SELECT *, ARRAY(SELECT user_id FROM group_members WHERE group_id = groups.id) AS members FROM groups`;

function groupToScim(row) {
	return {
		id: row.id,
		externalId: row.external_id ?? undefined,
		displayName: row.display_name,
		members: row.members.map((id) => ({value: id, type: "User"})),
		meta: {created: row.created, lastModified: row.last_modified}
	};
}

async function writeGroup(client, resource, group) {
	const members = (group.members ?? []).map((member) => member.value);
	const {rows} = resource.id
		? await client.query(`UPDATE groups SET display_name = $1, external_id = $2, last_modified = now()
			WHERE id = $3 RETURNING *`, [group.displayName, group.externalId, resource.id])
		: await client.query("INSERT INTO groups (display_name, external_id) VALUES ($1, $2) RETURNING *",
			[group.displayName, group.externalId]);
	if (!rows.length) throw notFound(resource);
	await client.query("DELETE FROM group_members WHERE group_id = $1 AND user_id <> ALL ($2::uuid[])", [rows[0].id, members]);
	await client.query(`INSERT INTO group_members (group_id, user_id) SELECT $1, unnest($2::uuid[])
		ON CONFLICT DO NOTHING`, [rows[0].id, members]);
	return groupToScim({...rows[0], members});
}

SCIMMY.Resources.declare(SCIMMY.Resources.Group)
	.ingress(handler(async (resource, group) => {
		const client = await pool.connect();
		try {
			await client.query("BEGIN");
			const written = await writeGroup(client, resource, group);
			await client.query("COMMIT");
			return written;
		} catch (error) {
			await client.query("ROLLBACK");
			throw error;
		} finally {
			client.release();
		}
	}))
	.egress(handler(async (resource) => {
		if (!resource.id)
			return list(resource, SELECT_GROUPS, "groups", {attribute: "displayName", column: "display_name"}, groupToScim);
		const {rows} = await pool.query(`${SELECT_GROUPS} WHERE id = $1`, [resource.id]);
		if (!rows.length) throw notFound(resource);
		return groupToScim(rows[0]);
	}))
	.degress(handler(async (resource) => {
		const {rowCount} = await pool.query("DELETE FROM groups WHERE id = $1", [resource.id]);
		if (!rowCount) throw notFound(resource);
	}));

/* ---- the server ---- */

const digest = (text) => crypto.createHash("sha256").update(text).digest();
const token = digest(process.env.TOKEN);
const app = express();

app.disable("x-powered-by");
app.use("/scim/v2", new SCIMMYRouters({
	type: "bearer",
	handler: (request) => {
		const [, given = ""] = /^Bearer +(\S+)$/i.exec(request.header("Authorization") ?? "") ?? [];
		if (!crypto.timingSafeEqual(digest(given), token)) throw new Error("a valid bearer token is needed");
	}
}));
app.listen(Number(process.env.PORT), "127.0.0.1");
