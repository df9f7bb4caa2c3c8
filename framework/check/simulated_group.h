// Several processes in one: each is a thread, and they meet in all_gather.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "avbench/context.h"

namespace avbench::check {

// One thread runs at a time, in order of rank, and hands over where it waits for the others. So the
// outcome is always the same, and a plugin need not be safe for threads. Each rank has the default
// generator to itself, as a process would.
class SimulatedGroup {
 public:
  explicit SimulatedGroup(int size);
  ~SimulatedGroup();

  Communicator& rank(int rank);

  // Calls work(rank) for every rank. Throws what the first rank threw that failed. It cannot hang:
  // where some wait in all_gather and the others have ended, those that wait get an error.
  void run(const std::function<void(int rank)>& work);

  // Hands in one tensor of a rank and gives those of all ranks. Only inside run().
  std::vector<Tensor> exchange(int rank, const Tensor& tensor);

 private:
  enum class State { kReady, kWaiting, kEnded };
  class Member;

  void run_rank(int rank, const std::function<void(int rank)>& work);
  void end(int rank, const std::exception_ptr& error);
  void hand_over();
  void take_turn(std::unique_lock<std::mutex>& lock, int rank);
  bool any(State state) const;

  std::vector<std::unique_ptr<Member>> members_;
  std::mutex mutex_;
  std::condition_variable turned_;
  int turn_ = 0;
  bool broken_ = false;  // somebody waits for one that has ended
  std::vector<State> states_;
  std::vector<Tensor> handed_in_, exchanged_, generators_;
  std::exception_ptr error_;
};

}  // namespace avbench::check
