"""What is marked as tested in a document must be found, run, and believed only if it prints what it says."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
from commands import first_missing, prepare, run_block, tested_blocks

PAGE = """# A page
```sh
echo not marked
```
```sh
# tested
echo first; echo second
```
```text
# printed
second
```
```sh
# tested
false
```
```yaml
graphrun: 1
```
"""


class Commands(unittest.TestCase):
    def test_finds_marked_blocks(self):
        blocks = list(tested_blocks(PAGE))
        self.assertEqual([5, 13, 17], [line for line, _, _ in blocks])
        self.assertIn("\ngraphrun: 1\nMODEL\ngraphrun check ", "\n" + blocks[2][1])
        self.assertEqual([["second"], [], []], [printed for _, _, printed in blocks])

    def test_order_of_what_is_printed(self):
        self.assertIsNone(first_missing(["a", "c"], "a\nb\nc\n"))
        self.assertEqual("a", first_missing(["c", "a"], "a\nb\nc\n"))

    def test_runs_and_sees_failure(self):
        with tempfile.TemporaryDirectory() as folder:
            work = pathlib.Path(folder, "work")
            environment = prepare(pathlib.Path(folder), pathlib.Path("/bin/echo"), work)
            self.assertIsNone(run_block("graphrun a\n", ["a"], work, environment))
            self.assertIsNone(run_block("scripts/run b\n", ["b"], work, environment))
            self.assertIn("did not print", run_block("graphrun a\n", ["b"], work, environment))
            self.assertIn("exit 1", run_block("false\ntrue\n", [], work, environment))


if __name__ == "__main__":
    unittest.main()
