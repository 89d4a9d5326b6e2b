/*
 * test_registry.c: the built-in schemas, lookups, and what the loader refuses.
 */
#include "core/arena.h"
#include "core/registry.h"
#include "core/sql_table.h"
#include "tap.h"

#include <stdlib.h>

static ScimStr
str(const char *text)
{
	return (ScimStr) {text, strlen(text)};
}

static const ScimAttribute *
attribute(const ScimResourceType *type, const char *path)
{
	const ScimSchema *extension;
	const ScimAttribute *attr;
	const ScimAttribute *sub;

	if (!scim_type_resolve(type, str(path), &extension, &attr, &sub))
		return NULL;
	return sub != NULL ? sub : attr;
}

/* RFC 7643 section 8.7.1 and src/core/schemas/README.md: the characteristics that matter most. */
static void
test_characteristics(void)
{
	static const struct
	{
		const char *type;
		const char *path;
		ScimType	kind;
		bool		multi_valued;
		bool		required;
		bool		case_exact;
		ScimMutability mutability;
		ScimReturned returned;
		ScimUniqueness uniqueness;
	}			cases[] = {
		{"User", "id", SCIM_TYPE_STRING, false, false, true, SCIM_READ_ONLY, SCIM_RETURNED_ALWAYS, SCIM_UNIQUE_SERVER},
		{"User", "externalId", SCIM_TYPE_STRING, false, false, true, 0, 0, 0},
		{"User", "schemas", SCIM_TYPE_REFERENCE, true, false, false, SCIM_READ_ONLY, SCIM_RETURNED_ALWAYS, 0},
		{"User", "meta.lastModified", SCIM_TYPE_DATETIME, false, false, false, SCIM_READ_ONLY, 0, 0},
		{"User", "meta.version", SCIM_TYPE_STRING, false, false, true, SCIM_READ_ONLY, 0, 0},
		{"User", "userName", SCIM_TYPE_STRING, false, true, false, 0, 0, SCIM_UNIQUE_SERVER},
		{"User", "name", SCIM_TYPE_COMPLEX, false, false, false, 0, 0, 0},
		{"User", "name.familyName", SCIM_TYPE_STRING, false, false, false, 0, 0, 0},
		{"User", "active", SCIM_TYPE_BOOLEAN, false, false, false, 0, 0, 0},
		{"User", "password", SCIM_TYPE_STRING, false, false, true, SCIM_WRITE_ONLY, SCIM_RETURNED_NEVER, 0},
		{"User", "profileUrl", SCIM_TYPE_REFERENCE, false, false, true, 0, 0, 0},
		{"User", "emails", SCIM_TYPE_COMPLEX, true, false, false, 0, 0, 0},
		{"User", "emails.primary", SCIM_TYPE_BOOLEAN, false, false, false, 0, 0, 0},
		{"User", "addresses.primary", SCIM_TYPE_BOOLEAN, false, false, false, 0, 0, 0},
		{"User", "groups", SCIM_TYPE_COMPLEX, true, false, false, SCIM_READ_ONLY, 0, 0},
		{"User", "groups.$ref", SCIM_TYPE_REFERENCE, false, false, true, SCIM_READ_ONLY, 0, 0},
		{"User", "x509Certificates.value", SCIM_TYPE_BINARY, false, false, true, 0, 0, 0},
		{"User", SCIM_URN_ENTERPRISE ":manager.value", SCIM_TYPE_STRING, false, false, false, 0, 0, 0},
		{"User", SCIM_URN_ENTERPRISE ":manager.displayName", SCIM_TYPE_STRING, false, false, false, SCIM_READ_ONLY, 0, 0},
		{"Group", "displayName", SCIM_TYPE_STRING, false, true, false, 0, 0, 0},
		{"Group", "members", SCIM_TYPE_COMPLEX, true, false, false, 0, 0, 0},
		{"Group", "members.value", SCIM_TYPE_STRING, false, false, false, SCIM_IMMUTABLE, 0, 0},
		{"Group", "members.display", SCIM_TYPE_STRING, false, false, false, SCIM_READ_ONLY, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const ScimAttribute *attr = attribute(scim_registry_type_by_name(scim_registry_builtin(), cases[i].type), cases[i].path);

		ok(attr != NULL && attr->type == cases[i].kind && attr->multi_valued == cases[i].multi_valued &&
		   attr->required == cases[i].required && attr->case_exact == cases[i].case_exact &&
		   attr->mutability == cases[i].mutability && attr->returned == cases[i].returned &&
		   attr->uniqueness == cases[i].uniqueness && attr->description != NULL,
		   "%s %s", cases[i].type, cases[i].path);
	}
}

/* Every attribute of RFC 7643 section 4 is there, and nothing else, in this order. */
static void
test_attribute_names(void)
{
	static const struct
	{
		const char *urn;
		const char *names;
	}			schemas[] = {
		{SCIM_URN_USER, "userName name(formatted familyName givenName middleName honorificPrefix honorificSuffix) "
			"displayName nickName profileUrl title userType preferredLanguage locale timezone active password "
			"emails(value display type primary) phoneNumbers(value display type primary) "
			"ims(value display type primary) photos(value display type primary) "
			"addresses(formatted streetAddress locality region postalCode country type primary) "
			"groups(value $ref display type) entitlements(value display type primary) "
		"roles(value display type primary) x509Certificates(value display type primary) "},
		{SCIM_URN_GROUP, "displayName members(value $ref type display) "},
		{SCIM_URN_ENTERPRISE, "employeeNumber costCenter organization division department "
		"manager(value $ref displayName) "},
	};

	for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++)
	{
		const ScimSchema *schema = scim_registry_schema_by_id(scim_registry_builtin(), str(schemas[i].urn));
		char		names[2000] = "";

		for (size_t j = 0; j < schema->n_attributes; j++)
		{
			const ScimAttribute *attr = &schema->attributes[j];

			strcat(names, attr->name);
			for (size_t k = 0; k < attr->n_sub; k++)
			{
				strcat(strcat(names, k == 0 ? "(" : " "), attr->sub[k].name);
				if (attr->sub[k].parent != attr || attr->sub[k].schema != schema)
					strcat(names, "?");
			}
			strcat(names, attr->n_sub > 0 ? ") " : " ");
		}
		is_str(names, schemas[i].names, "attributes of %s", schema->name);
	}
}

