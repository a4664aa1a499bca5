"""A library like those that hosts bring along: poison.py NM SOURCE LIBRARY...

Writes assembler for a shared library that defines whatever the given libraries export under names of their own, as another
version of them would: its functions say that they were called by mistake and abort, its data are zeros.
"""

import re
import subprocess
import sys

OWN = re.compile(r"dnnl|YAML|fmt")
HEADER = """\
  .text
  .type poison, @function
poison:
  leaq message(%rip), %rsi
  movl $2, %edi
  movl $length, %edx
  movl $1, %eax
  syscall
  call abort@PLT
  .section .rodata
message: .ascii "bound to the host's library\\n"
  .set length, . - message
  .section .note.GNU-stack, "", @progbits
"""
FUNCTION = "  .text\n  .globl {0}\n  .type {0}, @function\n{0}: jmp poison\n"
DATA = "  .data\n  .globl {0}\n  .type {0}, @object\n  .size {0}, 512\n{0}: .zero 512\n"


def exported(nm, library):
    """Names and kinds (as `nm` prints them) of what the library itself is about."""
    lines = subprocess.run([nm, "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    symbols = [line.split()[-2:] for line in lines.splitlines()]
    return [(name.split("@")[0], kind) for kind, name in symbols if OWN.search(name)]


def main():
    nm, source, *libraries = sys.argv[1:]
    symbols = dict(symbol for library in libraries for symbol in exported(nm, library))
    with open(source, "w", encoding="utf-8") as output:
        output.write(HEADER)
        for name, kind in sorted(symbols.items()):
            data = kind in "BDRV" or name.startswith("_ZT")
            output.write((DATA if data else FUNCTION).format(name))
    print(f"{len(symbols)} names of {len(libraries)} libraries are poisoned")


if __name__ == "__main__":
    main()
