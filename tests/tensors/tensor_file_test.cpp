#include "tensors/tensor_file.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "io/message.h"
#include "io/safetensors.h"
#include "io/temp_folder.h"

namespace avbench::tensors {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

Tensors round_trip(const Tensors& tensors) {
  const io::TempFolder folder;
  save_tensors(folder / "t.safetensors", tensors);
  return load_tensors(folder / "t.safetensors");
}

TEST(TensorFile, GivesBackEveryTypeBitByBit) {
  Tensors tensors;
  for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                          at::kShort, at::kChar, at::kByte, at::kBool}) {
    tensors[at::toString(type)] = (at::arange(6) % 5).reshape({2, 3}).to(type);
  }
  const Tensors loaded = round_trip(tensors);
  ASSERT_EQ(loaded.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(loaded.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(loaded.at(name).equal(tensor)) << name;
  }
}

TEST(TensorFile, KeepsScalarsAndEmptyTensors) {
  const Tensors loaded =
      round_trip({{"scalar", at::scalar_tensor(2.5)}, {"empty", at::empty({0, 3})}});
  EXPECT_EQ(loaded.at("scalar").dim(), 0);
  EXPECT_EQ(loaded.at("scalar").item<double>(), 2.5);
  EXPECT_EQ(loaded.at("empty").sizes(), at::IntArrayRef({0, 3}));
}

TEST(TensorFile, WritesValuesInRowOrderWhateverTheLayoutInMemory) {
  const at::Tensor x = at::arange(48, at::kFloat).reshape({1, 2, 2, 3, 4});
  const at::Tensor row = at::arange(12, at::kFloat).reshape({3, 4});
  const Tensors loaded = round_trip({{"clip", x.contiguous(at::MemoryFormat::ChannelsLast3d)},
                                     {"transposed", row.t()},
                                     {"column", row.select(1, 2)},
                                     {"with_gradient", row.clone().requires_grad_()}});
  EXPECT_TRUE(loaded.at("clip").equal(x));
  EXPECT_TRUE(loaded.at("clip").is_contiguous());
  EXPECT_TRUE(loaded.at("transposed").equal(row.t()));
  EXPECT_TRUE(loaded.at("column").equal(row.select(1, 2)));
  EXPECT_FALSE(loaded.at("with_gradient").requires_grad());
}

TEST(TensorFile, StoresMetadata) {
  const io::TempFolder folder;
  save_tensors(folder / "t", {{"x", at::ones({1})}}, {{"step", "3"}});
  EXPECT_EQ(io::SafetensorsFile::open(folder / "t").metadata().at("step"), "3");
}

TEST(TensorFile, RefusesAMissingFile) {
  EXPECT_NE(io::user_error([] { load_tensors("/nowhere/t.safetensors"); }).find("/nowhere"),
            std::string::npos);
}

TEST(TensorFile, RefusesTypesThatTheFormatLacks) {
  const io::TempFolder folder;
  EXPECT_THROW(save_tensors(folder / "t", {{"x", at::zeros({1}, at::kComplexDouble)}}),
               std::runtime_error);
}

}  // namespace
}  // namespace avbench::tensors
