#include "checkpoint/page_cache.h"

#include "checkpoint/checkpoint_files.h"

namespace ivl {
namespace {

using checkpoint_test::expect_error;
using checkpoint_test::SafetensorsBuilder;
using checkpoint_test::TempDir;

TEST(PageCache, ForgetsWhatNobodyHasMapped) {
  const TempDir folder;
  const std::string bytes(size_t{8} << 20, 'x');
  folder.write("model.safetensors", SafetensorsBuilder().add("a", "U8", {8 << 20}, bytes).build());
  const double resident = drop_page_cache(folder.path());
  if (resident > 0.5) GTEST_SKIP() << "this file system lives in memory";
  EXPECT_LT(resident, 0.05);
  expect_error(Status::Io, {"nowhere"}, [] { drop_page_cache("/nowhere"); });
}

}  // namespace
}  // namespace ivl
