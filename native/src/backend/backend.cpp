#include "backend/backend.h"

namespace ivl {

void Backend::receive(const Matrix& out, const Matrix& in, Backend& from) {
  if (&from == this) {
    copy(out, in);
    return;
  }
  std::vector<float> values(static_cast<size_t>(in.rows * in.cols));
  from.to_host(values.data(), in);
  from_host(out, values.data());
}

}  // namespace ivl
