#include "model/formats/stored_format.h"

#include "model/weight_formats.h"

namespace ivl {

const StoredFormat* stored_format(const Checkpoint& checkpoint, const Param& param) {
  if (format_group(param) == FormatGroup::None || param.shape.size() != 2) return nullptr;
  for (const StoredFormat* format :
       {static_cast<const StoredFormat*>(&int8_format()), static_cast<const StoredFormat*>(&int4_format()), &awq_format()}) {
    if (format->holds(checkpoint, param)) return format;
  }
  return nullptr;
}

const WritableFormat& writable_format(WeightFormat format) {
  require(format != WeightFormat::Plain, "a format that weights are quantized to");
  return format == WeightFormat::Int8 ? int8_format() : int4_format();
}

}  // namespace ivl
