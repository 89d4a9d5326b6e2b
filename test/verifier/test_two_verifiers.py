#!/usr/bin/env python3
"""test_two_verifiers.py - one log, tampered with in every way, checked twice.

A log is made by SQL and SCIM calls on a real server (the PG... variables name
it).  Each case then alters it in a transaction that is rolled back, and both
scim_audit.verify() and audit_verifier.py must find exactly what the case
says: rule, chain, seq, tx_id, n.  row_mismatch is left out, for only verify()
looks at the audited tables.
"""

import json
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import audit_verifier as av     # noqa: E402
from tampering import OFF, ON, Catalogue    # noqa: E402

DATABASE = 'two_verifiers'
VERIFIER = os.path.join(HERE, 'audit_verifier.py')


class Psql(av.Session):
    """A session that answers, row by row, what it is asked."""

    def __init__(self, database=DATABASE):
        super().__init__('psql', database)
        self.send('\\set ON_ERROR_STOP on\n' + SETTINGS)

    def send(self, text):
        self.process.stdin.write(text.encode('utf-8'))
        self.process.stdin.flush()

    def ask(self, sql):
        self.send(sql + "\n\\echo '\\\\.'\n")
        rows = []
        for line in self.lines:
            if line == av.END:
                return rows
            rows.append(line.decode('utf-8').rstrip('\n'))
        raise AssertionError('psql ended at: ' + sql[-2000:])

    def read(self, columns, source):
        self.send(av.copy_query(columns, source))
        return list(av.read_rows(self.lines, columns, ()))

    def rows(self, table, columns, order):
        self.send(av.copy_sql(table, columns, order))
        return list(av.read_rows(self.lines, columns, ()))


# What SETTINGS of the verifier does, for a transaction that writes.
SETTINGS = """
SET client_min_messages = warning;
SET client_encoding = 'UTF8';
SET "TimeZone" = 'UTC';
SET "DateStyle" = 'ISO, YMD';
SET scim_audit.tenant = 'default';
"""

USER = '"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]'
PATCH = '"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]'
STRANGE = 'E\'q\\\'"\\\\/ \\x01\\x7f \\u2028 \\U0001F600\''

# Two sessions at once are in two chains.  What each commits, in this order;
# transactions are called by the letter before them.
STORY = [
    (0, 'S', "CREATE TABLE item (k text PRIMARY KEY, tenant text, v text);"
             "CREATE TABLE other (k integer PRIMARY KEY);"
             "CREATE TABLE third (k integer PRIMARY KEY);"
             "INSERT INTO item VALUES ('0', 't1', 'x'), ('1', 't2', 'y');"),
    (0, 'A', "SELECT scim.create_tenant('t1');"),
    (0, 'B', "SELECT scim_audit.track('item', tenant_column => 'tenant');"),
    (1, 'C', "SELECT status FROM scim.scim_apply('POST', '/Users',"
             " '{%s, \"userName\": \"ana\"}');" % USER),
    (1, 'D', "SELECT status FROM scim.scim_apply('POST', '/Users',"
             " '{%s, \"userName\": \"ANA\"}');" % USER),
    (0, 'T', "BEGIN; INSERT INTO scim.users (tenant, user_name, title)"
             " VALUES ('t1', 'ben', %s); SAVEPOINT s;"
             "UPDATE scim.users SET title = 'y', nick_name = %s WHERE"
             " user_name = 'ben'; INSERT INTO item VALUES (%s, 't1', 'z');"
             "SAVEPOINT r; DELETE FROM item; ROLLBACK TO r;"
             "UPDATE item SET v = '' WHERE k = '0'; COMMIT;"
             % (STRANGE, STRANGE, STRANGE)),
    (0, 'O', "INSERT INTO item VALUES ('2', NULL, NULL);"),
    (1, 'P', "SELECT status FROM scim.scim_apply('PATCH', '/Users/' ||"
             " (SELECT id FROM scim.users WHERE user_name = 'ana'),"
             " '{%s, \"Operations\": [{\"op\": \"add\", \"path\": \"active\","
             " \"value\": true}]}');" % PATCH),
    (1, 'E', "SELECT scim_audit.log_event('admin', 'erase', 'log.erase', NULL,"
             " NULL, NULL, (SELECT json_build_object('events', json_build_array("
             " tx_id || ':' || n)) FROM scim_audit.events"
             " WHERE resource_id = '2'));"),
    (0, 'Q', "TRUNCATE item;"),
    (0, 'R', "BEGIN; SELECT count(*) FROM scim_audit.restored();"
             "SELECT scim_audit.track('third'); COMMIT;"),
    (1, 'U', "SELECT scim_audit.track('other');"),
    (0, 'L', "DELETE FROM scim.users WHERE user_name = 'ben';"),
]