static void
test_canonical_values(void)
{
	const ScimResourceType *user = scim_registry_type_by_name(scim_registry_builtin(), "User");
	const ScimAttribute *type = attribute(user, "phoneNumbers.type");
	static const char *const expected[] = {"work", "home", "mobile", "fax", "pager", "other"};

	for (size_t i = 0; i < 6; i++)
		is_str(type->canonical_values[i], expected[i], "phoneNumbers.type %zu", i);
	ok(type->canonical_values[6] == NULL, "and no more");
	ok(attribute(user, "roles.type")->canonical_values == NULL, "roles.type has none");
	is_str(attribute(user, "groups.$ref")->reference_types[0], "Group", "groups.$ref references groups");
	ok(attribute(user, "groups.$ref")->reference_types[1] == NULL, "and nothing else");
}

static void
test_lookup(void)
{
	const ScimRegistry *registry = scim_registry_builtin();
	const ScimResourceType *user = scim_registry_type_by_name(registry, "User");
	const ScimSchema *extension;
	const ScimAttribute *attr;
	const ScimAttribute *sub;

	ok(scim_registry_builtin() == registry, "the built-in registry is made once");
	is_int((long long) scim_registry_schema_count(registry), 3, "three schemas");
	is_int((long long) scim_registry_type_count(registry), 2, "two resource types");
	is_str(scim_registry_type(registry, 1)->name, "Group", "in order");
	is_str(scim_registry_schema(registry, 0)->id, SCIM_URN_USER, "schemas too");
	ok(scim_registry_type_by_endpoint(registry, SCIM_STR("Users")) == user, "by endpoint");
	ok(scim_registry_type_by_endpoint(registry, SCIM_STR("User")) == NULL, "an endpoint is a whole segment");
	ok(scim_sql_table_is("scim.users", "scim", "users") && scim_sql_table_is("\"My App\".\"User\"", "My App", "User"), "a table by name");
	ok(!scim_sql_table_is("scim.users", "sci", "users") && !scim_sql_table_is("scim.users", "scim", "user") &&
	   !scim_sql_table_is("\"a\".users", "\"a\"", "users"), "and no other");
	ok(scim_sql_name_is("\"order\"", "order") && scim_sql_name_is("order", "order") && !scim_sql_name_is("\"order\"", "orde"),
	   "a column in quotes or not");
	ok(scim_registry_type_by_name(registry, "Device") == NULL, "no such type");
	ok(scim_registry_schema_by_id(registry, SCIM_STR("URN:IETF:PARAMS:SCIM:schemas:core:2.0:user")) == user->schema,
	   "a URN in any case");
	ok(scim_type_attribute(user, SCIM_STR("USERNAME")) == &user->schema->attributes[0], "an attribute in any case");
	ok(scim_type_attribute(user, SCIM_STR("")) == NULL, "no name, no attribute");
	ok(scim_type_attribute(user, SCIM_STR("department")) == NULL, "an extension's attribute needs its URN");
	ok(user->registry == registry && user->index_limit > attribute(user, SCIM_URN_ENTERPRISE ":manager.displayName")->index,
	   "indexes are below the type's limit");
	ok(scim_type_resolve(user, SCIM_STR(SCIM_URN_USER ":name.givenname"), &extension, &attr, &sub) &&
	   extension == NULL && strcmp(attr->name, "name") == 0 && strcmp(sub->name, "givenName") == 0, "the core URN as a prefix");
	ok(scim_type_resolve(user, SCIM_STR("Urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:Department"),
						 &extension, &attr, &sub) && extension == user->extensions[0] &&
	   strcmp(attr->name, "department") == 0 && sub == NULL, "an extension's attribute");
	ok(scim_type_resolve(user, SCIM_STR(SCIM_URN_ENTERPRISE), &extension, &attr, &sub) &&
	   extension == user->extensions[0] && attr == NULL, "an extension as a whole");
	ok(!scim_type_resolve(user, SCIM_STR(SCIM_URN_USER), &extension, &attr, &sub), "the core schema is no attribute");
	ok(!scim_type_resolve(user, SCIM_STR(SCIM_URN_ENTERPRISE ":userName"), &extension, &attr, &sub), "not in the extension");
	ok(!scim_type_resolve(user, SCIM_STR(SCIM_URN_ENTERPRISE ":id"), &extension, &attr, &sub), "id is in no extension");
	ok(!scim_type_resolve(user, SCIM_STR("name.givenName.x"), &extension, &attr, &sub), "one dot");
	ok(!scim_type_resolve(user, SCIM_STR("name."), &extension, &attr, &sub), "a dot needs a name");
	ok(!scim_type_resolve(user, SCIM_STR("userName.x"), &extension, &attr, &sub), "no sub-attribute");
	ok(!scim_type_resolve(user, SCIM_STR_NONE, &extension, &attr, &sub), "nothing");
}

