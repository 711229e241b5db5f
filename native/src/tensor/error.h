// The one exception type of the runtime. It carries the status that the C API returns, so nothing below src/api
// needs to know that API, and nothing above sees a C++ exception.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace ivl {

enum class Status {
  Ok,
  InvalidArgument,  // a caller's value is out of range; the message names it
  Checkpoint,       // a file of the checkpoint is missing, truncated or malformed
  Unsupported,      // well formed, but an architecture or setting that is not implemented
  OutOfMemory,      // the memory plan does not fit or an allocation failed
  ContextLength,    // more tokens than the model's context holds
  Cancelled,        // stopped by the caller
  Closed,           // the handle's model was closed
  Io,               // the operating system refused to read a file
  Internal,         // a fault of this library
  NotFinite,        // the model computed NaN or infinity
};

class Error : public std::runtime_error {
 public:
  Error(Status status, const std::string& message) : std::runtime_error(message), status_(status) {}
  Status status() const noexcept { return status_; }

 private:
  Status status_;
};

template <class... Parts>
std::string cat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

[[noreturn]] inline void fail(Status status, const std::string& message) { throw Error(status, message); }

// For conditions that the code itself guarantees: a violation is our fault, never a caller's.
inline void require(bool condition, const char* what) {
  if (!condition) fail(Status::Internal, cat("internal check failed: ", what));
}

}  // namespace ivl
