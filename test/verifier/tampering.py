"""tampering.py - every way to alter a log, and what must be found of it.

For test_two_verifiers.py, whose story the letters are of: each is a
transaction, and its seal.
"""

import hashlib
import re

import audit_verifier as av

OFF = ('ALTER TABLE scim_audit.events DISABLE TRIGGER ALL;'
       'ALTER TABLE scim_audit.seals DISABLE TRIGGER ALL;')
ON = ('ALTER TABLE scim_audit.events ENABLE ALWAYS TRIGGER guard_row;'
      'ALTER TABLE scim_audit.events ENABLE ALWAYS TRIGGER guard_truncate;'
      'ALTER TABLE scim_audit.seals ENABLE ALWAYS TRIGGER guard_row;'
      'ALTER TABLE scim_audit.seals ENABLE ALWAYS TRIGGER guard_truncate;')


def quote(text):
    return "'" + text.replace("'", "''") + "'"


def literal(value):
    if value is None:
        return 'NULL'
    if isinstance(value, bytes):
        return "decode('%s', 'hex')" % value.hex()
    if isinstance(value, list):
        return 'ARRAY[' + ','.join(map(quote, value)) + ']::text[]'
    return str(value) if isinstance(value, int) else quote(value)


def event_values(event):
    values = dict(event)
    if values['detail'] is not None:
        values['detail'] = values['detail'].decode()
    return [(name, literal(values[name])) for name, _, _ in av.EVENT_COLUMNS]


def seal_values(seal):
    return [(name, literal(seal[name])) for name, _, _ in av.SEAL_COLUMNS]


def insert(table, values):
    return 'INSERT INTO scim_audit.%s (%s) VALUES (%s);' % (
        table, ', '.join(name for name, _ in values),
        ', '.join(value for _, value in values))


def update(table, values, where):
    return 'UPDATE scim_audit.%s SET %s WHERE %s;' % (
        table, ', '.join('%s = %s' % pair for pair in values), where)


def releaf(event, **fields):
    """A copy with these fields, hashed as the page says."""
    event = dict(event, **fields)
    event['leaf_hash'] = hashlib.sha256(b'\0' + av.event_entry(event)).digest()
    return event


def reseal(seal, **fields):
    seal = dict(seal, **fields)
    seal['hash'] = hashlib.sha256(b'\2' + av.seal_entry(seal)).digest()
    return seal


def redetail(event, detail):
    """A copy with this detail, hashed and all."""
    return releaf(event, detail=detail, detail_hash=hashlib.sha256(
        event['detail_salt'] + detail).digest())