static void
test_storage(void)
{
	const ScimResourceType *user = scim_registry_type_by_name(scim_registry_builtin(), "User");
	const ScimResourceType *group = scim_registry_type_by_name(scim_registry_builtin(), "Group");
	const ScimAttribute *name = attribute(user, "name");
	const ScimAttribute *manager = attribute(user, SCIM_URN_ENTERPRISE ":manager");
	const ScimColumn *column = scim_type_column(user, name, attribute(user, "name.familyName"));

	is_str(column->name, "name_family_name", "a sub-attribute's column");
	is_str(column->path, "name.familyName", "and its path");
	ok(scim_type_column(user, name, NULL) == NULL, "no column keeps the whole name");
	column = scim_type_column(user, attribute(user, "emails"), NULL);
	ok(column->store == SCIM_STORE_JSON && column->type == SCIM_SQL_JSONB, "emails are jsonb");
	ok(scim_type_column(user, attribute(user, "emails"), attribute(user, "emails.value")) == column, "with what is in them");
	column = scim_type_column(user, attribute(user, "active"), NULL);
	ok(column->store == SCIM_STORE_COLUMN && column->type == SCIM_SQL_BOOL, "active is boolean");
	column = scim_type_column(user, manager, attribute(user, SCIM_URN_ENTERPRISE ":manager.value"));
	ok(column->type == SCIM_SQL_UUID && strcmp(column->references, "User") == 0, "manager.value references a user");
	is_str(column->path, SCIM_URN_ENTERPRISE ":manager.value", "its path has the URN");
	column = scim_type_column(user, manager, attribute(user, SCIM_URN_ENTERPRISE ":manager.displayName"));
	ok(column->store == SCIM_STORE_EXPRESSION && column->type == SCIM_SQL_TEXT, "manager.displayName is computed");
	ok(scim_type_column(user, manager, attribute(user, SCIM_URN_ENTERPRISE ":manager.$ref")) == NULL, "$ref is not stored");
	ok(scim_type_column(user, attribute(user, "password"), NULL) == NULL, "a password is not stored");
	ok(scim_type_column(user, attribute(user, "meta"), NULL) == NULL, "meta is not an attribute's column");
	ok(scim_type_column(user, attribute(user, "groups"), NULL) == NULL, "a link has no column");
	column = &user->columns[user->n_columns - 1];
	ok(column->store == SCIM_STORE_EXTENSIONS && column->attr == NULL, "the extensions' column is the last");
	ok(!scim_type_link(user, attribute(user, "groups"))->writable, "groups cannot be written");
	ok(scim_type_link(group, attribute(group, "members"))->writable, "members can");
	is_str(scim_type_link(group, attribute(group, "members"))->tenant, "tenant", "a link has its table's tenant");
	is_int((long long) group->n_columns, 3, "externalId, displayName, extensions");
	is_str(scim_registry_secrets(scim_registry_builtin())[0], "password", "the list of secrets");
	ok(scim_registry_secrets(scim_registry_builtin())[1] == NULL, "has one name");
	ok(scim_attribute_secret(attribute(user, "password")) && !scim_attribute_secret(name), "secrets");
}

#define SCHEMA_HEAD "{\"id\":\"urn:x:Thing\",\"name\":\"Thing\",\"attributes\":["
#define TYPE_HEAD "{\"name\":\"Thing\",\"endpoint\":\"/Things\",\"schema\":\"urn:x:Thing\",\"storage\":" \
	"{\"table\":\"app.things\",\"id\":\"id\",\"tenant\":\"tenant\",\"version\":\"version\",\"created\":\"created\"," \
	"\"lastModified\":\"changed\",\"attributes\":{"

