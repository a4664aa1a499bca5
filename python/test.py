"""Tests the Python package as its users have it: test.py BUILD_DIR [LIBRARY] [PYTEST_ARGUMENT...]

Makes a venv in the build folder with what comes from PyPI, installs the package into it by pip, and runs python/tests.
With LIBRARY, a libgraphrun.so that was built from this tree, only the module is compiled. Exits 77, which ctest takes for
skipped, only where PyPI cannot be reached.
"""

import os
import pathlib
import subprocess
import sys

SKIPPED = 77
ROOT = pathlib.Path(__file__).resolve().parent.parent
# Name on PyPI -> module.
PACKAGES = {
    "scikit-build-core": "scikit_build_core",
    "nanobind": "nanobind",
    "numpy": "numpy",
    "pytest": "pytest",
    "scikit-learn": "sklearn",
}
UNREACHABLE = ("NewConnectionError", "Temporary failure in name resolution", "ConnectTimeout", "Network is unreachable")


def has_packages(python):
    found = subprocess.run([python, "-c", "import " + ", ".join(PACKAGES.values())], capture_output=True)
    return found.returncode == 0


def make_venv(venv):
    """The venv's interpreter, or None where PyPI cannot be reached."""
    python = venv / "bin/python"
    if python.exists() and has_packages(python):
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "2", *PACKAGES]
    installed = subprocess.run(pip, capture_output=True, text=True)
    if installed.returncode == 0:
        return python
    sys.stderr.write(installed.stderr)
    if any(reason in installed.stderr for reason in UNREACHABLE):
        return None
    sys.exit(1)


def install(python, build, library):
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-build-isolation", "--no-deps"]
    command += ["--force-reinstall", f"--config-settings=build-dir={build / 'python'}"]
    if library:
        command.append(f"--config-settings=cmake.define.GRAPHRUN_LIBRARY={library}")
    subprocess.run([*command, ROOT], check=True)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    library = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
    python = make_venv(build / "venv-python")
    if python is None:
        print("PyPI cannot be reached")
        return SKIPPED
    install(python, build, library)
    # Where no folder graphrun is: what is tested is what is installed.
    tests = ROOT / "python/tests"
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests, *sys.argv[3:]]
    return subprocess.run(command, cwd=build, env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1")).returncode


if __name__ == "__main__":
    sys.exit(main())
