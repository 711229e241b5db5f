// An adapter of a loaded model, which requests choose. Whoever holds it keeps it: who asked for it may give it back while requests run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/adapters/adapter.h"

namespace ivl {

class Engine;

class LoadedAdapter {
 public:
  LoadedAdapter(std::shared_ptr<Engine> engine, std::unique_ptr<Adapter> adapter, bool sees, size_t bytes)
      : engine_(std::move(engine)), adapter_(std::move(adapter)), sees_(sees), bytes_(bytes) {}
  // Gives its memory back between passes.
  ~LoadedAdapter();
  LoadedAdapter(const LoadedAdapter&) = delete;
  LoadedAdapter& operator=(const LoadedAdapter&) = delete;

  const Engine* engine() const { return engine_.get(); }
  const Adapter& adapter() const { return *adapter_; }
  // It changes what images look like to the decoder.
  bool sees() const { return sees_; }
  size_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<Engine> engine_;
  std::shared_ptr<Adapter> adapter_;
  bool sees_;
  size_t bytes_;
};

struct AdapterChoice {
  std::shared_ptr<const LoadedAdapter> adapter;
  float weight = 1;
};

// The adapters of a request or of its images, in the order in which they are added: equal choices give equal bits, in whatever order they
// were made. One that is chosen twice has the sum of the weights; one whose weight is 0 is left out.
class AdapterChoices {
 public:
  AdapterChoices() = default;
  // Error(InvalidArgument) if one is another engine's, or a weight is not finite.
  AdapterChoices(std::vector<AdapterChoice> choices, const Engine& engine);

  bool empty() const { return choices_.empty(); }
  // Valid as long as this, and its moves.
  const std::vector<AdapterUse>& uses() const { return uses_; }
  // Those that change what images look like.
  AdapterChoices seeing() const;
  // Tells them from others in a cache; empty where there are none.
  std::string key() const;

 private:
  explicit AdapterChoices(std::vector<AdapterChoice> sorted);

  std::vector<AdapterChoice> choices_;
  std::vector<AdapterUse> uses_;
};

}  // namespace ivl
