// A device without hardware, for tests: LD_PRELOAD of this library gives a program the LibTorch
// device "simulated". Its tensors are of another type than the CPU's, so that LibTorch refuses to
// mix them, but their bytes lie in ordinary memory, and what they compute is the CPU's arithmetic.
#include "device/simulated_device.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/native/Resize.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/resize_native.h>
#include <ATen/ops/set_cpu_dispatch.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace {

// Reads by the program are counted, not those with which the CPU computes for the device.
std::atomic<int64_t> reads = 0;
thread_local int computing = 0;

class Computing {
 public:
  Computing() { ++computing; }
  ~Computing() { --computing; }
  Computing(const Computing&) = delete;
  Computing& operator=(const Computing&) = delete;
};

// Convolutions computed there. They are written to the file that SIMULATED_DEVICE_COUNT names when
// the program ends, so that a test can tell a program that computed elsewhere.
struct Convolutions {
  std::atomic<int64_t> count = 0;
  ~Convolutions() {
    const char* file = std::getenv("SIMULATED_DEVICE_COUNT");
    if (file != nullptr) std::ofstream(file) << count;
  }
} convolutions;

void count_read() {
  if (computing == 0) ++reads;
}

constexpr c10::DeviceType kType = c10::kPrivateUse1;
const c10::Device kDevice(kType, 0);
const c10::DispatchKeySet kKeys(c10::DispatchKey::PrivateUse1);

class Memory final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* memory = bytes > 0 ? std::malloc(bytes) : nullptr;
    if (bytes > 0 && memory == nullptr) throw std::bad_alloc();
    return {memory, memory, &std::free, kDevice};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &std::free; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }
};

Memory& memory() {
  static Memory instance;
  return instance;
}

class Generator final : public at::CPUGeneratorImpl {
 public:
  Generator() {
    device_ = kDevice;
    key_set_ = kKeys;
  }
};

class Hooks final : public at::PrivateUse1HooksInterface {
 public:
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  bool isPinnedPtr(const void*) const override { return false; }
  at::Device getDeviceFromPtr(void*) const override { return kDevice; }
  at::Generator getNewGenerator(c10::DeviceIndex) const override {
    return at::make_generator<Generator>();
  }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex) const override {
    static const at::Generator generator = at::make_generator<Generator>();
    return generator;
  }
};

// One device, one stream, and events that have always happened.
class Guard final : public c10::impl::DeviceGuardImplInterface {
 public:
  c10::DeviceType type() const override { return kType; }
  c10::Device exchangeDevice(c10::Device) const override { return kDevice; }
  c10::Device getDevice() const override { return kDevice; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device) const override {
    return c10::Stream(c10::Stream::DEFAULT, kDevice);
  }
  c10::Stream getNewStream(c10::Device, int) const override {
    return c10::Stream(c10::Stream::UNSAFE, kDevice, 1);
  }
  c10::Stream exchangeStream(c10::Stream stream) const override { return stream; }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  void record(void**, const c10::Stream&, c10::DeviceIndex, c10::EventFlag) const override {}
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void destroyEvent(void*, c10::DeviceIndex) const noexcept override {}
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard);

bool simulated(const at::Tensor& tensor) { return tensor.device().type() == kType; }

// The same bytes, seen as a tensor of the CPU.
at::Tensor seen_by_cpu(const at::Tensor& tensor) {
  return at::from_blob(tensor.data_ptr(), tensor.sizes(), tensor.strides(),
                       at::TensorOptions().dtype(tensor.dtype()));
}

at::Tensor empty(c10::IntArrayRef size, std::optional<at::ScalarType> type,
                 std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>,
                 std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &memory(), kKeys, c10::dtype_or_default(type), format);
}

at::Tensor empty_strided(c10::IntArrayRef size, c10::IntArrayRef stride,
                         std::optional<at::ScalarType> type, std::optional<at::Layout>,
                         std::optional<at::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &memory(), kKeys,
                                           c10::dtype_or_default(type));
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool) {
  if (!simulated(to)) count_read();
  at::Tensor target = simulated(to) ? seen_by_cpu(to) : to;
  target.copy_(simulated(from) ? seen_by_cpu(from) : from);
  return to;
}

at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  if (from.sizes() != to.sizes()) at::Tensor(to).resize_(from.sizes());
  return copy_from(from, to, false);
}

at::Scalar local_scalar(const at::Tensor& value) {
  count_read();
  return seen_by_cpu(value).item();
}