def run(sql, database):
    subprocess.run(['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', database,
                    '-c', 'SET client_min_messages = warning', '-c', sql],
                   check=True, stdout=subprocess.DEVNULL)


def make_log():
    """Play the story; the seal of each of its transactions, by letter."""
    run('DROP DATABASE IF EXISTS %s WITH (FORCE)' % DATABASE, 'postgres')
    run('CREATE DATABASE %s' % DATABASE, 'postgres')
    run('CREATE EXTENSION scim_audit CASCADE', DATABASE)
    seals, answers = {}, []
    with Psql() as one, Psql() as two:
        for who, letter, sql in STORY:
            known = {seal['hash'] for seal in seals.values()}
            answers += (one, two)[who].ask(sql)
            new = [seal for seal in one.rows('seals', av.SEAL_COLUMNS,
                                             'chain, seq')
                   if seal['hash'] not in known]
            if new:
                seals[letter], = new
        one.ask(OFF + "UPDATE scim_audit.events SET detail = NULL, detail_salt"
                " = NULL WHERE resource_id = '2' AND action = 'insert';" + ON)
    return seals, [answer for answer in answers if answer.isdigit()]


class TwoVerifiers(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.seals, cls.answers = make_log()
        cls.session = Psql()

    @classmethod
    def tearDownClass(cls):
        cls.session.__exit__()

    def both(self, sql):
        """What verify() and the verifier find after these statements."""
        ask, rows = self.session.ask, self.session.rows
        ask('BEGIN; SET LOCAL search_path = pg_catalog;' + OFF + sql)
        configurations = av.Configurations()
        found = list(av.check_transactions(
            iter(rows('events', av.EVENT_COLUMNS, 'tx_id, n, leaf_hash')),
            iter(rows('seals', av.SEAL_COLUMNS, 'tx_id, chain, seq, hash')),
            configurations))
        found += av.check_chains(
            iter(rows('seals', av.SEAL_COLUMNS, 'chain, seq, tx_id, hash')),
            configurations)
        theirs = [tuple(json.loads(line)) for line in ask(
            'SELECT json_build_array(rule, chain, seq, tx_id, n)'
            ' FROM scim_audit.verify();')]
        ask('ROLLBACK;')
        return ([one for one in theirs if one[0] != 'row_mismatch'],
                [tuple(one)[:5] for one in found])

    def named(self, findings):
        """Findings in the words of the story, sorted."""
        letters = {seal['tx_id']: letter for letter, seal in self.seals.items()}
        return sorted('%s %s/%s %s:%s' % (rule, chain, seq,
                                          letters.get(tx_id, tx_id), n)
                      for rule, chain, seq, tx_id, n in findings)

    def test_story(self):
        """What the cases take for granted of it."""
        at = {letter: (seal['chain'], seal['seq'])
              for letter, seal in self.seals.items()}
        chains = [{at[letter][0] for letter in letters}
                  for letters in ('ABTOQRL', 'CDPEU')]
        self.assertEqual([len(chain) for chain in chains], [1, 1])
        self.assertNotEqual(*chains)
        self.assertEqual([at[letter][1] for letter in 'ABTOQRL'],
                         list(range(1, 8)))
        self.assertEqual([at[letter][1] for letter in 'CDPEU'],
                         list(range(1, 6)))
        self.assertEqual([self.seals[letter]['events'] for letter in 'TOECD'],
                         [4, 1, 1, 2, 1])
        # Of create, create again, patch; of restored().
        self.assertEqual(self.answers, ['201', '409', '200', '0'])

    def test_catalogue(self):
        events = self.session.rows('events', av.EVENT_COLUMNS, 'tx_id, n')
        partition, key = self.session.ask(
            'SELECT DISTINCT e.tableoid::regclass || \'|\' || c.conname FROM'
            ' scim_audit.events e JOIN pg_constraint c ON c.conrelid ='
            " e.tableoid AND c.contype = 'p';")[0].split('|')
        cases = Catalogue(self.seals, events).build(partition, key)
        self.assertGreater(len(cases), 190)
        self.assertEqual(len(events), sum(seal['events'] for seal
                                          in self.seals.values()))
        for name, sql, expected in cases:
            with self.subTest(name):
                theirs, ours = map(self.named, self.both(sql))
                wanted = self.named(expected)
                self.assertEqual(theirs, wanted, 'verify()')
                self.assertEqual(ours, wanted, 'audit_verifier.py')

    def test_untouched(self):
        self.assertEqual(self.both(''), ([], []))

    def command(self):
        """The verifier as one runs it: status and findings."""
        done = subprocess.run([sys.executable, VERIFIER, DATABASE],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, '')
        return done.returncode, [json.loads(line)['rule']
                                 for line in done.stdout.splitlines()]

    def test_command(self):
        self.assertEqual(self.command(), (0, []))
        where = "tx_id = '%s'" % self.seals['O']['tx_id']
        self.session.ask(OFF + 'UPDATE scim_audit.events SET outcome = '
                         "'failure' WHERE %s;" % where)
        self.assertEqual(self.command(), (1, ['entry_mismatch']))
        self.session.ask("UPDATE scim_audit.events SET outcome = 'success'"
                         ' WHERE %s;' % where + ON)
        self.assertEqual(self.command(), (0, []))


VKEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
SIGNATURE = ("E'\\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ON"
             "ncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\\n'")
TREES = 'two_trees'
TREE_TABLES = ('log_origins', 'log_keys', 'checkpoints', 'checkpoint_spans',
               'tiles', 'checkpoint_notes')

# What is done to the log or its tree, and the rules that are found broken.
TREE_CASES = [
    ("UPDATE scim_audit.checkpoints SET root = sha256('') WHERE size > 300;", 'checkpoint_mismatch'),
    ("UPDATE scim_audit.checkpoints SET root = '\\x00' WHERE size < 300;", 'checkpoint_mismatch'),
    ("UPDATE scim_audit.tiles SET hashes = overlay(hashes PLACING sha256('') FROM 33) WHERE level = 0;",
     'checkpoint_tile checkpoint_tile'),
    ("UPDATE scim_audit.tiles SET hashes = sha256('') WHERE level = 1;", 'checkpoint_tile'),
    ("UPDATE scim_audit.tiles SET hashes = substr(hashes, 1, 64) WHERE level = 0 AND index = 0;", 'checkpoint_tile'),
    ("DELETE FROM scim_audit.tiles;", 'checkpoint_tile checkpoint_tile checkpoint_tile'),
    ("DELETE FROM scim_audit.tiles; UPDATE scim_audit.events SET leaf_hash = sha256('') WHERE event_type = 'test.a' AND n = 0;",
     'checkpoint_mismatch entry_mismatch'),
    ("DELETE FROM scim_audit.checkpoints WHERE size < 300;", 'checkpoint_missing checkpoint_missing'),
    ("DELETE FROM scim_audit.checkpoints;", 'checkpoint_missing checkpoint_missing checkpoint_missing checkpoint_missing'),
    ("UPDATE scim_audit.checkpoint_notes SET note = 'x' || note;", 'checkpoint_missing'),
    ("UPDATE scim_audit.checkpoint_spans SET to_seq = to_seq - 1 WHERE first = 0;", 'checkpoint_place'),
    ("UPDATE scim_audit.checkpoint_spans SET first = first + 1 WHERE first > 300;", 'checkpoint_place checkpoint_place'),
    ("UPDATE scim_audit.checkpoint_spans SET head = sha256('') WHERE first = 0;", 'checkpoint_seal'),
    ("UPDATE scim_audit.checkpoint_spans SET to_seq = to_seq + 5 WHERE first > 300;", 'checkpoint_rewound'),
    ("DELETE FROM scim_audit.checkpoints WHERE size > 300;", 'checkpoint_missing checkpoint_missing'),
    ("DELETE FROM scim_audit.checkpoint_spans;", ''),
    ("UPDATE scim_audit.events SET leaf_hash = sha256('') WHERE event_type = 'test.c';", 'checkpoint_mismatch entry_mismatch'),
    ("UPDATE scim_audit.events SET actor = 'x' WHERE event_type = 'test.c';", 'entry_mismatch'),
    ("DELETE FROM scim_audit.events WHERE event_type = 'test.c';", 'event_missing'),
    ("DELETE FROM scim_audit.log_origins;", ''),
    ("UPDATE scim_audit.events SET detail = '{\"origin\":\"o''x\",\"size\":1}' WHERE event_type = 'log.checkpoint';",
     'detail_mismatch detail_mismatch detail_mismatch detail_mismatch'),
    ("", ''),
]


class TwoTrees(unittest.TestCase):
    """The log against its checkpoints."""

    @classmethod
    def setUpClass(cls):
        run('DROP DATABASE IF EXISTS %s WITH (FORCE)' % TREES, 'postgres')
        run('CREATE DATABASE %s' % TREES, 'postgres')
        # One session, so that all is in one chain.
        cls.session = Psql(TREES)
        cls.session.ask('CREATE EXTENSION scim_audit CASCADE;')
        event = "SELECT count(scim_audit.log_event('admin', 'test', 'test.%s', NULL, NULL, NULL, NULL)::text) FROM generate_series(1, %d)"
        for sql in ("SELECT scim_audit.set_log_origin('example.com/foo', '{%s}')" % VKEY, event % ('a', 3),
                    'SELECT scim_audit.checkpoint()',
                    "SELECT scim_audit.publish_checkpoint(scim_audit.checkpoint_note() || %s)" % SIGNATURE,
                    event % ('b', 300), 'SELECT scim_audit.checkpoint()', event % ('c', 1), 'SELECT scim_audit.checkpoint()'):
            cls.session.ask(sql + ';')

    @classmethod
    def tearDownClass(cls):
        cls.session.__exit__()

    def both(self, sql):
        ask = self.session.ask
        ask('BEGIN; SET LOCAL search_path = pg_catalog;' + OFF + ''.join(
            'ALTER TABLE scim_audit.%s DISABLE TRIGGER USER;' % table for table in TREE_TABLES) + sql)
        configurations = av.Configurations()
        found = list(av.check_transactions(
            iter(self.session.rows('events', av.EVENT_COLUMNS, 'tx_id, n, leaf_hash')),
            iter(self.session.rows('seals', av.SEAL_COLUMNS, 'tx_id, chain, seq, hash')), configurations))
        found += av.check_chains(iter(self.session.rows('seals', av.SEAL_COLUMNS, 'chain, seq, tx_id, hash')), configurations)
        found += av.check_trees(self.session.read)
        theirs = [tuple(json.loads(line)) for line in ask(
            'SELECT json_build_array(rule, chain, seq, tx_id, n) FROM scim_audit.verify();')]
        ask('ROLLBACK;')
        key = str
        return sorted(theirs, key=key), sorted((tuple(one)[:5] for one in found), key=key)

    def test_cases(self):
        for sql, rules in TREE_CASES:
            with self.subTest(sql):
                theirs, ours = self.both(sql)
                self.assertEqual(' '.join(one[0] for one in theirs), rules, 'verify()')
                self.assertEqual(ours, theirs, 'audit_verifier.py')

    def test_command(self):
        def command():
            done = subprocess.run([sys.executable, VERIFIER, TREES], capture_output=True, text=True, check=False)
            self.assertEqual(done.stderr, '')
            return done.returncode, [json.loads(line)['rule'] for line in done.stdout.splitlines()]
        self.assertEqual(command(), (0, []))
        self.session.ask("ALTER TABLE scim_audit.tiles DISABLE TRIGGER USER; CREATE TEMP TABLE kept AS SELECT * FROM scim_audit.tiles;"
                         " DELETE FROM scim_audit.tiles WHERE level = 1;")
        self.assertEqual(command(), (1, ['checkpoint_tile']))
        self.session.ask("INSERT INTO scim_audit.tiles SELECT * FROM kept WHERE level = 1;"
                         " ALTER TABLE scim_audit.tiles ENABLE ALWAYS TRIGGER guard_row; ALTER TABLE scim_audit.tiles ENABLE ALWAYS TRIGGER guard_truncate;")
        self.assertEqual(command(), (0, []))


if __name__ == '__main__':
    unittest.main()
