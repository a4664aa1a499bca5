"""scripts/setup and scripts/run with stand-ins for apt, sudo and the build: test_scripts.py ROOT"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(sys.argv.pop(1)).resolve()

INSTALLED = 'shift 2; for name; do printf "installed:%s " "$name"; done'
ALL_BUT_CMAKE = 'shift 2; for name; do [ "$name" = cmake ] || printf "installed:%s " "$name"; done'


class Script(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="a folder with spaces ")
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        (self.root / "bin").mkdir()
        (self.root / "scripts").mkdir()
        for tool in ("sh", "env", "mktemp", "rm", "cat", "dirname", "printf"):
            (self.root / "bin" / tool).symlink_to(shutil.which(tool))

    def stub(self, name, body):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def run_script(self, name, *arguments, cwd=None):
        shutil.copy(ROOT / "scripts" / name, self.root / "scripts" / name)
        environment = {"PATH": str(self.root / "bin"), "LOG": str(self.root / "log"), "HOME": os.environ.get("HOME", "/")}
        return subprocess.run([self.root / "scripts" / name, *arguments], env=environment, cwd=cwd or "/",
                              capture_output=True, text=True, check=False)

    def log(self):
        path = self.root / "log"
        return path.read_text().splitlines() if path.exists() else []


class Setup(Script):
    def setUp(self):
        super().setUp()
        self.stub("bin/dpkg-query", ALL_BUT_CMAKE)
        self.stub("bin/id", "echo 0")
        self.stub("bin/apt-get", 'echo "apt-get $*" >>"$LOG"')

    def test_does_nothing_when_all_is_there(self):
        self.stub("bin/dpkg-query", INSTALLED)
        run = self.run_script("setup")
        self.assertEqual((0, "", ""), (run.returncode, run.stdout, run.stderr))
        self.assertEqual([], self.log())

    def test_brings_mpi_only_when_asked(self):
        self.stub("bin/dpkg-query", "true")
        self.run_script("setup")
        self.run_script("setup", "--mpi")
        without, asked = self.log()
        self.assertNotIn("openmpi", without)
        self.assertEqual(without + " libopenmpi-dev openmpi-bin", asked)
        self.assertEqual(2, self.run_script("setup", "--nonsense").returncode)

    def test_installs_what_is_missing_and_says_so(self):
        run = self.run_script("setup")
        self.assertEqual((0, ""), (run.returncode, run.stdout))
        self.assertIn("setup: installing with apt: cmake\n", run.stderr)
        self.assertEqual(1, len(self.log()))
        self.assertTrue(self.log()[0].endswith("install --no-install-recommends cmake"), self.log())

    def test_uses_sudo_when_not_root(self):
        self.stub("bin/id", "echo 1000")
        self.stub("bin/sudo", 'echo sudo >>"$LOG"; exec "$@"')
        run = self.run_script("setup")
        self.assertEqual(0, run.returncode, run.stderr)
        self.assertIn("installing with apt (sudo): cmake", run.stderr)
        self.assertEqual("sudo", self.log()[0])

    def test_without_root_and_sudo_says_what_to_run(self):
        self.stub("bin/id", "echo 1000")
        run = self.run_script("setup")
        self.assertEqual(1, run.returncode)
        self.assertIn("as root, run: apt-get install cmake", run.stderr)

    def test_without_apt_names_the_packages(self):
        (self.root / "bin" / "apt-get").unlink()
        run = self.run_script("setup")
        self.assertEqual(1, run.returncode)
        self.assertIn("no apt-get here to install them: cmake", run.stderr)

    def test_updates_the_lists_only_if_installing_fails(self):
        self.stub("bin/apt-get", 'echo "$*" >>"$LOG"; case $* in *update) >"$LOG.updated";; *) [ -e "$LOG.updated" ];; esac')
        run = self.run_script("setup")
        self.assertEqual(0, run.returncode, run.stderr)
        self.assertIn("updating apt's package lists", run.stderr)
        self.assertEqual(["install", "update", "install"],
                         [next(word for word in ("install", "update") if word in line.split()) for line in self.log()])

    def test_shows_what_apt_said_when_it_fails(self):
        self.stub("bin/apt-get", 'echo "E: Unable to locate package"; exit 100')
        run = self.run_script("setup")
        self.assertEqual(1, run.returncode)
        self.assertIn("E: Unable to locate package", run.stderr)
        self.assertIn("apt could not install: cmake", run.stderr)


class Run(Script):
    def setUp(self):
        super().setUp()
        self.stub("scripts/build", 'echo "build $*" >>"$LOG"')
        self.stub("build/release/graphrun", 'pwd; for argument; do printf "<%s>" "$argument"; done; exit 6')

    def test_arguments_directory_and_exit_code_are_kept(self):
        run = self.run_script("run", "train", "a b", "", "*", cwd=self.root / "bin")
        self.assertEqual((6, f"{self.root / 'bin'}\n<train><a b><><*>"), (run.returncode, run.stdout))
        self.assertEqual(["build graphrun_cli"], self.log())

    def test_no_argument_means_the_stacked_autoencoder(self):
        run = self.run_script("run")
        self.assertEqual(f"/\n<{self.root}/models/stacked_ae.yaml>", run.stdout)

    def test_a_failed_build_runs_nothing(self):
        self.stub("scripts/build", "exit 1")
        run = self.run_script("run")
        self.assertEqual((1, ""), (run.returncode, run.stdout))


if __name__ == "__main__":
    unittest.main()
