// Between C++ and C: every function of the API runs inside guarded(), so that no exception leaves the library.
#pragma once

#include <cstdint>
#include <exception>
#include <new>
#include <string>

#include "internvl4j/internvl4j.h"
#include "tensor/error.h"

namespace ivl::api {

// The calling thread's last failure.
std::string& last_error() noexcept;
ivl_status remember(ivl_status status, const char* message) noexcept;
ivl_status to_c(Status status) noexcept;

template <class Body>
ivl_status guarded(Body&& body) noexcept {
  try {
    body();
    last_error().clear();
    return IVL_OK;
  } catch (const Error& error) {
    return remember(to_c(error.status()), error.what());
  } catch (const std::bad_alloc&) {
    return remember(IVL_OUT_OF_MEMORY, "the system has no memory left for this");
  } catch (const std::exception& error) {
    return remember(IVL_INTERNAL, error.what());
  } catch (...) {
    return remember(IVL_INTERNAL, "an unknown failure");
  }
}

// For arguments that must be there.
template <class T>
T& given(T* pointer, const char* name) {
  if (pointer == nullptr) fail(Status::InvalidArgument, cat(name, " is null"));
  return *pointer;
}

// Writes what make() returns to *out, once out is known to be there: `given(out, "out") = make()` would make it first, and lose
// it if out is null.
template <class T, class Make>
void hand_over(T** out, Make&& make) {
  T*& place = given(out, "out");
  place = make();
}

// For arrays that a call writes `needed` elements into.
template <class T>
void check_room(const T* out, int64_t capacity, int64_t needed, const char* what) {
  given(out, "out");
  if (capacity < needed) {
    fail(Status::InvalidArgument, cat("out has room for ", capacity, " numbers, but there are ", needed, " of the ", what));
  }
}

}  // namespace ivl::api
