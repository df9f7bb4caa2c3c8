// The SDK's losses beside the loops that tests take as their oracle: what each costs, and how it
// grows with the batch or the columns. `avbench bench loss` measures whole methods.
#include <benchmark/benchmark.h>

#include "avbench/losses.h"
#include "sdk/loss_testing.h"

namespace avbench {
namespace {

constexpr double kTemperature = 0.1, kLambda = 0.005;

struct Embeddings {
  explicit Embeddings(const benchmark::State& state) {
    at::manual_seed(0);
    a = at::randn({state.range(0), state.range(1)});
    b = at::randn({state.range(0), state.range(1)});
  }
  Tensor a, b;
};

Tensor contrast(const Tensor& a, const Tensor& b) { return nt_xent(a, b, kTemperature); }
double contrast_in_loops(const Matrix& a, const Matrix& b) {
  return (naive_contrast(a, b, kTemperature) + naive_contrast(b, a, kTemperature)) /
         (2 * static_cast<double>(a.size()));
}

Tensor redundancy(const Tensor& a, const Tensor& b) {
  return redundancy_reduction(column_correlation(a, b, true), kLambda);
}
double redundancy_in_loops(const Matrix& a, const Matrix& b) {
  return naive_redundancy(a, b, kLambda, true);
}

template <auto kLoss>
void forward(benchmark::State& state) {
  const at::NoGradGuard no_gradients;
  const Embeddings x(state);
  for (auto _ : state) benchmark::DoNotOptimize(kLoss(x.a, x.b).template item<float>());
}

template <auto kLoss>
void forward_and_backward(benchmark::State& state) {
  Embeddings x(state);
  x.a.requires_grad_();
  x.b.requires_grad_();
  for (auto _ : state) {
    x.a.mutable_grad().reset();
    x.b.mutable_grad().reset();
    kLoss(x.a, x.b).backward();
  }
}

template <auto kLoss>
void loops(benchmark::State& state) {
  const Embeddings x(state);
  const Matrix a = to_matrix(x.a), b = to_matrix(x.b);
  for (auto _ : state) benchmark::DoNotOptimize(kLoss(a, b));
}

void batches(benchmark::internal::Benchmark* benchmark) {
  benchmark->UseRealTime()->Unit(benchmark::kMicrosecond)->ArgNames({"B", "D"});
  for (const int64_t batch : {16, 64, 256, 1024}) benchmark->Args({batch, 128});
}

void columns(benchmark::internal::Benchmark* benchmark) {
  benchmark->UseRealTime()->Unit(benchmark::kMicrosecond)->ArgNames({"B", "D"});
  for (const int64_t dim : {16, 64, 256, 1024}) benchmark->Args({256, dim});
}

BENCHMARK(forward<contrast>)->Name("nt_xent/forward")->Apply(batches);
BENCHMARK(forward_and_backward<contrast>)->Name("nt_xent/forward_and_backward")->Apply(batches);
BENCHMARK(loops<contrast_in_loops>)->Name("nt_xent/loops_forward")->Apply(batches);
BENCHMARK(forward<redundancy>)->Name("redundancy/forward")->Apply(columns);
BENCHMARK(forward_and_backward<redundancy>)
    ->Name("redundancy/forward_and_backward")
    ->Apply(columns);
BENCHMARK(loops<redundancy_in_loops>)->Name("redundancy/loops_forward")->Apply(columns);

}  // namespace
}  // namespace avbench

BENCHMARK_MAIN();
