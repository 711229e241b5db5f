#include "checkpoint/config_section.h"

#include <cmath>
#include <utility>

#include "checkpoint/json.h"
#include "checkpoint/message.h"
#include "tensor/error.h"

namespace ivl {
namespace {

// JSON integers come signed or unsigned; one over 2^63 cannot be in any range that we ask for. One may also be written as 1e6 or 4.0.
bool in_range(const nlohmann::json& value, int64_t low, int64_t high) {
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    return number == std::floor(number) && static_cast<double>(low) <= number && number <= static_cast<double>(high);
  }
  if (!value.is_number_integer()) return false;
  if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) return false;
  const auto number = value.get<int64_t>();
  return low <= number && number <= high;
}

// As a float too: a value that becomes 0 or infinite there is as bad as one that is.
bool is_positive(const nlohmann::json& value) {
  const double real = value.is_number() ? value.get<double>() : 0.0;
  return static_cast<float>(real < 3e38 ? real : 0.0) > 0.0f;
}

}  // namespace

ConfigSection::ConfigSection(const nlohmann::json& object, std::string file, std::string name)
    : object_(&object), file_(std::move(file)), name_(std::move(name)) {
  if (object.is_object()) return;
  const char* colon = name_.empty() ? "" : ": ";
  fail(Status::Checkpoint, cat(file_, ": ", name_, colon, "expected an object, got ", found(object)));
}

ConfigSection ConfigSection::section(const char* field) const {
  if (!has(field)) expected(field, "an object");
  return ConfigSection(*value(field), file_, name_.empty() ? field : name_ + "." + field);
}

int64_t ConfigSection::integer(const char* field, int64_t low, int64_t high) const {
  const nlohmann::json* number = value(field);
  if (number == nullptr || !in_range(*number, low, high)) {
    expected(field, cat("an integer from ", low, " to ", high));
  }
  return number->get<int64_t>();
}

int64_t ConfigSection::integer(const char* field, int64_t low, int64_t high, int64_t otherwise) const {
  return has(field) ? integer(field, low, high) : otherwise;
}

int64_t ConfigSection::side(const char* field, int64_t low, int64_t high, int64_t otherwise) const {
  const nlohmann::json* sides = value(field);
  if (sides == nullptr || !sides->is_array()) return integer(field, low, high, otherwise);
  const bool square = sides->size() == 2 && (*sides)[0] == (*sides)[1];
  if (!square || !in_range((*sides)[0], low, high)) {
    expected(field, cat("an integer from ", low, " to ", high, " or two equal ones"));
  }
  return (*sides)[0].get<int64_t>();
}

double ConfigSection::positive(const char* field, double otherwise) const {
  const nlohmann::json* number = value(field);
  if (number == nullptr) return otherwise;
  if (!is_positive(*number)) expected(field, "a positive number");
  return number->get<double>();
}

std::vector<double> ConfigSection::positives(const char* field) const {
  const nlohmann::json* list = value(field);
  std::vector<double> numbers;
  if (list == nullptr) return numbers;
  if (!list->is_array()) expected(field, "a list of positive numbers");
  for (const nlohmann::json& number : *list) {
    if (!is_positive(number)) expected(field, "a list of positive numbers", cat(found(number), " at ", numbers.size()));
    numbers.push_back(number.get<double>());
  }
  return numbers;
}

bool ConfigSection::flag(const char* field, bool otherwise) const {
  const nlohmann::json* flag = value(field);
  if (flag == nullptr) return otherwise;
  if (!flag->is_boolean()) expected(field, "true or false");
  return flag->get<bool>();
}

std::string ConfigSection::text(const char* field, const std::string& otherwise) const {
  const nlohmann::json* text = value(field);
  if (text == nullptr) return otherwise;
  if (!text->is_string()) expected(field, "a string");
  return text->get<std::string>();
}

std::vector<std::string> ConfigSection::texts(const char* field) const {
  const nlohmann::json* list = value(field);
  std::vector<std::string> texts;
  if (list == nullptr) return texts;
  if (!list->is_array()) expected(field, "a list of strings");
  for (const nlohmann::json& text : *list) {
    if (!text.is_string()) expected(field, "a list of strings");
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

std::vector<int64_t> ConfigSection::integers(const char* field, int64_t low, int64_t high) const {
  const nlohmann::json* list = value(field);
  std::vector<int64_t> integers;
  if (list == nullptr) return integers;
  const std::string what = cat("a list of integers from ", low, " to ", high);
  if (!list->is_array()) expected(field, what);
  for (const nlohmann::json& integer : *list) {
    if (!in_range(integer, low, high)) expected(field, what);
    integers.push_back(integer.get<int64_t>());
  }
  return integers;
}

std::vector<int64_t> ConfigSection::ids(const char* field, int64_t limit) const {
  const nlohmann::json* list = value(field);
  std::vector<int64_t> ids;
  if (list == nullptr) return ids;
  const auto add = [&](const nlohmann::json& id) {
    if (!in_range(id, 0, limit - 1)) expected(field, cat("token ids from 0 to ", limit - 1));
    ids.push_back(id.get<int64_t>());
  };
  if (list->is_array()) {
    for (const nlohmann::json& id : *list) add(id);
  } else {
    add(*list);
  }
  return ids;
}

void ConfigSection::expected(const char* field, const std::string& what) const { expected(field, what, got(field)); }

void ConfigSection::expected(const char* field, const std::string& what, const std::string& got) const {
  fail(Status::Checkpoint, cat(file_, ": ", place(field), ": expected ", what, ", got ", got));
}

void ConfigSection::unsupported(const char* field, const std::string& supported) const {
  fail(Status::Unsupported, cat(file_, ": ", place(field), ": ", got(field), " is not supported, only ", supported));
}

void ConfigSection::refuse_if_set(const char* field, const std::string& supported) const {
  if (is_set(field)) unsupported(field, supported);
}

bool ConfigSection::is_set(const char* field) const {
  const nlohmann::json* set = value(field);
  if (set == nullptr || *set == false || (set->is_number() && set->get<double>() == 0.0)) return false;
  return !set->is_structured() || !set->empty();
}

const nlohmann::json* ConfigSection::value(const char* field) const {
  const auto at = object_->find(field);
  return at == object_->end() || at->is_null() ? nullptr : &*at;
}

std::string ConfigSection::place(const char* field) const { return name_.empty() ? field : name_ + "." + field; }

std::string ConfigSection::got(const char* field) const {
  const auto at = object_->find(field);
  if (at == object_->end()) return "nothing";
  // Short lists are worth showing: architectures, ids.
  return at->is_structured() ? printable(at->dump(), 80) : found(*at);
}

}  // namespace ivl