at::Tensor& set_storage(at::Tensor& tensor, at::Storage storage, int64_t offset,
                        c10::IntArrayRef size, c10::IntArrayRef stride) {
  return at::cpu::set_(tensor, std::move(storage), offset, size, stride);
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight,
                       const std::optional<at::Tensor>& bias, c10::IntArrayRef stride,
                       c10::IntArrayRef padding, c10::IntArrayRef dilation, bool transposed,
                       c10::IntArrayRef output_padding, int64_t groups) {
  const Computing scope;
  ++convolutions.count;
  std::optional<at::Tensor> shift;
  if (bias && bias->defined()) shift = bias->cpu();
  return at::convolution(x.cpu(), weight.cpu(), shift, stride, padding, dilation, transposed,
                         output_padding, groups)
      .to(x.device());
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(
    const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& weight,
    c10::IntArrayRef stride, c10::IntArrayRef padding, c10::IntArrayRef dilation, bool transposed,
    c10::IntArrayRef output_padding, int64_t groups, std::array<bool, 3> wanted) {
  const Computing scope;
  const auto [gx, gw, gb] = at::convolution_backward(
      gradient.cpu(), x.cpu(), weight.cpu(), c10::IntArrayRef{weight.size(0)}, stride, padding,
      dilation, transposed, output_padding, groups, wanted);
  const auto back = [&](const at::Tensor& t) { return t.defined() ? t.to(x.device()) : t; };
  return {back(gx), back(gw), back(gb)};
}

// The fallback would move running statistics that are copies: their names do not say that they
// change.
std::tuple<at::Tensor, at::Tensor, at::Tensor> batch_norm(
    const at::Tensor& x, const std::optional<at::Tensor>& weight,
    const std::optional<at::Tensor>& bias, const std::optional<at::Tensor>& running_mean,
    const std::optional<at::Tensor>& running_var, bool training, double momentum, double epsilon) {
  const auto seen = [](const std::optional<at::Tensor>& tensor) {
    return tensor && tensor->defined() ? std::optional(seen_by_cpu(*tensor)) : std::nullopt;
  };
  const Computing scope;
  const auto [y, mean, factor] =
      at::native_batch_norm(seen_by_cpu(x), seen(weight), seen(bias), seen(running_mean),
                            seen(running_var), training, momentum, epsilon);
  return {y.to(kDevice), mean.to(kDevice), factor.to(kDevice)};
}

// As a real device's kernels do; tensors without dimensions may come from the CPU, and so may
// indices.
void require_one_device(const c10::OperatorHandle& op, const torch::jit::Stack& stack) {
  const size_t arguments = op.schema().arguments().size();
  if (op.schema().name().starts_with("aten::index")) return;
  const auto require = [&](const at::Tensor& tensor) {
    TORCH_CHECK(!tensor.defined() || tensor.dim() == 0 || simulated(tensor),
                "Expected all tensors to be on the same device, but ", op.schema().name(),
                " got one on ", tensor.device(), " and others on ", kDevice);
  };
  for (const c10::IValue& value : torch::jit::last(stack, arguments)) {
    if (value.isTensor()) require(value.toTensor());
    if (!value.isTensorList()) continue;
    for (const at::Tensor& tensor : value.toTensorVector()) require(tensor);
  }
}

void on_the_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  require_one_device(op, *stack);
  const Computing scope;
  at::native::cpu_fallback(op, stack);
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&on_the_cpu>());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", TORCH_FN(empty));
  library.impl("empty_strided", TORCH_FN(empty_strided));
  library.impl("_copy_from", TORCH_FN(copy_from));
  library.impl("_copy_from_and_resize", TORCH_FN(copy_from_and_resize));
  library.impl("_local_scalar_dense", TORCH_FN(local_scalar));
  library.impl("as_strided", TORCH_FN(at::native::as_strided_tensorimpl));
  library.impl("view", TORCH_FN(at::native::view));
  library.impl("_reshape_alias", TORCH_FN(at::native::_reshape_alias));
  library.impl("resize_", TORCH_FN(at::native::resize_));
  library.impl("set_.source_Storage_storage_offset", TORCH_FN(set_storage));
  library.impl("native_batch_norm", TORCH_FN(batch_norm));
  library.impl("convolution_overrideable", TORCH_FN(convolution));
  library.impl("convolution_backward_overrideable", TORCH_FN(convolution_backward));
}

[[maybe_unused]] const bool registered = [] {
  static Hooks hooks;
  at::RegisterPrivateUse1HooksInterface(&hooks);
  c10::register_privateuse1_backend("simulated");
  return true;
}();

}  // namespace

int64_t simulated_device_reads() { return reads; }
