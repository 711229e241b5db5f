#include "host/processor.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "tensor/error.h"

namespace ivl {

const char* name_of(Isa isa) {
  switch (isa) {
    case Isa::Plain: return "plain";
    case Isa::Avx2: return "avx2";
    case Isa::Avx2Vnni: return "avx2vnni";
    case Isa::Avx512: return "avx512";
    case Isa::Avx512Vnni: return "avx512vnni";
    case Isa::Avx512Bf16: return "avx512bf16";
  }
  return "unknown";
}

// __builtin_cpu_supports also asks whether the operating system saves the wide registers.
bool is_supported(Isa isa) {
#if defined(__x86_64__)
  switch (isa) {
    case Isa::Plain: return true;
    case Isa::Avx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    case Isa::Avx2Vnni: return is_supported(Isa::Avx2) && __builtin_cpu_supports("avxvnni");
    case Isa::Avx512:
      return is_supported(Isa::Avx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    case Isa::Avx512Vnni: return is_supported(Isa::Avx512) && __builtin_cpu_supports("avx512vnni");
    case Isa::Avx512Bf16: return is_supported(Isa::Avx512Vnni) && __builtin_cpu_supports("avx512bf16");
  }
#endif
  return isa == Isa::Plain;
}

Isa best_isa() { return *std::find_if(std::rbegin(kIsas), std::rend(kIsas), is_supported); }

Isa chosen_isa() {
  const char* wanted = std::getenv("INTERNVL4J_CPU_ISA");
  if (wanted == nullptr || *wanted == '\0') return best_isa();
  for (const Isa isa : kIsas) {
    if (std::string(wanted) != name_of(isa)) continue;
    if (is_supported(isa)) return isa;
    fail(Status::InvalidArgument, cat("INTERNVL4J_CPU_ISA is ", wanted, ", which this processor lacks"));
  }
  fail(Status::InvalidArgument,
       cat("INTERNVL4J_CPU_ISA is ", wanted, ", expected plain, avx2, avx2vnni, avx512, avx512vnni or avx512bf16"));
}

bool multiplies_bf16_faster() {
#if defined(__x86_64__)
  return chosen_isa() == Isa::Avx512Bf16 && __builtin_cpu_is("amd");
#else
  return false;
#endif
}

std::vector<std::string> feature_names() {
  std::vector<std::string> names;
#if defined(__x86_64__)
  const auto add = [&](const char* name, bool supported) {
    if (supported) names.emplace_back(name);
  };
  add("sse4.2", __builtin_cpu_supports("sse4.2"));
  add("avx", __builtin_cpu_supports("avx"));
  add("avx2", __builtin_cpu_supports("avx2"));
  add("fma", __builtin_cpu_supports("fma"));
  add("f16c", __builtin_cpu_supports("f16c"));
  add("avx_vnni", __builtin_cpu_supports("avxvnni"));
  add("avx512f", __builtin_cpu_supports("avx512f"));
  add("avx512bw", __builtin_cpu_supports("avx512bw"));
  add("avx512vl", __builtin_cpu_supports("avx512vl"));
  add("avx512dq", __builtin_cpu_supports("avx512dq"));
  add("avx512_vnni", __builtin_cpu_supports("avx512vnni"));
  add("avx512_bf16", __builtin_cpu_supports("avx512bf16"));
#endif
  return names;
}

}  // namespace ivl
