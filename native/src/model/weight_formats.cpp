#include "model/weight_formats.h"

#include <array>

#include "model/formats/stored_format.h"

namespace ivl {
namespace {

// Null of None.
WeightFormat WeightFormats::*member_of(FormatGroup group) {
  switch (group) {
    case FormatGroup::None: return nullptr;
    case FormatGroup::Decoder: return &WeightFormats::decoder;
    case FormatGroup::Head: return &WeightFormats::head;
    case FormatGroup::Vision: return &WeightFormats::vision;
  }
  return nullptr;
}

}  // namespace

FormatGroup format_group(const Param& param) {
  if (param.role != Role::Linear || param.use == Use::Router) return FormatGroup::None;
  switch (param.part) {
    case Part::DecoderLayer: return FormatGroup::Decoder;
    case Part::Head: return FormatGroup::Head;
    case Part::VisionBlock:
    case Part::Projector: return FormatGroup::Vision;
    case Part::VisionEmbeddings:
    case Part::Tokens: break;
  }
  return FormatGroup::None;
}

WeightFormat format_of(const Param& param, const Precision& precision) {
  const auto member = member_of(format_group(param));
  return member == nullptr ? WeightFormat::Plain : precision.formats.*member;
}

WeightFormat format_of_plain(const Param& param, const Precision& precision) {
  const bool stays = precision.decoder_as_stored && format_group(param) == FormatGroup::Decoder;
  return stays ? WeightFormat::Plain : format_of(param, precision);
}

Precision stored_precision(const Checkpoint& checkpoint, const ParamTable& params) {
  std::array<int64_t, 3> values{};  // of each type
  Precision stored;
  WeightFormat tied_head = WeightFormat::Plain;
  for (const Param& param : params.all()) {
    if (param.again) {
      stored.formats.head = tied_head;
      continue;
    }
    if (const StoredFormat* format = stored_format(checkpoint, param); format != nullptr) {
      stored.formats.*member_of(format_group(param)) = format->format();
      if (format_group(param) == FormatGroup::Decoder) {
        tied_head = format->tied_head();
        stored.decoder_as_stored = true;
      }
      if (const auto type = format->type(checkpoint, param)) values[static_cast<size_t>(*type)] += param.elements();
    } else if (const TensorInfo* info = checkpoint.find(param.name); info != nullptr && info->dtype) {
      values[static_cast<size_t>(*info->dtype)] += static_cast<int64_t>(size_of(*info->dtype)) * param.elements() / 2;
    }
  }
  for (const DType type : {DType::BF16, DType::F16}) {
    if (values[static_cast<size_t>(type)] > values[static_cast<size_t>(stored.type)]) stored.type = type;
  }
  return stored;
}

}  // namespace ivl
