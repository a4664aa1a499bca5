#include "api/weights.hpp"

#include <utility>

#include "api/boundary.hpp"
#include "train/learn/checkpoint.hpp"

namespace graphrun {

namespace {

runtime::SessionOptions without_threads() {
  runtime::SessionOptions options;
  options.executor = runtime::ExecutorKind::serial;
  options.threads = 1;
  options.pages = runtime::Pages::small;
  return options;
}

}  // namespace

Weights::Implementation::Implementation(Model given)
    : model(std::move(given)), learner(model.shared_definition(), without_threads()) {
  // The learner owns them, and lives as long as this.
  variables = {std::shared_ptr<runtime::VariableStore>(std::shared_ptr<void>(), &learner.variables()),
               runtime::next_variables_version()};
}

Progress Weights::Implementation::progress() const {
  return {.step = learner.state().stage_step(), .steps_per_epoch = learner.state().steps_per_epoch};
}

Weights::Weights(std::shared_ptr<const Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Weights::Weights(const Weights&) = default;
// Those that were moved from are the same weights still, as of models.
Weights::Weights(Weights&& other) noexcept : implementation_(other.implementation_) {}
Weights& Weights::operator=(const Weights&) = default;
Weights& Weights::operator=(Weights&& other) noexcept {
  implementation_ = other.implementation_;
  return *this;
}
Weights::~Weights() = default;

namespace {

/// `open` gives the bytes, as often as they are read.
template <class Open>
Weights weights_of(const Model& model, const Open& open) {
  auto made = std::make_shared<Weights::Implementation>(model);
  const files::SafetensorsFile file(open());
  train::restore_weights(made->learner, file);
  if (train::is_checkpoint(file)) made->learner.state() = train::Checkpoint(open()).state();
  made->learner.initialise();  // averages that the file does not have
  return Weights(std::move(made));
}

}  // namespace

Weights Weights::load(const Model& model, const std::string& path) {
  return api::at_boundary([&] { return weights_of(model, [&] { return files::StoredBytes(path); }); });
}

Weights Weights::load(const Model& model, std::span<const std::byte> bytes) {
  return api::at_boundary(
      [&] { return weights_of(model, [&] { return files::StoredBytes(bytes, "weights"); }); });
}

const Model& Weights::model() const {
  return implementation_->model;
}

std::string Weights::digest() const {
  return api::at_boundary([&] { return implementation_->learner.digest(); });
}

}  // namespace graphrun
