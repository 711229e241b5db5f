#include "emulation/report.h"

#include <dlfcn.h>

#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "emulation/block.h"

namespace simt {
namespace {

struct Pending {
  Report report;
  const void* pc;
};

// Host threads report what they do to pinned memory while others run kernels.
std::mutex& mutex() {
  static std::mutex one;
  return one;
}

std::map<std::pair<Fault, const void*>, Pending>& pending() {
  static std::map<std::pair<Fault, const void*>, Pending> reports;
  return reports;
}

}  // namespace

const char* name_of(Fault fault) {
  switch (fault) {
    case Fault::Race: return "race";
    case Fault::Order: return "order";
    case Fault::Bounds: return "out of bounds";
    case Fault::Alignment: return "misaligned";
    case Fault::Uninitialized: return "uninitialized";
    case Fault::Divergence: return "divergence";
    case Fault::Async: return "asynchronous copy";
    case Fault::Device: return "foreign memory";
    case Fault::Host: return "host";
  }
  return "?";
}

std::string Report::text() const {
  return where + ": " + name_of(fault) + " in " + (kernel.empty() ? "host code" : kernel) + ": " + what +
         (count > 1 ? " (" + std::to_string(count) + " times)" : "");
}

std::string place_of(const void* pc) {
  std::array<char, 64> address{};
  Dl_info info{};
  const auto call = reinterpret_cast<uintptr_t>(pc) - 1;
  if (pc == nullptr || dladdr(pc, &info) == 0 || info.dli_fname == nullptr) {
    std::snprintf(address.data(), address.size(), "%p", pc);
    return address.data();
  }
  const uintptr_t offset = call - reinterpret_cast<uintptr_t>(info.dli_fbase);
  std::snprintf(address.data(), address.size(), "0x%zx", static_cast<size_t>(offset));
  const std::string command = std::string("addr2line -e '") + info.dli_fname + "' " + address.data() + " 2>/dev/null";
  std::unique_ptr<FILE, int (*)(FILE*)> output(popen(command.c_str(), "r"), pclose);
  std::array<char, 1024> line{};
  if (!output || std::fgets(line.data(), line.size(), output.get()) == nullptr || line[0] == '?' || line[0] == ':') {
    return std::string(info.dli_fname) + "+" + address.data();
  }
  std::string text = line.data();
  text = text.substr(0, text.find_first_of(" \n"));
  const size_t kernels = text.find("kernels/");
  return kernels == std::string::npos ? text : text.substr(kernels);
}

void report(Fault fault, const void* pc, std::string what) {
  const std::lock_guard lock(mutex());
  auto [at, fresh] = pending().try_emplace({fault, pc});
  if (fresh) {
    // Which of two streams' kernels comes second, and sees it, is chance.
    at->second = {{fault, fault == Fault::Order ? "" : current_kernel(), std::move(what), {}, 1}, pc};
  } else {
    at->second.report.count++;
  }
}

std::vector<Report> take_reports() {
  const std::lock_guard lock(mutex());
  std::vector<Report> reports;
  for (auto& [key, one] : pending()) {
    one.report.where = place_of(one.pc);
    reports.push_back(std::move(one.report));
  }
  pending().clear();
  return reports;
}

}  // namespace simt
