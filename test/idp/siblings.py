"""Siblings of a recorded request: the same request as another client might write it.

siblings(case) yields cases of the same form (replay.py), each with one difference that
must change nothing in the answer:

  op-case       ADD for add                        RFC 7644 section 3.5.2
  name-case     attribute names, URNs, operators   RFC 7643 section 2.1, RFC 7644 section 3.10
  pathless      a path becomes a member of value   RFC 7644 section 3.5.2.1
  dotted        the same, with name.givenName as a key (what Entra ID sends)
  one-by-one    members of a value become operations with a path
  other-name    another attribute of the same type throughout the case
  reversed      members of each object in the other order
  unassigned    null and [] for attributes that have no value   RFC 7643 section 2.5
  encoded       other percent-encoding, + for a space
  slash         a trailing slash
  dangling      an empty query, or an empty parameter at its end
  parameter     a parameter that SCIM does not know
  media-type    application/json; charset=utf-8    RFC 7644 section 3.1
"""
import copy
import json
import re
import urllib.parse

# The second takes the first one's place in the whole case, where it is not there already: it is of
# the same type and has all of its canonical values.
OTHER_NAMES = [("displayName", "nickName"), ("title", "userType"), ("familyName", "middleName"),
               ("givenName", "honorificPrefix"), ("emails", "phoneNumbers"), ("roles", "entitlements"),
               ("streetAddress", "locality"), ("employeeNumber", "costCenter"), ("department", "division")]
LITERALS = ("true", "false", "null")


def is_patch(case):
    body = case["request"].get("body")
    return case["request"]["method"] == "PATCH" and isinstance(body, dict) and isinstance(body.get("Operations"), list)


def upper(expression):
    """A path or filter in capitals, but for strings, literals and what replay.py fills in."""
    def word(m):
        text = m.group(0)
        return text if text[0] in '"{' or text in LITERALS else text.upper()
    return re.sub(r'"(?:[^"\\]|\\.)*"|\{\{.*?\}\}|[\w$:.-]+|.', word, expression)


def bodies(case, change):
    """Change each body that the request sends."""
    request = case["request"]
    request["body"] = change(request["body"])
    if "parallel" in request:
        request["parallel"] = [change(b) for b in request["parallel"]]
    return case


def operations(case, change):
    """Put what change(operation) lists in the place of each operation."""
    def body(b):
        b["Operations"] = [o for operation in b["Operations"] for o in change(operation)]
        return b
    return bodies(case, body) if is_patch(case) else None


def map_query(case, change):
    path, mark, query = case["request"]["path"].partition("?")
    if not query:
        return None
    pairs = [p.partition("=") for p in query.split("&")]
    case["request"]["path"] = path + mark + "&".join(change(*p) for p in pairs)
    return case


def op_case(case):
    def change(o):
        if isinstance(o.get("op"), str):
            o["op"] = o["op"].lower() if o["op"].isupper() else o["op"].upper()
        return [o]
    return operations(case, change)


def upper_names(value):
    if isinstance(value, list):
        return [upper_names(v) for v in value]
    if isinstance(value, dict):
        return {upper(k): upper_names(v) for k, v in value.items()}
    return value


def name_case(case):
    def operation(o):
        if isinstance(o.get("path"), str):
            o["path"] = upper(o["path"])
        if "value" in o:
            o["value"] = upper_names(o["value"])
        return [o]

    def parameter(name, equals, value):
        if name not in ("filter", "sortBy", "attributes", "excludedAttributes"):
            return name + equals + value
        return name + equals + urllib.parse.quote(upper(urllib.parse.unquote_plus(value)), safe="{}")

    if is_patch(case):
        return operations(case, operation)
    if isinstance(case["request"].get("body"), dict):
        return bodies(case, upper_names)
    return map_query(case, parameter)


def plain_path(o):
    return isinstance(o.get("op"), str) and o["op"].lower() in ("add", "replace") and "value" in o and \
        isinstance(o.get("path"), str) and re.fullmatch(r"[\w$]+(\.[\w$]+)?", o["path"])


