#!/usr/bin/env python3
"""test_audit_verifier.py - logs made in memory, tampered with, and checked.

Each test alters one thing and names all findings that it must give.
"""

import copy
import hashlib
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import audit_verifier as av     # noqa: E402

SALT = bytes(range(16))
CONFIG = hashlib.sha256(b'config').digest()
STRANGE = '"\\/\b\t\n\f\r\x01\x1f\x7f\x80\u2028\ufeffe\u0301\U0001f600'


def tx(number):
    return '01890000-0000-7000-8000-%012x' % number


class Log:
    """A log, written by the rules of the page."""

    def __init__(self):
        self.events, self.seals = [], []
        self.heads = {}         # chain: (seq, hash)
        self.clock = 0

    def now(self):
        self.clock += 1
        return '2024-02-29 23:59:%02d.5+00' % self.clock

    def transaction(self, number, chain, *events):
        leaf = bytes(32)
        for n, fields in enumerate(events):
            leaf = self.event(number, n, leaf, fields)
        seq, head = self.heads.get(chain, (0, bytes(32)))
        seal = dict(chain=chain, seq=seq + 1, tx_id=tx(number), at=self.now(),
                    events=len(events), last_leaf=leaf, config_hash=CONFIG,
                    prev_hash=head)
        self.seals.append(seal)
        reseal(seal)
        self.heads[chain] = (seal['seq'], seal['hash'])

    def event(self, number, n, prev, fields):
        event = {name: None for name, _, _ in av.EVENT_COLUMNS}
        event.update(fields, tx_id=tx(number), n=n, at=self.now(),
                     prev_hash=prev)
        if event['detail'] is not None:
            event['detail_salt'] = SALT
            event['detail_hash'] = hashlib.sha256(SALT + event['detail']).digest()
        self.events.append(event)
        releaf(event)
        return event['leaf_hash']

    def find(self, number, n):
        return next(event for event in self.events
                    if (event['tx_id'], event['n']) == (tx(number), n))

    def seal(self, chain, seq):
        return next(seal for seal in self.seals
                    if (seal['chain'], seal['seq']) == (chain, seq))

    def findings(self):
        def ordered(rows, *names):
            return iter(sorted(rows, key=lambda row: [row[n] for n in names]))
        configurations = av.Configurations()
        return (list(av.check_transactions(
                    ordered(self.events, 'tx_id', 'n'),
                    ordered(self.seals, 'tx_id', 'chain', 'seq'),
                    configurations))
                + list(av.check_chains(ordered(self.seals, 'chain', 'seq'),
                                       configurations)))


def releaf(event):
    event['leaf_hash'] = hashlib.sha256(b'\0' + av.event_entry(event)).digest()


def reseal(seal):
    seal['hash'] = hashlib.sha256(b'\2' + av.seal_entry(seal)).digest()


def flipped(value):
    return bytes([value[0] ^ 1]) + value[1:]


def sample():
    """Six transactions in two chains.

    chain 1: 1 (three events), 2 (one, its detail erased), 4 (two);
    chain 7: 3 (three; the last is that erasure), 5 (one), 6 (one)
    """
    full = dict(tenant='t', category='change', action='user.update',
                event_type='x', outcome='success', status=200, scim_type='',
                actor=STRANGE, actor_type='client', credential='c',
                session_role='r', effective_role='r', origin='scim',
                resource_type='User', resource_id='1',
                changed=['a', STRANGE, ''], request_id=tx(99), method='PUT',
                detail=STRANGE.encode())
    erased = dict(full, detail_hash=bytes(range(32)), detail=None)
    erasure = dict(event_type='log.erase',
                   detail=json.dumps({'events': [tx(2) + ':0']}).encode())
    plain = dict(category='system', action='a', changed=[])
    log = Log()
    log.transaction(1, 1, full, full, full)
    log.transaction(2, 1, erased)
    log.transaction(3, 7, plain, plain, erasure)
    log.transaction(4, 1, plain, full)
    log.transaction(5, 7, plain)
    log.transaction(6, 7, full)
    return log


