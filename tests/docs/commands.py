"""Runs the commands of the documentation: commands.py ROOT COMMAND WORK_DIR

COMMAND is the program graphrun. In README.md and docs/*.md, a block

    ```sh
    # tested
    graphrun check models/vae.yaml
    ```

is run as one shell script that stops at the first failing command. `graphrun`, and `scripts/run` for it, is
the program that was just built; models/, data/ and examples/ are there; the blocks of one file share a
directory that is empty at first, and run in their order, as a reader would. A fenced block of another
language that follows a tested one and begins with `# printed` is what it must print: every line of it must
appear, in that order. A ```yaml block that begins with `graphrun: 1` is a whole model, and `graphrun check`
must find nothing wrong with it.

Exits 77, for skipped, if there is nothing to run.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def tested_blocks(text):
    """Yields (line, script, lines that it must print) for each tested block and whole model of a Markdown text."""
    blocks = [(text.count("\n", 0, match.start()) + 1, *match.groups()) for match in BLOCK.finditer(text)]
    for index, (line, language, body) in enumerate(blocks):
        if language == "yaml" and body.startswith("graphrun: 1"):
            yield line, f"cat >model.yaml <<'MODEL'\n{body}MODEL\ngraphrun check model.yaml\n", []
        if language != "sh" or not body.startswith("# tested"):
            continue
        printed = []
        if index + 1 < len(blocks) and blocks[index + 1][2].startswith("# printed"):
            printed = [expected for expected in blocks[index + 1][2].splitlines()[1:] if expected.strip()]
        yield line, body, printed


def first_missing(expected, output):
    """The first expected line that does not appear in the output after those before it, or None."""
    lines = iter(line.strip() for line in output.splitlines())
    for wanted in expected:
        if not any(line == wanted.strip() for line in lines):
            return wanted
    return None


def prepare(root, command, work):
    """An empty directory as a reader's: the bundled files, and the program under both its names."""
    shutil.rmtree(work, ignore_errors=True)
    (work / "bin").mkdir(parents=True)
    (work / "bin" / "graphrun").symlink_to(command)
    (work / "scripts").mkdir()
    (work / "scripts" / "run").symlink_to(command)
    for folder in ("models", "data", "examples"):
        if (root / folder).is_dir():
            (work / folder).symlink_to(root / folder)
    return {**os.environ, "PATH": f"{work / 'bin'}:{os.environ['PATH']}", "HOME": str(work),
            "XDG_CACHE_HOME": str(work / "cache")}


def run_block(script, printed, work, environment):
    """Runs one block; what went wrong, or None."""
    run = subprocess.run(["sh", "-eu", "-c", script], cwd=work, env=environment, stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, timeout=300, check=False)
    if run.returncode != 0:
        return f"exit {run.returncode}\n{script}{run.stdout}{run.stderr}"
    if missing := first_missing(printed, run.stdout):
        return f"did not print `{missing}`\n{script}{run.stdout}"
    return None


def main():
    root, command, work = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    ran = failed = 0
    for page in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        blocks = list(tested_blocks(page.read_text(encoding="utf-8"))) if page.exists() else []
        if blocks:
            environment = prepare(root, command, work)
        for line, script, printed in blocks:
            ran += 1
            fault = run_block(script, printed, work, environment)
            print(f"{page.relative_to(root)}:{line}: {fault or 'ok'}", flush=True)
            failed += fault is not None
    if not ran:
        print("skipped: no block of the documentation is marked as tested")
        return 77
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