def pathless(case):
    def change(o):
        if not plain_path(o):
            return [o]
        value = o["value"]
        for name in reversed(o["path"].split(".")):
            value = {name: value}
        return [{"op": o["op"], "value": value}]
    # replace of a whole complex value and replace of one member of it are two things in this profile
    return operations(case, change) if case["profile"] != "interop-strict" else None


def dotted(case):
    def change(o):
        return [{"op": o["op"], "value": {o["path"]: o["value"]}}] if plain_path(o) and "." in o["path"] else [o]
    return operations(case, change) if case["profile"] in ("all", "lenient") else None


def one_by_one(case):
    def change(o):
        if "path" in o or not isinstance(o.get("value"), dict):
            return [o]
        if any(isinstance(v, dict) or k in ("id", "schemas", "meta") for k, v in o["value"].items()):
            return [o]
        return [{"op": o["op"], "path": k, "value": v} for k, v in o["value"].items()]
    return operations(case, change) if case["profile"] != "interop-strict" else None


def other_name(case):
    text = json.dumps(case)
    if "/Groups" in text or "/Schemas" in text:
        return None
    other = {a.lower(): b for a, b in OTHER_NAMES if b.lower() not in text.lower()}

    def word(m):
        name = other[m.group(0).lower()]
        return name[0].upper() + name[1:] if m.group(0)[0].isupper() else name
    return json.loads(re.sub(r"\b(%s)\b" % "|".join(other), word, text, flags=re.I)) if other else None


def reverse(value):
    if isinstance(value, list):
        return [reverse(v) for v in value]
    if isinstance(value, dict):
        return {k: reverse(v) for k, v in reversed(list(value.items()))}
    return value


def reversed_members(case):
    body = case["request"].get("body")
    if not isinstance(body, dict):
        return None
    if any("path" not in o and isinstance(o.get("value"), dict) for o in body.get("Operations", []) if isinstance(o, dict)):
        return None				# the order of what a path-less value assigns is its meaning
    return bodies(case, reverse)


def unassigned(case):
    request = case["request"]
    if request["method"] not in ("POST", "PUT") or not request["path"].startswith("/Users") or not isinstance(request.get("body"), dict):
        return None
    names = {k.lower() for k in request["body"]}
    for name, nothing in (("nickName", None), ("profileUrl", None), ("photos", []), ("x509Certificates", [])):
        if name.lower() not in names:
            request["body"][name] = nothing
    return case


def encoded(case):
    def parameter(name, equals, value):
        text = urllib.parse.quote(urllib.parse.unquote_plus(value), safe="{}")
        return name + equals + re.sub(r"%[0-9A-F]{2}", lambda m: m.group(0).lower(), text).replace("%20", "+" if "+" not in value else "%20")
    return map_query(case, parameter)


def slash(case):
    path, mark, query = case["request"]["path"].partition("?")
    if path.endswith("/"):
        return None
    case["request"]["path"] = path + "/" + mark + query
    return case


def dangling(case):
    case["request"]["path"] += "&" if "?" in case["request"]["path"] else "?"
    return case


def parameter(case):
    case["request"]["path"] += ("&" if "?" in case["request"]["path"] else "?") + "api-version=2.0"
    return case


def media_type(case):
    if case["request"].get("body") is None:
        return None
    case["request"]["headers"] = dict(case["request"].get("headers") or {}, **{"Content-Type": "application/json; charset=utf-8"})
    return case


CHANGES = {"op-case": op_case, "name-case": name_case, "pathless": pathless, "dotted": dotted,
           "one-by-one": one_by_one, "other-name": other_name, "reversed": reversed_members,
           "unassigned": unassigned, "encoded": encoded, "slash": slash, "dangling": dangling,
           "parameter": parameter, "media-type": media_type}


def siblings(case):
    """Each change that makes another request of the case, as a case named NAME~CHANGE."""
    seen = {json.dumps(case)}
    for name, change in CHANGES.items():
        sibling = change(copy.deepcopy(case))
        text = json.dumps(sibling)
        if sibling is None or text in seen:
            continue
        seen.add(text)
        sibling["name"] = "%s~%s" % (case["name"], name)
        yield sibling
