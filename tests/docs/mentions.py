"""Every command and flag that a text of the project names is there: mentions.py ROOT COMMAND

Looks through documents, models, scripts and sources for `graphrun WORD … --flag` and asks the help of WORD.
"""

import pathlib
import re
import subprocess
import sys

SUFFIXES = {".md", ".yaml", ".cpp", ".hpp", ".py", ".sh", ".txt", ""}
FOLDERS = ("docs", "models", "scripts", "examples", "include", "language", "graph", "ops", "runtime", "autograd",
           "files", "train", "show", "bench", "api", "cli", "errors", "data")
# As far as its line, string or code goes; a comment after it and another command are none of it.
MENTION = re.compile(r"\bgraphrun ((?:[a-z]+|models/)[^\n`\"#|;&]*)")
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
WORD = re.compile(r"[a-z]+$")


def mentions(text):
    """Yields (line, command, flags) of each; a model's path stands for train."""
    for match in MENTION.finditer(text):
        first = match.group(1).split()[0]
        command = "train" if "/" in first or first.endswith(".yaml") else first
        flags = FLAG.findall(match.group(1))
        if flags and WORD.match(command):
            yield text.count("\n", 0, match.start()) + 1, command, flags


def help_of(program, command):
    asked = subprocess.run([program, command, "--help"], capture_output=True, text=True, check=False)
    return set(FLAG.findall(asked.stdout)) if asked.returncode == 0 else None


def files(root):
    yield root / "README.md"
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix in SUFFIXES:
                yield path


def main():
    root, program = pathlib.Path(sys.argv[1]), sys.argv[2]
    everywhere = help_of(program, "help") or set()
    overview = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    everywhere |= set(FLAG.findall(overview)) | {"--help", "--version"}
    known, found, wrong = {}, 0, []
    for path in files(root):
        for line, command, flags in mentions(path.read_text(encoding="utf-8", errors="ignore")):
            if command not in known:
                known[command] = help_of(program, command)
            of_command = known[command]
            for flag in flags:
                found += 1
                if of_command is None:
                    wrong.append(f"{path}:{line}: there is no command `graphrun {command}`")
                elif flag not in of_command and flag not in everywhere:
                    wrong.append(f"{path}:{line}: `graphrun {command}` has no {flag}")
    print("\n".join(wrong) or f"{found} flags are named, and all are there")
    return 1 if wrong or not found else 0


if __name__ == "__main__":
    sys.exit(main())
