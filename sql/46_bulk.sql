-- POST /Bulk (RFC 7644 section 3.7).
\set VERBOSITY terse
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('regress-46', 'https://example.com/v2');
CREATE ROLE regress_46;
CREATE ROLE regress_46_reader;
SELECT scim.grant_duty('regress_46', 'provisioning_admin', 'regress-46'), scim.grant_duty('regress_46_reader', 'reader', 'regress-46');

-- one line for each operation: ids are not printed
CREATE FUNCTION pg_temp.masked(t text) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(t, '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<id>', 'g') $$;
CREATE FUNCTION pg_temp.bulk(body text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	answer record;
BEGIN
	SELECT * INTO answer FROM scim.scim_apply('POST', '/Bulk', body);
	IF answer.status <> 200 THEN
		RETURN NEXT concat_ws(' | ', answer.status, answer.body ->> 'scimType', answer.body ->> 'detail');
		RETURN;
	END IF;
	RETURN QUERY SELECT pg_temp.masked(concat_ws(' ', o ->> 'method', o ->> 'bulkId', o ->> 'status', o ->> 'version', o ->> 'location',
		'| ' || concat_ws(' | ', o #>> '{response,status}', o #>> '{response,scimType}', o #>> '{response,detail}')))
		FROM jsonb_array_elements(answer.body -> 'Operations') WITH ORDINALITY e(o, n) ORDER BY n;
END $$;
-- the same for its operations alone
CREATE FUNCTION pg_temp.ops(operations text, member text DEFAULT '') RETURNS SETOF text LANGUAGE sql AS $$
	SELECT pg_temp.bulk('{"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]' || coalesce(', ' || nullif($2, ''), '') || ', "Operations": ' || $1 || '}') $$;
CREATE FUNCTION pg_temp.members() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER AS $$
	SELECT g.display_name || ' v' || g.version || ': ' || coalesce(string_agg(m.member_type || ' ' || coalesce(u.user_name, n.display_name), ', ' ORDER BY m.member_type, u.user_name, n.display_name), '')
	FROM scim.groups g LEFT JOIN scim.group_members m ON m.tenant = g.tenant AND m.group_id = g.id LEFT JOIN scim.users u ON u.tenant = m.tenant AND u.id = m.member_id
		LEFT JOIN scim.groups n ON n.tenant = m.tenant AND n.id = m.member_id
	WHERE g.tenant = 'regress-46' GROUP BY g.id, g.display_name, g.version ORDER BY g.display_name $$;
CREATE FUNCTION pg_temp.users() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER AS $$
	SELECT concat_ws(' ', u.user_name, 'v' || u.version, u.nick_name, u.title, 'manager ' || m.user_name) FROM scim.users u LEFT JOIN scim.users m ON m.tenant = u.tenant AND m.id = u.manager_id
	WHERE u.tenant = 'regress-46' ORDER BY u.user_name $$;
CREATE FUNCTION pg_temp.clear() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
	DELETE FROM scim.users WHERE tenant = 'regress-46'; DELETE FROM scim.groups WHERE tenant = 'regress-46' $$;
SET ROLE regress_46;

-- what is announced
SELECT body -> 'bulk' FROM scim.scim_apply('GET', '/ServiceProviderConfig');

-- section 3.7.1: two groups that are members of each other
SELECT status, headers, pg_temp.masked(body::text) FROM scim.scim_apply('POST', '/Bulk', '{
     "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
     "Operations": [
       {
         "method": "POST",
         "path": "/Groups",
         "bulkId": "qwerty",
         "data": {
           "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
           "displayName": "Group A",
           "members": [
             {
               "type": "Group",
               "value": "bulkId:ytrewq"
             }
           ]
         }
       },
       {
         "method": "POST",
         "path": "/Groups",
         "bulkId": "ytrewq",
         "data": {
           "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
           "displayName": "Group B",
           "members": [
             {
               "type": "Group",
               "value": "bulkId:qwerty"
             }
           ]
         }
       }
     ]
   }'::text);
SELECT pg_temp.members();
SELECT pg_temp.clear();

-- section 3.7.2: a group with a user, and users with a manager, all new
SELECT pg_temp.bulk('{
     "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
     "Operations": [
       {
         "method": "POST",
         "path": "/Users",
         "bulkId": "qwerty",
         "data": {
           "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
           "userName": "Alice"
         }
       },
       {
         "method": "POST",
         "path": "/Groups",
         "bulkId": "ytrewq",
         "data": {
           "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
           "displayName": "Tour Guides",
           "members": [
             {
               "type": "User",
               "value": "bulkId:qwerty"
             }
           ]
         }
       }
     ]
   }');
SELECT pg_temp.members();
SELECT pg_temp.clear();
SELECT pg_temp.bulk('{
     "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
     "Operations": [
       {
         "method": "POST",
         "path": "/Users",
         "bulkId": "qwerty",
         "data": {
           "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
           "userName": "Alice"
         }
       },
       {
         "method": "POST",
         "path": "/Users",
         "bulkId": "ytrewq",
         "data": {
           "schemas": [
             "urn:ietf:params:scim:schemas:core:2.0:User",
             "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
           ],
           "userName": "Bob",
           "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
             "employeeNumber": "11250",
             "manager": {
               "value": "bulkId:qwerty"
             }
           }
         }
       }
     ]
   }');
SELECT pg_temp.users();
SELECT pg_temp.clear();

-- section 3.7.3: a POST, a PUT, a PATCH whose data is an array as in the RFC, a DELETE
RESET ROLE;
INSERT INTO scim.users (tenant, id, user_name, nick_name) VALUES ('regress-46', 'b7c14771-226c-4d05-8860-134711653041', 'Robert', 'Bobby'),
	('regress-46', '5d8d29d3-342c-4b5f-8683-a3cb6763ffcc', 'David', 'Davy'), ('regress-46', 'e9025315-6bea-44e1-899c-1e07454e468b', 'Eve', NULL);
CREATE FUNCTION pg_temp.rfc_request() RETURNS text LANGUAGE sql AS $$ SELECT '{
     "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
     "failOnErrors":1,
     "Operations":[
       {
         "method":"POST",
         "path":"/Users",
         "bulkId":"qwerty",
         "data":{
           "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
           "userName":"Alice"
         }
       },
       {
         "method":"PUT",
         "path":"/Users/b7c14771-226c-4d05-8860-134711653041",
         "version":"W\/\"3694e05e9dff591\"",
         "data":{
           "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
           "id":"b7c14771-226c-4d05-8860-134711653041",
           "userName":"Bob"
         }
       },
       {
         "method":"PATCH",
         "path":"/Users/5d8d29d3-342c-4b5f-8683-a3cb6763ffcc",
         "version":"W\/\"edac3253e2c0ef2\"",
         "data":[
           {
             "op":"remove",
             "path":"nickName"
           },
           {
             "op":"add",
             "path":"userName",
             "value":"Dave"
           }
         ]
       },
       {
         "method":"DELETE",
         "path":"/Users/e9025315-6bea-44e1-899c-1e07454e468b",
         "version":"W\/\"0ee8add0a938e1a\""
       }
     ]
   }' $$;
SET ROLE regress_46;
-- the versions of the RFC are not ours
SELECT pg_temp.bulk(pg_temp.rfc_request());
SELECT pg_temp.users();
SELECT pg_temp.bulk(replace(replace(pg_temp.rfc_request(), '"failOnErrors":1,', ''), 'Alice', 'Ann'));
SELECT pg_temp.bulk(replace(regexp_replace(pg_temp.rfc_request(), '[0-9a-f]{15}', '1', 'g'), 'Alice', 'Anna'));
SELECT pg_temp.users();
SELECT status, pg_temp.masked(body::text) FROM scim.scim_apply('POST', '/Bulk', replace(pg_temp.rfc_request(), 'Alice', 'Anna'));
SELECT pg_temp.clear();

-- failOnErrors: after so many errors nothing more is done, and nothing more told
SELECT pg_temp.ops('[{"method": "DELETE", "path": "/Users/nobody-1"}, {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "a"}},
	{"method": "DELETE", "path": "/Users/nobody-2"}, {"method": "POST", "path": "/Users", "bulkId": "b", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "b"}}]', '"failOnErrors": 2');
SELECT pg_temp.users();
SELECT pg_temp.clear();

-- forward references, and a chain of them: done in time, told in the order of the request
SELECT pg_temp.ops('[{"method": "PATCH", "path": "/Groups/bulkId:g", "data": {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "members", "value": [{"value": "bulkId:c"}]}, {"op": "remove", "path": "members[value eq \"bulkId:b\"]"}]}},
	{"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "G", "members": [{"value": "bulkId:a"}, {"value": "bulkId:b"}, {"value": "bulkId:h"}]}},
	{"method": "POST", "path": "/Users", "bulkId": "a", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "a", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:b"}}}},
	{"method": "POST", "path": "/Users", "bulkId": "b", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "b"}},
	{"method": "POST", "path": "/Users/", "bulkId": "c", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "c"}},
	{"method": "PATCH", "path": "/Users/bulkId%3Ab/", "data": {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value", "value": "bulkId:c"}, {"op": "add", "value": {"title": "Boss"}}]}},
	{"method": "PUT", "path": "/Users/bulkId:c", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"], "userName": "C", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:c"}}}},
	{"method": "POST", "path": "/Groups", "bulkId": "h", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "H"}}]');
