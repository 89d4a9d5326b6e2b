#!/usr/bin/env python3
"""audit_verifier.py - check the audit log of scim_audit without its code.

Written from docs/audit-log.md alone; "section N" below is a section of that
page. It needs Python 3.9 and psql, and a role that may read both tables.

    audit_verifier.py [--psql PROGRAM] [CONNECTION]

CONNECTION is what `psql -d` takes; without it the PG... variables count.
Findings go to standard output, one JSON object per line. Exit status: 0 no
finding, 1 findings, 2 the log could not be checked.

Two principles keep one altered fact from becoming many findings:

- A row that does not hash to its own hash is reported as that, and what it
  says is no evidence: it fills its place, but no other finding rests on it,
  nor on what its follower points to.
- Nothing is said of a link across a gap; the gap itself is the finding.

Not checked: row_mismatch, which needs the audited tables; signatures. The
hashes of tiles are kept in memory, 32 bytes for each event.
"""

import argparse
import base64
import bisect
import datetime
import hashlib
import itertools
import json
import operator
import os
import re
import subprocess
import sys
from typing import NamedTuple, Optional

ZERO = bytes(32)                # what the first of a row of hashes points to
MAX_ENTRY = 65535               # bytes, section 2


class Unrenderable(ValueError):
    """The row holds something that section 2 gives no way to write."""


class CannotCheck(Exception):
    """The log could not be read."""


class Finding(NamedTuple):
    rule: str                   # section 6
    chain: Optional[int]
    seq: Optional[int]
    tx_id: Optional[str]
    n: Optional[int]
    message: str


# ---------------------------------------------------------------------------
# Entries: how a row is written (sections 2 and 5)
# ---------------------------------------------------------------------------

ESCAPES = {'"': '\\"', '\\': '\\\\', '\b': '\\b', '\t': '\\t', '\n': '\\n',
           '\f': '\\f', '\r': '\\r'}
ESCAPED = re.compile('["\\\\\x00-\x1f\x7f]')


def escape(match):
    """One character that does not stand as itself (section 2)."""
    char = match.group()
    return ESCAPES.get(char) or '\\u%04x' % ord(char)


def write_string(text):
    """A JSON string (section 2)."""
    return '"' + ESCAPED.sub(escape, text) + '"'


def write_number(number):
    """A JSON number (section 2); all numbers of an entry are integers."""
    return str(int(number))


UUID = re.compile('[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')


def write_uuid(text):
    """A UUID, lower case, 8-4-4-4-12 (section 2)."""
    if not UUID.fullmatch(text):
        raise Unrenderable('not a UUID')
    return write_string(text)


TIME = re.compile(r'(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00')


def write_time(text):
    """A time (section 2) from PostgreSQL's ISO style in the zone UTC."""
    match = TIME.fullmatch(text)
    if not match:               # infinite, BC or beyond the year 9999
        raise Unrenderable('a time without four-digit year')
    day, time, fraction = match.groups(default='')
    return '"%sT%s.%sZ"' % (day, time, fraction.ljust(6, '0'))


def write_hash(value):
    """A hash, 64 lower-case hexadecimal digits (section 2)."""
    if len(value) != 32:
        raise Unrenderable('a hash that is not 32 bytes long')
    return '"' + value.hex() + '"'


def write_array(items):
    """An array of strings; one dimension, no nulls (section 2)."""
    if not all(isinstance(item, str) for item in items):
        raise Unrenderable('an array with nulls or several dimensions')
    return '[' + ','.join(map(write_string, items)) + ']'


# The members in their order, after "v" (section 2).
EVENT_MEMBERS = [
    ('tx_id', write_uuid), ('n', write_number), ('at', write_time),
    ('tenant', write_string), ('category', write_string),
    ('action', write_string), ('event_type', write_string),
    ('outcome', write_string), ('status', write_number),
    ('scim_type', write_string), ('actor', write_string),
    ('actor_type', write_string), ('credential', write_string),
    ('session_role', write_string), ('effective_role', write_string),
    ('origin', write_string), ('resource_type', write_string),
    ('resource_id', write_string), ('changed', write_array),
    ('request_id', write_uuid), ('method', write_string),
    ('detail_hash', write_hash), ('prev_hash', write_hash)]

# The same for a seal (section 5).
SEAL_MEMBERS = [
    ('chain', write_number), ('seq', write_number), ('tx_id', write_uuid),
    ('at', write_time), ('events', write_number), ('last_leaf', write_hash),
    ('config_hash', write_hash), ('prev_hash', write_hash)]


