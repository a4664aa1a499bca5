"""Event files of real runs, read back independently: test_events.py ROOT COMMAND"""

import csv
import pathlib
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import event_reader

COMMAND = pathlib.Path(sys.argv.pop()).resolve()
ROOT = pathlib.Path(sys.argv.pop()).resolve()
# Of 1,000 images: 8 steps an epoch.
SMALL = ["--set", "hidden=[16]", "--set", "train.batch=125", "--set", "train.epochs=3"]


def small_model():
    """The lecture's model over the 1,000 and 200 images of the repository."""
    data = ROOT / "data" / "fashion_mnist_1200"
    files = ", ".join(
        f"{split}: {{images: {data}/{prefix}-images-idx3-ubyte.gz, labels: {data}/{prefix}-labels-idx1-ubyte.gz}}"
        for split, prefix in (("train", "train"), ("test", "t10k")))
    return (ROOT / "models" / "autoencoder.yaml").read_text().replace("data: fashion_mnist", f"data: {{{files}}}")


def graphrun(*words):
    result = subprocess.run([COMMAND, *words, "-q"], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise AssertionError(f"exit {result.returncode}: {result.stderr}")
    return result


def as_f32(text):
    return struct.unpack("<f", struct.pack("<f", float(text)))[0]


class Events(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.run_folder = pathlib.Path(folder.name) / "run"
        self.model = pathlib.Path(folder.name) / "model.yaml"
        self.model.write_text(small_model())

    def train(self, *words):
        graphrun("train", self.model, "--out", self.run_folder, *SMALL, *words)

    def shown(self, split):
        return event_reader.folder_events(self.run_folder / "tensorboard" / split)

    def files(self, split):
        return sorted((self.run_folder / "tensorboard" / split).iterdir())

    def check_scalars(self, split):
        """Every figure of metrics.csv is there, at its step, and nothing else."""
        with open(self.run_folder / "metrics.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        expected = [(int(row["step"]), name.removeprefix(f"{split}."), as_f32(cell))
                    for row in rows for name, cell in row.items() if name.startswith(f"{split}.") and cell]
        written = [(event["step"], tag, value) for event in self.shown(split)
                   for tag, value in event["values"].items() if isinstance(value, float)]
        self.assertEqual(expected, written)
        self.assertGreaterEqual(len({step for step, _, _ in written}), 3)

    def check_pictures(self):
        pictures = [(event["step"], tag, value) for event in self.shown("test")
                    for tag, value in event["values"].items() if isinstance(value, dict)]
        steps = [step for step, tag, _ in pictures if tag == "reconstruction"]
        self.assertEqual(sorted(set(steps)), steps)
        self.assertEqual(3, len(steps))
        self.assertLessEqual({"reconstruction", "codes", "grid", "curves"}, {tag for _, tag, _ in pictures})
        for _, tag, picture in pictures:
            width, height = struct.unpack(">II", picture["png"][16:24])
            self.assertEqual((width, height), (picture["width"], picture["height"]), tag)
            self.assertEqual({0: 1, 2: 3}[picture["png"][25]], picture["colorspace"], tag)
        newest = max((self.run_folder / "images").glob("reconstruction-*.png"))
        self.assertEqual(newest.read_bytes(), [value for _, tag, value in pictures if tag == "reconstruction"][-1]["png"])

    def test_a_run_writes_its_figures_and_pictures(self):
        before = time.time()
        self.train("--tensorboard")
        for split in ("train", "test"):
            self.check_scalars(split)
            events = event_reader.events(self.files(split)[0])
            self.assertEqual("brain.Event:2", events[0]["version"])
            for event in events:
                self.assertTrue(before <= event["time"] <= time.time())
        self.check_pictures()

    def test_a_resumed_run_goes_on_in_a_new_file(self):
        self.train("--tensorboard", "--max-steps", "16")
        first = self.files("test")[0].read_bytes()
        graphrun("train", "--resume", self.run_folder, "--tensorboard")
        self.assertEqual(2, len(self.files("test")))
        self.assertEqual(first, self.files("test")[0].read_bytes())
        for split in ("train", "test"):
            self.check_scalars(split)

    def test_steps_that_are_done_again_count_once(self):
        self.train("--tensorboard", "--max-steps", "16")
        # The run went on to step 16, and lost its newest checkpoint.
        max((self.run_folder / "checkpoints").iterdir()).unlink()
        graphrun("train", "--resume", self.run_folder, "--tensorboard")
        for split in ("train", "test"):
            self.check_scalars(split)

    def test_without_the_flag_there_is_nothing(self):
        self.train("--max-steps", "8")
        self.assertFalse((self.run_folder / "tensorboard").exists())


class Reader(unittest.TestCase):
    """The reader itself sees damage."""

    def test_known_checksums(self):
        self.assertEqual(0xE3069283, event_reader.crc32c(b"123456789"))
        self.assertEqual(0x8A9136AA, event_reader.crc32c(bytes(32)))

    def test_damage_is_found(self):
        length = struct.pack("<Q", 3)
        masked = [event_reader.masked(event_reader.crc32c(part)) for part in (length, b"abc")]
        good = length + struct.pack("<I", masked[0]) + b"abc" + struct.pack("<I", masked[1])
        self.assertEqual([b"abc"], list(event_reader.records(good)))
        for at in range(len(good)):
            with self.assertRaises(ValueError):
                list(event_reader.records(good[:at] + bytes([good[at] ^ 4]) + good[at + 1:]))
        with self.assertRaises(ValueError):
            list(event_reader.records(good[:-1]))


if __name__ == "__main__":
    unittest.main()
