#include "train/learn/compiled_program.hpp"

#include <algorithm>
#include <utility>

#include "train/learn/optimizer.hpp"

namespace graphrun::train {

namespace {

bool is_host_scalar(const ModelDefinition& model, const std::string& name) {
  return is_optimizer_scalar(name) ||
         std::any_of(model.scheduled.begin(), model.scheduled.end(),
                     [&](const ScheduledInput& input) { return input.name == name; });
}

/// A name that stays the same from step to step is not copied again.
template <class Entry, class Bytes>
void set(Entry& entry, const std::string& name, Bytes bytes) {
  if (entry.name != name) entry.name = name;
  entry.bytes = bytes;
}

}  // namespace

CompiledProgram::CompiledProgram(Program program, const ModelDefinition& model, runtime::Session& session)
    : CompiledProgram(std::move(program), model) {
  id_ = session.add(program_.graph);
}

CompiledProgram::CompiledProgram(Program program, const ModelDefinition& model)
    : program_(std::move(program)) {
  for (const ProgramInput& input : program_.inputs)
    (is_host_scalar(model, input.name) ? scalars_ : inputs_).push_back(input.name);
  scalar_values_.resize(scalars_.size());
}

void CompiledProgram::fetch(std::span<const std::string> outputs, std::span<float> into) {
  fetches_.resize(outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i)
    set(fetches_[i], outputs[i], std::as_writable_bytes(into.subspan(i, 1)));
}

void CompiledProgram::fetch(std::size_t index, const std::string& output, std::span<std::byte> into) {
  fetches_.resize(std::max(fetches_.size(), index + 1));
  set(fetches_[index], output, into);
}

PrefetchedBatches& CompiledProgram::batches_for(const Examples& examples, std::int64_t rows) {
  if (batches_ && batches_->max_rows() >= rows)
    batches_->use(examples);
  else
    batches_.emplace(examples, inputs_, rows);
  return *batches_;
}

void CompiledProgram::feed(std::span<const runtime::Feed> feeds) {
  feeds_.resize(scalars_.size() + feeds.size());
  for (std::size_t i = 0; i < scalars_.size(); ++i)
    set(feeds_[i], scalars_[i], std::as_bytes(std::span(scalar_values_).subspan(i, 1)));
  for (std::size_t i = 0; i < feeds.size(); ++i)
    set(feeds_[scalars_.size() + i], feeds[i].name, feeds[i].bytes);
}

void CompiledProgram::bind(runtime::Session& session, std::span<const runtime::Feed> feeds,
                           std::int64_t rows) {
  feed(feeds);
  session.prepare(id_, rows);
}

runtime::Run CompiledProgram::asked(std::int64_t rows, const RandomState& random, std::stop_token stop,
                                    runtime::SideWork* side) const {
  return {.batch = rows,
          .feeds = feeds_,
          .fetches = fetches_,
          .random = random,
          .stop = std::move(stop),
          .side = side};
}

void CompiledProgram::run(runtime::Session& session, std::int64_t rows, const RandomState& random,
                          std::stop_token stop, runtime::SideWork* side) {
  session.run(id_, asked(rows, random, std::move(stop), side));
}

}  // namespace graphrun::train
