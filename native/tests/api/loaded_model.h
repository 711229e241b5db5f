// A checkpoint of test-data through the C API.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "internvl4j/internvl4j.h"

namespace ivl::testing {

inline std::filesystem::path checkpoint() {
  const char* set = std::getenv("IVL_TEST_DATA");
  return std::filesystem::path(set != nullptr ? set : IVL_TEST_DATA) / "hermes-d128";
}

inline ivl_load_options options() {
  ivl_load_options o;
  ivl_load_options_init(&o);
  o.threads = 2;
  return o;
}

inline ivl_model* load_model() {
  const ivl_load_options o = options();
  ivl_load* load = nullptr;
  EXPECT_EQ(ivl_load_begin(checkpoint().c_str(), &o, &load), IVL_OK) << ivl_last_error();
  ivl_load_progress progress{};
  do {
    EXPECT_EQ(ivl_load_step(load, &progress), IVL_OK) << ivl_last_error();
  } while (progress.steps_done < progress.steps_total);
  EXPECT_EQ(progress.bytes_done, progress.bytes_total);
  ivl_model* model = nullptr;
  EXPECT_EQ(ivl_load_finish(load, &model), IVL_OK) << ivl_last_error();
  ivl_load_free(load);
  return model;
}

inline void expect_failure(ivl_status actual, ivl_status expected, const char* words) {
  EXPECT_EQ(actual, expected) << ivl_last_error();
  EXPECT_NE(std::string(ivl_last_error()).find(words), std::string::npos) << ivl_last_error();
}

}  // namespace ivl::testing
