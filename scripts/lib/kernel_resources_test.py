"""What scripts/check-kernels makes of the compiler's words, on recorded ones: no nvcc is needed."""

import contextlib
import io
import pathlib
import shutil
import tempfile
import unittest

import kernel_resources
from kernel_resources import Report, blocks_of, counts_of, main_loop, parse_launches, parse_ptxas, parse_sass

ATTENTION = "_ZN3gpu12_GLOBAL__N_116attention_kernelINS_4bf16ELi128ELi4EEEvv"
GATHER = "_ZN3gpu12_GLOBAL__N_113gather_kernelINS_4bf16EEEvv"

LAUNCHES = """\
# figures of g++ 12
attention_kernel<gpu::bf16, 128, 4> [64 tokens behind 256]: 128 threads, 65536 bytes; sectors read 4 of 4, written 2 of 2; wavefronts 8 of 8
gather_kernel<gpu::bf16> [3 rows of 3200]: 128 threads, 0 bytes; sectors read 4 of 4, written 2 of 2; wavefronts 0 of 0
"""


# Target, registers, shared bytes, threads; the blocks are what cuda_occupancy.h of CUDA 13.0 answers.
OCCUPANCIES = {
    ("sm_80", 254, 65536, 128): 2,
    ("sm_86", 254, 65536, 128): 1,
    ("sm_89", 254, 65536, 128): 1,
    ("sm_90", 254, 65536, 128): 2,
    ("sm_100", 254, 65536, 128): 2,
    ("sm_120", 254, 65536, 128): 1,
    ("sm_80", 32, 512, 128): 16,
    ("sm_86", 32, 512, 128): 12,
    ("sm_89", 32, 512, 128): 12,
    ("sm_90", 32, 512, 128): 16,
    ("sm_100", 32, 512, 128): 16,
    ("sm_120", 32, 512, 128): 12,
    ("sm_86", 60, 24576, 64): 4,
    ("sm_90", 60, 24576, 64): 9,
    ("sm_80", 95, 1771, 704): 0,
    ("sm_100", 88, 6688, 775): 0,
    ("sm_86", 12, 44198, 384): 2,
    ("sm_120", 68, 50388, 800): 1,
    ("sm_90", 169, 0, 256): 1,
    ("sm_100", 233, 50587, 960): 0,
    ("sm_86", 85, 42421, 576): 1,
}


def ptxas(name, registers, shared="", spills=(0, 0)):
    return f"""\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '{name}' for 'sm_80'
ptxas info    : Function properties for {name}
    0 bytes stack frame, {spills[0]} bytes spill stores, {spills[1]} bytes spill loads
ptxas info    : Used {registers} registers, used 1 barriers{shared}, 376 bytes cmem[0]
ptxas info    : Compile time = 12.345 ms
"""


def sass(name, *instructions):
    """As cuobjdump prints them; "{n}" stands for the address of instruction n."""
    lines = ["\tcode for sm_80", f"\t\tFunction : {name}", '\t.headerflags\t@"EF_CUDA_SM80 EF_CUDA_PTX_SM(EF_CUDA_SM80)"']
    addresses = [hex(16 * i) for i in range(len(instructions))]
    for i, instruction in enumerate(instructions):
        lines.append(f"        /*{16 * i:04x}*/                   {instruction.format(*addresses)} ;   /* 0x00000a00ff017624 */")
        lines.append("                                                                          /* 0x000fe200078e00ff */")
    return "\n".join([*lines, "\t\t.........."]) + "\n"


COPY_LOOP = ("MOV R1, c[0x0][0x28]", "LDG.E.128 R4, [R2.64]", "STG.E.128 [R8.64], R4", "@!P0 BRA {1}", "EXIT", "BRA {5}")
# Splits around tiles around copies; products and ldmatrix in the tiles' loop.
ATTENTION_LOOPS = (
    "MOV R1, c[0x0][0x28]",
    "STL [R1], R0",
    "BAR.SYNC 0x0",
    "LDGSTS.E.BYPASS.128 [R2], [R4.64]",
    "@P1 BRA {3}",
    "LDSM.16.M88.4 R8, [R2]",
    "HMMA.16816.F32.BF16 R4, R8, R12, R4",
    "@P2 BRA {2}",
    "LDL R0, [R1]",
    "BRA.U !UP0, {1}",
    "EXIT",
    "BRA {11}",
)


class Folder:
    """What scripts/check-kernels leaves for the analysis, and the file it compares with."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp())
        (self.path / "launches.txt").write_text(LAUNCHES)
        (self.path / "expected.txt").write_text("")
        self.write("attention.cu", ptxas(ATTENTION, 254), sass(ATTENTION, *ATTENTION_LOOPS))
        self.write("rows.cu", ptxas(GATHER, 32, ", 512 bytes smem"), sass(GATHER, *COPY_LOOP))

    def write(self, file, log, code=None):
        (self.path / f"{file}-sm_80.log").write_text(log)
        if code is not None:
            (self.path / f"{file}-sm_80.sass").write_text(code)

    def run(self, *options):
        """The exit code, and what was said."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = kernel_resources.main([*options, str(self.path), str(self.path / "launches.txt"), str(self.expected)])
        return code, said.getvalue()

    @property
    def expected(self):
        return self.path / "expected.txt"

    def edit(self, name, old, new):
        text = (self.path / name).read_text()
        assert old in text
        (self.path / name).write_text(text.replace(old, new))


