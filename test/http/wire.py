"""HTTP for the tests: requests, raw bytes, TAP lines, psql."""
import http.client
import json
import socket
import subprocess
import threading
import time
import urllib.parse

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
SCIM_JSON = "application/scim+json"


def user(name, **more):
    return dict({"schemas": [USER], "userName": name}, **more)


def patch(*operations):
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


class Answer:
    def __init__(self, status, headers, raw):
        self.status, self.headers, self.raw = status, headers, raw

    def header(self, name):
        """The header's value, None when it is absent; one that comes twice fails."""
        values = [v for k, v in self.headers if k.lower() == name.lower()]
        if len(values) > 1:
            raise AssertionError("%s comes %d times" % (name, len(values)))
        return values[0] if values else None

    def names(self):
        return {k.lower() for k, _ in self.headers}

    @property
    def body(self):
        return json.loads(self.raw) if self.raw else None

    def __str__(self):
        return "%s %s %s" % (self.status, self.headers, self.raw[:600])


def body_bytes(body):
    return body if body is None or isinstance(body, bytes) else json.dumps(body).encode()


class Server:
    """The tenant URL and token of most requests."""

    def __init__(self, base, token, tenant="default"):
        parts = urllib.parse.urlsplit(base)
        self.host, self.port, self.base = parts.hostname, parts.port, base
        self.token, self.path = token, ("" if tenant == "default" else "/" + tenant) + "/scim/v2"

    def connect(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=60)

    def send(self, method, path, body=None, headers=None, token=None, connection=None, absolute=False):
        """path is below the tenant URL, or the whole path when absolute."""
        sent = {"Authorization": "Bearer " + (token or self.token)}
        if body is not None:
            sent["Content-Type"] = SCIM_JSON
        sent.update(headers or {})
        own = connection or self.connect()
        try:
            own.putrequest(method, path if absolute else self.path + path, skip_accept_encoding=True)
            data = body_bytes(body)
            for name, value in sent.items():
                if value is not None:
                    own.putheader(name, value)
            if data is not None:
                own.putheader("Content-Length", str(len(data)))
            own.endheaders(data)
            response = own.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            if connection is None:
                own.close()

    def raw(self, *parts):
        """Send bytes as they are, read until the server closes; the answers in order."""
        with socket.create_connection((self.host, self.port), timeout=30) as s:
            try:
                for part in parts:
                    s.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                pass                    # refused before it was all sent: the answer tells
            return answers(s)

    def head(self, line, *more):
        """A request's head for raw(), up to the empty line."""
        lines = [line, "Host: scim.example", "Authorization: Bearer " + self.token, "Connection: close"] + list(more)
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def answers(s):
    """All answers on a socket that the server will close."""
    data = b""
    while True:
        try:
            more = s.recv(65536)
        except ConnectionResetError:
            more = b""
        if not more:
            break
        data += more
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        answer = Answer(int(lines[0].split()[1]), [tuple(line.split(": ", 1)) for line in lines[1:]], b"")
        if answer.header("Transfer-Encoding") == "chunked":
            answer.raw, data = unchunk(data)
        elif answer.status != 100:
            length = int(answer.header("Content-Length") or len(data))
            answer.raw, data = data[:length], data[length:]
        found.append(answer)
    return found


def unchunk(data):
    """The body that chunks make up, and what follows it."""
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        chunk, data = data[:int(size, 16)], data[int(size, 16) + 2:]
        if not chunk:
            return body, data
        body += chunk


def psql(dsn, sql, **variables):
    """The rows of a statement as text, one a line."""
    run = subprocess.run(["psql", "-XAqt", "-v", "ON_ERROR_STOP=1"]
                         + ["--set=%s=%s" % v for v in variables.items()] + [dsn],
                         input=sql, capture_output=True, text=True)
    if run.returncode != 0:
        raise AssertionError("psql: %s\n%s" % (run.stderr.strip(), sql))
    return run.stdout.strip()


def new_client(dsn, tenant, name, profile="default", expires_at=None):
    return psql(dsn, "SELECT scim.create_client(:'tenant', :'name', profile => :'profile', expires_at => :'expires'::timestamptz)"
                if expires_at else "SELECT scim.create_client(:'tenant', :'name', profile => :'profile')",
                tenant=tenant, name=name, profile=profile, expires=expires_at)


def wait_until(condition, seconds=30):
    """The condition's first true value; an error when it does not come."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("it did not happen within %d seconds" % seconds)
        time.sleep(0.02)


def at_once(works):
    """Run functions in threads of their own; their results, or the first error."""
    results, errors = [None] * len(works), []

    def run(i):
        try:
            results[i] = works[i]()
        except Exception as e:  # handed to the caller below
            errors.append(e)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(works))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]
    return results


class Tap:
    """Tests as functions; an AssertionError or any other error fails one."""

    def __init__(self, only=""):
        self.n = self.bad = 0
        self.only = only

    def ok(self, passed, name, why=""):
        self.n += 1
        self.bad += not passed
        print("%sok %d - %s" % ("" if passed else "not ", self.n, name), flush=True)
        for line in "" if passed else str(why).splitlines():
            print("#   " + line)

    def run(self, name, test):
        if self.only not in name:
            return
        start = time.monotonic()
        try:
            test()
            self.ok(True, name)
            if time.monotonic() - start > 1:
                print("# that took %.1f s" % (time.monotonic() - start))
        except Exception as e:
            self.ok(False, name, "%s: %s" % (type(e).__name__, e))

    def done(self):
        print("1..%d" % self.n)
        return 1 if self.bad else 0


def equal(got, want, what=""):
    if got != want:
        raise AssertionError("%s: got %s, want %s" % (what or "value", got, want))


def scim_error(answer, status, scim_type=None):
    """The answer is a SCIM error of this status and nothing else."""
    equal(answer.status, status, "status of %s" % answer)
    equal((answer.header("Content-Type") or "").split(";")[0], SCIM_JSON, "Content-Type")
    equal(answer.body["schemas"], [ERROR], "schemas")
    equal(answer.body["status"], str(status), "status in the body")
    if scim_type:
        equal(answer.body.get("scimType"), scim_type, "scimType")
    if not answer.body.get("detail"):
        raise AssertionError("no detail: %s" % answer)
    return answer


def success(answer, *statuses):
    if answer.status not in (statuses or (200,)):
        raise AssertionError("status %s, want %s" % (answer, statuses or (200,)))
    return answer