class Catalogue:
    """Every case: name, statements, what must be found."""

    def __init__(self, seals, events):
        self.seal = seals
        self.events = {letter: [event for event in events
                                if event['tx_id'] == seal['tx_id']]
                       for letter, seal in seals.items()}
        self.cases = []
        self.partition = None

    # What is found, as both verifiers tell it.

    def event(self, rule, letter, n):
        seal = self.seal[letter]
        return (rule, seal['chain'], seal['seq'], seal['tx_id'], n)

    def of_seal(self, rule, letter, **other):
        seal = dict(self.seal[letter], **other)
        return (rule, seal['chain'], seal['seq'], seal['tx_id'], None)

    def gap(self, letter, plus=0, chain=None):
        seal = self.seal[letter]
        return ('seal_gap', seal['chain'] if chain is None else chain,
                seal['seq'] + plus if chain is None else 1, None, None)

    def unsealed(self, letter, n=0):
        return ('event_unsealed', None, None, self.seal[letter]['tx_id'], n)

    def case(self, name, sql, *expected):
        self.cases.append((name, sql, expected))

    # What is altered.

    def where(self, letter, *n):
        where = "tx_id = '%s'" % self.seal[letter]['tx_id']
        return where + (' AND n IN (%s)' % ', '.join(map(str, n)) if n else '')

    def at_seal(self, letter):
        return 'chain = %(chain)d AND seq = %(seq)d' % self.seal[letter]

    def set_event(self, letter, n, /, **values):
        return update('events', values.items(), self.where(letter, n))

    def set_seal(self, letter, **values):
        return update('seals', values.items(), self.at_seal(letter))

    def put_event(self, letter, n, event):
        return update('events', event_values(event), self.where(letter, n))

    def put_seal(self, letter, seal):
        return update('seals', seal_values(seal), self.at_seal(letter))

    def next_seal(self, letter):
        """The letter of the seal behind it in its chain."""
        here = self.seal[letter]
        return next(name for name, seal in self.seal.items()
                    if (seal['chain'], seal['seq'])
                    == (here['chain'], here['seq'] + 1))

    def build(self, partition, key):
        self.build_columns()
        self.build_details()
        self.build_events()
        self.build_copies('ALTER TABLE %s DROP CONSTRAINT %s;'
                          % (partition, key))
        self.build_rewritten()
        self.build_unsealed()
        self.build_seals()
        self.build_forks()
        self.build_configurations()
        return self.cases

    def build_columns(self):
        """Each covered column of an event, alone."""
        for column, values in dict(
                at=["at + '1us'", "'infinity'", "'20000-01-01'",
                    "'0044-03-15 BC'"],
                tenant=["'x'", 'NULL'], category=["'admin'"], action=["'z'"],
                event_type=["'user.delete'"], outcome=["'failure'"],
                status=['200', '0', '-1'], scim_type=["''", "'x'"],
                actor=["actor || ' '", 'NULL'], actor_type=['NULL'],
                credential=["'abcd'"], session_role=["'x'"],
                effective_role=["'x'"], origin=["'scim'"],
                resource_type=['lower(resource_type)', 'NULL'],
                resource_id=['upper(resource_id)', "''"],
                changed=["'{}'", 'NULL', 'ARRAY[changed]',
                         'changed || NULL::text', "'{title}'"],
                request_id=['gen_random_uuid()'], method=["'PUT'", "''"],
                detail_hash=["sha256('')", "''", 'NULL',
                             "detail_hash || '\\x00'"],
                prev_hash=["sha256('')", "''", 'substr(prev_hash, 1, 31)'],
                leaf_hash=["sha256('')", "''",
                           "leaf_hash || '\\x00'"]).items():
            for value in values:
                self.case('%s = %s' % (column, value),
                          self.set_event('T', 1, **{column: value}),
                          self.event('entry_mismatch', 'T', 1))
        for column in ('leaf_hash', 'category', 'at'):
            self.case(column + ' null', 'ALTER TABLE scim_audit.events ALTER '
                      + column + ' DROP NOT NULL;'
                      + self.set_event('T', 1, **{column: 'NULL'}),
                      self.event('entry_mismatch', 'T', 1))
        self.case('bounds of changed',
                  self.set_event('T', 1, changed="('[5:' || 4 + cardinality("
                                 "changed) || ']=' || changed::text)::text[]"))
        # Event 0 points to zeros: what is not there must not look like them.
        for value in ("''", "decode(repeat('00', 33), 'hex')", 'NULL'):
            self.case('prev_hash of event 0 = ' + value,
                      'ALTER TABLE scim_audit.events ALTER prev_hash DROP NOT '
                      'NULL;' + self.set_event('T', 0, prev_hash=value),
                      self.event('entry_mismatch', 'T', 0))
        self.case('an entry too long, no leaf', self.set_event(
                  'O', 0, leaf_hash="''", actor="repeat('x', 70000)"),
                  self.event('entry_mismatch', 'O', 0))
        first, = self.events['O']
        forged = releaf(first, status=0)
        self.case('a status 0, hashed', self.put_event('O', 0, forged),
                  self.event('seal_mismatch', 'O', 0))
        for n in (0, 3):
            self.case('event %d' % n, self.set_event('T', n, actor="'x'"),
                      self.event('entry_mismatch', 'T', n))

    def build_details(self):
        for name, values in dict(
                detail=dict(detail="'{}'"),
                space=dict(detail="(detail::text || ' ')::json"),
                detail_gone=dict(detail='NULL'),
                salt_gone=dict(detail_salt='NULL'),
                salt_altered=dict(detail_salt="'\\x00112233445566778899aabbccddeeff'"),
                salt_long=dict(detail_salt="detail_salt || '\\x20'"),
                salt_short_alone=dict(detail='NULL', detail_salt="'\\x0102'"),
                salt_empty_alone=dict(detail='NULL', detail_salt="''"),
                salt_long_alone=dict(detail='NULL',
                                     detail_salt="detail_salt || '\\x20'")).items():
            self.case(name, self.set_event('T', 1, **values),
                      self.event('detail_mismatch', 'T', 1))
        self.case('two details', update('events', [('detail', "'{}'")],
                                        self.where('T', 1, 2)),
                  self.event('detail_mismatch', 'T', 1),
                  self.event('detail_mismatch', 'T', 2))
        gone = dict(detail='NULL', detail_salt='NULL')
        self.case('erased', self.set_event('T', 1, **gone),
                  self.event('erased_unrecorded', 'T', 1))
        self.case('its hash too', self.set_event('T', 1, detail_hash='NULL',
                                                 **gone),
                  self.event('entry_mismatch', 'T', 1))
        self.case('put back', self.set_event(
                  'O', 0, detail="'{}'", detail_salt=literal(bytes(16))),
                  self.event('detail_mismatch', 'O', 0))
        self.case('the erasure erased', self.set_event('E', 0, **gone),
                  self.event('erased_unrecorded', 'E', 0),
                  self.event('erased_unrecorded', 'O', 0))
        self.case('the erasure altered', self.set_event('E', 0, actor="'x'"),
                  self.event('entry_mismatch', 'E', 0),
                  self.event('erased_unrecorded', 'O', 0))
        self.case('the erased altered', self.set_event('O', 0, actor="'x'"),
                  self.event('entry_mismatch', 'O', 0))
        self.build_erasures()

    def build_erasures(self):
        """What an erasure names, with all its hashes right."""
        event, = self.events['E']
        follower = self.of_seal('seal_mismatch', self.next_seal('E'))
        name = '"%s:0"' % self.seal['O']['tx_id']
        for named, detail in (
                (True, '{ "events" : [ %s ] }' % name),
                (True, '{"events":[],"ev\\u0065nts":[1,null,{"a":2},%s]}' % name),
                (True, '{"events":["\\u0030%s]}' % name[2:]),
                (True, '{"big":%s,"events":[%s]}' % ('9' * 5000, name)),
                (False, '{"events":[%s],"events":[]}' % name),
                (False, '{"events":%s}' % name),
                (False, '{"events":[[%s]]}' % name),
                (False, '{"events":{%s:1}}' % name),
                (False, '{"x":{"events":[%s]}}' % name),
                (False, '[%s]' % name), (False, '{"events":[%s]}' % name.upper()),
                (False, '{"events":[%s]}' % name.replace(':0', ':00'))):
            forged = redetail(event, detail.encode())
            seal = reseal(self.seal['E'], last_leaf=forged['leaf_hash'])
            self.case('erasure ' + detail[:60],
                      self.put_event('E', 0, forged) + self.put_seal('E', seal),
                      follower, *([] if named else
                                  [self.event('erased_unrecorded', 'O', 0)]))

    def build_events(self):
        """Events removed, moved, exchanged, added."""
        def gone(*n):
            return ('DELETE FROM scim_audit.events WHERE '
                    + self.where('T', *n) + ';')
        missing = [self.event('event_missing', 'T', n) for n in range(4)]
        for n in range(4):
            self.case('event %d removed' % n, gone(n), missing[n])
        self.case('two in a row removed', gone(1, 2), missing[1])
        self.case('two removed', gone(0, 2), missing[0], missing[2])
        self.case('all removed', gone(), missing[0])
        self.case('all of two removed', gone() + 'DELETE FROM scim_audit.events'
                  ' WHERE ' + self.where('O') + ';', missing[0],
                  self.event('event_missing', 'O', 0))
        self.case('moved behind', self.set_event('T', 1, n='9'), missing[1],
                  self.event('event_extra', 'T', 9))
        self.case('moved before', self.set_event('T', 3, n='-1'), missing[3],
                  self.event('event_extra', 'T', -1))
        swap = ''.join(self.put_event('T', n, dict(self.events['T'][3 - n], n=n))
                       for n in (1, 2))
        self.case('exchanged', swap, self.event('entry_mismatch', 'T', 1),
                  self.event('entry_mismatch', 'T', 2))
        self.case('moved to another transaction', self.set_event(
                  'T', 3, tx_id=quote(self.seal['Q']['tx_id']), n='7'),
                  missing[3], self.event('event_extra', 'Q', 7))
        self.case('moved to another, in place of one',
                  'DELETE FROM scim_audit.events WHERE ' + self.where('O') + ';'
                  + self.set_event('T', 0, tx_id=quote(self.seal['O']['tx_id'])),
                  missing[0], self.event('entry_mismatch', 'O', 0))
        self.case('moved to a transaction of none', self.set_event(
                  'T', 1, tx_id=quote(self.nobody())), missing[1],
                  ('entry_mismatch', None, None, self.nobody(), 1))
        self.case('moved to another tenant', update(
                  'events', [('tenant', "'t2'")], self.where('T')),
                  *(self.event('entry_mismatch', 'T', n) for n in range(4)))
        last = self.events['T'][3]
        more = insert('events', event_values(releaf(
            last, n=4, prev_hash=last['leaf_hash'])))
        self.case('added, linked', more, self.event('event_extra', 'T', 4))
        self.case('added, not hashed', insert('events', event_values(dict(
                  last, n=40))), self.event('event_extra', 'T', 40))
        self.case('added for one removed', more + gone(3), missing[3],
                  self.event('event_extra', 'T', 4))

    def nobody(self):
        """A tx_id that no transaction has, of the same month."""
        return self.seal['T']['tx_id'][:24] + '0' * 12

    def build_copies(self, drop_key):
        """A second event in one place."""
        for letter, n in (('T', 0), ('T', 1), ('T', 3), ('O', 0)):
            event = self.events[letter][n]
            extra = self.event('event_extra', letter, n)
            forged = releaf(event, actor='evil')
            copy = insert('events', event_values(event))
            name = '%s:%d twice' % (letter, n)
            if letter == 'T':
                self.case(name, drop_key + copy, extra)
            self.case(name + ', one forged', drop_key
                      + insert('events', event_values(forged)), extra)
            self.case(name + ', the other forged', drop_key
                      + self.put_event(letter, n, forged) + copy, extra)
            self.case(name + ', one altered', drop_key
                      + insert('events', event_values(dict(event, actor='x'))),
                      self.event('entry_mismatch', letter, n))

    def build_rewritten(self):
        """Hashes made anew as far as a forger gets."""
        events = self.events['T']
        for n in range(4):
            self.case('event %d rewritten' % n, self.put_event(
                      'T', n, releaf(events[n], actor='evil')),
                      self.event('prev_mismatch', 'T', n + 1) if n < 3 else
                      self.event('seal_mismatch', 'T', 3))
        for n in range(4):
            self.case('link of %d rewritten' % n, self.put_event(
                      'T', n, releaf(events[n], prev_hash=b'x' * 32)),
                      self.event('prev_mismatch', 'T', n),
                      self.event('prev_mismatch', 'T', n + 1) if n < 3 else
                      self.event('seal_mismatch', 'T', 3))
        chain, sql = events[0], ''
        for n in range(1, 4):
            fields = dict(actor='evil') if n == 1 else {}
            chain = releaf(events[n], prev_hash=chain['leaf_hash'], **fields)
            sql += self.put_event('T', n, chain)
        self.case('transaction rewritten', sql,
                  self.event('seal_mismatch', 'T', 3))
        seal = reseal(self.seal['T'], last_leaf=chain['leaf_hash'])
        sql += self.put_seal('T', seal)
        self.case('and its seal', sql, self.of_seal('seal_mismatch', 'O'))
        again, letter = seal, 'T'
        while letter != 'L':
            letter = self.next_seal(letter)
            again = reseal(self.seal[letter], prev_hash=again['hash'])
            sql += self.put_seal(letter, again)
        self.case('and the chain to its end: cannot be seen', sql)
        self.case('and the last event of it', sql + self.set_event(
                  'L', 0, actor="'x'"), self.event('entry_mismatch', 'L', 0))

    def build_unsealed(self):
        """Events that no seal covers."""
        nobody = self.nobody()
        first = releaf(self.events['T'][0], tx_id=nobody)
        second = releaf(self.events['T'][1], tx_id=nobody,
                        prev_hash=first['leaf_hash'])
        unsealed = ('event_unsealed', None, None, nobody, 0)

        def add(*events):
            return ''.join(insert('events', event_values(e)) for e in events)
        self.case('transaction added', add(first, second), unsealed)
        self.case('added, not hashed', add(dict(first, actor='x')),
                  ('entry_mismatch', None, None, nobody, 0))
        self.case('added, one altered', add(first, dict(second, actor='x')),
                  unsealed, ('entry_mismatch', None, None, nobody, 1))
        self.case('added, one not linked', add(first, releaf(
                  second, prev_hash=bytes(32))), unsealed,
                  ('prev_mismatch', None, None, nobody, 1))
        self.case('added, its detail altered', add(dict(first, detail=b'{}')),
                  unsealed, ('detail_mismatch', None, None, nobody, 0))
        self.case('added without its first', add(second),
                  ('event_unsealed', None, None, nobody, 1),
                  ('event_missing', None, None, nobody, 0))
        self.case('added with a seal and nothing else', insert(
                  'seals', seal_values(reseal(self.seal['T'], chain=31, seq=1,
                                              prev_hash=bytes(32), events=1,
                                              tx_id=nobody))),
                  ('event_missing', 31, 1, nobody, 0))

    def build_seals(self):
        """Seals altered, moved, removed."""
        nobody = self.nobody()
        for letter in ('T', 'L'):
            for column, value in dict(
                    at="at + '1us'", events='events + 1',
                    last_leaf="sha256('')", config_hash="sha256('')",
                    prev_hash="sha256('')", hash="hash || '\\x00'").items():
                self.case('seal %s: %s' % (letter, column),
                          self.set_seal(letter, **{column: value}),
                          self.of_seal('seal_mismatch', letter))
        for column, value in dict(at="'infinity'", hash="''", prev_hash="''",
                                  config_hash="''").items():
            self.case('seal: %s = %s' % (column, value),
                      self.set_seal('T', **{column: value}),
                      self.of_seal('seal_mismatch', 'T'))
        for column in ('config_hash', 'at', 'events'):
            self.case('seal: no ' + column, 'ALTER TABLE scim_audit.seals ALTER '
                      + column + ' DROP NOT NULL;'
                      + self.set_seal('T', **{column: 'NULL'}),
                      self.of_seal('seal_mismatch', 'T'))
        for value in ("''", 'NULL'):
            self.case('prev_hash of the first = ' + value,
                      'ALTER TABLE scim_audit.seals ALTER prev_hash DROP NOT '
                      'NULL;' + self.set_seal('C', prev_hash=value),
                      self.of_seal('seal_mismatch', 'C'))
        self.case('seal of nobody', self.set_seal('T', tx_id=quote(nobody)),
                  self.unsealed('T'),
                  self.of_seal('seal_mismatch', 'T', tx_id=nobody))
        other = self.seal['O']['tx_id']
        self.case('seal of another', self.set_seal('T', tx_id=quote(other)),
                  self.unsealed('T'),
                  self.of_seal('seal_mismatch', 'T', tx_id=other))
        self.case('seal moved on', self.set_seal('T', seq='99'), self.gap('T'),
                  self.gap('L', 1), self.of_seal('seal_mismatch', 'T', seq=99))
        self.case('last seal moved on', self.set_seal('L', seq='seq + 1'),
                  self.gap('L'), self.of_seal('seal_mismatch', 'L',
                                              seq=self.seal['L']['seq'] + 1))
        self.case('seal moved to another chain', self.set_seal('T', chain='99'),
                  self.gap('T'), self.gap('T', chain=99),
                  self.of_seal('seal_mismatch', 'T', chain=99))
        for letter in ('T', 'L'):
            gap = [self.gap('T')] if letter == 'T' else []
            gone = ('DELETE FROM scim_audit.seals WHERE '
                    + self.at_seal(letter) + ';')
            self.case('seal %s removed' % letter, gone,
                      self.unsealed(letter), *gap)
            self.case('transaction %s removed' % letter, gone
                      + 'DELETE FROM scim_audit.events WHERE '
                      + self.where(letter) + ';', *gap)
        self.case('first seal removed', 'DELETE FROM scim_audit.seals WHERE '
                  + self.at_seal('C') + ';', self.unsealed('C'), self.gap('C'))
        self.build_rewritten_seals()

    def build_rewritten_seals(self):
        """Seals with their hash made anew."""
        four = [self.event('event_extra', 'T', n) for n in range(4)]
        follower = self.of_seal('seal_mismatch', 'O')
        third = self.events['T'][2]['leaf_hash']
        for name, fields, found in (
                ('at', dict(at='2026-01-01 00:00:00+00'),
                 [self.of_seal('seal_time', 'T')]),
                ('last_leaf', dict(last_leaf=bytes(32)),
                 [self.event('seal_mismatch', 'T', 3)]),
                ('events + 1', dict(events=5),
                 [self.event('event_missing', 'T', 4)]),
                ('events - 1', dict(events=3),
                 [four[3], self.event('seal_mismatch', 'T', 2)]),
                ('events - 1 and leaf', dict(events=3, last_leaf=third),
                 [four[3]]),
                ('events 0', dict(events=0),
                 four + [self.of_seal('seal_mismatch', 'T')]),
                ('events -1', dict(events=-1),
                 four + [self.of_seal('seal_mismatch', 'T')]),
                ('prev_hash', dict(prev_hash=b'x' * 32),
                 [self.of_seal('seal_mismatch', 'T')])):
            self.case('seal rewritten: ' + name, self.put_seal(
                      'T', reseal(self.seal['T'], **fields)), follower, *found)
        self.case('first seal rewritten', self.put_seal('C', reseal(
                  self.seal['C'], prev_hash=b'x' * 32)),
                  self.of_seal('seal_mismatch', 'C'),
                  self.of_seal('seal_mismatch', 'D'))
        self.case('last seal set back', self.put_seal('L', reseal(
                  self.seal['L'], at='2000-01-01 00:00:00+00')),
                  self.of_seal('seal_time', 'L'))

    def build_forks(self):
        """Two seals where there is one."""
        nobody, seal = self.nobody(), self.seal['T']
        drop_key = 'ALTER TABLE scim_audit.seals DROP CONSTRAINT seals_pkey;'

        def add(new):
            return insert('seals', seal_values(new))
        last = self.seal['L']
        twice = reseal(seal, seq=last['seq'] + 1, prev_hash=last['hash'],
                       at=last['at'], config_hash=last['config_hash'])
        self.case('sealed twice, in its chain', add(twice),
                  self.of_seal('seal_fork', 'T', seq=twice['seq']))
        elsewhere = dict(chain=99, seq=1)
        self.case('sealed twice, in another', add(reseal(
                  twice, prev_hash=bytes(32), **elsewhere)),
                  self.of_seal('seal_fork', 'T', **elsewhere))
        self.case('sealed twice, not hashed', add(dict(seal, **elsewhere)),
                  self.of_seal('seal_mismatch', 'T', **elsewhere))
        self.case('sealed twice, with other events', add(reseal(
                  twice, prev_hash=bytes(32), events=2, **elsewhere)),
                  self.of_seal('seal_fork', 'T', **elsewhere))
        event = releaf(self.events['T'][0], tx_id=nobody)
        other = reseal(seal, tx_id=nobody, events=1,
                       last_leaf=event['leaf_hash'])
        # The seal with the lower tx_id is the first.
        self.case('place taken twice', drop_key + add(other) + insert(
                  'events', event_values(event)),
                  self.of_seal('seal_fork', 'T'))
        self.case('seal copied', drop_key + add(seal),
                  self.of_seal('seal_fork', 'T'))
        self.case('place taken by one not hashed', drop_key
                  + add(dict(seal, tx_id=nobody)),
                  self.of_seal('seal_mismatch', 'T', tx_id=nobody))
        first = self.seal['C']
        self.case('a seal 0', add(reseal(first, seq=0)),
                  self.of_seal('seal_mismatch', 'C', seq=0),
                  self.of_seal('seal_fork', 'C'))

    def build_configurations(self):
        """What is audited, and what explains it."""
        changed = [self.of_seal('config_changed', 'L')]
        self.case('another configuration', self.put_seal('L', reseal(
                  self.seal['L'], config_hash=b'x' * 32)), *changed)
        event = self.events['B'][0]
        follower = self.of_seal('seal_mismatch', 'T')
        after = b'"config_after":"'
        for name, forged in (
                ('of another type', releaf(event, event_type='table.tracked')),
                ('without digests', redetail(event, b'{}')),
                ('with capitals', redetail(event, re.sub(
                    after + b'([0-9a-f]*)', lambda one: one.group().upper()
                    .replace(after.upper(), after), event['detail']))),
                ('to another', redetail(event, re.sub(
                    after + b'[0-9a-f]*', after + b'0' * 64,
                    event['detail'])))):
            self.case('explanation ' + name, self.rewrite('B', forged),
                      self.of_seal('config_changed', 'B'),
                      follower)
        for letter, kind, found in (
                ('B', 'table.track', ['B']), ('U', 'table.track', ['U']),
                ('R', 'table.track', ['R']), ('R', 'log.restore', [])):
            event = next(event for event in self.events[letter]
                         if event['event_type'] == kind)
            forged = redetail(event, re.sub(
                b'"config_before":"[0-9a-f]*', b'"config_before":"' + b'0' * 64,
                event['detail']))
            self.case('%s %s began elsewhere' % (letter, kind),
                      self.rewrite(letter, forged),
                      *(self.of_seal('config_changed', one) for one in found),
                      *([] if letter == 'U' else [
                          self.of_seal('seal_mismatch',
                                       self.next_seal(letter))]))
        self.case('an explanation erased', self.set_event(
                  'U', 0, detail='NULL', detail_salt='NULL'),
                  self.event('erased_unrecorded', 'U', 0),
                  self.of_seal('config_changed', 'U'))
        self.case('an explanation altered', self.set_event(
                  'U', 0, actor="'x'"), self.event('entry_mismatch', 'U', 0),
                  self.of_seal('config_changed', 'U'))

    def rewrite(self, letter, event):
        """Put an event, all behind it in its transaction, and its seal."""
        sql, leaf = self.put_event(letter, event['n'], event), event['leaf_hash']
        for later in self.events[letter][event['n'] + 1:]:
            later = releaf(later, prev_hash=leaf)
            leaf = later['leaf_hash']
            sql += self.put_event(letter, later['n'], later)
        return sql + self.put_seal(letter, reseal(
            self.seal[letter], last_leaf=leaf))