class Recorded(unittest.TestCase):
    """Against a file that was just written."""

    def setUp(self):
        self.folder = Folder()
        self.addCleanup(shutil.rmtree, self.folder.path)
        self.assertEqual(self.folder.run("--update")[0], 0)

    def fails(self, *words):
        code, said = self.folder.run()
        self.assertEqual(code, 1, said)
        for word in words:
            self.assertIn(word, said)

    def test_the_file_has_a_line_for_each_kernel(self):
        self.assertEqual(
            self.folder.expected.read_text(),
            "attention.cu sm_80 attention_kernel<gpu::bf16, 128, 4>: 254 registers, 0 + 65536 bytes shared, 128 threads, "
            "2 blocks an SM; main loop of 6: HMMA 1 IMMA 0 GMMA 0 LDSM 1 LDGSTS 1 LDG.128 0 LDL 0 STL 0\n"
            "rows.cu sm_80 gather_kernel<gpu::bf16>: 32 registers, 512 + 0 bytes shared, 128 threads, "
            "16 blocks an SM; main loop of 3: HMMA 0 IMMA 0 GMMA 0 LDSM 0 LDGSTS 0 LDG.128 1 LDL 0 STL 0\n",
        )

    def test_the_same_passes(self):
        code, said = self.folder.run()
        self.assertEqual((code, said), (0, "check-kernels: 2 kernels, no spills, resources as recorded\n"))

    def test_a_changed_figure_fails(self):
        self.folder.edit("rows.cu-sm_80.log", "Used 32 registers", "Used 40 registers")
        kernel = "rows.cu sm_80 gather_kernel<gpu::bf16>"
        self.fails(f"-{kernel}: 32 registers", f"+{kernel}: 40 registers")

    def test_a_changed_loop_fails(self):
        self.folder.edit("rows.cu-sm_80.sass", "LDG.E.128", "LDG.E.64")
        self.fails("+rows.cu", "LDG.128 0")

    def test_a_kernel_without_line_fails(self):
        first, _ = self.folder.expected.read_text().splitlines()
        self.folder.expected.write_text(first + "\n")
        self.fails("+rows.cu")

    def test_a_line_without_kernel_fails(self):
        (self.folder.path / "rows.cu-sm_80.log").unlink()
        self.fails("-rows.cu")

    def test_a_spill_fails_and_no_update_hides_it(self):
        self.folder.write("rows.cu", ptxas(GATHER, 32, ", 512 bytes smem", spills=(8, 12)))
        self.fails("rows.cu sm_80 gather_kernel<gpu::bf16>: spills 20 bytes")
        self.assertEqual(self.folder.run("--update")[0], 1)

    def test_local_memory_in_a_main_loop_fails(self):
        self.folder.edit("rows.cu-sm_80.sass", "STG.E.128 [R8.64], R4", "STL [R1], R4")
        self.fails("rows.cu sm_80 gather_kernel<gpu::bf16>: local memory in the main loop")

    def test_attention_without_ldmatrix_fails(self):
        self.folder.edit("attention.cu-sm_80.sass", "LDSM.16.M88.4 R8, [R2]", "LDS.128 R8, [R2]")
        self.fails("attention_kernel<gpu::bf16, 128, 4>: the main loop is without HMMA or LDSM")

    def test_attention_without_loop_fails(self):
        self.folder.edit("attention.cu-sm_80.sass", "@P2 BRA 0x20", "NOP")
        self.folder.edit("attention.cu-sm_80.sass", "@P1 BRA 0x30", "NOP")
        self.folder.edit("attention.cu-sm_80.sass", "BRA.U !UP0, 0x10", "NOP")
        self.fails("attention_kernel<gpu::bf16, 128, 4>: the main loop is without HMMA or LDSM")

    def test_attention_with_one_block_a_multiprocessor_fails(self):
        self.folder.edit("launches.txt", "65536 bytes", "98304 bytes")
        self.fails("attention_kernel<gpu::bf16, 128, 4>: 1 blocks of 128 threads on a multiprocessor, 2 at least")

    def test_a_kernel_without_launch_fails(self):
        self.folder.edit("launches.txt", "gather_kernel<gpu::bf16>", "gather_kernel<gpu::f16>")
        self.fails("gather_kernel<gpu::bf16>: no launch is recorded")

    def test_without_disassembly_the_rest_is_compared_and_nothing_overwritten(self):
        for file in self.folder.path.glob("*.sass"):
            file.unlink()
        code, said = self.folder.run()
        self.assertEqual(code, 0, said)
        self.assertIn("instructions were NOT compared", said)
        before = self.folder.expected.read_text()
        self.assertEqual(self.folder.run("--update")[0], 1)
        self.assertEqual(self.folder.expected.read_text(), before)
        self.folder.edit("rows.cu-sm_80.log", "Used 32 registers", "Used 40 registers")
        self.fails("+rows.cu")


