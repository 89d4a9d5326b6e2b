/*
 * thing.h
 *		A made-up resource type: every attribute type, immutable and read-only
 *		ones, an extension, and few columns.
 */
#ifndef SCIM_TEST_THING_H
#define SCIM_TEST_THING_H

#include "core/registry.h"
#include "tap.h"

static const char thing_schema[] = "{\"id\":\"urn:x:Thing\",\"name\":\"Thing\",\"attributes\":["
"{\"name\":\"label\",\"required\":true},{\"name\":\"size\",\"type\":\"integer\"},{\"name\":\"weight\",\"type\":\"decimal\"},"
"{\"name\":\"made\",\"type\":\"dateTime\"},{\"name\":\"tags\",\"multiValued\":true},{\"name\":\"codes\",\"multiValued\":true,\"caseExact\":true},"
"{\"name\":\"serial\",\"mutability\":\"immutable\"},{\"name\":\"state\",\"mutability\":\"readOnly\"},"
"{\"name\":\"box\",\"type\":\"complex\",\"subAttributes\":[{\"name\":\"kind\",\"required\":true},{\"name\":\"code\",\"mutability\":\"immutable\"},"
"{\"name\":\"seen\",\"mutability\":\"readOnly\"},{\"name\":\"on\",\"type\":\"boolean\"}]},"
"{\"name\":\"points\",\"type\":\"complex\",\"multiValued\":true,\"subAttributes\":[{\"name\":\"x\",\"type\":\"decimal\",\"required\":true}]},"
"{\"name\":\"left\",\"type\":\"complex\",\"multiValued\":true,\"subAttributes\":[{\"name\":\"value\"}]},"
"{\"name\":\"right\",\"type\":\"complex\",\"multiValued\":true,\"subAttributes\":[{\"name\":\"value\"}]}]}";
static const char more_schema[] = "{\"id\":\"urn:x:More\",\"name\":\"More\",\"attributes\":["
"{\"name\":\"why\",\"required\":true},{\"name\":\"seal\",\"mutability\":\"immutable\"}]}";
static const char thing_type[] = "{\"name\":\"Thing\",\"endpoint\":\"/Things\",\"schema\":\"urn:x:Thing\","
"\"schemaExtensions\":[{\"schema\":\"urn:x:More\"}],\"storage\":"
"{\"table\":\"app.things\",\"id\":\"id\",\"tenant\":\"tenant\",\"version\":\"version\",\"created\":\"created\",\"lastModified\":\"changed\","
"\"extensions\":\"rest\",\"attributes\":{\"label\":\"label\",\"weight\":\"weight\",\"made\":\"made\",\"size\":\"size\",\"state\":\"state\"}}}";

/* The same without columns, with the extension required, and two links. */
static const char strict_type[] = "{\"name\":\"Strict\",\"endpoint\":\"/Stricts\",\"schema\":\"urn:x:Thing\","
"\"schemaExtensions\":[{\"schema\":\"urn:x:More\",\"required\":true}],\"storage\":"
"{\"table\":\"app.stricts\",\"id\":\"id\",\"tenant\":\"tenant\",\"version\":\"version\",\"created\":\"created\",\"lastModified\":\"changed\","
"\"extensions\":\"rest\",\"attributes\":{\"left\":{\"link\":\"app.l\",\"owner\":\"o\",\"value\":\"v\",\"target\":\"Thing\"},"
"\"right\":{\"link\":\"app.r\",\"owner\":\"o\",\"value\":\"v\",\"target\":\"Thing\"}}}}";

/* A registry with both; the caller frees it. */
static inline ScimRegistry * __attribute__((unused))
thing_registry(void)
{
	ScimRegistry *registry = scim_registry_create();
	ScimError	err = {0};

	if (scim_registry_add(registry, SCIM_STR(thing_schema), &err) != SCIM_OK ||
		scim_registry_add(registry, SCIM_STR(more_schema), &err) != SCIM_OK ||
		scim_registry_add(registry, SCIM_STR(thing_type), &err) != SCIM_OK ||
		scim_registry_add(registry, SCIM_STR(strict_type), &err) != SCIM_OK)
		ok(false, "the made-up type: %s", err.detail);
	return registry;
}

#endif							/* SCIM_TEST_THING_H */
