"""What nvcc made of the kernels, one line for each kernel and GPU, against kernels/tests/resources.txt.

    kernel_resources.py [--update] COMPILED LAUNCHES EXPECTED

COMPILED is a folder with, for every FILE.cu and target, what ptxas -v said (FILE.cu-sm_80.log) and, where there are
disassemblers, what cuobjdump -sass said (FILE.cu-sm_80.sass); scripts/check-kernels makes it. LAUNCHES is
kernels/tests/traffic.txt, where the kernels' real launches are recorded. Exit 1 for a spill, a slow main loop, a kernel that
fits no multiprocessor or no bar, and for figures other than the expected ones; --update writes those anew.
"""

from __future__ import annotations

import argparse
import difflib
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass


# ---- names ----------------------------------------------------------------------------------------------------------


def demangled(names):
    """The C++ names of mangled ones. nvcc's hash of the file's path goes with the anonymous namespace."""
    text = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    return dict(zip(names, text.splitlines()))


def short_name(name):
    """As kernels/tests/kernel_names.h shortens what g++ calls the same kernel."""
    return name.replace("void ", "").replace("gpu::(anonymous namespace)::", "").partition("(")[0]


# ---- what ptxas says ------------------------------------------------------------------------------------------------


@dataclass
class Compiled:
    registers: int
    shared: int  # static, bytes
    spilled: int  # bytes stored and loaded


def parse_ptxas(log):
    """{mangled name: Compiled} of the output of ptxas -v."""
    kernels = {}
    name, spilled = None, 0
    for line in log.splitlines():
        if found := re.search(r"Compiling entry function '([^']*)'", line):
            name, spilled = found[1], 0
        elif found := re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", line):
            spilled = int(found[1]) + int(found[2])
        elif found := re.search(r"Used (\d+) registers", line):
            shared = re.search(r"(\d+) bytes smem", line)
            kernels[name] = Compiled(int(found[1]), int(shared[1]) if shared else 0, spilled)
    return kernels


# ---- occupancy ------------------------------------------------------------------------------------------------------


@dataclass
class Multiprocessor:
    threads: int
    blocks: int
    shared_kib: int


# CUDA C++ Programming Guide, "Technical Specifications per Compute Capability". Of all these: 65,536 registers in four parts,
# handed out 256 to a warp; shared memory 128 bytes at a time, 1 KiB of every block for the system.
MULTIPROCESSORS = {
    "sm_80": Multiprocessor(2048, 32, 164),
    "sm_86": Multiprocessor(1536, 16, 100),
    "sm_89": Multiprocessor(1536, 24, 100),
    "sm_90": Multiprocessor(2048, 32, 228),
    "sm_90a": Multiprocessor(2048, 32, 228),
    "sm_100": Multiprocessor(2048, 32, 228),
    "sm_120": Multiprocessor(1536, 24, 100),
}


def round_up(x, step):
    return (x + step - 1) // step * step