static const char thing_schema[] = SCHEMA_HEAD
	"{\"name\":\"label\"},{\"name\":\"size\",\"type\":\"integer\"},{\"name\":\"weight\",\"type\":\"decimal\"},"
	"{\"name\":\"made\",\"type\":\"dateTime\"},{\"name\":\"tags\",\"multiValued\":true},"
	"{\"name\":\"computed\",\"mutability\":\"readOnly\"},{\"name\":\"code\",\"returned\":\"never\"},"
	"{\"name\":\"owner\",\"type\":\"complex\",\"subAttributes\":[{\"name\":\"value\"},{\"name\":\"note\"}]},"
	"{\"name\":\"parts\",\"type\":\"complex\",\"multiValued\":true,\"subAttributes\":[{\"name\":\"value\"}]}]}";

/* Each is added to a registry that has the schema above. */
static const struct
{
	const char *document;
	const char *detail;			/* NULL: accepted */
}			documents[] = {
	{TYPE_HEAD "\"label\":\"label\",\"size\":\"size\",\"weight\":\"weight\",\"made\":\"made\",\"tags\":\"tags\","
		"\"computed\":{\"expression\":\"(now())\"},\"owner.value\":{\"column\":\"owner_id\",\"references\":\"User\"},"
		"\"owner.note\":\"\\\"Note\\\"\","
	"\"parts\":{\"link\":\"app.parts\",\"owner\":\"thing\",\"value\":\"part\",\"target\":\"Thing\"}}}}", NULL},
	{"{\"id\":\"urn:x:Other\",\"name\":\"Other\",\"meta\":{},\"schemas\":[],\"attributes\":[{\"name\":\"x-y_1\"}]}", NULL},

	{"[]", "the document: has neither \"attributes\" (a schema) nor \"endpoint\" (a resource type)"},
	{"{", "invalid JSON at byte 1: unexpected end"},
	{thing_schema, "urn:x:Thing: this schema is registered already"},
	{"{\"id\":\"URN:X:THING\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\"}]}", "URN:X:THING: this schema is registered already"},
	{"{\"id\":\"x\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\"}]}", "x: \"id\" must be a URI"},
	{"{\"id\":\"urn:y\",\"attributes\":[{\"name\":\"a\"}]}", "urn:y: \"name\" must be a string that is not empty"},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[]}", "urn:y: \"attributes\" must be an array that is not empty"},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":{}}", "urn:y: \"attributes\" must be an array that is not empty"},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[null]}", "urn:y: every attribute must be an object with a name"},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{}]}", "urn:y: \"name\" must be a string that is not empty"},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"1a\"}]}", "urn:y: \"1a\" is no attribute name"},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"a.b\"}]}", "urn:y: \"a.b\" is no attribute name"},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"ID\"}]}", "urn:y: \"ID\" is part of every resource"},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\"},{\"name\":\"A\"}]}", "urn:y:A: is there twice"},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\",\"type\":\"text\"}]}", "urn:y:a: \"type\" cannot be \"text\""},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\",\"requierd\":true}]}", "urn:y:a: unknown member \"requierd\""},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\",\"required\":\"yes\"}]}", "urn:y:a: \"required\" must be true or false"},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\",\"mutability\":7}]}", "urn:y:a: \"mutability\" must be a string"},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\",\"canonicalValues\":\"x\"}]}",
	"urn:y:a: \"canonicalValues\" must be an array of strings"},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\",\"canonicalValues\":[1]}]}",
	"urn:y:a: \"canonicalValues\" must be an array of strings"},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\",\"type\":\"complex\"}]}",
	"urn:y:a: a complex attribute, and no other, has \"subAttributes\""},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\",\"subAttributes\":[{\"name\":\"b\"}]}]}",
	"urn:y:a: a complex attribute, and no other, has \"subAttributes\""},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\",\"type\":\"complex\",\"subAttributes\":"
		"[{\"name\":\"b\",\"type\":\"complex\",\"subAttributes\":[{\"name\":\"c\"}]}]}]}",
	"urn:y:a.b: a sub-attribute cannot be complex"},

	{"{\"name\":\"Thing\",\"endpoint\":\"/Things\",\"schema\":\"urn:none\"}", "Thing: there is no schema \"urn:none\""},
	{"{\"name\":\"Thing\",\"endpoint\":\"/Things\",\"schema\":\"urn:x:Thing\"}", NULL},
	{"{\"name\":\"Thing\",\"endpoint\":\"/Things\",\"schema\":\"urn:x:Thing\",\"storage\":7}", "storage: must be an object"},
	{"{\"name\":\"Thing\",\"endpoint\":\"/bulk\",\"schema\":\"urn:x:Thing\"}", "Thing: \"endpoint\" must be / and one free word"},
	{"{\"name\":\"$ref\",\"endpoint\":\"/Things\",\"schema\":\"urn:x:Thing\"}", "$ref: \"name\" must be a word, and \"id\" the same"},
	{"{\"id\":\"urn:ietf:params:scim:api:messages:2.0:Mine\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\"}]}",
	"urn:ietf:params:scim:api:messages:2.0:Mine: \"id\" is one that SCIM itself gives a meaning"},
	{"{\"id\":\"urn:ietf:params:scim:schemas:core:2.0:schema\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\"}]}",
	"urn:ietf:params:scim:schemas:core:2.0:schema: \"id\" is one that SCIM itself gives a meaning"},
	{"{\"id\":\"urn:a b\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\"}]}", "urn:a b: \"id\" must be a URI"},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\",\"type\":\"integer\",\"canonicalValues\":[\"1\"]}]}",
	"urn:y:a: only a string or a reference has \"canonicalValues\""},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\",\"referenceTypes\":[\"User\"]}]}",
	"urn:y:a: only a reference has \"referenceTypes\""},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\",\"mutability\":\"writeOnly\"}]}",
	"urn:y:a: a writeOnly attribute is returned \"never\""},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\",\"multiValued\":true,\"uniqueness\":\"global\"}]}",
	"urn:y:a: \"uniqueness\" can be kept of a single simple value that is no secret, and of no other"},
	{"{\"id\":\"urn:y\",\"name\":\"T\",\"attributes\":[{\"name\":\"a\",\"type\":\"complex\",\"subAttributes\":"
		"[{\"name\":\"b\",\"multiValued\":true}]}]}",
	"urn:y:a.b: a sub-attribute cannot be multi-valued: no filter could name its values"},
	{"{\"name\":\"Thing\",\"id\":\"Other\",\"endpoint\":\"/Things\",\"schema\":\"urn:x:Thing\"}",
	"Thing: \"name\" must be a word, and \"id\" the same"},
	{"{\"name\":\"Thing\",\"endpoint\":\"Things\",\"schema\":\"urn:x:Thing\"}", "Thing: \"endpoint\" must be / and one free word"},
	{"{\"name\":\"Thing\",\"endpoint\":\"/a/b\",\"schema\":\"urn:x:Thing\"}", "Thing: \"endpoint\" must be / and one free word"},
	{"{\"name\":\"Thing\",\"endpoint\":\"/Schemas\",\"schema\":\"urn:x:Thing\"}", "Thing: \"endpoint\" must be / and one free word"},
	{"{\"name\":\"Thing\",\"endpoint\":\"/Things\",\"schema\":\"urn:x:Thing\",\"schemaExtensions\":{}}",
	"Thing: \"schemaExtensions\" must be an array"},
	{"{\"name\":\"Thing\",\"endpoint\":\"/Things\",\"schema\":\"urn:x:Thing\",\"schemaExtensions\":[{\"schema\":\"urn:x:Thing\"}]}",
	"Thing: \"urn:x:Thing\" is the type's own schema"},
	{"{\"name\":\"Thing\",\"endpoint\":\"/Things\",\"schema\":\"urn:x:Thing\",\"schemaExtensions\":[{\"schema\":\"urn:none\"}]}",
	"Thing: there is no schema \"urn:none\""},
	{"{\"name\":\"Thing\",\"endpoint\":\"/Things\",\"schema\":\"urn:x:Thing\",\"storage\":{\"table\":\"things\"}}",
	"storage: \"table\" must be schema.table"},
	{"{\"name\":\"Thing\",\"endpoint\":\"/Things\",\"schema\":\"urn:x:Thing\",\"storage\":{\"table\":\"a.b\",\"id\":\"i\",\"tenant\":\"t\","
		"\"version\":\"v\",\"created\":\"c\",\"lastModified\":\"m\"}}", "storage: \"attributes\" must be an object"},
	{TYPE_HEAD "\"parts\":{\"link\":\"a.b\",\"owner\":\"o\",\"value\":\"v\",\"target\":\"T\"},\"urn:x:Thing:parts\":\"p\"}}}",
	"urn:x:Thing:parts: is kept in two places"},
	{TYPE_HEAD "\"lable\":\"label\"}}}", "lable: names no attribute of Thing"},
	{TYPE_HEAD "\"owner.name\":\"label\"}}}", "owner.name: names no attribute of Thing"},
	{TYPE_HEAD "\"id\":\"other\"}}}", "id: is not stored as an attribute"},
	{TYPE_HEAD "\"code\":\"code\"}}}", "code: is a secret and has no column"},
	{TYPE_HEAD "\"parts.value\":\"part\"}}}", "parts.value: a multi-valued attribute is kept as a whole"},
	{TYPE_HEAD "\"label\":\"label\",\"urn:x:Thing:label\":\"l2\"}}}", "urn:x:Thing:label: is kept in two places"},
	{TYPE_HEAD "\"owner\":\"o\",\"owner.value\":\"l2\"}}}", "owner.value: is kept in two places"},
	{TYPE_HEAD "\"owner.value\":\"o\"}}}", "Thing: owner.value has a column, owner.note has none"},
	{TYPE_HEAD "\"label\":\"x\",\"size\":\"x\"}}}", "Thing: column \"x\" keeps two things"},
	{TYPE_HEAD "\"label\":\"tenant\"}}}", "Thing: column \"tenant\" keeps two things"},
	{TYPE_HEAD "\"label\":\"x; DROP TABLE y\"}}}", "label: the column is no SQL identifier in lower case or quotes"},
	{TYPE_HEAD "\"label\":\"\\\"a\\\"b\\\"\"}}}", "label: the column is no SQL identifier in lower case or quotes"},
	{TYPE_HEAD "\"label\":{\"column\":\"a b\"}}}}", "label: \"column\" is no SQL identifier in lower case or quotes"},
	{TYPE_HEAD "\"label\":7}}}", "label: must be an object"},
	{TYPE_HEAD "\"label\":{\"column\":\"l\",\"computed\":true},\"size\":\"l\"}}}", NULL},
	{TYPE_HEAD "\"parts\":{\"column\":\"p\",\"element\":{}}}}}", NULL},
	{TYPE_HEAD "\"parts\":{\"column\":\"p\",\"element\":{\"value\":\"x\"}}}}}", "parts: \"element\" cannot say \"value\""},
	{TYPE_HEAD "\"parts\":{\"column\":\"p\",\"element\":7}}}}", "parts: \"element\" must be an object"},
	{TYPE_HEAD "\"label\":{\"column\":\"p\",\"element\":{}}}}}",
	"label: only of a multi-valued attribute with a sub-attribute \"value\", a string, can a column keep one element"},
	{TYPE_HEAD "\"label\":\"\\\"x\\\"\",\"size\":\"\\\"x\\\"\"}}}", "Thing: column \"x\" keeps two things"},
	{TYPE_HEAD "\"label\":{\"expression\":\"1\"}}}}", "label: only a readOnly attribute can be an expression"},
	{TYPE_HEAD "\"size\":{\"column\":\"s\",\"references\":\"User\"}}}}",
	"size: only a single string or reference can reference a resource type"},
	{TYPE_HEAD "\"tags\":{\"link\":\"a.b\",\"owner\":\"o\",\"value\":\"v\",\"target\":\"User\"}}}}",
	"tags: only a multi-valued attribute with a sub-attribute \"value\" can be a link"},
	{TYPE_HEAD "\"parts\":{\"link\":\"b\",\"owner\":\"o\",\"value\":\"v\",\"target\":\"User\"}}}}", "parts: \"link\" must be schema.table"},
	{TYPE_HEAD "\"parts\":{\"link\":\"a.b\",\"owner\":\"o\",\"value\":\"v\"}}}}", "parts: a link has either \"type\" or \"target\""},
};

