// The kernels by their names in C++, as they are in the sources and in this program; what holds for every kernel goes over
// these, so that none is forgotten.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include <dlfcn.h>

namespace kernel_test {

// Those of the .cu files in `folder`: what __global__ stands before. A kernel that the expression does not understand is "".
inline std::set<std::string> kernels_of_sources(const std::filesystem::path& folder) {
  static const std::regex kernel(R"(\bvoid\s+(?:__launch_bounds__\([^()]*\)\s*)?(\w+)\()");
  std::set<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".cu") continue;
    std::stringstream text;
    text << std::ifstream(file.path()).rdbuf();
    const std::string source = text.str();
    for (size_t at = source.find("__global__"); at != std::string::npos; at = source.find("__global__", at + 1)) {
      std::smatch found;
      const bool known = std::regex_search(source.begin() + static_cast<std::ptrdiff_t>(at), source.end(), found, kernel);
      names.insert(known ? found[1].str() : "");
    }
  }
  return names;
}

// "attention_kernel<gpu::bf16, 128, 4>" of "void gpu::(anonymous namespace)::attention_kernel<gpu::bf16, 128, 4>(...)":
// without what differs between compilers. scripts/lib/kernel_resources.py shortens what nvcc says in the same way.
inline std::string short_name(std::string name) {
  for (const std::string& noise : {std::string("void "), std::string("gpu::(anonymous namespace)::")}) {
    for (size_t at = name.find(noise); at != std::string::npos; at = name.find(noise)) name.erase(at, noise.size());
  }
  return name.substr(0, name.find('('));
}

// The functions of this program in gpu's anonymous namespaces, by address: among them every instance of every kernel.
inline std::map<const void*, std::string> device_functions() {
  static const int here = 0;
  Dl_info program{};
  std::map<const void*, std::string> functions;
  if (dladdr(&here, &program) == 0) return functions;
  const std::unique_ptr<FILE, int (*)(FILE*)> symbols(popen("nm -C --defined-only /proc/$PPID/exe", "r"), pclose);
  char line[8192];
  while (symbols && std::fgets(line, sizeof line, symbols.get()) != nullptr) {
    unsigned long offset = 0;
    int name = 0;
    // "000000000007000e t NAME"; what the compiler split off a function is marked as a clone.
    if (std::sscanf(line, "%lx %*[tTwW] %n", &offset, &name) != 1 || name == 0) continue;
    const std::string text(line + name);
    if (text.find("gpu::(anonymous namespace)::") > 5 || text.find("[clone") != std::string::npos) continue;
    functions[static_cast<const char*>(program.dli_fbase) + offset] = short_name(text);
  }
  return functions;
}

}  // namespace kernel_test
