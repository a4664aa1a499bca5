#include "train/datasets/prefetch.hpp"

namespace graphrun::train {

PrefetchedBatches::PrefetchedBatches(const Examples& examples, const std::vector<std::string>& inputs,
                                     std::int64_t max_rows)
    : batches_{Batch(examples, inputs, max_rows), Batch(examples, inputs, max_rows)} {}

void PrefetchedBatches::use(const Examples& examples) {
  for (Batch& batch : batches_) batch.use(examples);
  next_ = {};
  gathered_ = false;
}

void PrefetchedBatches::announce(const Rows& rows) {
  if (rows.is_list()) batches_[1 - at_].reserve();
  next_ = rows;
}

void PrefetchedBatches::run() noexcept {
  if (next_.empty()) return;
  next_.into(batches_[1 - at_]);
  gathered_ = true;
}

void PrefetchedBatches::advance() {
  if (next_.empty()) return;
  if (!gathered_) run();
  at_ = 1 - at_;
  next_ = {};
  gathered_ = false;
}

}  // namespace graphrun::train
