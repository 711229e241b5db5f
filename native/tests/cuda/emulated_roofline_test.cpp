// What a step of the 40B model may cost, from the launches that the backend makes.
#include <gtest/gtest.h>

#include <algorithm>

#include "roofline/walk.h"

namespace {

TEST(Roofline, AStepOfTheWholeModelMovesItsWeightsOnceInFewLaunches) {
  const ivl::ModelConfig config = ivl::load_config(std::string(IVL_SHAPES) + "/internvl-chat-v1-2.json");
  const auto bytes = [](const roofline::Phase& phase) {
    double sum = 0;
    for (const simt::LaunchRecord& launch : phase.launches) sum += launch.cost.read + launch.cost.written;
    return sum;
  };
  for (const bool int8 : {false, true}) {
    SCOPED_TRACE(int8 ? "int8" : "bf16");
    const double per_layer = int8 ? 12 : 8;  // the input of each of the four products is quantized first
    const roofline::Walk walk = roofline::walk(config, int8);
    const roofline::Phase& one = walk.phases.at(2);
    EXPECT_LE(bytes(one), 1.03 * (walk.weight_bytes + walk.kv_bytes));
    EXPECT_GE(bytes(one), walk.weight_bytes + walk.kv_bytes);
    // Beside the layers: the embedding; the last row, its norm and the head, whose input is quantized, too; three to sample.
    const double beside_layers = int8 ? 8 : 7;
    EXPECT_LE(static_cast<double>(one.launches.size()),
              per_layer * static_cast<double>(config.language.layers) + beside_layers);
    const auto sampling = std::count_if(one.launches.begin(), one.launches.end(),
                                        [](const auto& launch) { return launch.name.rfind("sampling_", 0) == 0; });
    EXPECT_EQ(sampling, 3);
    // Eight sequences read the weights once, too.
    EXPECT_LE(bytes(walk.phases.at(3)), 1.03 * (walk.weight_bytes + 8 * walk.kv_bytes));
    for (const simt::LaunchRecord& launch : one.launches) EXPECT_GT(launch.cost.read, 0) << launch.name;
  }
}

}  // namespace