class Rendering(unittest.TestCase):
    """Entries, written here by hand from sections 2 and 5."""

    def test_event(self):
        event = {name: None for name, _, _ in av.EVENT_COLUMNS}
        event.update(tx_id=tx(10), n=0, at='2024-02-29 01:02:03+00',
                     tenant='', actor=STRANGE, status=-1, changed=['a"', ''],
                     prev_hash=bytes(32))
        self.assertEqual(
            av.event_entry(event),
            b'{"v":1,"tx_id":"01890000-0000-7000-8000-00000000000a","n":0,'
            b'"at":"2024-02-29T01:02:03.000000Z","tenant":"","status":-1,'
            b'"actor":"\\"\\\\/\\b\\t\\n\\f\\r\\u0001\\u001f\\u007f\xc2\x80'
            b'\xe2\x80\xa8\xef\xbb\xbfe\xcc\x81\xf0\x9f\x98\x80",'
            b'"changed":["a\\"",""],"prev_hash":"' + b'0' * 64 + b'"}')

    def test_order_of_members(self):
        names = [name for name, _ in av.EVENT_MEMBERS]
        row = {name: None for name in names}
        row.update(sample().find(1, 0))
        entry = av.event_entry(row).decode()
        self.assertEqual(list(json.loads(entry)), ['v'] + names)

    def test_seal(self):
        seal = dict(chain=3, seq=2, tx_id=tx(10), at='0001-01-01 00:00:00.25+00',
                    events=4, last_leaf=b'\xab' * 32, config_hash=b'\x01' * 32,
                    prev_hash=b'\xff' * 32)
        self.assertEqual(
            av.seal_entry(seal),
            b'{"v":1,"chain":3,"seq":2,'
            b'"tx_id":"01890000-0000-7000-8000-00000000000a",'
            b'"at":"0001-01-01T00:00:00.250000Z","events":4,"last_leaf":"'
            + b'ab' * 32 + b'","config_hash":"' + b'01' * 32
            + b'","prev_hash":"' + b'ff' * 32 + b'"}')

    def test_hashes(self):
        """By sha256sum: printf '\\0{}', printf '\\2{}', printf 'salt{}'."""
        self.assertEqual(
            (av.leaf_hash(b'{}').hex()[:16], av.seal_hash(b'{}').hex()[:16],
             av.detail_hash(b'salt', b'{}').hex()[:16]),
            ('28a3a18f6cd6406b', '8d6c7e61648c1ec3', 'd7c765b399c3a699'))

    def test_what_has_no_entry(self):
        for column, value in (
                ('at', 'infinity'), ('at', '10000-01-01 00:00:00+00'),
                ('at', '0044-03-15 00:00:00+00 BC'), ('changed', ['a', None]),
                ('changed', [['a'], ['b']]), ('prev_hash', None),
                ('prev_hash', bytes(31)), ('detail_hash', b''),
                ('actor', 'x' * 65536)):
            with self.subTest(column=column, value=str(value)[:30]):
                event = sample().find(1, 0)
                event[column] = value
                self.assertRaises(av.Unrenderable, av.event_entry, event)