def blocks_of(target, registers, shared, threads):
    """How many blocks of such a kernel a multiprocessor holds, as cuda_occupancy.h of the toolkit computes it."""
    most = MULTIPROCESSORS[target]
    warps = round_up(threads, 32) // 32
    by_registers = 4 * (65536 // 4 // round_up(32 * registers, 256)) // warps
    by_shared = most.shared_kib * 1024 // round_up(shared + 1024, 128)
    return min(most.blocks, most.threads // (32 * warps), by_registers, by_shared)


def parse_launches(text):
    """{kernel: {(threads, dynamic shared bytes)}} of the lines of kernels/tests/traffic.txt."""
    launches = {}
    for line in text.splitlines():
        if found := re.match(r"(.+?) \[.*\]: (\d+) threads, (\d+) bytes;", line):
            launches.setdefault(found[1], set()).add((int(found[2]), int(found[3])))
    return launches


# ---- main loops -----------------------------------------------------------------------------------------------------


@dataclass
class Instruction:
    address: int
    opcode: str  # "LDG.E.128"
    guarded: bool  # executed under a predicate, or a branch that depends on one
    target: int | None  # of a branch


def parse_sass(text):
    """{mangled name: [Instruction]} of the output of cuobjdump -sass."""
    functions = {}
    code = None
    for line in text.splitlines():
        if found := re.search(r"Function : (\S+)", line):
            code = functions.setdefault(found[1], [])
        elif found := re.match(r"\s+/\*([0-9a-f]+)\*/\s+(@!?\w+\s+)?([A-Z][\w.]*)([^;]*);", line):
            address, guard, opcode, operands = found.groups()
            operands = re.split(r"\s[&?]", operands)[0]  # what Blackwell waits for follows them: "&req={1} ?trans5"
            target = re.search(r"(0x[0-9a-f]+)\s*$", operands) if opcode.startswith("BRA") else None
            guarded = guard is not None or (target is not None and "," in operands)
            code.append(Instruction(int(address, 16), opcode, guarded, int(target[1], 16) if target else None))
    return functions


class IndirectBranch(ValueError):
    """A jump through a register: where it leads, and so which loops there are, is not in the instruction."""


def basic_blocks(code):
    """Ranges of instructions that run from end to end, and the numbers of each one's successors."""
    place = {instruction.address: i for i, instruction in enumerate(code)}
    ends = ("BRA", "EXIT", "RET", "BRX", "JMX")
    leaders = {0} | {place[i.target] for i in code if i.target is not None}
    leaders |= {i + 1 for i, instruction in enumerate(code) if instruction.opcode.startswith(ends)}
    starts = sorted(leader for leader in leaders if leader < len(code))
    blocks = [range(start, end) for start, end in zip(starts, starts[1:] + [len(code)])]
    number = {block[0]: i for i, block in enumerate(blocks)}
    successors = []
    for i, block in enumerate(blocks):
        last = code[block[-1]]
        if last.opcode.startswith(("BRX", "JMX")):
            raise IndirectBranch(f"an indirect branch at {last.address:#x}: its loops are not known")
        goes_on = last.guarded or not last.opcode.startswith(ends)
        after = {i + 1} if goes_on and i + 1 < len(blocks) else set()
        successors.append(after | ({number[place[last.target]]} if last.target is not None else set()))
    return blocks, successors


def dominators(successors):
    """For each block the set of those that every way to it goes through; empty if there is no way."""
    reached, waiting = {0}, [0]
    while waiting:
        fresh = successors[waiting.pop()] - reached
        reached |= fresh
        waiting.extend(fresh)
    predecessors = {block: {p for p in reached if block in successors[p]} for block in reached}
    dominating = {block: reached for block in reached} | {0: {0}}
    changed = True
    while changed:
        changed = False
        for block in sorted(reached - {0}):
            now = set.intersection(*(dominating[p] for p in predecessors[block])) | {block}
            changed |= now != dominating[block]
            dominating[block] = now
    return [dominating.get(block, set()) for block in range(len(successors))], predecessors


def loops_of(code):
    """The natural loops, each a frozenset of places in `code`: those of one header are one loop."""
    blocks, successors = basic_blocks(code)
    dominating, predecessors = dominators(successors)
    bodies = {}
    for block, after in enumerate(successors):
        for header in after & dominating[block]:
            body = bodies.setdefault(header, {header})
            waiting = [block]
            while waiting:
                one = waiting.pop()
                if one not in body:
                    body.add(one)
                    waiting.extend(predecessors[one])
    return [frozenset(i for block in body for i in blocks[block]) for body in bodies.values()]


# Tensor cores, ldmatrix, asynchronous copies, wide loads, local memory.
COUNTED = {
    "HMMA": r"HMMA",
    "IMMA": r"IMMA",
    "GMMA": r"[HI]GMMA",
    "LDSM": r"LDSM",
    "LDGSTS": r"LDGSTS",
    "LDG.128": r"LDG\b.*\.128",
    "LDL": r"LDL",
    "STL": r"STL",
}


MATRIX_PRODUCTS = ("HMMA", "IMMA", "HGMMA", "IGMMA")


def counts_of(instructions):
    return {name: sum(1 for i in instructions if re.match(pattern, i.opcode)) for name, pattern in COUNTED.items()}


def main_loop(code):
    """The instructions of the loop where the time goes: of the innermost with tensor cores that with the most of them, else
    of the innermost the longest. Empty if there is no loop."""

    def tensor(loop):
        return sum(1 for i in loop if code[i].opcode.startswith(MATRIX_PRODUCTS))

    loops = loops_of(code)
    with_tensor = [loop for loop in loops if tensor(loop)]
    among = with_tensor or loops
    innermost = [loop for loop in among if not any(other < loop for other in among)]
    best = max(innermost, key=lambda loop: (tensor(loop), len(loop)), default=frozenset())
    return [code[i] for i in sorted(best)]


# ---- all together ---------------------------------------------------------------------------------------------------


class Report:
    """Lines for resources.txt, and what is wrong whatever the file says."""

    def __init__(self):
        self.lines = []
        self.problems = []
        self.with_instructions = True

    def add_file(self, file, target, log, sass, launches):
        """Of a .cu file for a target; `sass` is None where it was not disassembled."""
        kernels = parse_ptxas(log)
        code = parse_sass(sass) if sass is not None else {}
        self.with_instructions &= sass is not None
        names = demangled(list(kernels))
        for mangled, compiled in kernels.items():
            name = short_name(names[mangled])
            line = self.resources(f"{file} {target} {name}", name, target, compiled, launches)
            if sass is not None:
                line += "; " + self.instructions(f"{file} {target} {name}", name, code[mangled])
            self.lines.append(line)

    def resources(self, title, name, target, compiled, launches):
        if compiled.spilled:
            self.problems.append(f"{title}: spills {compiled.spilled} bytes of registers")
        text = f"{title}: {compiled.registers} registers"
        if name not in launches:
            self.problems.append(f"{title}: no launch is recorded; give it one in kernels/tests/traffic_test.cpp")
            return f"{text}, {compiled.shared} bytes shared"
        blocks, threads, dynamic = min(
            (blocks_of(target, compiled.registers, compiled.shared + dynamic, threads), threads, dynamic)
            for threads, dynamic in launches[name]
        )
        least = 2 if re.match(r"attention_kernel<[^,]+, (64|96|128),", name) and target in ("sm_80", "sm_90") else 1
        if blocks < least:
            self.problems.append(f"{title}: {blocks} blocks of {threads} threads on a multiprocessor, {least} at least")
        return f"{text}, {compiled.shared} + {dynamic} bytes shared, {threads} threads, {blocks} blocks an SM"

    def instructions(self, title, name, code):
        what = "main loop"
        try:
            loop = main_loop(code)
        except IndirectBranch:
            # The bars of a main loop then hold for all of the kernel; one with tensor cores has to have loops that are known.
            what, loop = "loops not known, all", code
            if any(i.opcode.startswith(MATRIX_PRODUCTS) for i in code):
                self.problems.append(f"{title}: an indirect branch in a kernel with tensor cores")
        counts = counts_of(loop)
        if counts["LDL"] or counts["STL"]:
            self.problems.append(f"{title}: local memory in the main loop")
        if re.match(r"attention(_split)?_kernel\b", name) and not (counts["HMMA"] and counts["LDSM"]):
            self.problems.append(f"{title}: the main loop is without HMMA or LDSM")
        if not loop:
            return "no loop"
        return f"{what} of {len(loop)}: " + " ".join(f"{key} {count}" for key, count in counts.items())

    def differences(self, expected):
        """A diff of the expected lines and ours; without instructions where we have none."""
        if not self.with_instructions:
            expected = [line.partition(";")[0] for line in expected]
        return list(difflib.unified_diff(expected, sorted(self.lines), "expected", "now", lineterm="", n=0))


def report_of(compiled, launches):
    report = Report()
    for log in sorted(compiled.glob("*.cu-sm_*.log")):
        file, _, target = log.stem.rpartition("-")
        sass = log.with_suffix(".sass")
        report.add_file(file, target, log.read_text(), sass.read_text() if sass.exists() else None, launches)
    return report


def main(arguments):
    parser = argparse.ArgumentParser(description="Compares the compiled kernels' resources with the recorded ones.")
    parser.add_argument("--update", action="store_true", help="write EXPECTED anew")
    parser.add_argument("compiled", type=pathlib.Path)
    parser.add_argument("launches", type=pathlib.Path)
    parser.add_argument("expected", type=pathlib.Path)
    options = parser.parse_args(arguments)

    report = report_of(options.compiled, parse_launches(options.launches.read_text()))
    for problem in report.problems:
        print(f"check-kernels: {problem}", file=sys.stderr)
    if not report.with_instructions:
        print("check-kernels: no cuobjdump and nvdisasm: instructions were NOT compared", file=sys.stderr)
    if options.update:
        if not report.with_instructions:
            print("check-kernels: nothing written: the file would lose its instructions", file=sys.stderr)
            return 1
        options.expected.write_text("".join(line + "\n" for line in sorted(report.lines)))
        print(f"{len(report.lines)} kernels in {options.expected}")
        return 1 if report.problems else 0
    differences = report.differences(options.expected.read_text().splitlines())
    for line in differences:
        print(line)
    if differences:
        print("check-kernels: resources changed; if that is meant: scripts/check-kernels --update", file=sys.stderr)
    elif not report.problems:
        print(f"check-kernels: {len(report.lines)} kernels, no spills, resources as recorded")
    return 1 if differences or report.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
