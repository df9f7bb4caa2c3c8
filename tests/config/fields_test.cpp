// A member that its section's fields() leaves out would be neither read, nor hashed, nor written.
#include "io/fields.h"

#include <gtest/gtest.h>

#include "config/writer.h"

namespace avbench::config {
namespace {

template <class Section>
class EveryMemberOf : public testing::Test {};

using Sections = testing::Types<DataConfig, JitterConfig, ClipConfig, SpectrogramConfig,
                                EncoderConfig, OptimizerConfig, ScheduleConfig, PretrainConfig,
                                FinetuneConfig, TestConfig, BatchNormConfig, ProtocolConfig,
                                TrainingConfig, RowConfig, RunConfig, Experiment>;
TYPED_TEST_SUITE(EveryMemberOf, Sections);

TYPED_TEST(EveryMemberOf, ASectionIsAKey) {
  EXPECT_EQ(to_json(TypeParam()).size(), io::field_count<TypeParam>());
}

}  // namespace
}  // namespace avbench::config
