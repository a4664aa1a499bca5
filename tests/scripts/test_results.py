"""scripts/results on the images of the repository: test_results.py ROOT PROGRAM"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(sys.argv.pop()).resolve()
ROOT = pathlib.Path(sys.argv.pop()).resolve()


class Results(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = pathlib.Path(folder.name, "work")
        self.page = pathlib.Path(folder.name, "results.md")

    def results(self, *words):
        return subprocess.run([sys.executable, ROOT / "scripts/results", "--program", PROGRAM, "--work", self.work, "--out",
                               self.page, "--subset", *words], capture_output=True, text=True, check=False)

    def test_a_row_is_learnt_measured_and_kept(self):
        run = self.results("lecture")
        self.assertIn("lecture ", run.stdout, run.stderr)
        self.assertIn("results: graphrun models/autoencoder.yaml\n", run.stderr)
        self.assertIn("results.md is not written yet; rows that are missing: stacked,", run.stderr)
        self.assertTrue((self.work / "lecture_grid.png").exists())
        kept = json.loads((self.work / "lecture.json").read_text())
        self.assertGreater(kept["seconds"], 0)
        again = self.results("lecture", "--unfinished")
        self.assertEqual(run.stdout, again.stdout)
        self.assertNotIn("results: graphrun", again.stderr)
        self.assertIn("*not run yet*", self.page.read_text())
        self.assertTrue((self.page.parent / "images/lecture_grid.png").exists())

    def test_a_run_that_was_stopped_goes_on(self):
        whole = self.results("lecture").stdout
        record = self.work / "lecture.json"
        kept = json.loads(record.read_text())
        newest = sorted((self.work / "lecture/checkpoints").iterdir())[-1]
        newest.unlink()
        del kept["result"]
        record.write_text(json.dumps(kept))
        self.assertEqual(whole, self.results("lecture").stdout)

    def test_a_run_that_another_call_is_at_stays(self):
        self.work.mkdir()
        (self.work / "linear").mkdir()
        (self.work / "linear.json").write_text(json.dumps({"command": "graphrun models/linear_ae.yaml", "seconds": 0}))
        self.results("--program", "/bin/true", "mnist")
        self.assertTrue((self.work / "linear").exists())

    def test_a_figure_that_misses_its_target_is_said_to(self):
        run = self.results("linear")  # a thousand images are too few
        self.assertEqual(1, run.returncode)
        self.assertIn("MISSED", run.stdout)

    def test_the_page_has_every_row_and_says_what_missed(self):
        figures = {"reconstruction": 0.012, "loss": 0.5, "psnr": 20.0, "psnr_noisy": 10.0, "bce": 230.0, "kl": 15.0,
                   "accuracy": 0.7}
        phase = lambda name: {"name": name, "test": figures, "confidence95": {"accuracy": 0.01}}
        result = {"test": figures, "knn": 0.7, "distance": 12.0, "floor": 1.0, "gradients": [{"ok": True}],
                  "phases": [phase(name) for name in ("scratch", "plain", "denoising")],
                  "differences": [{"of": of, "minus": minus, **phase("")}
                                  for of, minus in (("plain", "scratch"), ("denoising", "plain"))]}
        program = self.work.parent / "graphrun"
        program.write_text(f"#!/bin/sh\necho '{json.dumps(result)}'\n")
        program.chmod(0o755)
        run = self.results("--program", program)
        self.assertEqual(1, run.returncode, run.stderr)
        page = self.page.read_text()
        self.assertIn("| `graphrun models/published/stacked.yaml` | ≤ 0.0132 [G] | 0.01200 |", page)
        self.assertIn("0.50000 **missed**", page)  # the loss of the sparse row
        self.assertIn("not run: MNIST was not given", page)
        self.assertEqual(len(page.split("| what |")[1].split("\n\n")[0].splitlines()) - 2,
                         len(self.results("--list").stdout.splitlines()))

    def test_a_failed_command_is_shown(self):
        run = self.results("--program", "/bin/false", "vae")
        self.assertEqual(1, run.returncode)
        self.assertIn("graphrun models/vae.yaml --seed 1: exit 1", run.stderr)


if __name__ == "__main__":
    unittest.main()