def render(row, members):
    """The entry of a row, as bytes; null columns are left out (section 2)."""
    written = ['"v":1']
    for name, write in members:
        if row[name] is not None:
            written.append('"%s":%s' % (name, write(row[name])))
    entry = '{' + ','.join(written) + '}'
    return entry.encode('utf-8', 'surrogateescape')


def event_entry(event):
    """The entry of an event (section 2)."""
    if event['prev_hash'] is None:
        raise Unrenderable('no prev_hash')
    entry = render(event, EVENT_MEMBERS)
    if len(entry) > MAX_ENTRY:
        raise Unrenderable('an entry longer than %d bytes' % MAX_ENTRY)
    return entry


def seal_entry(seal):
    """The entry of a seal (section 5); all its members are present."""
    for name, _ in SEAL_MEMBERS:
        if seal[name] is None:
            raise Unrenderable('no ' + name)
    return render(seal, SEAL_MEMBERS)


# ---------------------------------------------------------------------------
# Hashes (sections 3, 4 and 5)
# ---------------------------------------------------------------------------

def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(entry):
    """Section 3."""
    return sha256(b'\x00' + entry)


def seal_hash(entry):
    """Section 5."""
    return sha256(b'\x02' + entry)


def detail_hash(salt, detail):
    """Section 4."""
    return sha256(salt + detail)


def fault(row, entry_of, hash_of, column):
    """Why a row does not hash to its hash; None if it does."""
    try:
        if hash_of(entry_of(row)) == row[column]:
            return None
    except Unrenderable as error:
        return 'the row holds ' + str(error)
    return 'the row does not hash to its ' + column


def event_fault(event):
    """Section 6, "For every event"."""
    return fault(event, event_entry, leaf_hash, 'leaf_hash')


def seal_fault(seal):
    """Section 6, "For every chain"."""
    return fault(seal, seal_entry, seal_hash, 'hash')


def detail_fault(event):
    """Section 4: why a detail is not as it was written or erased. The hash
    does not show where the salt ends and the detail begins; its length does."""
    salt, detail = event['detail_salt'], event['detail']
    if detail is None:
        return None if salt is None else 'there is a salt without a detail'
    if event['detail_hash'] is None:
        return 'there is a detail where none was'
    if salt is None or len(salt) != 16:
        return 'there is no salt of 16 bytes'
    if detail_hash(salt, detail) != event['detail_hash']:
        return 'the detail does not hash to detail_hash'
    return None


class Links:
    """The hashes of the sound rows in one place. The next row may point to
    any of them; to any hash, if a row in this place was not sound."""

    def __init__(self, *hashes):
        self.sound = set(hashes)
        self.known = True

    def add(self, value, row_fault):
        if row_fault:
            self.known = False
        else:
            self.sound.add(value)

    def exclude(self, value):
        return self.known and value not in self.sound


# ---------------------------------------------------------------------------
# Chains (section 6, "For every chain")
# ---------------------------------------------------------------------------

def seal_finding(rule, seal, message):
    return Finding(rule, seal['chain'], seal['seq'], seal['tx_id'], None,
                   message)


def check_chains(seals, configurations):
    """Check all chains; seals come ordered by chain, seq."""
    configurations.begin()
    for _, chain in itertools.groupby(seals, operator.itemgetter('chain')):
        yield from check_chain(chain, configurations)
    yield from configurations.findings()


def check_chain(seals, configurations):
    """Check the seals of one chain, ordered by seq."""
    last, links, time = 0, Links(ZERO), None
    for seal in seals:
        wrong = seal_fault(seal)
        late = (not wrong and seal['seq'] > last and time is not None
                and write_time(seal['at']) < time)
        if wrong:
            yield seal_finding('seal_mismatch', seal, wrong)
        elif late:
            yield seal_finding('seal_time', seal,
                               'older than the seal before it')
        else:
            configurations.check_seal(seal)
        if seal['seq'] > last:
            if not wrong:
                time = write_time(seal['at'])
            yield from check_follows(seal, wrong, last, links)
            last, links = seal['seq'], Links()
        elif not wrong and seal['seq'] < 1:
            yield seal_finding('seal_mismatch', seal, 'a chain begins at seq 1')
        elif not wrong and links.sound:
            yield seal_finding('seal_fork', seal, 'this place is sealed twice')
        if seal['seq'] == last > 0:
            links.add(seal['hash'], wrong)


def check_follows(seal, wrong, last, links):
    """seq runs without gap; prev_hash is the hash of the seal before."""
    if seal['seq'] > last + 1:
        yield Finding('seal_gap', seal['chain'], last + 1, None, None,
                      'missing: ' + span(last + 1, seal['seq'] - 1))
    elif not wrong and links.exclude(seal['prev_hash']):
        yield seal_finding('seal_mismatch', seal,
                           'prev_hash is not the hash of the seal before')