class Tampering(unittest.TestCase):

    def setUp(self):
        self.log = sample()

    def finds(self, *expected):
        """Exactly these findings: (rule, chain, seq, transaction, n)."""
        found = sorted((f.rule, f.chain, f.seq, f.tx_id, f.n)
                       for f in self.log.findings())
        wanted = sorted((rule, chain, seq, number and tx(number), n)
                        for rule, chain, seq, number, n in expected)
        self.assertEqual(found, wanted)

    def test_untouched(self):
        self.finds()

    def test_empty(self):
        self.log = Log()
        self.finds()

    # Events

    def test_every_column_of_an_event(self):
        other = dict(n=9, status=1, changed=['b'], request_id=tx(98),
                     at='2024-02-29 23:59:59+00')
        for column, _ in av.EVENT_MEMBERS[2:]:
            for value in (other.get(column, 'other'), None):
                with self.subTest(column=column, value=value):
                    self.log = sample()
                    event = self.log.find(1, 1)
                    if isinstance(event[column], bytes) and value:
                        value = flipped(event[column])
                    event[column] = value
                    self.finds(('entry_mismatch', 1, 1, 1, 1))

    def test_leaf_hash(self):
        for n in (0, 2):
            with self.subTest(n=n):
                self.log = sample()
                event = self.log.find(1, n)
                event['leaf_hash'] = flipped(event['leaf_hash'])
                self.finds(('entry_mismatch', 1, 1, 1, n))

    def test_empty_is_not_null(self):
        self.log.find(3, 0)['changed'] = None
        self.log.find(1, 0)['scim_type'] = None
        self.finds(('entry_mismatch', 1, 1, 1, 0), ('entry_mismatch', 7, 1, 3, 0))

    def test_normal_form_matters(self):
        self.log.find(1, 0)['actor'] = STRANGE.replace('e\u0301', '\u00e9')
        self.finds(('entry_mismatch', 1, 1, 1, 0))

    def test_detail(self):
        for column, value in (('detail', b'{}'), ('detail_salt', flipped(SALT)),
                              ('detail_salt', None), ('detail', b'')):
            with self.subTest(column=column, value=value):
                self.log = sample()
                self.log.find(1, 2)[column] = value
                self.finds(('detail_mismatch', 1, 1, 1, 2))

    def test_detail_moved_into_salt(self):
        event = self.log.find(1, 2)
        event['detail_salt'] += event['detail'][:1]
        event['detail'] = event['detail'][1:]
        self.finds(('detail_mismatch', 1, 1, 1, 2))

    def test_detail_added(self):
        self.log.find(3, 0).update(detail=b'{}', detail_salt=SALT)
        self.log.find(2, 0).update(detail=b'{}', detail_salt=SALT)
        self.finds(('detail_mismatch', 7, 1, 3, 0), ('detail_mismatch', 1, 2, 2, 0))

    def test_detail_erased_without_salt(self):
        self.log.find(1, 2)['detail'] = None
        self.finds(('detail_mismatch', 1, 1, 1, 2))

    def test_detail_erased(self):
        self.log.find(1, 2).update(detail=None, detail_salt=None)
        self.finds(('erased_unrecorded', 1, 1, 1, 2))

    def test_erasure_erased(self):
        self.log.find(3, 2).update(detail=None, detail_salt=None)
        self.finds(('erased_unrecorded', 1, 2, 2, 0),
                   ('erased_unrecorded', 7, 1, 3, 2))

    def test_erasure_before_the_event(self):
        """It has the smaller tx_id when it began to write first."""
        self.log = Log()
        for number in (1, 2):
            name = '%s:0' % tx(3 - number)
            self.log.transaction(number, 1, dict(
                event_type='log.erase',
                detail=json.dumps({'events': ['x', 1, name]}).encode()))
        self.log.find(2, 0).update(detail=None, detail_salt=None)
        self.finds()

    def test_strange_erasure(self):
        for detail in (b'{}', b'[]', b'1', b'{"events":null}', b'{',
                       b'{"events":{}}', b'{"events":[["x"]]}'):
            self.assertEqual(list(av.named_events(detail)), [])

    def test_event_replaced(self):
        event = self.log.find(1, 1)
        event['action'] = 'b'
        releaf(event)
        self.finds(('prev_mismatch', 1, 1, 1, 2))

    def test_last_event_replaced(self):
        event = self.log.find(1, 2)
        event['action'] = 'b'
        releaf(event)
        self.finds(('seal_mismatch', 1, 1, 1, 2))

    def test_first_event_points_somewhere(self):
        event = self.log.find(5, 0)
        event['prev_hash'] = flipped(event['prev_hash'])
        releaf(event)
        seal = self.log.seal(7, 2)
        seal['last_leaf'] = event['leaf_hash']
        reseal(seal)
        self.finds(('prev_mismatch', 7, 2, 5, 0), ('seal_mismatch', 7, 3, 6, None))

    def test_event_missing(self):
        for n in range(3):
            with self.subTest(n=n):
                self.log = sample()
                self.log.events.remove(self.log.find(1, n))
                self.finds(('event_missing', 1, 1, 1, n))

    def test_events_missing(self):
        self.log.events.remove(self.log.find(1, 0))
        self.log.events.remove(self.log.find(1, 1))
        self.log.events.remove(self.log.find(5, 0))
        self.log.events.remove(self.log.find(6, 0))
        self.finds(('event_missing', 1, 1, 1, 0), ('event_missing', 7, 2, 5, 0),
                   ('event_missing', 7, 3, 6, 0))
        self.assertEqual(self.log.findings()[0].message, 'missing: 0 to 1')

    def test_event_moved(self):
        self.log.find(1, 1)['n'] = 9
        self.finds(('event_extra', 1, 1, 1, 9), ('event_missing', 1, 1, 1, 1))

    def test_event_moved_to_other_transaction(self):
        self.log.find(1, 2)['tx_id'] = tx(50)
        self.finds(('entry_mismatch', None, None, 50, 2),
                   ('event_missing', 1, 1, 1, 2))

    def test_events_exchanged(self):
        self.log.find(1, 1)['n'] = 3
        self.log.find(1, 2)['n'] = 1
        self.log.find(1, 3)['n'] = 2
        self.finds(('entry_mismatch', 1, 1, 1, 1), ('entry_mismatch', 1, 1, 1, 2))

    def test_event_extra(self):
        self.log.event(1, 3, self.log.find(1, 2)['leaf_hash'], {})
        self.finds(('event_extra', 1, 1, 1, 3))

    def test_event_extra_far_away(self):
        self.log.event(1, 7, bytes(32), {})
        self.log.event(2, -1, bytes(32), {})
        self.finds(('event_extra', 1, 1, 1, 7), ('event_extra', 1, 2, 2, -1))

    def test_event_twice(self):
        self.log.events.append(copy.deepcopy(self.log.find(1, 1)))
        self.finds(('event_extra', 1, 1, 1, 1))

    def test_event_twice_once_sound(self):
        event = copy.deepcopy(self.log.find(1, 1))
        event['actor'] = 'x'
        for at in (0, len(self.log.events)):
            log = self.log = sample()
            log.events.insert(at, event)
            self.finds(('entry_mismatch', 1, 1, 1, 1))

    def test_event_unsealed(self):
        leaf = self.log.event(50, 0, bytes(32), {})
        self.log.event(50, 1, leaf, {})
        self.finds(('event_unsealed', None, None, 50, 0))

    # Seals

    def test_every_column_of_a_seal(self):
        for seq in (2, 3):
            for column in ('at', 'events', 'last_leaf', 'config_hash',
                           'prev_hash', 'hash'):
                with self.subTest(seq=seq, column=column):
                    self.log = sample()
                    seal = self.log.seal(1, seq)
                    value = seal[column]
                    seal[column] = (
                        flipped(value) if isinstance(value, bytes) else
                        value + 1 if isinstance(value, int) else
                        '2030-01-01 00:00:00+00')
                    self.finds(('seal_mismatch', 1, seq, 2 if seq == 2 else 4, None))

    def test_null_in_a_seal(self):
        self.log.seal(1, 2)['config_hash'] = None
        self.finds(('seal_mismatch', 1, 2, 2, None))

    def test_seal_of_other_transaction(self):
        self.log.seal(1, 2)['tx_id'] = tx(50)
        self.finds(('seal_mismatch', 1, 2, 50, None),
                   ('event_unsealed', None, None, 2, 0))

    def test_seal_replaced(self):
        seal = self.log.seal(1, 2)
        seal['at'] = seal['at'].replace('.5', '.75')
        reseal(seal)
        self.finds(('seal_mismatch', 1, 3, 4, None))

    def test_seal_contradicts_events(self):
        seal = self.log.seal(1, 3)
        seal['events'] = 3
        reseal(seal)
        self.finds(('event_missing', 1, 3, 4, 2))
        seal['events'] = 1
        seal['last_leaf'] = self.log.find(4, 0)['leaf_hash']
        reseal(seal)
        self.finds(('event_extra', 1, 3, 4, 1))
        seal['events'] = 2
        reseal(seal)
        self.finds(('seal_mismatch', 1, 3, 4, 1))

    def test_seal_missing(self):
        for seq, number in ((1, 1), (2, 2)):
            with self.subTest(seq=seq):
                self.log = sample()
                self.log.seals.remove(self.log.seal(1, seq))
                self.finds(('seal_gap', 1, seq, None, None),
                           ('event_unsealed', None, None, number, 0))

    def test_last_seal_missing(self):
        self.log.seals.remove(self.log.seal(1, 3))
        self.finds(('event_unsealed', None, None, 4, 0))

    def test_transaction_missing(self):
        self.log.seals.remove(self.log.seal(1, 2))
        self.log.events.remove(self.log.find(2, 0))
        self.finds(('seal_gap', 1, 2, None, None))

    def test_newest_transaction_missing(self):
        """Section 7: this cannot be seen."""
        self.log.seals.remove(self.log.seal(7, 3))
        self.log.events.remove(self.log.find(6, 0))
        self.finds()

    def test_place_sealed_twice(self):
        for seq in (1, 2, 3):
            with self.subTest(seq=seq):
                self.log = sample()
                seal = dict(self.log.seal(1, seq), tx_id=tx(60 + seq),
                            events=1)
                leaf = self.log.event(60 + seq, 0, bytes(32), {})
                seal['last_leaf'] = leaf
                reseal(seal)
                self.log.seals.append(seal)
                self.finds(('seal_fork', 1, seq, 60 + seq, None))

    def test_same_seal_twice(self):
        self.log.seals.append(dict(self.log.seal(1, 2)))
        self.finds(('seal_fork', 1, 2, 2, None))

    def test_place_sealed_twice_once_sound(self):
        seal = dict(self.log.seal(1, 2), tx_id=tx(60))
        for at in (0, len(self.log.seals)):
            self.log = sample()
            self.log.seals.insert(at, seal)
            self.finds(('seal_mismatch', 1, 2, 60, None))

    def test_transaction_sealed_twice(self):
        seal = dict(self.log.seal(1, 3), chain=7, seq=4,
                    prev_hash=self.log.seal(7, 3)['hash'],
                    at='2024-02-29 23:59:59.999999+00')
        reseal(seal)
        self.log.seals.append(seal)
        self.finds(('seal_fork', 7, 4, 4, None))

    def test_seal_before_the_first(self):
        seal = dict(self.log.seal(1, 1), seq=0)
        reseal(seal)
        self.log.seals.append(seal)
        self.finds(('seal_mismatch', 1, 0, 1, None), ('seal_fork', 1, 1, 1, None))

    def test_time(self):
        seal = self.log.seal(7, 3)
        seal['at'] = '2024-02-29 00:00:00+00'
        reseal(seal)
        self.finds(('seal_time', 7, 3, 6, None))

    def test_many_altered_facts(self):
        self.log.find(1, 0)['actor'] = 'x'
        self.log.find(1, 1)['leaf_hash'] = bytes(32)
        self.log.find(4, 1)['detail'] = b'x'
        self.log.seal(7, 2)['events'] = 5
        self.finds(('entry_mismatch', 1, 1, 1, 0), ('entry_mismatch', 1, 1, 1, 1),
                   ('detail_mismatch', 1, 3, 4, 1), ('seal_mismatch', 7, 2, 5, None))


