// What the API's opaque handles hold: shared pointers, so that handles may be freed in any order.
#pragma once

#include <memory>
#include <string>

#include "generate/request_service.h"
#include "grammar/rules_cache.h"
#include "model/model_loader.h"

struct ivl_text {
  std::string text;
};

struct ivl_load {
  std::unique_ptr<ivl::ModelLoader> loader;
};

struct ivl_model {
  std::shared_ptr<ivl::Engine> engine;
  std::unique_ptr<ivl::RequestService> requests;
  int64_t parameters;
  ivl::DType stored;
  bool in_pair = false;  // it has a draft, or is one: none is both, so that no two models wait for each other's turns
};

struct ivl_vocabulary {
  std::shared_ptr<ivl::grammar::RulesCache> schemas;
};

struct ivl_grammar {
  std::shared_ptr<const ivl::grammar::Rules> rules;
};

struct ivl_recording {
  std::shared_ptr<ivl::Recording> recording;
};

struct ivl_features {
  std::shared_ptr<ivl::Features> features;
};

struct ivl_adapter {
  std::shared_ptr<const ivl::LoadedAdapter> adapter;
};

struct ivl_cancellation {
  std::shared_ptr<std::atomic<bool>> flag;
};

struct ivl_events {
  std::vector<ivl::Event> events;
};
