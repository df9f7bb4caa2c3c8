#include "check/simulated_group.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace avbench::check {
namespace {

Tensor state_of_default_generator() {
  auto generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard lock(generator.mutex());
  return generator.get_state();
}

void set_default_generator(const Tensor& state) {
  auto generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard lock(generator.mutex());
  generator.set_state(state);
}

// Backward: the gradients that all ranks have for this rank's rows, added.
class AllGather : public torch::autograd::Function<AllGather> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& rows,
                        SimulatedGroup* group, int64_t rank) {
    const std::vector<Tensor> all = group->exchange(static_cast<int>(rank), rows);
    int64_t first = 0;
    for (int64_t before = 0; before < rank; ++before) first += all[before].size(0);
    context->saved_data["group"] = reinterpret_cast<int64_t>(group);
    context->saved_data["rank"] = rank;
    context->saved_data["first"] = first;
    context->saved_data["count"] = rows.size(0);
    return at::cat(all);
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    auto* group = reinterpret_cast<SimulatedGroup*>(context->saved_data["group"].toInt());
    const auto rank = static_cast<int>(context->saved_data["rank"].toInt());
    Tensor sum;
    for (const Tensor& gradient : group->exchange(rank, gradients.at(0))) {
      const Tensor own = gradient.narrow(0, context->saved_data["first"].toInt(),
                                         context->saved_data["count"].toInt());
      sum = sum.defined() ? sum + own : own;
    }
    return {sum, Tensor(), Tensor()};
  }
};

}  // namespace

class SimulatedGroup::Member : public Communicator {
 public:
  Member(SimulatedGroup& group, int rank) : group_(group), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(group_.members_.size()); }
  Tensor all_gather(const Tensor& rows) override { return AllGather::apply(rows, &group_, rank_); }

 private:
  SimulatedGroup& group_;
  int rank_;
};

SimulatedGroup::SimulatedGroup(int size) {
  for (int rank = 0; rank < size; ++rank) {
    members_.push_back(std::make_unique<Member>(*this, rank));
  }
}

SimulatedGroup::~SimulatedGroup() = default;

Communicator& SimulatedGroup::rank(int rank) { return *members_.at(rank); }

void SimulatedGroup::run(const std::function<void(int)>& work) {
  const size_t size = members_.size();
  const Tensor generator = state_of_default_generator();
  states_.assign(size, State::kReady);
  handed_in_.assign(size, {});
  generators_.assign(size, generator);
  turn_ = 0;
  broken_ = false;
  error_ = nullptr;
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([this, rank, &work] { run_rank(static_cast<int>(rank), work); });
  }
  for (std::thread& thread : threads) thread.join();
  if (error_) std::rethrow_exception(error_);
}

void SimulatedGroup::run_rank(int rank, const std::function<void(int)>& work) {
  {
    std::unique_lock lock(mutex_);
    take_turn(lock, rank);
  }
  std::exception_ptr error;
  try {
    work(rank);
  } catch (...) {
    error = std::current_exception();
  }
  end(rank, error);
}

void SimulatedGroup::end(int rank, const std::exception_ptr& error) {
  const std::lock_guard lock(mutex_);
  if (error && !error_) error_ = error;
  states_[rank] = State::kEnded;
  hand_over();
}

std::vector<Tensor> SimulatedGroup::exchange(int rank, const Tensor& tensor) {
  std::unique_lock lock(mutex_);
  handed_in_[rank] = tensor.detach().clone();
  states_[rank] = State::kWaiting;
  generators_[rank] = state_of_default_generator();
  hand_over();
  take_turn(lock, rank);
  if (broken_) {
    throw std::runtime_error(
        "all_gather: another process has ended, or did not gather as often as this one");
  }
  return exchanged_;
}

// The next rank that can run gets its turn; when all wait, the exchange takes place.
void SimulatedGroup::hand_over() {
  if (!any(State::kReady)) {
    if (!any(State::kWaiting)) return;
    broken_ = broken_ || any(State::kEnded);
    exchanged_ = handed_in_;
    std::replace(states_.begin(), states_.end(), State::kWaiting, State::kReady);
  }
  const int size = static_cast<int>(states_.size());
  do {
    turn_ = (turn_ + 1) % size;
  } while (states_[turn_] != State::kReady);
  turned_.notify_all();
}

void SimulatedGroup::take_turn(std::unique_lock<std::mutex>& lock, int rank) {
  turned_.wait(lock, [&] { return turn_ == rank && states_[rank] == State::kReady; });
  set_default_generator(generators_[rank]);
}

bool SimulatedGroup::any(State state) const {
  return std::find(states_.begin(), states_.end(), state) != states_.end();
}

}  // namespace avbench::check
