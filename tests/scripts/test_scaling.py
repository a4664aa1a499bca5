"""bench/peers/scaling.py: test_scaling.py ROOT PROGRAM"""

import contextlib
import io
import pathlib
import shutil
import subprocess
import sys
import unittest

PROGRAM = pathlib.Path(sys.argv.pop()).resolve()
ROOT = pathlib.Path(sys.argv.pop()).resolve()
sys.path.insert(0, str(ROOT / "bench/peers"))

import ranks_step
import scaling


def steps(each_step, a_byte):
    """Of a machine on which learning together costs just that."""
    apart = {key: 1e-4 + 4e-11 * key[1] * scaling.parameters(scaling.NETS[key[0]]) for key in scaling.FITTED}
    together = {key: seconds + each_step + a_byte * 4 * scaling.parameters(scaling.NETS[key[0]])
                for key, seconds in apart.items()}
    return apart, together


def fit(apart, together):
    """What is said of these bests, and the verdict; the other epochs take a tenth more."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        holds = scaling.print_fit(*({key: [1.1 * seconds, seconds, 1.1 * seconds] for key, seconds in of.items()}
                                    for of in (apart, together)))
    return holds, said.getvalue()


class Scaling(unittest.TestCase):
    def test_the_tables_are_those_of_the_guide(self):
        made = subprocess.run([sys.executable, ROOT / "bench/peers/scaling.py"], capture_output=True, text=True, check=True)
        guide = (ROOT / "docs/scaling.md").read_text()
        rows = [line for line in made.stdout.splitlines() if line.startswith("|")]
        self.assertEqual(len(rows), 22)
        for row in rows:
            self.assertIn(row, guide)

    def test_costs_are_found_again(self):
        holds, said = fit(*steps(2e-4, 1e-9))
        self.assertTrue(holds)
        self.assertIn("takes two processes 200 us a step and 1.00 ns a byte", said)
        self.assertIn("foretold within 0 %", said)
        self.assertIn("10 % at most", said)
        self.assertNotIn("not quiet", said)

    def test_what_the_model_adds_is_said(self):
        _, said = fit(*steps(0, 0))
        self.assertIn("if learning together cost nothing, within 0 %", said)
        apart, together = steps(0, 0)
        together["S", 128] = apart["S", 128] / 0.6
        _, said = fit(apart, together)
        self.assertIn("if learning together cost nothing, within 40 %", said)

    def test_no_cost_is_less_than_nothing(self):
        _, said = fit(*steps(-1e-4, 1e-9))
        self.assertIn(" 0 us a step", said)

    def test_a_measurement_that_is_off_is_a_verdict(self):
        apart, together = steps(2e-4, 1e-9)
        together["S", 128] *= 2
        holds, _ = fit(apart, together)
        self.assertFalse(holds)

    def test_a_cost_that_grows_with_the_rows_is_not_foretold(self):
        apart, together = steps(2e-4, 1e-9)
        together = {key: 2 * seconds for key, seconds in together.items()}
        holds, _ = fit(apart, together)
        self.assertFalse(holds)

    def test_a_machine_that_is_not_quiet_is_said_to_be_so(self):
        apart, together = ({key: [seconds, 1.3 * seconds, 1.4 * seconds] for key, seconds in of.items()}
                           for of in steps(2e-4, 1e-9))
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            scaling.print_fit(apart, together)
        self.assertIn("30 % at most\nthe machine was not quiet", said.getvalue())

    def test_epochs_but_the_first_are_timed(self):
        seconds = ranks_step.seconds_of_epochs(PROGRAM, [784, 8, 2], 16, 1, steps=3, epochs=4)
        self.assertEqual(len(seconds), 3)
        self.assertGreater(min(seconds), 0)

    @unittest.skipIf(shutil.which("mpirun") is None, "there is no mpirun")
    def test_processes_side_by_side_learn_alone(self):
        seconds = ranks_step.seconds_side_by_side(PROGRAM, [784, 8, 2], 16, 2, steps=3, epochs=4)
        self.assertEqual(len(seconds), 2)
        self.assertGreater(min(seconds), 0)


if __name__ == "__main__":
    unittest.main()
