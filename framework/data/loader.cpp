#include "data/loader.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "data/collator.h"
#include "runtime/trace.h"

namespace avbench::data {
namespace {

Tensor labels_of(const Dataset& dataset, Split split, const std::vector<SampleRequest>& requests) {
  Tensor labels = at::empty({static_cast<int64_t>(requests.size())}, at::kLong);
  int64_t* out = labels.data_ptr<int64_t>();
  for (const SampleRequest& request : requests) *out++ = dataset.sample(split, request.index).label;
  return labels;
}

void fill_rows(const Collator& collator, const Dataset& dataset, Split split,
               const LoadedBatch& batch, RowRange rows, SampleReader& reader) {
  collator.fill(batch, rows, dataset.sample(split, batch.requests[rows.first].index), reader);
}

}  // namespace

// Work is handed out by groups of rows, earliest batch first, so that any number of threads helps
// with the batch that is needed next. A batch enters the window when a thread finds nothing else to
// do, and leaves it in next().
class Loader::Impl {
 public:
  Impl(std::shared_ptr<const Dataset> dataset, BatchSampler sampler, const LoaderOptions& options)
      : collator_(dataset->clip(), dataset->spectrogram(), dataset->cache(), options.views),
        dataset_(std::move(dataset)),
        split_(options.split),
        sampler_(std::move(sampler)),
        next_planned_(options.first_batch),
        end_(options.first_batch + options.batch_count),
        left_(options.batch_count),
        window_limit_(std::max(1, options.prefetch)) {
    for (int i = 0; i < std::max(1, options.workers); ++i) {
      threads_.emplace_back([this] { work(); });
    }
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    work_to_do_.notify_all();
    threads_.clear();  // joins
  }

  LoadedBatch next() {
    std::unique_lock lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    if (left_ == 0) throw std::logic_error("Loader::next() after the last batch");
    batch_done_.wait(
        lock, [&] { return failure_ || (!window_.empty() && window_.front()->groups_left == 0); });
    if (failure_) std::rethrow_exception(failure_);
    if (window_.front()->failure) {
      failure_ = window_.front()->failure;
      stopping_ = true;
      work_to_do_.notify_all();
      std::rethrow_exception(failure_);
    }
    LoadedBatch batch = std::move(window_.front()->batch);
    window_.pop_front();
    --left_;
    work_to_do_.notify_all();
    return batch;
  }

  int64_t batches_left() const {
    const std::lock_guard lock(mutex_);
    return left_;
  }

 private:
  struct Pending {
    LoadedBatch batch;
    std::vector<RowRange> groups;
    size_t next_group = 0, groups_left = 0;
    size_t failed_group = 0;
    std::exception_ptr failure;  // of the first group in order that failed
  };

  void work() {
    runtime::name_trace_thread("loader");
    try {
      SampleReader reader = collator_.make_reader();
      fill_groups(reader);
    } catch (...) {  // of the sampler, or of memory
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      stopping_ = true;
      work_to_do_.notify_all();
      batch_done_.notify_all();
    }
  }

  void fill_groups(SampleReader& reader) {
    std::unique_lock lock(mutex_);
    while (true) {
      Pending* pending = nullptr;
      work_to_do_.wait(lock, [&] { return stopping_ || (pending = pending_work()); });
      if (stopping_) return;
      const size_t group = pending->next_group++;
      lock.unlock();
      std::exception_ptr failure;
      try {
        const runtime::TracePhase phase("read sample");
        fill_rows(collator_, *dataset_, split_, pending->batch, pending->groups[group], reader);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      finish(*pending, group, failure);
    }
  }

  // The earliest batch with a group to fill, planned now if the window has room.
  Pending* pending_work() {
    for (const auto& pending : window_) {
      if (pending->next_group < pending->groups.size()) return pending.get();
    }
    if (next_planned_ == end_ || static_cast<int>(window_.size()) >= window_limit_) return nullptr;
    auto pending = std::make_unique<Pending>();
    pending->batch = collator_.allocate(sampler_.requests(next_planned_), *pool_);
    pending->batch.labels = labels_of(*dataset_, split_, pending->batch.requests);
    pending->groups = group_rows(pending->batch.requests);
    pending->groups_left = pending->groups.size();
    ++next_planned_;
    window_.push_back(std::move(pending));
    work_to_do_.notify_all();  // there are groups for others too
    return window_.back().get();
  }

  void finish(Pending& pending, size_t group, std::exception_ptr failure) {
    if (failure && (!pending.failure || group < pending.failed_group)) {
      pending.failure = std::move(failure);
      pending.failed_group = group;
    }
    if (--pending.groups_left == 0) batch_done_.notify_all();
  }

  const Collator collator_;
  const std::shared_ptr<const Dataset> dataset_;
  const Split split_;
  const BatchSampler sampler_;
  const std::shared_ptr<BufferPool> pool_ = std::make_shared<BufferPool>();

  mutable std::mutex mutex_;  // of everything below
  std::condition_variable work_to_do_, batch_done_;
  int64_t next_planned_, end_, left_;
  const int window_limit_;
  std::deque<std::unique_ptr<Pending>> window_;  // planned and not delivered, in order
  std::exception_ptr failure_;
  bool stopping_ = false;

  std::vector<std::jthread> threads_;  // last: they use all of the above
};

Loader::Loader(std::shared_ptr<const Dataset> dataset, BatchSampler sampler,
               const LoaderOptions& options)
    : impl_(std::make_unique<Impl>(std::move(dataset), std::move(sampler), options)) {}
Loader::~Loader() = default;

LoadedBatch Loader::next() { return impl_->next(); }
int64_t Loader::batches_left() const { return impl_->batches_left(); }

LoadedBatch load_batch(const Dataset& dataset, Split split, const Views& views,
                       std::vector<SampleRequest> requests) {
  const Collator collator(dataset.clip(), dataset.spectrogram(), dataset.cache(), views);
  LoadedBatch batch = collator.allocate(std::move(requests), *std::make_shared<BufferPool>());
  batch.labels = labels_of(dataset, split, batch.requests);
  SampleReader reader = collator.make_reader();
  for (const RowRange& rows : group_rows(batch.requests)) {
    fill_rows(collator, dataset, split, batch, rows, reader);
  }
  return batch;
}

}  // namespace avbench::data
