"""Filters as RFC 7644 section 3.4.2.2 says they work, written from its text
and from what src/core/filter.h says of what it leaves open; no code is shared
with src/core.  A filter is a tuple:

    ("and" | "or", left, right)   ("not", filter)
    ("pr", attr, sub)             (op, attr, sub, literal)
    ("path", attr, filter, None)  attr[filter]
    ("path", attr, filter, (op, sub, literal))   attr[filter].sub op literal

attr and sub are Attribute; literals are Python values, None for null.
"""
import datetime
import json
import pathlib
import unicodedata

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


class Attribute:
    """One attribute of a schema document of RFC 7643 section 8.7.1."""

    def __init__(self, document, schema=None, parent=None):
        self.name = document["name"]
        self.type = document["type"]
        self.many = document.get("multiValued", False)
        self.exact = document.get("caseExact", False) or self.type == "binary"
        self.schema = schema
        self.parent = parent
        self.subs = [Attribute(sub, schema, self) for sub in document.get("subAttributes", [])
                     if sub["name"] not in UNSERVED and (self.name, sub["name"]) not in UNSERVED]

    def sub(self, name):
        return next((sub for sub in self.subs if sub.name == name), None)


# Not served as a filter: what only the answer has.
UNSERVED = ("$ref", "location", ("groups", "type"))

# RFC 7643 section 3.1, common attributes.
COMMON = [
    {"name": "id", "type": "string", "caseExact": True},
    {"name": "externalId", "type": "string", "caseExact": True},
    {"name": "schemas", "type": "reference", "multiValued": True},
    {"name": "meta", "type": "complex", "subAttributes": [
        {"name": "resourceType", "type": "string", "caseExact": True},
        {"name": "created", "type": "dateTime"},
        {"name": "lastModified", "type": "dateTime"},
        {"name": "version", "type": "string", "caseExact": True}]}]


def load(folder, name):
    """The attributes of a resource type that can be filtered by."""
    files = {"User": ["10_user.json", "12_enterprise_user.json"], "Group": ["11_group.json"]}[name]
    attributes = [Attribute(a) for a in COMMON]
    for file in files:
        document = json.loads((pathlib.Path(folder) / file).read_text())
        schema = document["id"] if document["id"] == ENTERPRISE else None
        attributes += [Attribute(a, schema) for a in document["attributes"] if a["name"] != "password"]
    return attributes


def plain(c):
    """A character without its width."""
    parts = unicodedata.decomposition(c).split()
    return "".join(chr(int(p, 16)) for p in parts[1:]) if parts and parts[0] in ("<wide>", "<narrow>") else c


def fold(text):
    """Simple case folding of the normalized text: what Python knows of it, one character for one."""
    out = []
    for c in unicodedata.normalize("NFC", "".join(map(plain, text))):
        folded = c.casefold()
        lower = c.lower()
        out.append(folded if len(folded) == 1 else lower if len(lower) == 1 else c)
    return unicodedata.normalize("NFC", "".join(out))


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def empty(value):
    if isinstance(value, dict):
        return all(empty(v) for v in value.values())
    if isinstance(value, list):
        return all(empty(v) for v in value)
    return value is None or value == ""


def compare(leaf, op, value, literal):
    """One value, or None where there is none, against a literal that is not null."""
    if value is None and leaf.name == "primary":
        value = False
    if value is None:
        return op == "ne"
    if leaf.type == "dateTime":
        value, literal = moment(value), moment(literal)
    elif isinstance(literal, str) and not leaf.exact:
        value, literal = fold(value), fold(literal)
    return {"eq": lambda: value == literal, "ne": lambda: value != literal,
            "co": lambda: literal in value, "sw": lambda: value.startswith(literal),
            "ew": lambda: value.endswith(literal),
            "gt": lambda: value > literal, "ge": lambda: value >= literal,
            "lt": lambda: value < literal, "le": lambda: value <= literal}[op]()


def read(resource, attr):
    """The value of an attribute: a list where it is multi-valued."""
    if attr.schema is not None:
        resource = resource.get(attr.schema, {})
    value = resource.get(attr.name)
    return (value or []) if attr.many else value


def part(value, sub):
    return value.get(sub.name) if sub is not None and isinstance(value, dict) else value


def present(resource, attr, sub):
    value = read(resource, attr)
    if attr.many:
        return any(not empty(part(v, sub)) for v in value) if sub is not None else value != []
    return not empty(part(value, sub)) if value is not None else False


def test(resource, op, attr, sub, literal):
    if sub is None and attr.subs:
        sub = attr.sub("value")
    if literal is None:
        there = present(resource, attr, sub)
        return there if op == "ne" else not there
    leaf = sub or attr
    if not attr.many:
        value = read(resource, attr)
        return compare(leaf, op, None if value is None else part(value, sub), literal)
    values = read(resource, attr)
    if not values:
        return op == "ne"
    return any(compare(leaf, op, part(v, sub), literal) for v in values)


def element_matches(node, element):
    kind = node[0]
    if kind == "and":
        return element_matches(node[1], element) and element_matches(node[2], element)
    if kind == "or":
        return element_matches(node[1], element) or element_matches(node[2], element)
    if kind == "not":
        return not element_matches(node[1], element)
    if kind == "pr":
        return not empty(part(element, node[2]))
    value = part(element, node[2])
    if node[3] is None:
        return empty(value) if node[0] == "eq" else not empty(value)
    return compare(node[2], node[0], value, node[3])


def matches(node, resource):
    kind = node[0]
    if kind == "and":
        return matches(node[1], resource) and matches(node[2], resource)
    if kind == "or":
        return matches(node[1], resource) or matches(node[2], resource)
    if kind == "not":
        return not matches(node[1], resource)
    if kind == "pr":
        return present(resource, node[1], node[2])
    if kind == "path":
        value = read(resource, node[1])
        values = value if node[1].many else [] if empty(value) else [value]
        after = node[3]
        return any(element_matches(node[2], v) and
                   (after is None or compare(after[1], after[0], part(v, after[1]), after[2])) for v in values)
    return test(resource, kind, node[1], node[2], node[3])


def quote(literal):
    return "null" if literal is None else json.dumps(literal, ensure_ascii=False)


def path_text(attr, sub):
    text = (attr.schema + ":" if attr.schema else "") + attr.name
    return text + ("." + sub.name if sub is not None else "")


def text(node, inside=False):
    """The filter as a client writes it."""
    kind = node[0]
    if kind in ("and", "or"):
        def side(n):
            return "(" + text(n, inside) + ")" if n[0] in ("and", "or") else text(n, inside)
        return side(node[1]) + " " + kind + " " + side(node[2])
    if kind == "not":
        return "not (" + text(node[1], inside) + ")"
    if kind == "path":
        written = path_text(node[1], None) + "[" + text(node[2], True) + "]"
        return written if node[3] is None else "%s.%s %s %s" % (written, node[3][1].name, node[3][0], quote(node[3][2]))
    path = node[2].name if inside else path_text(node[1], node[2])
    return path + " pr" if kind == "pr" else "%s %s %s" % (path, kind, quote(node[3]))
