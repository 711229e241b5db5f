// What the processor offers, and which of its instruction sets is chosen.
#pragma once

#include <string>
#include <vector>

namespace ivl {

enum class Isa { Plain, Avx2, Avx2Vnni, Avx512, Avx512Vnni, Avx512Bf16 };
inline constexpr Isa kIsas[] = {Isa::Plain,  Isa::Avx2,       Isa::Avx2Vnni,  // worse to better
                                Isa::Avx512, Isa::Avx512Vnni, Isa::Avx512Bf16};

const char* name_of(Isa isa);
// Whether this processor, and the operating system, can run them. Asking is always safe.
bool is_supported(Isa isa);
// The best that is supported.
Isa best_isa();
// The environment's INTERNVL4J_CPU_ISA, a name_of(), or else the best. Error(InvalidArgument) if that names none, or one that this
// processor cannot run: better than an illegal instruction.
Isa chosen_isa();

// Whether products of bf16 by bf16 take less time than those of f32, by what the processor is and which instructions are chosen; it is
// not measured, so that it is the same each time. AMD's units do twice as many; Intel's, without AMX, half as many or fewer.
bool multiplies_bf16_faster();

// Of interest to kernels, for people: "avx2", "avx512_vnni".
std::vector<std::string> feature_names();
// Processors that the process may use: its affinity mask, within its cgroups' share of time.
int default_threads();

}  // namespace ivl
