#include "core/registry.h"
#include "core/resource.h"
const ScimRegistry *scim_registry_builtin(void){return NULL;}
const ScimResourceType *scim_registry_type_by_name(const ScimRegistry *r, const char *n){(void)r;(void)n;return NULL;}
bool scim_attribute_secret(const ScimAttribute *a){(void)a;return false;}
const ScimAttribute *scim_sub_attribute(const ScimAttribute *a, ScimStr s){(void)a;(void)s;return NULL;}
