// What of a schema cannot be done, and where it stands.
#pragma once

#include "tensor/error.h"

namespace ivl::grammar {

// Its keyword is the last part of the pointer. Status::Unsupported: well-formed, but not done here; InvalidArgument: no schema, or one
// that no value satisfies.
class SchemaError : public Error {
 public:
  SchemaError(Status status, const std::string& pointer, const std::string& why)
      : Error(status, cat("the schema at ", pointer.empty() ? "its root" : pointer, ": ", why)), pointer_(pointer) {}
  // A JSON pointer (RFC 6901); empty: the whole schema.
  const std::string& pointer() const noexcept { return pointer_; }

 private:
  std::string pointer_;
};

// What body() throws is said of the place that where() tells.
template <class Where, class Body>
auto told_at(const Where& where, const Body& body) {
  try {
    return body();
  } catch (const SchemaError&) {
    throw;
  } catch (const Error& error) {
    throw SchemaError(error.status(), where(), error.what());
  }
}

}  // namespace ivl::grammar