SELECT pg_temp.users();
SELECT pg_temp.members();
SELECT pg_temp.clear();

-- circles: of users and groups, of three, of one with itself; with members that are there already and new ones outside the circle
SELECT pg_temp.ops('[{"method": "POST", "path": "/Users", "bulkId": "a", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "a", "title": "A", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:b"}}}},
	{"method": "POST", "path": "/Users", "bulkId": "b", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "b", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:c"}}}},
	{"method": "POST", "path": "/Users", "bulkId": "c", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "c", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:a"}}}},
	{"method": "POST", "path": "/Users", "bulkId": "self", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "self", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:self"}}}},
	{"method": "POST", "path": "/Groups", "bulkId": "g1", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "G1", "members": [{"value": "bulkId:g2"}, {"value": "bulkId:a"}, {"value": "bulkId:z"}]}},
	{"method": "POST", "path": "/Groups", "bulkId": "g2", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "G2", "members": [{"value": "bulkId:g1"}, {"value": "bulkId:g2"}]}},
	{"method": "POST", "path": "/Users", "bulkId": "z", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "z"}}]');
SELECT pg_temp.users();
SELECT pg_temp.members();
-- all of a circle or none: one that fails takes the others with it, and what refers to them, but nothing else
SELECT pg_temp.ops('[{"method": "POST", "path": "/Groups", "bulkId": "x1", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "X1", "members": [{"value": "bulkId:x2"}]}},
	{"method": "POST", "path": "/Groups", "bulkId": "x2", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "X2", "members": [{"value": "bulkId:x1"}, {"value": "019b76da-a800-7000-8000-000000000001"}]}},
	{"method": "POST", "path": "/Users", "bulkId": "y1", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "y1", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:y2"}}}},
	{"method": "POST", "path": "/Users", "bulkId": "y2", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "A", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:y1"}}}},
	{"method": "POST", "path": "/Groups", "bulkId": "w", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "W", "members": [{"value": "bulkId:y1"}]}},
	{"method": "POST", "path": "/Users", "bulkId": "v1", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "v1", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:v2"}}}},
	{"method": "POST", "path": "/Nowhere", "bulkId": "v2", "data": {"manager": {"value": "bulkId:v1"}}},
	{"method": "POST", "path": "/Groups", "bulkId": "ok", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "OK"}}]');