class Configuration(unittest.TestCase):
    """Section 5: which config_hash holds when."""

    def check(self, *seals):
        """Seals as (at, config, what their events say), the last a list of
        "before>after", with "!" before a restore's; the indexes reported."""
        configurations = av.Configurations()
        rows = [dict(chain=0, seq=i + 10, tx_id=tx(i),
                     config_hash=config.encode() * 32,
                     at='2024-01-01 00:%02d:%02d+00' % divmod(at, 60))
                for i, (at, config, *_) in enumerate(seals)]
        for row, (_, _, *says) in zip(rows, seals):
            configurations.note_seal(row)
            changes = av.Changes()
            for one in says:
                before, after = (half.encode().hex() * 32
                                 for half in one.strip('!').split('>'))
                changes.note_event(dict(
                    event_type='log.restore' if one[0] == '!' else 'table.track',
                    detail=json.dumps({'config_before': before,
                                       'config_after': after}).encode()))
            configurations.note_explanation(row, changes)
        configurations.begin()
        for row in rows:
            configurations.check_seal(row)
        return sorted(f.seq - 10 for f in configurations.findings())

    def test_the_first(self):
        self.assertEqual(self.check((100, 'a'), (200, 'a')), [])

    def test_the_first_by_time(self):
        self.assertEqual(self.check((200, 'a'), (100, 'b')), [0])

    def test_the_first_by_its_place(self):
        """A seal set back in time is not the first; one finding, there."""
        self.log = sample()
        seal = self.log.seal(7, 3)
        seal.update(at='2001-01-01 00:00:00+00', config_hash=bytes(32))
        reseal(seal)
        self.assertEqual([(f.rule, f.seq) for f in self.log.findings()],
                         [('seal_time', 3)])

    def test_once_for_each(self):
        self.assertEqual(self.check(
            (100, 'a'), (210, 'b'), (200, 'b'), (300, 'c'), (400, 'a'),
            (500, 'b')), [2, 3])

    def test_explained(self):
        self.assertEqual(self.check(
            (100, 'a'), (200, 'b', 'a>b'), (300, 'b'), (400, 'a', 'b>a'),
            (500, 'a')), [])
        self.assertEqual(self.check(
            (100, 'a'), (200, 'c', 'a>b', 'b>c'), (300, 'c')), [])

    def test_explained_by_the_first(self):
        self.assertEqual(self.check((200, 'b', 'a>b'), (205, 'a')), [])
        self.assertEqual(self.check((200, 'b', 'a>b'), (211, 'a')), [1])

    def test_no_longer_explained(self):
        self.assertEqual(self.check(
            (100, 'a'), (200, 'b', 'a>b'), (300, 'a')), [2])
        self.assertEqual(self.check(
            (200, 'b', 'a>b'), (300, 'c', 'b>c'), (400, 'b')), [2])

    def test_grace(self):
        self.assertEqual(self.check(
            (100, 'a'), (200, 'b', 'a>b'), (200, 'b'), (209, 'a'),
            (199, 'b'), (211, 'a')), [4, 5])

    def test_changed_before_what_is_explained(self):
        self.assertEqual(self.check(
            (100, 'a'), (200, 'c', 'b>c'), (300, 'c')), [1])
        self.assertEqual(self.check(
            (100, 'a'), (150, 'b'), (200, 'c', 'b>c'), (300, 'c')), [1])

    def test_explanations_do_not_vouch_for_each_other(self):
        self.assertEqual(self.check(
            (100, 'a'), (200, 'b', 'b>b'), (201, 'b', 'b>b')), [1])

    def test_changed_with_what_is_explained(self):
        self.assertEqual(self.check(
            (100, 'a'), (200, 'c', 'a>b'), (300, 'c')), [1])
        self.assertEqual(self.check(
            (100, 'a'), (200, 'd', 'a>b', 'c>d'), (300, 'd')), [1])

    def test_after_a_restore_anything(self):
        self.assertEqual(self.check(
            (100, 'a'), (200, 'c', '!b>c'), (300, 'c')), [])
        self.assertEqual(self.check(
            (100, 'a'), (200, 'd', 'x>y', '!b>c', 'c>d'), (300, 'd')), [])
        self.assertEqual(self.check(
            (100, 'a'), (200, 'd', '!b>c'), (300, 'd')), [1])

    def test_event_explains(self):
        for fields, found in (
                (dict(), []), (dict(event_type='table.tracked'), None),
                (dict(detail=b'{"config_before":"","config_after":""}'), None),
                (dict(detail=None), None)):
            with self.subTest(fields):
                log = Log()
                log.transaction(1, 1, dict(action='a'))
                detail = json.dumps({'config_before': CONFIG.hex(),
                                     'config_after': '00' * 32}).encode()
                log.transaction(2, 1, dict(dict(
                    event_type='table.track', detail=detail), **fields))
                seal = log.seal(1, 2)
                seal['config_hash'] = bytes(32)
                reseal(seal)
                self.assertEqual([f.rule for f in log.findings()],
                                 ['config_changed'] if found is None else [])
                if not fields:
                    log.find(2, 0).update(detail=None, detail_salt=None)
                    self.assertEqual(
                        sorted(f.rule for f in log.findings()),
                        ['config_changed', 'erased_unrecorded'])


