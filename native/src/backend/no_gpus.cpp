// For a library that is built without a GPU backend (IVL_GPU is empty).
#include "backend/gpus.h"

namespace ivl {

Gpus find_gpus() { return {{}, "this library is built without CUDA (CMake: -DIVL_GPU=cuda)"}; }

std::shared_ptr<Backend> make_gpu_backend(int /*ordinal*/, DType /*type*/) {
  fail(Status::Unsupported, find_gpus().reason);
}

}  // namespace ivl