def span(first, last):
    return str(first) if first == last else '%d to %d' % (first, last)


# ---------------------------------------------------------------------------
# What events say of other rows (sections 4 and 5)
# ---------------------------------------------------------------------------

class Erasures:
    """Details that are gone, and the erasures that name them (section 4)."""

    def __init__(self):
        self.gone = {}          # event_id: the finding, should none name it
        self.named = set()

    def note_event(self, event, finding):
        """A sound event; what to report if its detail is gone unrecorded."""
        if event['detail_hash'] is not None and event['detail'] is None:
            self.gone['%s:%d' % (event['tx_id'], event['n'])] = finding
        elif event['event_type'] == 'log.erase' and event['detail']:
            self.named.update(named_events(event['detail']))

    def findings(self):
        for event_id, finding in self.gone.items():
            if event_id not in self.named:
                yield finding


def member(detail, name):
    """A member of a detail; None when there is none (section 4)."""
    try:                        # numbers do not matter, and may be long
        return json.loads(detail, parse_int=str, parse_float=str).get(name)
    except (ValueError, AttributeError, RecursionError):
        return None


def named_events(detail):
    """The event_ids in the member "events" of an erasure's detail."""
    named = member(detail, 'events')
    return filter(lambda name: isinstance(name, str),
                  named if isinstance(named, list) else ())


EXPLAINING = {'table.track', 'table.untrack', 'log.restore', 'log.upgrade'}
GRACE = 10 * 1000000            # microseconds, section 5
HASH = re.compile('[0-9a-f]{64}')


class Changes:
    """What the events of one transaction say of the configuration."""

    def __init__(self):
        self.steps = []         # (is a restore, before, after)

    def note_event(self, event):
        """A sound event with the detail that it was written with."""
        if event['event_type'] in EXPLAINING and event['detail'] is not None:
            pair = [member(event['detail'], name)
                    for name in ('config_before', 'config_after')]
            if all(isinstance(one, str) and HASH.fullmatch(one)
                   for one in pair):
                self.steps.append((event['event_type'] == 'log.restore',
                                   *map(bytes.fromhex, pair)))

    def begin(self, config):
        """Whether they lead to config, and from where (None: anything)."""
        steps, start = self.steps, None
        restores = [i for i, step in enumerate(steps) if step[0]]
        if restores:
            steps = steps[restores[-1]:]
        elif steps:
            start = steps[0][1]
        lead = bool(steps) and steps[-1][2] == config and all(
            after[1] == before[2] for before, after in zip(steps, steps[1:]))
        return lead, start


class Configurations:
    """Which config_hash holds when (section 5)."""

    def __init__(self):
        self.explained = []     # (order, before or None, config_hash)
        self.earliest = None    # (begins no chain, order, config_hash)
        self.strange = {}       # (period, config_hash): (order, seal)
        self.base = None

    def note_seal(self, seal):
        """A sound seal, before any is judged."""
        here = (seal['seq'] != 1, order(seal), seal['config_hash'])
        if self.earliest is None or here < self.earliest:
            self.earliest = here

    def note_explanation(self, seal, changes):
        """The seal of a transaction and what its events say."""
        lead, start = changes.begin(seal['config_hash'])
        if lead:
            self.explained.append((order(seal), start, seal))

    def begin(self):
        """All seals and explanations are known."""
        self.explained.sort(key=operator.itemgetter(0))
        self.times = [here[0] for here, _, _ in self.explained]
        if self.earliest:
            self.base = self.earliest[2]
        if self.explained and self.explained[0][1] is not None \
                and self.explained[0][0] == self.earliest[1]:
            self.base = self.explained[0][1]
        for i, (_, start, seal) in enumerate(self.explained):
            if start is not None:
                self.judge(start, seal, i)

    def before(self, at):
        """How many explanations were sealed at this time or before."""
        return bisect.bisect_right(self.times, at)

    def check_seal(self, seal):
        """A sound seal."""
        self.judge(seal['config_hash'], seal, self.before(micros(seal)))

    def judge(self, config, seal, period):
        """config in a seal that comes after so many explanations."""
        first = self.before(micros(seal) - GRACE)
        good = [one['config_hash']
                for _, _, one in self.explained[max(first - 1, 0):period]]
        if config in good or (first == 0 and config == self.base):
            return
        key, here = (period, config), order(seal)
        if key not in self.strange or here < self.strange[key][0]:
            self.strange[key] = (here, seal)

    def findings(self):
        for _, seal in self.strange.values():
            yield seal_finding('config_changed', seal, 'what is audited'
                               ' has changed and no event says so')


