// How a weight lies in a checkpoint where it is quantized. A format is one file: which tensors stand for a weight, and how they are
// read and written. stored_format.cpp registers it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/row_codec.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/safetensors_writer.h"
#include "host/thread_pool.h"
#include "model/param.h"

namespace ivl {

// A tensor that stands for a weight, or for a part of it, as it has to be.
struct StoredTensor {
  std::string name;
  std::string dtype;  // as in the file
  std::vector<int64_t> shape;
};

class StoredFormat {
 public:
  virtual ~StoredFormat() = default;
  // In memory.
  virtual WeightFormat format() const = 0;
  // Whether the weight is stored this way. The tensors need not be right yet.
  virtual bool holds(const Checkpoint& checkpoint, const Param& param) const = 0;
  // The weight's tensors as they have to be.
  virtual std::vector<StoredTensor> tensors(const Checkpoint& checkpoint, const Param& param) const = 0;
  // The type of the 16-bit weights that the stored ones stand for; empty where any does.
  virtual std::optional<DType> type(const Checkpoint& checkpoint, const Param& param) const = 0;
  // What embeddings that are the head, too, are as the head of a decoder in this format.
  virtual WeightFormat tied_head() const = 0;
  // Whether the tensors are used where they are mapped; else read() makes a copy.
  virtual bool in_place(const Param& param) const = 0;
  // The weight, of a checkpoint whose tensors are right.
  virtual HostTensor read(const Checkpoint& checkpoint, const Param& param) const = 0;
};

// What our own formats call the tensor with a weight's scales.
inline std::string scales_of(const std::string& weight) { return weight + "_scale"; }

// One that a checkpoint can be written in.
class WritableFormat : public StoredFormat {
 public:
  // Embeddings are written as they are; the head is quantized while it is loaded.
  WeightFormat tied_head() const override { return WeightFormat::Int8; }
  // The tensors that a plain weight becomes, in the order in which write() writes their bytes. `type` is what it is rounded to first.
  virtual std::vector<TensorToWrite> written(const TensorInfo& weight, DType type) const = 0;
  virtual void write(SafetensorsWriter& to, const HostTensor& weight, DType type, const RowCodec& codec,
                     ThreadPool& pool) const = 0;
};

// One file each.
const WritableFormat& int8_format();
const WritableFormat& int4_format();
const StoredFormat& awq_format();

// How the checkpoint has this weight; null: plain, or not at all.
const StoredFormat* stored_format(const Checkpoint& checkpoint, const Param& param);
const WritableFormat& writable_format(WeightFormat format);

// Whether the checkpoint has the parameter in any way.
inline bool is_stored(const Checkpoint& checkpoint, const Param& param) {
  return checkpoint.find(param.name) != nullptr || stored_format(checkpoint, param) != nullptr;
}

}  // namespace ivl
