#!/usr/bin/env python3
"""The examples of docs/audit-log.md: every hash on the page, computed from the page.

They must also be the golden entries that pin the format in C
(test/unit/golden_entries.json), all of them.
"""
import hashlib
import json
import pathlib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "audit-log.md"
GOLDEN = ROOT / "test" / "unit" / "golden_entries.json"


def blocks():
    """The fenced blocks of section 8, each a dict of its lines by their first word."""
    section = PAGE.read_text(encoding="utf-8").split("\n## 9.", 1)[1]
    for block in section.split("\n```\n")[1::2]:
        yield dict(line.split(None, 1) for line in block.split("\n"))


def sha256(*pieces):
    return hashlib.sha256(b"".join(pieces)).hexdigest()


class Page(unittest.TestCase):
    def setUp(self):
        self.events = [b for b in blocks() if "entry" in b]
        self.seals = [b for b in blocks() if "seal" in b]

    def test_leaves(self):
        for event in self.events:
            self.assertEqual(sha256(b"\0", event["entry"].encode()), event["leaf"])

    def test_details(self):
        for event in self.events:
            entry = json.loads(event["entry"])
            self.assertEqual("detail" in event, "detail_hash" in entry and "salt" in event)
            if "detail" in event:
                self.assertEqual(sha256(bytes.fromhex(event["salt"]), event["detail"].encode()),
                                 entry["detail_hash"])

    def test_links(self):
        leaves = {}
        for event in self.events:
            entry = json.loads(event["entry"])
            before = leaves.setdefault(entry["tx_id"], [])
            self.assertEqual(entry["n"], len(before))
            self.assertEqual(entry["prev_hash"], before[-1] if before else "00" * 32)
            before.append(event["leaf"])
        heads = {}
        for seal in self.seals:
            entry = json.loads(seal["seal"])
            seq, head = heads.get(entry["chain"], (0, "00" * 32))
            self.assertEqual((entry["seq"], entry["prev_hash"]), (seq + 1, head))
            self.assertEqual((entry["events"], entry["last_leaf"]),
                             (len(leaves[entry["tx_id"]]), leaves[entry["tx_id"]][-1]))
            self.assertEqual(sha256(b"\2", seal["seal"].encode()), seal["hash"])
            heads[entry["chain"]] = (entry["seq"], seal["hash"])

    def test_golden(self):
        golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
        self.assertEqual([(e["entry"], e["leaf"]) for e in self.events],
                         [(e["entry"], e["leaf_hash"]) for e in golden["events"]])
        self.assertEqual([(s["seal"], s["hash"]) for s in self.seals],
                         [(s["entry"], s["hash"]) for s in golden["seals"]])
        self.assertEqual((len(self.events), len(self.seals)), (10, 4))


if __name__ == "__main__":
    unittest.main()