def order(seal):
    """Which of two seals was first (section 5)."""
    return (micros(seal), seal['chain'], seal['seq'])


EPOCH = datetime.datetime(1970, 1, 1)


def micros(seal):
    """When it was sealed, in microseconds since 1970."""
    at = datetime.datetime.fromisoformat(write_time(seal['at'])[1:-2])
    return (at - EPOCH) // datetime.timedelta(microseconds=1)


# ---------------------------------------------------------------------------
# Transactions and their events (section 6, "For every transaction")
# ---------------------------------------------------------------------------

def merge(events, seals):
    """Bring both tables together: (tx_id, its seals, its events) each.

    Events come ordered by tx_id, n, seals by tx_id. The events of one
    transaction are an iterator, good until the next step.
    """
    tx_id = operator.itemgetter('tx_id')
    streams = [itertools.groupby(rows, tx_id) for rows in (seals, events)]
    heads = [next(stream, None) for stream in streams]
    while any(heads):
        first = min(head[0] for head in heads if head)
        here = [head is not None and head[0] == first for head in heads]
        yield (first, list(heads[0][1]) if here[0] else [],
               heads[1][1] if here[1] else ())
        heads = [next(stream, None) if moved else head
                 for stream, head, moved in zip(streams, heads, here)]


def check_transactions(events, seals, configurations):
    """Check all events, and the seals against them; ordered as for merge."""
    erasures = Erasures()
    for tx_id, its_seals, its_events in merge(events, seals):
        transaction = Transaction(tx_id, its_seals)
        for seal in transaction.sound:
            configurations.note_seal(seal)
        yield from transaction.check_seals()
        for event in its_events:
            yield from transaction.check_event(event, erasures)
        yield from transaction.check_end()
        if transaction.seal:
            configurations.note_explanation(transaction.seal,
                                            transaction.changes)
    yield from erasures.findings()


class Transaction:
    """What is known of one transaction while its events pass by."""

    def __init__(self, tx_id, seals):
        self.tx_id = tx_id
        self.seals = seals
        self.sound = [seal for seal in seals if not seal_fault(seal)]
        self.seal = self.sound[0] if self.sound else None
        self.place = -1                     # the n of the last event seen
        self.links = Links(ZERO)            # what the next may point to
        self.first_sound = None             # the n of the first sound event
        self.changes = Changes()            # of what is audited

    def counts(self, n):
        """Whether the seal counts an event n; without one, all are counted."""
        return n >= 0 and (self.seal is None or n < self.seal['events'])

    def finding(self, rule, n, message):
        chain = seq = None
        if self.seals:
            seal = self.seal or self.seals[0]
            chain, seq = seal['chain'], seal['seq']
        return Finding(rule, chain, seq, self.tx_id, n, message)

    def check_seals(self):
        """A transaction is sealed in exactly one chain, once (section 1)."""
        for seal in self.sound[1:]:
            if (seal['chain'], seal['seq']) != (self.seal['chain'],
                                                self.seal['seq']):
                yield seal_finding('seal_fork', seal,
                                   'this transaction is sealed twice')
        if self.seal and self.seal['events'] < 1:
            yield seal_finding('seal_mismatch', self.seal, 'counts no event')

    def check_event(self, event, erasures):
        """One event: by itself, then in its place."""
        n, wrong = event['n'], event_fault(event)
        if not self.counts(n):
            yield self.finding('event_extra', n, 'its seal does not count it')
            return
        if wrong:
            yield self.finding('entry_mismatch', n, wrong)
        else:
            yield from self.check_detail(event, erasures)
            if self.first_sound is None:
                self.first_sound = n
        yield from self.check_place(event, wrong)

    def check_detail(self, event, erasures):
        """Section 4."""
        wrong = detail_fault(event)
        if wrong:
            yield self.finding('detail_mismatch', event['n'], wrong)
        else:
            self.changes.note_event(event)
            erasures.note_event(event, self.finding(
                'erased_unrecorded', event['n'],
                'the detail is missing and no erasure names it'))

    def check_place(self, event, wrong):
        """n runs from 0 without gap."""
        n = event['n']
        if n > self.place:
            yield from self.check_follows(event, wrong)
            self.place, self.links = n, Links()
        elif not wrong and self.links.sound:
            yield self.finding('event_extra', n, 'a second event of this n')
        self.links.add(event['leaf_hash'], wrong)

    def check_follows(self, event, wrong):
        """prev_hash is the leaf of the event before, which is there."""
        n = event['n']
        if n > self.place + 1:
            if self.seal or not wrong:      # else nothing shows that n existed
                yield self.missing(n)
        elif not wrong and self.links.exclude(event['prev_hash']):
            yield self.finding('prev_mismatch', n,
                               'prev_hash is not the leaf of the event before')

    def missing(self, n):
        """The events after the last one seen and before n are gone."""
        return self.finding('event_missing', self.place + 1,
                            'missing: ' + span(self.place + 1, n - 1))

    def check_end(self):
        """There is one seal; events and last_leaf are as it says."""
        if self.seal:
            yield from self.check_last()
        elif not self.seals and self.first_sound is not None:
            yield self.finding('event_unsealed', self.first_sound,
                               'this transaction has no seal')

    def check_last(self):
        """The seal against the last event that it counts."""
        events = self.seal['events']
        if self.place + 1 < events:
            yield self.missing(events)
        elif events > 0 and self.links.exclude(self.seal['last_leaf']):
            yield self.finding('seal_mismatch', events - 1,
                               'the last event is not the one in last_leaf')