SELECT pg_temp.members();
SELECT count(*) FROM pg_temp.users();
SELECT pg_temp.clear();

-- an inactive user whom a POST brings back keeps its id, also where a circle refers to it
RESET ROLE;
SELECT scim.alter_tenant('regress-46', '{"reactivate": true}');
INSERT INTO scim.users (tenant, user_name, active, title) VALUES ('regress-46', 'back', false, 'Old'), ('regress-46', 'again', false, 'Old');
CREATE TEMP TABLE old_ids AS SELECT id, user_name FROM scim.users WHERE tenant = 'regress-46';
SET ROLE regress_46;
SELECT pg_temp.ops('[{"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Returned", "members": [{"value": "bulkId:back"}, {"value": "bulkId:again"}]}},
	{"method": "POST", "path": "/Users", "bulkId": "back", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "back", "active": true}},
	{"method": "POST", "path": "/Users", "bulkId": "again", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "AGAIN", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:new"}}}},
	{"method": "POST", "path": "/Users", "bulkId": "new", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "new", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:again"}}}}]');
SELECT pg_temp.users();
SELECT pg_temp.members();
RESET ROLE;
SELECT count(*) FROM scim.users u JOIN old_ids o ON o.id = u.id AND scim.fold(o.user_name) = scim.fold(u.user_name);
-- so does one that was deleted and is kept, in the same request, too
SELECT scim.alter_tenant('regress-46', '{"soft_delete": true}');
SET ROLE regress_46;
SELECT pg_temp.ops(format('[{"method": "DELETE", "path": "/Users/%s"}, {"method": "DELETE", "path": "/Users/%s"},
	{"method": "POST", "path": "/Users", "bulkId": "back", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "Back", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:again"}}}},
	{"method": "POST", "path": "/Users", "bulkId": "again", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "again", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:back"}}}}]',
	(SELECT body #>> '{Resources,0,id}' FROM scim.scim_apply('GET', '/Users?filter=userName%20eq%20%22back%22')), (SELECT body #>> '{Resources,0,id}' FROM scim.scim_apply('GET', '/Users?filter=userName%20eq%20%22again%22'))));
SELECT pg_temp.users();
RESET ROLE;
SELECT count(*) FROM scim.users u JOIN old_ids o ON o.id = u.id AND scim.fold(o.user_name) = scim.fold(u.user_name);
SELECT scim.alter_tenant('regress-46', '{"reactivate": false, "soft_delete": false}');
SET ROLE regress_46;
SELECT pg_temp.clear();

-- references that name nothing, or what failed
SELECT pg_temp.ops('[{"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"displayName": "G", "members": [{"value": "bulkId:nobody"}]}},
	{"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}},
	{"method": "PATCH", "path": "/Users/bulkId:u", "data": [{"op": "add", "path": "title", "value": "T"}]},
	{"method": "DELETE", "path": "/Users/bulkId:gone", "bulkId": "d"},
	{"method": "POST", "path": "/Groups", "bulkId": "e", "data": {"displayName": "E", "members": [{"value": "bulkId:d"}]}},
	{"method": "POST", "path": "/Groups", "bulkId": "f", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "F", "members": [{"value": "bulkId:"}]}}]');
SELECT pg_temp.members();

-- whole requests that are none
SELECT pg_temp.bulk('[]'), pg_temp.bulk('"x"'), pg_temp.bulk('{}'), pg_temp.bulk('{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{}]}');
SELECT pg_temp.bulk(NULL), pg_temp.bulk('{"schemas"'), pg_temp.bulk('{"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]}'), pg_temp.ops('{}'), pg_temp.ops('[]'), pg_temp.ops('[1]');
SELECT f, pg_temp.ops('[{"method": "DELETE", "path": "/Users/x"}]', '"failOnErrors": ' || f) FROM unnest('{0,-1,1.5,"1",true,[],null,9223372036854775807}'::text[]) f;
SELECT pg_temp.ops('[{"method": "POST", "path": "/Users", "bulkId": "a", "data": {"userName": "a"}}, {"method": "DELETE", "path": "/Users/x", "bulkId": "a"}]');
SELECT m, status, headers ->> 'Allow' FROM unnest('{GET,PUT,PATCH,DELETE}'::text[]) m, scim.scim_apply(m, '/Bulk', '{}'::text);
SELECT status FROM scim.scim_apply('POST', '/Bulk/x', '{}'::text);
SELECT status, body ->> 'detail' FROM scim.scim_apply('POST', '/Bulk', '{}'::text, '{"Content-Type": "text/plain"}');

-- operations that are none: each is told why, the others are done
SELECT pg_temp.ops('[{}, {"method": 1, "path": "/Users/x"}, {"method": "GET", "path": "/Users"}, {"method": "get", "path": "/Users"}, {"method": "Brew", "path": "/Users"}, {"method": "DELETE"}, {"method": "DELETE", "path": 7},
	{"method": "POST", "path": "/Users", "data": {"userName": "a"}}, {"method": "POST", "path": "/Users", "bulkId": "1"}, {"method": "PUT", "path": "/Users/x"}, {"method": "PATCH", "path": "/Users/x", "data": null},
	{"method": "POST", "path": "/Users", "bulkId": ["2"], "data": {"userName": "a"}}, {"method": "POST", "path": "/Users", "bulkId": "3", "data": "bulkId"}, {"method": "POST", "path": "/Users", "bulkId": "4", "data": []},
	{"method": "POST", "path": "/Bulk", "bulkId": "5", "data": {}}, {"method": "POST", "path": "/Users/.search", "bulkId": "6", "data": {}}, {"method": "POST", "path": "/", "bulkId": "7", "data": {}}, {"method": "PUT", "path": "/Schemas", "data": {}},
	{"method": "POST", "path": "/Nothing", "bulkId": "8", "data": {}}, {"method": "POST", "path": "Users", "bulkId": "9", "data": {}}, {"method": "POST", "path": "https://example.com/v2/Users", "bulkId": "10", "data": {}}, {"method": "POST", "path": "/Users?attributes=userName", "bulkId": "11", "data": {"userName": "a"}},
	{"method": "PUT", "path": "/Users", "data": {"userName": "a"}}, {"method": "POST", "path": "/Users/019b76da-a800-7000-8000-000000000001", "bulkId": "12", "data": {"userName": "a"}}, {"method": "DELETE", "path": "/Users/%"}, {"method": "DELETE", "path": "/Users/a/b"},
	{"method": "DELETE", "path": "/Me"}, {"method": "DELETE", "path": "/Users/019b76da-a800-7000-8000-000000000001"}, {"method": "PATCH", "path": "/Users/019B76DA-a800-7000-8000-000000000001", "version": 1, "data": []},
	{"METHOD": "post", "PATH": "/Users", "BULKID": "13", "DATA": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "done"}, "other": {"x": 1}}]');
SELECT pg_temp.users();
SELECT pg_temp.clear();

-- the limits
RESET ROLE;
SET scim_audit.max_bulk_operations = 2;
SET ROLE regress_46;
SELECT pg_temp.ops('[{"method": "DELETE", "path": "/Users/x"}, {"method": "DELETE", "path": "/Users/x"}, {"method": "DELETE", "path": "/Users/x"}]');
SELECT count(*) FROM pg_temp.ops('[{"method": "DELETE", "path": "/Users/x"}, {"method": "DELETE", "path": "/Users/x"}]');
SELECT body -> 'bulk' FROM scim.scim_apply('GET', '/ServiceProviderConfig');
RESET ROLE;
RESET scim_audit.max_bulk_operations;
SET scim_audit.max_body = 100;
SET ROLE regress_46;
SELECT pg_temp.ops('[{"method": "DELETE", "path": "/Users/x"}, {"method": "DELETE", "path": "/Users/x"}, {"method": "DELETE", "path": "/Users/x"}]');
RESET ROLE;
RESET scim_audit.max_body;
SET ROLE regress_46;

-- who may: as for any write
RESET ROLE;
SET ROLE regress_46_reader;
SELECT pg_temp.ops('[{"method": "POST", "path": "/Users", "bulkId": "1", "data": {"userName": "a"}}]');
RESET ROLE;
BEGIN READ ONLY;
SET LOCAL ROLE regress_46;
SELECT pg_temp.ops('[{"method": "DELETE"}]');
ROLLBACK;

-- profiles are applied to each operation
SET ROLE regress_46;
SELECT pg_temp.ops('[{"method": "POST", "path": "/Users", "bulkId": "1", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "entra", "active": "True"}},
	{"method": "PATCH", "path": "/Users/bulkId:1", "data": {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "Add", "value": {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager": "bulkId:1", "title": "Pilot"}}]}}]');
SELECT pg_temp.users();
SET scim_audit.profile = 'rfc';
SELECT pg_temp.ops('[{"method": "POST", "path": "/Users", "bulkId": "1", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "rfc", "active": "True"}}]');
RESET scim_audit.profile;
SELECT pg_temp.clear();

-- the log: an event for each operation, one for the whole, all with one request_id; secrets nowhere
RESET ROLE;
SELECT scim.alter_tenant('regress-46', '{"password": "hash"}');
SET ROLE regress_46;
SELECT pg_temp.ops('[{"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "logged", "password": "Sup3rSecret", "active": "True", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:m"}}}},
	{"method": "PATCH", "path": "/Users/bulkId:u", "data": [{"op": "replace", "path": "password", "value": "Sup3rSecret"}]},
	{"method": "POST", "path": "/Users", "bulkId": "m", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "boss", "password": "Sup3rSecret", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:u"}}}},
	{"method": "PUT", "path": "/Users/x", "data": {"password": "Sup3rSecret"}, "password": "Sup3rSecret"},
	{"method": "GET", "path": "/Users/x", "data": {"password": "Sup3rSecret"}},
	{"method": "DELETE", "path": "/Users/never-reached", "data": {"password": "Sup3rSecret", "kept": true}}]', '"failOnErrors": 2');
RESET ROLE;
SET scim_audit.tenant = 'regress-46';
SELECT user_name, scim.check_password(id, 'Sup3rSecret') FROM scim.users WHERE tenant = 'regress-46' ORDER BY 1;
RESET scim_audit.tenant;
CREATE TEMP TABLE seen AS SELECT * FROM scim_audit.events WHERE tx_id = (SELECT tx_id FROM scim_audit.events WHERE tenant = 'regress-46' AND action = 'bulk' AND status = 200 ORDER BY tx_id DESC, n DESC LIMIT 1);
SELECT n, category, action, event_type, outcome, status, scim_type, method, resource_type, resource_id IS NOT NULL AS has_id, pg_temp.masked(coalesce(detail ->> 'endpoint', '')), detail ->> 'bulk_id', pg_temp.masked((detail -> 'request')::text), pg_temp.masked((detail -> 'response')::text), detail -> 'tolerances'
	FROM seen WHERE category = 'request' ORDER BY n;
SELECT category, event_type, method, count(*) FROM seen WHERE category <> 'request' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT count(DISTINCT request_id), count(*) FILTER (WHERE request_id IS NULL), count(*) FILTER (WHERE detail::text ~ 'Sup3rSecret') FROM seen;
SELECT count(*) FROM scim_audit.events WHERE tenant = 'regress-46' AND detail::text ~ 'Sup3rSecret';
SELECT DISTINCT origin, actor, actor_type FROM seen;
SELECT scim.alter_tenant('regress-46', '{"password": "discard"}');
-- a refused one is one event, with what was asked
SET ROLE regress_46;
SELECT pg_temp.ops('[{"method": "POST", "path": "/Users", "bulkId": "a", "data": {"password": "Sup3rSecret"}}]', '"failOnErrors": "x"');
RESET ROLE;
SELECT action, event_type, outcome, status, scim_type, (detail -> 'request')::text, (detail -> 'response')::text FROM scim_audit.events WHERE tenant = 'regress-46' AND category = 'request' ORDER BY tx_id DESC, n DESC LIMIT 1;

-- what is hostile: text that looks like SQL, references inside other text, a bulkId that no JSON likes, long chains and circles
SET ROLE regress_46;
SELECT pg_temp.clear();
SELECT pg_temp.ops('[{"method": "POST", "path": "/Users", "bulkId": "''; DROP TABLE scim.users; --", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "''; DROP TABLE scim.users; --"}},
	{"method": "POST", "path": "/Users", "bulkId": "\"}]}\\\n\u0001", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "quoted", "title": "see bulkId:x", "displayName": "\"bulkId:x\"", "nickName": "bulkid:x"}},
	{"method": "PATCH", "path": "/Users/bulkId:%22%7D%5D%7D%5C%0A%01", "data": [{"op": "add", "path": "emails[type eq \"bulkId:''; DROP TABLE scim.users; --\"].value", "value": "x@example.com"}]},
	{"method": "DELETE", "path": "/Users/bulkId:%27; DROP TABLE scim.users; --"},
	{"method": "DELETE", "path": "/Users/../Users/bulkId:x"}, {"method": "DELETE", "path": "/Users/bulkId:x%00"}]');
SELECT pg_temp.users();
SELECT count(*), count(*) FILTER (WHERE o LIKE 'POST % 201 %') FROM (SELECT pg_temp.ops('[' || string_agg(format('{"method": "POST", "path": "/Users", "bulkId": "c%s", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "chain%s", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "bulkId:c%s"}}}}', i, i, CASE WHEN i < 400 THEN i + 1 ELSE 400 END), ',') || ']') FROM generate_series(1, 400) i) r(o);
SELECT count(*), count(*) FILTER (WHERE o LIKE 'POST % 201 %') FROM (SELECT pg_temp.ops('[' || string_agg(format('{"method": "POST", "path": "/Groups", "bulkId": "r%s", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "ring%s", "members": [{"value": "bulkId:r%s"}]}}', i, i, i % 200 + 1), ',') || ']') FROM generate_series(1, 200) i) r(o);
RESET ROLE;
SELECT count(*) FILTER (WHERE u.user_name = 'chain' || substr(m.user_name, 6)::int - 1) FROM scim.users u JOIN scim.users m ON m.tenant = u.tenant AND m.id = u.manager_id WHERE u.tenant = 'regress-46';
SELECT count(*) FROM scim.group_members WHERE tenant = 'regress-46';

-- a tenant sees and changes its own only
SELECT scim.create_tenant('regress-46b');
INSERT INTO scim.users (tenant, id, user_name) VALUES ('regress-46b', '019b76da-a800-7000-8000-00000000046b', 'theirs');
SET ROLE regress_46;
SELECT pg_temp.ops('[{"method": "DELETE", "path": "/Users/019b76da-a800-7000-8000-00000000046b"}, {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Theirs", "members": [{"value": "019b76da-a800-7000-8000-00000000046b"}]}}]');
RESET ROLE;
SELECT count(*) FROM scim.users WHERE tenant = 'regress-46b';

-- a trigger of the application that calls us in turn, and one that refuses
CREATE FUNCTION pg_temp.echo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF new.title = 'refuse' THEN RAISE check_violation USING MESSAGE = 'no'; END IF;
	IF new.title = 'echo' THEN
		PERFORM scim.scim_apply('POST', '/Bulk', '{"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [{"method": "POST", "path": "/Users", "bulkId": "e", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "echo of ' || new.user_name || '"}}]}');
	END IF;
	RETURN new;
END $$;
CREATE TRIGGER regress_46_echo AFTER INSERT ON scim.users FOR EACH ROW EXECUTE FUNCTION pg_temp.echo();
SET scim_audit.tenant = 'regress-46';
SELECT pg_temp.clear();
SELECT pg_temp.ops('[{"method": "POST", "path": "/Users", "bulkId": "1", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "one", "title": "echo"}},
	{"method": "POST", "path": "/Users", "bulkId": "2", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "two", "title": "refuse"}}, {"method": "POST", "path": "/Users", "bulkId": "3", "data": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "three"}}]');
SELECT pg_temp.users();
DROP TRIGGER regress_46_echo ON scim.users;

SELECT * FROM scim_audit.verify() WHERE rule <> 'config_changed';
RESET scim_audit.tenant;
SELECT scim.drop_tenant('regress-46', 'regress-46'), scim.drop_tenant('regress-46b', 'regress-46b');
DROP ROLE regress_46, regress_46_reader;
