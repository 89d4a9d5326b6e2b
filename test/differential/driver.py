#!/usr/bin/env python3
"""The server, src/core and a model of the RFC asked the same.

    driver.py --answers PROGRAM --schemas src/core/schemas [--seed N] [--filters N] [--patches N]

Random resources over the whole schema are made by SCIM in the database that
libpq's environment names (psql); then
  - random filters: scim_apply's list = core_answers' = model.py's;
  - random PATCHes: the resource that scim_apply leaves = core_answers'; the
    members of a group = those that the operations, one after the other, leave.
A seed gives the same run again.  Each difference is printed, shrunk; the exit
status is 1 if there is any.  Prints TAP.
"""
import argparse
import base64
import json
import random
import subprocess
import sys
import urllib.parse

import model

TENANT = "differential"
CORE = "urn:ietf:params:scim:schemas:core:2.0:"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
WORDS = ["Ann", "ann", "ANNA", "Bob", "bo", "b", "work", "home", "other", "é", "É", "straße", "STRAẞE", "Σ", "ς", "σ",
         "x%y", "x_y", "a\\b", 'q"q', "日本", "日", "𝒳", "İ", "z z", " ", "10", "9", "true", "null", "o'neil", "a\u0301", "A\u0301\u0323", "\uff21\uff22", "\uff76\uff9e", "\u1112\u1161\u11ab", "\ud55c"]
SETUP = """
SET client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS scim_audit CASCADE;
SELECT scim.create_tenant('%s') WHERE NOT EXISTS (SELECT FROM scim.tenants WHERE tenant = '%s');
CREATE TABLE IF NOT EXISTS differential_question (i int, method text, uri text, body text);
-- What a request answers, and with undo, what the resource then is; nothing stays.
CREATE OR REPLACE FUNCTION differential_ask(m text, u text, b text, undo boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	a record;
	answer text;
BEGIN
	BEGIN
		a := scim.scim_apply(m, u, b);
		answer := jsonb_build_object('status', a.status, 'body', CASE WHEN a.status >= 300 OR NOT undo THEN a.body
			ELSE (SELECT g.body FROM scim.scim_apply('GET', u) g) END)::text;
		IF undo THEN
			RAISE EXCEPTION 'undone' USING ERRCODE = 'SD000';
		END IF;
	EXCEPTION WHEN SQLSTATE 'SD000' THEN
	END;
	RETURN answer;
END $$;
""" % (TENANT, TENANT)


class Server:
    """scim_apply through psql, many questions at a time."""

    def __init__(self):
        self.sql(SETUP)
        self.sql("SELECT scim.alter_tenant('%s', '{}')" % TENANT)

    @staticmethod
    def sql(text):
        done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1"], input=text, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout

    def ask(self, questions, undo=False):
        """[(method, uri, body)] -> [{"status":, "body":}]"""
        rows = []
        for i, (method, uri, body) in enumerate(questions):
            cells = [str(i), method, uri, "\\N" if body is None else json.dumps(body, ensure_ascii=False)]
            rows.append("\t".join(c if c == "\\N" else c.replace("\\", "\\\\") for c in cells))
        answer = self.sql("SET scim_audit.tenant = '%s'; SET scim_audit.profile = 'rfc';\n" % TENANT +
                          "BEGIN;\nTRUNCATE differential_question;\nCOPY differential_question FROM STDIN;\n" +
                          "\n".join(rows) + "\n\\.\n" +
                          "SELECT translate(encode(convert_to(differential_ask(method, uri, body, %s), 'UTF8'), 'base64'), E'\\n', '')"
                          " FROM differential_question ORDER BY i;\nCOMMIT;" % undo)
        lines = [json.loads(base64.b64decode(line)) for line in answer.split("\n") if line]
        assert len(lines) == len(questions), (len(lines), len(questions))
        return lines