# ---------------------------------------------------------------------------
# The tree and its checkpoints (section 7)
# ---------------------------------------------------------------------------

HOLE = leaf_hash(b'')           # the leaf of an event that is gone


class Merkle:
    """A tree that grows: the roots of the full subtrees it is made of."""

    def __init__(self, size=0, peaks=()):
        self.size, self.peaks = size, list(peaks)

    def copy(self):
        return Merkle(self.size, self.peaks)

    def append(self, leaf):
        """One more leaf; the nodes it completes that a tile holds, as (level
        of the tile, index, hash)."""
        node, level, nodes = leaf, 0, []
        while True:
            if level % 8 == 0:
                nodes.append((level // 8, self.size >> level, node))
            if not self.size >> level & 1:
                break
            node = sha256(b'\x01' + self.peaks.pop() + node)
            level += 1
        self.peaks.append(node)
        self.size += 1
        return nodes

    def root(self):
        if not self.peaks:
            return sha256(b'')
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = sha256(b'\x01' + peak + root)
        return root


def tree_finding(rule, message):
    return Finding(rule, None, None, None, None, message)


def check_trees(read):
    """Check all trees; read(columns, source) gives the rows of a query."""
    records = list(read(EVENT_COLUMNS, "scim_audit.events WHERE event_type IN"
                        " ('log.checkpoint', 'log.origin') ORDER BY tx_id, n"))
    names = [row['origin'] for table in ('log_origins', 'checkpoints')
             for row in read(columns(['origin']), 'scim_audit.' + table)]
    names += [member(event['detail'], 'origin') for event in records
              if event['detail'] is not None]
    for origin in sorted({name for name in names if isinstance(name, str)}):
        yield from Tree(origin, read).findings(records)


class Tree:
    """The tree of one origin."""

    def __init__(self, origin, read):
        self.origin, self.read = origin, read
        # As bytes, so that no text becomes part of a statement.
        self.literal = "convert_from('\\x%s', 'UTF8')" % origin.encode(
            'utf-8', 'surrogateescape').hex()
        here = ' WHERE p.origin = ' + self.literal
        self.checkpoints = list(read(columns(['size', 'root']),
            'scim_audit.checkpoints p' + here + ' ORDER BY size'))
        self.tiles = {(tile['level'], tile['index']): tile['hashes']
                      for tile in read(columns(['level', 'index', 'hashes']),
                                       'scim_audit.tiles p' + here)}
        self.spans = list(read(
            columns(['from_seq', 'to_seq']) + [
                ('chain', 'p.chain', int), ('first', 'first', int),
                ('seals', 'count(s.seq)', int),
                ('leaves', 'coalesce(sum(greatest(s.events, 0)), 0)', int)],
            'scim_audit.checkpoint_spans p LEFT JOIN scim_audit.seals s ON'
            ' s.chain = p.chain AND s.seq BETWEEN p.from_seq AND p.to_seq'
            + here + ' GROUP BY p.first, p.from_seq, p.to_seq, p.chain'
            ' ORDER BY p.first'))
        self.last = max([row['size'] for row in self.checkpoints], default=0)
        self.todo = list(self.checkpoints)      # to be checked, by size
        self.bad = set()                        # sizes that do not hold
        self.was_bad = False
        self.misplaced = set()                  # first leaves of such spans
        self.tree = Merkle()                    # of what tiles say
        self.events = None                      # of what events say
        self.pending = []                       # until a checkpoint decides
        self.told = set()                       # tiles that were reported

    def findings(self, records):
        yield from self.check_spans()
        yield from self.check_leaves()
        yield from self.check_chains()
        yield from self.check_records(records)

    def check_spans(self):
        """They do not overlap and have as many leaves as their events."""
        ends = [span['first'] for span in self.spans[1:]] + [self.last]
        overlaps = set()
        before = {}
        for span in sorted(self.spans, key=operator.itemgetter('from_seq')):
            if not before.get(span['chain'], 0) < span['from_seq'] <= span['to_seq']:
                overlaps.add(span['first'])
            before[span['chain']] = span['to_seq']
        for span, end in zip(self.spans, ends):
            whole = span['seals'] == span['to_seq'] - span['from_seq'] + 1
            if span['first'] in overlaps or (
                    whole and span['first'] < end != span['first'] + span['leaves']):
                self.misplaced.add(span['first'])
                yield Finding('checkpoint_place', span['chain'],
                              span['from_seq'], None, None,
                              'this row of checkpoint_spans was altered')

    def node(self, level, index):
        """A node as its tile has it; None when that is gone or too short."""
        width = min(256, (self.last >> 8 * level) - index // 256 * 256)
        hashes = self.tiles.get((level, index // 256)) or b''
        if width < 1 or len(hashes) < 32 * width:
            return None
        return hashes[index % 256 * 32:index % 256 * 32 + 32]

    def check_leaves(self):
        """Each leaf, as its event and its tile have it."""
        first = seq = base = events = None
        for row in self.read(LEAF_COLUMNS, LEAF_SOURCE % self.literal):
            if row['first'] != first:
                first, base, events, seq = row['first'], row['first'], 0, None
            if row['seq'] != seq:
                seq, base, events = row['seq'], base + events, max(row['events'], 0)
            if row['n'] is None or first in self.misplaced:
                continue
            index, leaf = base + row['n'], row['leaf_hash']
            if not self.tree.size <= index < self.last or len(leaf or b'') != 32:
                continue
            yield from self.add_missing(index)
            yield from self.add_leaf(leaf, Finding(
                'checkpoint_mismatch', row['chain'], row['seq'], row['tx_id'],
                row['n'], 'a checkpoint covers another event at its place'))
        yield from self.add_missing(self.last)
        while self.todo:
            yield from self.check_root()

    def add_missing(self, index):
        while self.tree.size < min(index, self.last):
            yield from self.add_leaf(None, None)

    def add_leaf(self, event, finding):
        while self.todo and self.todo[0]['size'] <= self.tree.size:
            yield from self.check_root()
        tile = self.node(0, self.tree.size)
        if event is None and tile is None:
            event = HOLE
        if event and tile and event != tile:
            self.events = self.events or self.tree.copy()
            self.pending.append(((0, self.tree.size // 256), finding))
        if self.events:
            self.events.append(event or tile)
        for level, index, node in self.tree.append(tile or event):
            stored = self.node(level, index)
            if stored is None or (level > 0 and stored != node):
                self.pending.append(((level, index // 256), None))

    def check_root(self):
        """The tree has the size of the next checkpoint."""
        row = self.todo.pop(0)
        if self.tree.root() == row['root']:
            yield from self.settle(True)
            bad = False
        elif self.events and self.events.root() == row['root']:
            yield from self.settle(False)
            self.tree = self.events
            bad = False
        else:
            bad = True
            self.bad.add(row['size'])
            if not self.was_bad:
                yield tree_finding('checkpoint_mismatch', 'size %d of %s: the'
                                   ' log has another root' % (row['size'], self.origin))
        self.was_bad, self.events, self.pending = bad, None, []

    def settle(self, by_tiles):
        """What was pending is told, but what rests on the wrong side."""
        for tile, finding in self.pending:
            if finding and by_tiles:
                yield finding
            elif (finding or by_tiles or tile[0] == 0) and tile not in self.told:
                self.told.add(tile)
                yield tree_finding('checkpoint_tile', 'tile %d/%d of %s is'
                                   ' another one' % (*tile, self.origin))

    def check_chains(self):
        """Each ends where the tree does, or later; its seals are the same."""
        covered = {}
        for span in self.spans:
            covered[span['chain']] = max(covered.get(span['chain'], 0), span['to_seq'])
        ends = {row['chain']: row['seq'] for row in self.read(
            [('chain', 'chain', int), ('seq', 'max(seq)', int)],
            'scim_audit.seals GROUP BY chain')}
        for chain, seq in sorted(covered.items()):
            if ends.get(chain, 0) < seq:
                yield Finding('checkpoint_rewound', chain,
                              ends.get(chain, 0) + 1, None, None,
                              'a checkpoint covers this chain up to %d' % seq)
        told = set()
        for seal in self.read(SEAL_COLUMNS + columns(['first']), HEAD_SOURCE % self.literal):
            if (seal['chain'] not in told and seal['first'] not in self.misplaced
                    and not seal_fault(seal)):
                told.add(seal['chain'])
                yield seal_finding('checkpoint_seal', seal, 'a checkpoint was'
                                   ' made over another seal at this place')

    def check_records(self, records):
        """Checkpoints that events and notes tell of."""
        roots = {row['size']: row['root'] for row in self.checkpoints}
        for event in records:
            if (event['event_type'], event['action']) != ('log.checkpoint', 'checkpoint') \
                    or event['detail'] is None or event['detail_salt'] is None \
                    or detail_hash(event['detail_salt'], event['detail']) != event['detail_hash'] \
                    or member(event['detail'], 'origin') != self.origin:
                continue
            size = member(event['detail'], 'size')
            here = next((one for one in roots if str(one) == size), None)
            if (here is None or roots[here].hex() != member(event['detail'], 'root')) \
                    and here not in self.bad:
                yield Finding('checkpoint_missing', None, None, event['tx_id'],
                              event['n'], 'the checkpoint is not there')
        wrong = set()
        for row in self.read(columns(['size', 'note']), 'scim_audit.checkpoint_notes'
                             ' p WHERE p.origin = ' + self.literal):
            size = row['size']
            text = None if size not in roots else '%s\n%d\n%s\n\n' % (
                self.origin, size, base64.b64encode(roots[size]).decode('ascii'))
            if size not in self.bad and not (text and row['note'].startswith(text)):
                wrong.add(size)
        for size in sorted(wrong):
            yield tree_finding('checkpoint_missing', 'there is a note of size %d'
                               ' and no such checkpoint' % size)


# ---------------------------------------------------------------------------
# Reading the tables through psql
# ---------------------------------------------------------------------------
# COPY in text format, in UTF-8: a line per row, a tab between columns, \N for
# null, and a backslash before the few bytes that would be mistaken. Nothing
# else is changed on the way, so that a detail arrives as it is stored.

def text_in(field):
    """Bytes that are no UTF-8 (in SQL_ASCII) stay as they are."""
    return field.decode('utf-8', 'surrogateescape')


def hex_in(field):
    return bytes.fromhex(field.decode('ascii'))


def array_in(field):
    return json.loads(text_in(field))


# Columns: name, SQL to send it, function to receive it.
READ_AS = {
    'n': ('n', int), 'status': ('status', int),
    'changed': ('array_to_json(changed)', array_in),
    'chain': ('chain', int), 'seq': ('seq', int), 'events': ('events', int),
    'detail': ('detail::text', bytes)}
READ_AS.update((name, (name, int)) for name in (
    'size', 'level', 'index', 'first', 'from_seq', 'to_seq'))
READ_AS.update((name, ("encode(%s, 'hex')" % name, hex_in)) for name in (
    'detail_hash', 'prev_hash', 'leaf_hash', 'detail_salt', 'last_leaf',
    'config_hash', 'hash', 'root', 'hashes'))


def columns(names):
    return [(name,) + READ_AS.get(name, (name, text_in)) for name in names]


EVENT_COLUMNS = columns([name for name, _ in EVENT_MEMBERS]
                        + ['leaf_hash', 'detail', 'detail_salt'])
SEAL_COLUMNS = columns([name for name, _ in SEAL_MEMBERS] + ['hash'])

# The leaves of a tree in their order, and seals that are not what it was made over.
LEAF_COLUMNS = [('first', 'p.first', int), ('chain', 's.chain', int),
                ('seq', 's.seq', int), ('tx_id', 's.tx_id', text_in),
                ('events', 's.events', int), ('n', 'e.n', int),
                ('leaf_hash', "encode(e.leaf_hash, 'hex')", hex_in)]
LEAF_SOURCE = (
    'scim_audit.checkpoint_spans p JOIN scim_audit.seals s ON s.chain = p.chain'
    ' AND s.seq BETWEEN p.from_seq AND p.to_seq LEFT JOIN scim_audit.events e ON'
    ' e.tx_id = s.tx_id AND e.n >= 0 AND e.n < s.events WHERE p.origin = %s'
    ' ORDER BY p.first, s.seq, s.tx_id, e.n')
HEAD_SOURCE = (
    '(SELECT s.*, p.first FROM scim_audit.checkpoint_spans p JOIN'
    ' scim_audit.seals s ON s.chain = p.chain AND s.seq = p.to_seq'
    ' WHERE p.origin = %s AND s.hash <> p.head) h ORDER BY chain, seq')

# row_security off makes a hidden row an error. Two sessions see one snapshot.
SETTINGS = """
\\set ON_ERROR_STOP on
SET search_path = pg_catalog;
SET client_encoding = 'UTF8';
SET "TimeZone" = 'UTC';
SET "DateStyle" = 'ISO, YMD';
SET row_security = off;
SET statement_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
"""
END = b'\\.\n'                  # no row of COPY's text format looks like this


def copy_query(cols, source):
    return ('COPY (SELECT %s FROM %s) TO STDOUT;\n\\echo \'\\\\.\'\n'
            % (', '.join(sql for _, sql, _ in cols), source))


def copy_sql(table, cols, order):
    return copy_query(cols, 'scim_audit.%s ORDER BY %s' % (table, order))


UNESCAPED = {b'b': b'\b', b'f': b'\f', b'n': b'\n', b'r': b'\r', b't': b'\t',
             b'v': b'\v'}
ESCAPE_SEQUENCE = re.compile(rb'\\(.)', re.DOTALL)


def unescape(field):
    """Undo COPY's backslashes."""
    if b'\\' not in field:
        return field
    return ESCAPE_SEQUENCE.sub(
        lambda match: UNESCAPED.get(match.group(1), match.group(1)), field)


def parse_line(line, cols):
    """One line of COPY as a row: a dict from column to value."""
    fields = line[:-1].split(b'\t')
    if len(fields) != len(cols):
        raise CannotCheck('psql sent a line of %d columns, not %d'
                          % (len(fields), len(cols)))
    return {name: None if field == b'\\N' else receive(unescape(field))
            for (name, _, receive), field in zip(cols, fields)}


def read_rows(lines, cols, key):
    """The rows of one COPY, up to its end; they must come in order of key."""
    before = None
    for line in lines:
        if line == END:
            return
        row = parse_line(line, cols)
        here = tuple(row[name] for name in key)
        if None in here:
            raise CannotCheck('a row without ' + ' or '.join(key))
        if before is not None and here < before:
            raise CannotCheck('rows out of order: is an index damaged?')
        before = here
        yield row
    raise CannotCheck('psql ended early')


class Session:
    """One psql, reading commands from a pipe."""

    def __init__(self, psql, connection):
        command = [psql, '-X', '-q', '-A', '-t', '--no-password']
        command += ['-d', connection] if connection else []
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                env=dict(os.environ, PGCLIENTENCODING='UTF8'))
        except OSError as error:
            raise CannotCheck(str(error)) from error

    def send(self, text):
        try:
            self.process.stdin.write(text.encode('ascii'))
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise CannotCheck('psql ended early') from error

    @property
    def lines(self):
        return self.process.stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()        # it only reads; nothing is lost
        self.process.stdout.close()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()


def check_database(psql, connection):
    """All findings of a database."""
    with Session(psql, connection) as one, Session(psql, connection) as two:
        one.send(SETTINGS + 'SELECT pg_export_snapshot();\n')
        snapshot = one.lines.readline().decode('ascii').strip()
        if not re.fullmatch('[0-9A-F-]+', snapshot):
            raise CannotCheck('no snapshot')
        two.send(SETTINGS + "SET TRANSACTION SNAPSHOT '%s';\n" % snapshot)

        configurations = Configurations()
        one.send(copy_sql('seals', SEAL_COLUMNS, 'tx_id, chain, seq, hash'))
        two.send(copy_sql('events', EVENT_COLUMNS, 'tx_id, n, leaf_hash'))
        yield from check_transactions(
            read_rows(two.lines, EVENT_COLUMNS, ('tx_id', 'n')),
            read_rows(one.lines, SEAL_COLUMNS, ('tx_id', 'chain', 'seq')),
            configurations)
        one.send(copy_sql('seals', SEAL_COLUMNS, 'chain, seq, tx_id, hash'))
        yield from check_chains(
            read_rows(one.lines, SEAL_COLUMNS, ('chain', 'seq')),
            configurations)

        def read(cols, source):
            one.send(copy_query(cols, source))
            return read_rows(one.lines, cols, ())
        yield from check_trees(read)


def main():
    parser = argparse.ArgumentParser(
        description='Check the audit log of scim_audit.')
    parser.add_argument('connection', nargs='?',
                        help='what psql -d takes; default: PG... variables')
    parser.add_argument('--psql', default='psql', help='the program to run')
    options = parser.parse_args()
    count = 0
    try:
        for finding in check_database(options.psql, options.connection):
            count += 1
            print(json.dumps(finding._asdict()))
    except (CannotCheck, OSError, ValueError) as error:
        print('audit_verifier: could not check: %s' % error, file=sys.stderr)
        return 2
    return 1 if count else 0


if __name__ == '__main__':
    sys.exit(main())