class Parts(unittest.TestCase):
    def test_what_ptxas_says(self):
        kernels = parse_ptxas(ptxas("a", 254) + ptxas("b", 8, ", 48 bytes smem", spills=(4, 0)))
        self.assertEqual(kernels["a"], kernel_resources.Compiled(registers=254, shared=0, spilled=0))
        self.assertEqual(kernels["b"], kernel_resources.Compiled(registers=8, shared=48, spilled=4))

    def test_launches(self):
        launches = parse_launches(LAUNCHES)
        self.assertEqual(launches["attention_kernel<gpu::bf16, 128, 4>"], {(128, 65536)})
        self.assertEqual(len(launches), 2)

    def test_occupancy_is_the_toolkits(self):
        for case, blocks in OCCUPANCIES.items():
            self.assertEqual(blocks_of(*case), blocks, case)


class MainLoop(unittest.TestCase):
    def loop(self, *instructions):
        return [i.opcode.partition(".")[0] for i in main_loop(parse_sass(sass("kernel", *instructions))["kernel"])]

    def test_of_straight_code_there_is_none(self):
        self.assertEqual(self.loop("MOV R1, R2", "@P0 BRA {3}", "FADD R1, R1, R2", "EXIT"), [])

    def test_a_jump_to_itself_behind_the_end_is_none(self):
        self.assertEqual(self.loop("MOV R1, R2", "EXIT", "BRA {2}"), [])

    def test_is_the_innermost_with_tensor_cores(self):
        self.assertEqual(self.loop(*ATTENTION_LOOPS), ["BAR", "LDGSTS", "BRA", "LDSM", "HMMA", "BRA"])

    def test_is_that_with_the_most_of_them(self):
        once = ["IMMA.16832.S8.S8 R4, R8, R12, R4", "FADD R1, R1, R2", "FADD R1, R1, R2", "@P0 BRA {0}"]
        twice = ["IMMA.16832.S8.S8 R4, R8, R12, R4", "IMMA.16832.S8.S8 R4, R8, R12, R4", "@P0 BRA {4}", "EXIT"]
        self.assertEqual(self.loop(*once, *twice), ["IMMA", "IMMA", "BRA"])

    def test_is_else_the_longest_innermost(self):
        self.assertEqual(
            self.loop("FADD R1, R1, R2", "@P0 BRA {0}", "FMUL R1, R1, R2", "FMUL R1, R1, R2", "@P0 BRA {2}", "EXIT"),
            ["FMUL", "FMUL", "BRA"],
        )

    def test_a_jump_back_from_code_out_of_line_is_no_loop(self):
        self.assertEqual(self.loop("@P0 BRA {3}", "FADD R1, R1, R2", "EXIT", "FMUL R1, R1, R2", "BRA {1}"), [])

    def test_is_found_behind_the_marks_of_blackwell(self):
        marked = ("FADD R1, R1, R2 &wr=0x0 ?WAIT2_END_GROUP", "@!P0 BRA {0} &req=0x1 ?trans5", "EXIT ?trans5")
        self.assertEqual(self.loop(*marked), ["FADD", "BRA"])

    def test_code_out_of_line_belongs_to_its_loop(self):
        self.assertEqual(
            self.loop("FADD R1, R1, R2", "@P0 BRA {4}", "@P1 BRA {0}", "EXIT", "FMUL R1, R1, R2", "BRA {2}"),
            ["FADD", "BRA", "BRA", "FMUL", "BRA"],
        )

    def test_an_indirect_branch_is_not_guessed_at(self):
        with self.assertRaisesRegex(ValueError, "indirect branch at 0x10"):
            self.loop("MOV R1, R2", "BRX R2 -0x10", "EXIT")

    def test_where_loops_are_not_known_all_of_the_kernel_counts(self):
        straight = parse_sass(sass("k", "LDL R1, [R1]", "BRX R2 -0x20", "EXIT"))["k"]
        report = Report()
        self.assertIn("loops not known, all of 3", report.instructions("t", "draw_kernel", straight))
        self.assertEqual(report.problems, ["t: local memory in the main loop"])
        tensors = parse_sass(sass("k", "HMMA.16816.F32 R4, R8, R12, R4", "BRX R2 -0x20", "EXIT"))["k"]
        report = Report()
        report.instructions("t", "gemm_kernel", tensors)
        self.assertEqual(report.problems, ["t: an indirect branch in a kernel with tensor cores"])

    def test_wide_loads_are_told_from_narrow_ones_and_copies(self):
        loads = ("LDG.E.128.CONSTANT R4, [R2.64]", "LDG.E R4, [R2.64]", "LDGSTS.E.128 [R1], [R2.64]", "LDGDEPBAR")
        code = parse_sass(sass("k", *loads))
        counts = counts_of(code["k"])
        self.assertEqual((counts["LDG.128"], counts["LDGSTS"]), (1, 1))


if __name__ == "__main__":
    unittest.main()