class Answers:
    """core_answers, a line for a line."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def ask(self, *parts):
        self.process.stdin.write("\t".join(parts) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if line == "":
            raise RuntimeError("core_answers died on %r" % (parts,))
        return line.rstrip("\n").split("\t")


class Maker:
    """Random values, resources, filters and PATCHes of one resource type."""

    def __init__(self, rng, name, attributes, users, ids):
        self.rng = rng
        self.name = name
        self.attributes = attributes
        self.users = users
        self.ids = ids

    def word(self):
        rng = self.rng
        text = rng.choice(WORDS)
        return text if rng.random() < 0.7 else text + rng.choice(WORDS)

    def value(self, attr):
        rng = self.rng
        if attr.type == "boolean":
            return rng.random() < 0.5
        if attr.type == "binary":
            return base64.b64encode(rng.choice([b"a", b"ab", b"\x00\xff", b"cert"])).decode()
        if attr.type == "reference":
            return "https://example.com/" + rng.choice(["a", "A", "b/c"])
        if attr.parent is not None and attr.parent.name == "manager" and attr.name == "value":
            return rng.choice(self.users) if self.users else None
        if attr.name == "type" and rng.random() < 0.7:
            return rng.choice(["work", "home", "other"])
        if rng.random() < 0.05:
            return ""
        return self.word()

    def complex(self, attr):
        subs = [s for s in attr.subs if (attr.name, s.name) != ("manager", "displayName")]
        chosen = {s.name: self.value(s) for s in subs if self.rng.random() < 0.5}
        if attr.sub("value") is not None and attr.name != "addresses":
            chosen["value"] = self.value(attr.sub("value"))
        return {k: v for k, v in chosen.items() if v is not None}

    def whole(self, attr):
        if not attr.many:
            return self.complex(attr) if attr.subs else self.value(attr)
        elements = [self.complex(attr) for _ in range(self.rng.randint(0, 3))]
        primary = [e for e in elements if e.get("primary")]
        for element in primary[1:]:
            del element["primary"]
        return elements

    def writable(self):
        return [a for a in self.attributes if a.name not in ("id", "schemas", "meta", "groups")]

    def resource(self, number):
        body = {"schemas": [CORE + self.name]}
        extension = {}
        for attr in self.writable():
            if self.rng.random() < 0.4:
                (body if attr.schema is None else extension)[attr.name] = self.whole(attr)
        if self.name == "User":
            body["userName"] = self.word() + " %d" % number
        else:
            body["displayName"] = self.word()
            body["members"] = [{"value": i} for i in self.rng.sample(self.ids, self.rng.randint(0, 4))]
        if extension:
            body["schemas"].append(model.ENTERPRISE)
            body[model.ENTERPRISE] = extension
        return body

    # ---- filters ----

    def literal(self, leaf, resource_values):
        """One that makes sense: what some resource has, or a piece of it, or something like it."""
        rng = self.rng
        if leaf.type == "boolean":
            return rng.random() < 0.5
        if leaf.type == "dateTime":
            text = rng.choice(resource_values) if resource_values else "2020-01-01T00:00:00Z"
            return rng.choice([text, "2020-01-01T00:00:00+02:00", "2999-12-31T23:59:59.5Z"])
        if resource_values and rng.random() < 0.7:
            text = rng.choice(resource_values)
        else:
            text = self.value(leaf) or "x"
        if not isinstance(text, str):
            text = "x"
        if leaf.type != "binary" and rng.random() < 0.3 and text:
            start = rng.randrange(len(text))
            text = text[start:rng.randint(start, len(text))]
        if leaf.type != "binary" and rng.random() < 0.2:
            text = text.swapcase()
        return text

    def operator(self, leaf):
        if leaf.type in ("boolean", "binary"):
            return self.rng.choice(["eq", "ne"])
        if leaf.type == "dateTime":
            return self.rng.choice(["eq", "ne", "gt", "ge", "lt", "le"])
        return self.rng.choice(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"])

    def values_of(self, resources, attr, sub):
        found = []
        for resource in resources:
            value = model.read(resource, attr)
            for one in value if isinstance(value, list) else [value]:
                one = model.part(one, sub) if one is not None else None
                if one is not None:
                    found.append(one)
        return found

    def pick(self):
        rng = self.rng
        attr = rng.choice(self.attributes)
        subs = [s for s in attr.subs]
        if not subs:
            return attr, None
        if attr.many and attr.sub("value") is not None and rng.random() < 0.3:
            return attr, None
        return attr, rng.choice(subs)

    def leaf(self, resources, inside=None):
        rng = self.rng
        attr, sub = (inside, rng.choice([s for s in inside.subs])) if inside else self.pick()
        if rng.random() < 0.15:
            return ("pr", attr, sub)
        leaf = sub or attr.sub("value") or attr
        op = self.operator(leaf)
        if op in ("eq", "ne") and rng.random() < 0.05:
            return (op, attr, sub, None)
        return (op, attr, sub, self.literal(leaf, self.values_of(resources, attr, sub or attr.sub("value"))))

    def filter(self, resources, depth=0, inside=None):
        rng = self.rng
        roll = rng.random()
        if depth < 3 and roll < 0.35:
            return (rng.choice(["and", "or"]), self.filter(resources, depth + 1, inside), self.filter(resources, depth + 1, inside))
        if depth < 3 and roll < 0.45:
            return ("not", self.filter(resources, depth + 1, inside))
        if inside is None and roll < 0.65:
            attr = rng.choice([a for a in self.attributes if a.subs and a.name != "meta"])
            after = None
            if attr.many and rng.random() < 0.3:
                node = self.leaf(resources, attr)
                if node[0] not in ("pr",) and node[3] is not None:
                    after = (node[0], node[2], node[3])
            return ("path", attr, self.filter(resources, 2, attr), after)
        return self.leaf(resources, inside)

    def broken(self, text):
        """A filter text spoilt."""
        rng = self.rng
        at = rng.randrange(len(text) + 1)
        return rng.choice([text[:at], text[at:], text[:at] + rng.choice('()[]" .') + text[at:],
                           text.replace(" eq ", " gt "), text.replace(" co ", " = "), text.replace('"', "", 1)])

    # ---- PATCH ----

    def operation(self, resources):
        rng = self.rng
        attr = rng.choice(self.writable())
        path = model.path_text(attr, None)
        op = rng.choice(["add", "replace", "remove"])
        roll = rng.random()
        if attr.name == "members":
            value = [{"value": i} for i in rng.sample(self.ids, rng.randint(1, 3))]
            if op == "remove":
                return {"op": op, "path": 'members[value eq "%s"]' % rng.choice(self.ids)} if roll < 0.9 else {"op": op, "path": "members"}
            return {"op": op if roll < 0.3 else "add", "path": "members", "value": value}
        if roll < 0.15 and op != "remove":
            value = self.whole(attr)
            return {"op": op, "value": {attr.name: value} if attr.schema is None else {attr.schema: {attr.name: value}}}
        if attr.subs and roll < 0.6:
            sub = rng.choice([s for s in attr.subs])
            if attr.many:
                path += "[" + model.text(self.filter(resources, 2, attr), True) + "]"
            if not attr.many or rng.random() < 0.7:
                path += "." + sub.name
                value = self.value(sub)
            else:
                value = self.complex(attr)
        else:
            value = self.whole(attr)
        if rng.random() < 0.05:
            value = None
        return {"op": op, "path": path} if op == "remove" else {"op": op, "path": path, "value": value}

    def patch(self, resources):
        return {"schemas": [PATCH_OP], "Operations": [self.operation(resources) for _ in range(self.rng.randint(1, 4))]}


def outcome(answer):
    """A refusal as core_answers names it; None where there is none."""
    if answer["status"] < 300:
        return None
    return answer["body"].get("scimType", str(answer["status"]))


def smaller(node):
    """Filters that are part of a filter."""
    if node[0] in ("and", "or"):
        yield node[1]
        yield node[2]
        for one in smaller(node[1]):
            yield (node[0], one, node[2])
        for one in smaller(node[2]):
            yield (node[0], node[1], one)
    elif node[0] == "not":
        yield node[1]
        for one in smaller(node[1]):
            yield ("not", one)
    elif node[0] == "path":
        if node[3] is not None:
            yield ("path", node[1], node[2], None)
        for one in smaller(node[2]):
            yield ("path", node[1], one, node[3])


class Run:
    def __init__(self, options):
        self.rng = random.Random(options.seed)
        self.server = Server()
        self.answers = Answers(options.answers)
        self.makers = {}
        self.resources = {}
        self.numbers = {}
        self.schemas = options.schemas

    def make(self, n_users, n_groups):
        self.server.sql("DELETE FROM scim.groups WHERE tenant = '%s'; DELETE FROM scim.users WHERE tenant = '%s';" % (TENANT, TENANT))
        users, ids = [], []
        for name, count in (("User", n_users), ("Group", n_groups)):
            maker = self.makers[name] = Maker(self.rng, name, model.load(self.schemas, name), users, ids)
            created = 0
            while created < count:
                # A few at a time, so that managers can be found among them.
                batch = [("POST", "/%ss" % name, maker.resource(created + i)) for i in range(min(20, count - created))]
                for question, answer in zip(batch, self.server.ask(batch)):
                    if answer["status"] != 201:
                        raise RuntimeError("%s: %s" % (answer, question))
                    ids.append(answer["body"]["id"])
                    if name == "User":
                        users.append(answer["body"]["id"])
                created += len(batch)
        for name in self.makers:
            listed = self.server.ask([("GET", "/%ss?count=1000" % name, None)])[0]["body"]["Resources"]
            self.resources[name] = listed
            self.numbers[name] = [int(self.answers.ask("R", name, json.dumps(r, ensure_ascii=False))[0]) for r in listed]

    # ---- filters ----

    def three(self, name, cases):
        """For each (text, tree or None): the differences between the answers."""
        resources = self.resources[name]
        listed = self.server.ask([("GET", "/%ss?count=1000&attributes=id&filter=%s" % (name, urllib.parse.quote(text)), None)
                                  for text, _ in cases])
        for (text, tree), answer in zip(cases, listed):
            line = self.answers.ask("F", name, text)
            refused = outcome(answer)
            by_core = line[1] if line[0] == "error" else None
            if refused is not None or by_core is not None:
                if refused != by_core or tree is not None:
                    yield text, tree, "server: %s, core: %s" % (refused or "served", by_core or "served")
                continue
            ids = {r["id"] for r in answer["body"].get("Resources", [])}
            chosen = set(map(int, line[0].split(" ")[1:]))
            core = {r["id"] for r, number in zip(resources, self.numbers[name]) if number in chosen}
            rfc = {r["id"] for r in resources if model.matches(tree, r)} if tree is not None else ids
            if not ids == core == rfc:
                odd = next(r for r in resources if len({r["id"] in s for s in (ids, core, rfc)}) > 1)
                yield text, tree, "server: %s, core: %s, model: %s of %s" % (
                    odd["id"] in ids, odd["id"] in core, odd["id"] in rfc, json.dumps(odd, ensure_ascii=False))

    def shrink(self, name, tree, why):
        while tree is not None:
            parts = [(model.text(t), t) for t in smaller(tree)]
            found = next(self.three(name, parts), None) if parts else None
            if found is None:
                break
            tree, why = found[1], found[2]
        return tree, why

    def filters(self, count):
        differences = []
        for name in self.makers:
            maker = self.makers[name]
            cases = []
            for _ in range(count * 3 // 4 if name == "User" else count // 4):
                tree = maker.filter(self.resources[name])
                text = model.text(tree)
                cases.append((maker.broken(text), None) if self.rng.random() < 0.1 else (text, tree))
            for text, tree, why in self.three(name, cases):
                if tree is not None and len(differences) < 10:
                    tree, why = self.shrink(name, tree, why)
                    text = model.text(tree)
                differences.append("%s filter %s: %s" % (name, text, why))
        return differences

    # ---- PATCH ----

    @staticmethod
    def stored(resource):
        """Without what is computed when it is read."""
        kept = {k: v for k, v in resource.items() if k not in ("schemas", "id", "meta", "groups", "members")}
        extension = kept.get(model.ENTERPRISE)
        if extension and "manager" in extension:
            extension = dict(extension, manager={"value": extension["manager"]["value"]})
            kept[model.ENTERPRISE] = extension
        return kept

    @staticmethod
    def members_after(members, operations):
        """One operation after the other."""
        members = set(members)
        for operation in operations:
            value = operation.get("value")
            if "path" not in operation:
                operation = {"op": operation["op"], "path": "members" if "members" in value else ""}
                value = value.get("members")
            path = operation["path"]
            if not path.startswith("members"):
                continue
            value = value or []
            named = {v["value"].lower() for v in value}
            if operation["op"] == "remove":
                members = members - {path.split('"')[1]} if "[" in path else set()
            else:
                members = named if operation["op"] == "replace" else members | named
        return members

    def patches(self, count):
        differences = []
        for name in self.makers:
            maker = self.makers[name]
            cases = []
            for _ in range(count * 2 // 3 if name == "User" else count // 3):
                cases.append((self.rng.choice(self.resources[name]), maker.patch(self.resources[name])))
            answers = self.server.ask([("PATCH", "/%ss/%s" % (name, r["id"]), body) for r, body in cases], undo=True)
            for (resource, body), answer in zip(cases, answers):
                before = self.stored(resource)
                line = self.answers.ask("P", name, json.dumps(before, ensure_ascii=False), json.dumps(body, ensure_ascii=False))
                refused = outcome(answer)
                by_core = line[1] if line[0] == "error" else None
                shown = "%s PATCH of %s by %s" % (name, json.dumps(before, ensure_ascii=False), json.dumps(body["Operations"], ensure_ascii=False))
                if refused != by_core:
                    differences.append("%s: server: %s, core: %s" % (shown, refused or "served", by_core or "served"))
                    continue
                if refused is not None:
                    continue
                after, core = self.stored(answer["body"]), json.loads(line[1])
                if core.get(model.ENTERPRISE, {}).get("manager"):
                    core[model.ENTERPRISE]["manager"].pop("displayName", None)
                if after != core:
                    differences.append("%s: server: %s, core: %s" % (shown, json.dumps(after, ensure_ascii=False), json.dumps(core, ensure_ascii=False)))
                if name == "Group":
                    members = {m["value"] for m in answer["body"].get("members", [])}
                    expected = self.members_after([m["value"] for m in resource.get("members", [])], body["Operations"])
                    if members != expected:
                        differences.append("%s: members: %s, expected: %s" % (shown, sorted(members), sorted(expected)))
        return differences


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--answers", required=True)
    parser.add_argument("--schemas", required=True)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--filters", type=int, default=3000)
    parser.add_argument("--patches", type=int, default=1500)
    options = parser.parse_args()
    run = Run(options)
    print("# seed %d" % options.seed, flush=True)
    run.make(60, 25)
    failed = False
    for number, (what, differences) in enumerate((("%d filters" % options.filters, run.filters(options.filters)),
                                                  ("%d PATCHes" % options.patches, run.patches(options.patches))), 1):
        print("%sok %d - %s: the same answer from the server, in memory and from the RFC's text" % ("not " if differences else "", number, what))
        for difference in differences[:20]:
            print("#   " + difference)
        failed = failed or bool(differences)
    print("1..2")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
