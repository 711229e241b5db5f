// For a library that is built without a GPU backend (IVL_GPU is empty).
#include "backend/gpus.h"

namespace ivl {

Gpus find_gpus() { return {{}, "this is the library for CPUs alone; the one for GPUs is linux-x86_64-gpu"}; }

std::string why_gpu_cannot(int /*ordinal*/) { return find_gpus().reason; }

int64_t free_gpu_memory(int /*ordinal*/) { return 0; }

std::string why_gpus_cannot(const GpuSizes& /*sizes*/) { return {}; }

std::shared_ptr<Backend> make_gpu_backend(int /*ordinal*/, DType /*type*/) { fail(Status::Unsupported, find_gpus().reason); }

}  // namespace ivl