static void
test_documents(void)
{
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
	{
		ScimRegistry *registry = scim_registry_create();
		ScimError	err = {0};
		ScimStatus	status = scim_registry_add(registry, str(thing_schema), &err);
		size_t		listed;

		status = scim_registry_add(registry, str(documents[i].document), &err);
		listed = scim_registry_schema_count(registry) + scim_registry_type_count(registry);
		is_str(status == SCIM_OK ? NULL : err.detail, documents[i].detail, "document %zu", i);
		is_int((long long) listed, documents[i].detail == NULL ? 2 : 1, "is%s listed", documents[i].detail == NULL ? "" : " not");
		scim_registry_free(registry);
	}
}

static void
test_unbound(void)
{
	ScimRegistry *registry = scim_registry_create();
	const ScimResourceType *type;
	ScimError	err = {0};

	ok(scim_registry_secrets(registry)[0] == NULL, "an empty registry has no secrets");
	is_int(scim_registry_add(registry, str(thing_schema), &err), SCIM_OK, "a schema");
	is_str(scim_registry_secrets(registry)[0], "code", "a schema's secret is listed with it");
	is_int(scim_registry_add(registry, SCIM_STR("{\"name\":\"Thing\",\"endpoint\":\"/Things\",\"schema\":\"urn:x:Thing\",\"storage\":"
		"{\"table\":\"app.things\",\"id\":\"id\",\"tenant\":\"t\",\"version\":\"v\",\"created\":\"c\","
		"\"lastModified\":\"m\",\"extensions\":\"rest\",\"attributes\":{\"label\":\"label\"}}}"), &err), SCIM_OK, "a type: %s", err.detail);
	type = scim_registry_type_by_name(registry, "Thing");
	is_str(scim_type_column(type, attribute(type, "size"), NULL)->name, "rest", "without a binding: the extensions' column");
	ok(scim_type_column(type, attribute(type, "code"), NULL) == NULL, "but not a secret");
	ok(scim_type_column(type, attribute(type, "id"), NULL) == NULL, "nor id");
	is_int(scim_registry_add(registry, SCIM_STR("{\"name\":\"Thing\",\"endpoint\":\"/Others\",\"schema\":\"urn:x:Thing\"}"), &err),
		   SCIM_INVALID_VALUE, "a name is taken once");
	is_int(scim_registry_add(registry, SCIM_STR("{\"id\":\"urn:x:More\",\"name\":\"More\",\"attributes\":[{\"name\":\"a\"}]}"), &err), SCIM_OK,
		   "another schema");
	is_int(scim_registry_add(registry, SCIM_STR("{\"name\":\"Other\",\"endpoint\":\"/Others\",\"schema\":\"urn:x:Thing\","
		"\"schemaExtensions\":[{\"schema\":\"urn:x:More\"},{\"schema\":\"URN:x:more\"}]}"), &err), SCIM_INVALID_VALUE, "an extension twice");
	is_str(err.detail, "Other: \"urn:x:More\" is there twice", "is said to be");
	is_int(scim_registry_add(registry, SCIM_STR("{\"name\":\"Other\",\"endpoint\":\"/Things\",\"schema\":\"urn:x:Thing\"}"), &err),
		   SCIM_INVALID_VALUE, "an endpoint too");
	scim_registry_free(registry);
	scim_registry_free(NULL);
}

