#include "api/barrier.h"

#include "internvl4j/training.h"

namespace ivl::api {

std::string& last_error() noexcept {
  thread_local std::string message;
  return message;
}

ivl_status remember(ivl_status status, const char* message) noexcept {
  try {
    last_error() = message;
  } catch (...) {
    last_error().clear();  // no memory even for the message: the status has to do
  }
  return status;
}

ivl_status to_c(Status status) noexcept {
  switch (status) {
    case Status::Ok: return IVL_OK;
    case Status::InvalidArgument: return IVL_INVALID_ARGUMENT;
    case Status::Checkpoint: return IVL_CHECKPOINT;
    case Status::Unsupported: return IVL_UNSUPPORTED;
    case Status::OutOfMemory: return IVL_OUT_OF_MEMORY;
    case Status::ContextLength: return IVL_CONTEXT_LENGTH;
    case Status::Cancelled: return IVL_CANCELLED;
    case Status::Closed: return IVL_CLOSED;
    case Status::Io: return IVL_IO;
    case Status::Internal: return IVL_INTERNAL;
    case Status::NotFinite: return IVL_NOT_FINITE;
  }
  return IVL_INTERNAL;
}

}  // namespace ivl::api

extern "C" {

const char* ivl_last_error(void) { return ivl::api::last_error().c_str(); }

const char* ivl_version(void) { return IVL_VERSION; }

int64_t ivl_struct_bytes(void) {
  return sizeof(ivl_model_info) + sizeof(ivl_load_options) + sizeof(ivl_memory_plan) + sizeof(ivl_load_progress) +
         sizeof(ivl_work) + sizeof(ivl_sampling) + sizeof(ivl_request) + sizeof(ivl_event) + sizeof(ivl_counts) +
         sizeof(ivl_machine) + sizeof(ivl_adapters) + sizeof(ivl_adapter_use) + sizeof(ivl_adapter_info) +
         sizeof(ivl_training_options) + sizeof(ivl_training_plan);
}

}  // extern "C"
