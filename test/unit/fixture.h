/* fixture.h: a file of test/unit/fixtures, read whole. */
#ifndef SCIM_TEST_FIXTURE_H
#define SCIM_TEST_FIXTURE_H

#include "core/strbuf.h"

#include <stdio.h>
#include <stdlib.h>

/* Its bytes and a NUL, malloc'd; ends the program when it cannot be read: there is nothing to test then. */
static inline ScimStr __attribute__((unused))
fixture(const char *name)
{
	char		path[200];
	char	   *bytes = calloc(1, (1 << 20) + 1);
	FILE	   *file;
	size_t		len;

	snprintf(path, sizeof(path), "test/unit/fixtures/%s", name);
	file = fopen(path, "rb");
	if (file == NULL || bytes == NULL)
	{
		printf("Bail out! cannot read %s\n", path);
		exit(1);
	}
	len = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	return (ScimStr) {bytes, len};
}

#endif							/* SCIM_TEST_FIXTURE_H */