/* What is registered beside the built-in documents: extended, stored, with a table of its own. */
static void
test_registered(void)
{
	static const char gadget[] = "{\"id\":\"urn:x:Gadget\",\"name\":\"Gadget\",\"attributes\":["
		"{\"name\":\"serialNumber\",\"required\":true,\"uniqueness\":\"server\"},{\"name\":\"serial-number\"},{\"name\":\"mudURL\",\"type\":\"reference\"},"
		"{\"name\":\"version\",\"type\":\"integer\"},{\"name\":\"order\",\"type\":\"boolean\"},{\"name\":\"pin\",\"returned\":\"never\"},"
		"{\"name\":\"tags\",\"multiValued\":true},{\"name\":\"owner\",\"type\":\"complex\",\"subAttributes\":"
		"[{\"name\":\"since\",\"type\":\"dateTime\"},{\"name\":\"$ref\",\"type\":\"reference\"},{\"name\":\"code\",\"uniqueness\":\"global\"}]}]}";
	static const char badge[] = "{\"id\":\"urn:x:Badge\",\"name\":\"Badge\",\"attributes\":[{\"name\":\"n\",\"type\":\"integer\",\"uniqueness\":\"server\"}]}";
	static const char lock[] = "{\"id\":\"urn:x:Lock\",\"name\":\"Lock\",\"attributes\":[{\"name\":\"key\",\"returned\":\"never\"}]}";
	static const char type_document[] = "{\"name\":\"Gadget\",\"endpoint\":\"/fineGadgets\",\"schema\":\"urn:x:Gadget\"}";
	static const struct
	{
		const char *path;
		bool		unique;
		const char *sql;		/* NULL: none */
	}			indexes[] = {
		{"serialNumber", true, "CREATE UNIQUE INDEX i ON scim.resource_fine_gadgets (tenant, (scim.fold(\"serial_number\") COLLATE pg_catalog.\"C\"))"},
		{"mudURL", false, "CREATE INDEX i ON scim.resource_fine_gadgets (tenant, (\"mud_url\" COLLATE pg_catalog.\"C\"))"},
		{"owner.since", false, "CREATE INDEX i ON scim.resource_fine_gadgets (tenant, (\"owner_since\"))"},
		{"tags", false, "CREATE INDEX i ON scim.resource_fine_gadgets USING gin (scim.folded_values(\"tags\"))"},
		{"urn:x:Badge:n", true, "CREATE UNIQUE INDEX i ON scim.resource_fine_gadgets (tenant, "
		"((extensions OPERATOR(pg_catalog.->) 'urn:x:Badge' OPERATOR(pg_catalog.->) 'n')))"},
		{"tags", true, NULL}, {"owner", false, NULL}, {"pin", false, NULL}, {"nothing", false, NULL}, {"schemas", false, NULL},
		{"tags[value eq \"a\"]", false, NULL}, {"urn:x:Badge", false, NULL},
	};
	ScimRegistry *registry = scim_registry_begin();
	ScimArena  *arena = scim_arena_create(1 << 20);
	ScimError	err = {0};
	const ScimResourceType *type;
	const ScimColumn *column;
	const char **paths;
	size_t		n;
	ScimStr		text = SCIM_STR_NONE;

	is_int(scim_registry_add(registry, str(gadget), &err), SCIM_OK, "a schema (%s)", err.detail);
	is_int(scim_registry_add(registry, str(badge), &err), SCIM_OK, "another");
	is_int(scim_registry_add(registry, str(lock), &err), SCIM_OK, "a third");
	is_int(scim_registry_add(registry, str(type_document), &err), SCIM_OK, "a type that is not stored yet (%s)", err.detail);
	type = scim_registry_type_by_name(registry, "Gadget");
	ok(type->table == NULL, "has no table");
	is_int(scim_table_storage(arena, type, &text), SCIM_OK, "is given one");
	is_str(text.ptr, "{\"table\":\"scim.resource_fine_gadgets\",\"id\":\"id\",\"tenant\":\"tenant\",\"version\":\"version\",\"created\":\"created\","
		   "\"lastModified\":\"last_modified\",\"extensions\":\"extensions\",\"secrets\":\"secrets\",\"attributes\":{\"externalId\":\"external_id\","
		   "\"serialNumber\":\"\\\"serial_number\\\"\",\"serial-number\":\"\\\"serial_number_2\\\"\",\"mudURL\":\"\\\"mud_url\\\"\","
		   "\"version\":\"\\\"version_2\\\"\",\"order\":\"\\\"order\\\"\",\"tags\":\"\\\"tags\\\"\",\"owner.since\":\"\\\"owner_since\\\"\","
		   "\"owner.$ref\":\"\\\"owner_ref\\\"\",\"owner.code\":\"\\\"owner_code\\\"\"}}", "with a column for each attribute");
	is_int(scim_registry_store(registry, "Gadget", text, &err), SCIM_OK, "which can be read (%s)", err.detail);
	is_int(scim_registry_extend(registry, "Gadget", SCIM_STR("urn:x:Badge"), true, &err), SCIM_OK, "an extension (%s)", err.detail);
	is_int(scim_registry_extend(registry, "Gadget", SCIM_STR("urn:x:Lock"), false, &err), SCIM_OK, "one with a secret (%s)", err.detail);
	type = scim_registry_type_by_name(registry, "Gadget");
	ok(type->n_extensions == 2 && type->extension_required[0] && !type->extension_required[1], "are there");
	ok(type->index_limit > type->extensions[1]->attributes[0].index, "with their indexes");
	column = scim_type_column(type, attribute(type, "pin"), NULL);
	ok(column != NULL && column->store == SCIM_STORE_SECRETS, "a secret is kept with the secrets");
	column = scim_type_column(type, attribute(type, "urn:x:Lock:key"), NULL);
	ok(column != NULL && column->store == SCIM_STORE_SECRETS, "an extension's, too");
	column = scim_type_column(type, attribute(type, "urn:x:Badge:n"), NULL);
	ok(column != NULL && column->store == SCIM_STORE_EXTENSIONS, "and the rest with the extensions");
	is_int(scim_table_create(arena, type, &text), SCIM_OK, "its table");
	ok(strstr(text.ptr, ", \"serial_number\" text COLLATE pg_catalog.\"C\" NOT NULL, \"serial_number_2\" text COLLATE pg_catalog.\"C\", "
			  "\"mud_url\" text COLLATE pg_catalog.\"C\", \"version_2\" bigint, \"order\" boolean, \"tags\" jsonb, \"owner_since\" timestamptz, "
			  "\"owner_ref\" text COLLATE pg_catalog.\"C\", \"owner_code\" text COLLATE pg_catalog.\"C\", extensions jsonb, secrets jsonb, "
			  "PRIMARY KEY (tenant, id))") != NULL, "%s", text.ptr);
	is_int(scim_table_unique(arena, type, type->schema, &paths, &n), SCIM_OK, "what is unique");
	ok(n == 2 && strcmp(paths[0], "serialNumber") == 0 && strcmp(paths[1], "owner.code") == 0, "in the core schema");
	is_int(scim_table_unique(arena, type, type->extensions[0], &paths, &n), SCIM_OK, "and");
	ok(n == 1 && strcmp(paths[0], "urn:x:Badge:n") == 0, "in an extension");
	for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++)
	{
		ScimStatus	status = scim_table_index(arena, type, str(indexes[i].path), indexes[i].unique, "i", &text, &err);

		is_str(status == SCIM_OK ? text.ptr : NULL, indexes[i].sql, "index of %s", indexes[i].path);
	}

	/* Refusals leave the registry as it was. */
	ok(scim_registry_extend(registry, "Gadget", SCIM_STR("urn:x:Badge"), false, &err) == SCIM_INVALID_VALUE, "twice: %s", err.detail);
	ok(scim_registry_extend(registry, "Gadget", SCIM_STR("urn:x:Gadget"), false, &err) == SCIM_INVALID_VALUE, "itself: %s", err.detail);
	ok(scim_registry_extend(registry, "Gadget", SCIM_STR("urn:none"), false, &err) == SCIM_INVALID_VALUE, "nothing: %s", err.detail);
	ok(scim_registry_extend(registry, "Nobody", SCIM_STR("urn:x:Badge"), false, &err) == SCIM_INVALID_VALUE, "nobody: %s", err.detail);
	ok(scim_registry_extend(registry, "User", SCIM_STR("urn:x:Lock"), false, &err) == SCIM_INVALID_VALUE, "no place: %s", err.detail);
	ok(scim_registry_store(registry, "Gadget", SCIM_STR("{\"table\":\"x\"}"), &err) == SCIM_INVALID_VALUE, "no storage: %s", err.detail);
	ok(scim_registry_store(registry, "Nobody", SCIM_STR("{}"), &err) == SCIM_INVALID_VALUE, "nobody's: %s", err.detail);
	ok(scim_registry_type_by_name(registry, "Gadget") == type && scim_registry_type_by_name(registry, "User")->n_extensions == 1, "all is as before");
	scim_arena_free(arena);
	scim_registry_free(registry);
}

int
main(void)
{
	if (!ok(scim_registry_builtin() != NULL, "the built-in documents are right"))
	{
		ScimRegistry *registry = scim_registry_create();
		ScimError	err = {0};

		for (size_t i = 0; i < scim_builtin_count; i++)
		{
			if (scim_registry_add(registry, str(scim_builtins[i].text), &err) != SCIM_OK)
				printf("# %s: %s\n", scim_builtins[i].name, err.detail);
		}
		scim_registry_free(registry);
		return done_testing();
	}
	test_characteristics();
	test_attribute_names();
	test_canonical_values();
	test_lookup();
	test_storage();
	test_documents();
	test_registered();
	test_unbound();
	return done_testing();
}