class Golden(unittest.TestCase):
    """The entries that test/unit/test_entry.c checks."""

    def setUp(self):
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                            '..', 'unit', 'golden_entries.json')
        with open(path, encoding='utf-8') as file:
            self.golden = json.load(file)

    def row(self, case, names):
        row = {name: case['columns'].get(name) for name in names}
        row['at'] = row['at'].replace('T', ' ').replace('Z', '+00')
        for name, _, receive in av.columns(names):
            if receive is av.hex_in and row[name] is not None:
                row[name] = bytes.fromhex(row[name])
        return row

    def test_events(self):
        self.assertEqual(len(self.golden['events']), 10)
        for case in self.golden['events']:
            row = self.row(case, [name for name, _ in av.EVENT_MEMBERS])
            entry = av.event_entry(row)
            self.assertEqual(entry.decode(), case['entry'])
            self.assertEqual(av.leaf_hash(entry).hex(), case['leaf_hash'])

    def test_details(self):
        cases = [case for case in self.golden['events'] if 'detail' in case]
        self.assertGreater(len(cases), 0)
        for case in cases:
            salt = bytes.fromhex(case['detail_salt'])
            self.assertEqual(av.detail_hash(salt, case['detail'].encode()).hex(),
                             case['columns']['detail_hash'])

    def test_seals(self):
        self.assertGreater(len(self.golden['seals']), 0)
        for case in self.golden['seals']:
            row = self.row(case, [name for name, _ in av.SEAL_MEMBERS])
            entry = av.seal_entry(row)
            self.assertEqual(entry.decode(), case['entry'])
            self.assertEqual(av.seal_hash(entry).hex(), case['hash'])


