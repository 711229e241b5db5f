#include "generate/loaded_adapter.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "generate/engine.h"

namespace ivl {

LoadedAdapter::~LoadedAdapter() { engine_->discard(std::move(adapter_)); }

AdapterChoices::AdapterChoices(std::vector<AdapterChoice> sorted) : choices_(std::move(sorted)) {
  for (const AdapterChoice& choice : choices_) uses_.push_back({&choice.adapter->adapter(), choice.weight});
}

AdapterChoices::AdapterChoices(std::vector<AdapterChoice> choices, const Engine& engine) {
  for (size_t i = 0; i < choices.size(); ++i) {
    if (choices[i].adapter->engine() != &engine) {
      fail(Status::InvalidArgument, cat("adapter ", i, " was loaded into another model, expected the request's own"));
    }
    if (!std::isfinite(choices[i].weight)) {
      fail(Status::InvalidArgument, cat("the weight of adapter ", i, " is ", choices[i].weight, ", expected a finite number"));
    }
  }
  const auto id = [](const AdapterChoice& choice) { return choice.adapter->adapter().id(); };
  std::stable_sort(choices.begin(), choices.end(), [&](const auto& a, const auto& b) { return id(a) < id(b); });
  std::vector<AdapterChoice> sums;
  for (AdapterChoice& choice : choices) {
    if (!sums.empty() && sums.back().adapter == choice.adapter) {
      sums.back().weight += choice.weight;
    } else {
      sums.push_back(std::move(choice));
    }
  }
  std::erase_if(sums, [](const AdapterChoice& choice) { return choice.weight == 0; });
  *this = AdapterChoices(std::move(sums));
}

AdapterChoices AdapterChoices::seeing() const {
  std::vector<AdapterChoice> some;
  std::copy_if(choices_.begin(), choices_.end(), std::back_inserter(some),
               [](const auto& choice) { return choice.adapter->sees(); });
  return AdapterChoices(std::move(some));
}

std::string AdapterChoices::key() const {
  std::string key;
  for (const AdapterUse& use : uses_) key += cat('|', use.adapter->id(), ':', std::bit_cast<uint32_t>(use.weight));
  return key;
}

}  // namespace ivl