class Transport(unittest.TestCase):
    """What COPY sends."""

    COLUMNS = av.columns(['tx_id', 'n', 'changed', 'detail', 'detail_salt'])

    def test_row(self):
        line = (b'a\\tb\\\\n\\\\\\n\x01\xe2\x80\xa8\t7\t["x\\\\n\\\\u0001",null]\t'
                b'{"a":\\n"\\\\"\\r}\t00ff\n')
        self.assertEqual(av.parse_line(line, self.COLUMNS), {
            'tx_id': 'a\tb\\n\\\n\x01\u2028', 'n': 7,
            'changed': ['x\n\x01', None], 'detail': b'{"a":\n"\\"\r}',
            'detail_salt': b'\0\xff'})

    def test_null_and_empty(self):
        row = av.parse_line(b'\t1\t\\N\t\\\\N\t\n', self.COLUMNS)
        self.assertEqual(row, {'tx_id': '', 'n': 1, 'changed': None,
                               'detail': b'\\N', 'detail_salt': b''})

    def read(self, *lines):
        columns = av.columns(['chain', 'seq'])
        return list(av.read_rows(iter(lines), columns, ('chain', 'seq')))

    def test_reading(self):
        self.assertEqual(len(self.read(b'1\t2\n', b'2\t1\n', b'\\.\n')), 2)

    def test_what_cannot_be_checked(self):
        for lines in ((b'1\t2\n',), (b'1\t2\n', b'1\t1\n', b'\\.\n'),
                      (b'1\n', b'\\.\n'), (b'1\t\\N\n', b'\\.\n')):
            self.assertRaises(av.CannotCheck, self.read, *lines)


if __name__ == '__main__':
    unittest.main()
