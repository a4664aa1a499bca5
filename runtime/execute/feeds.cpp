#include "runtime/execute/feeds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "graphrun/error.hpp"

namespace graphrun::runtime {
namespace {

template <class Named>
std::string names(const std::vector<Named>& all) {
  std::string text;
  for (const Named& each : all) text += fmt::format("{}'{}'", text.empty() ? "" : ", ", each.name);
  return text.empty() ? "none" : text;
}

}  // namespace

void bind_feeds(PlanRun& plan_run, std::span<const Feed> feeds) {
  const std::vector<PlanInput>& inputs = plan_run.plan().inputs;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto feed = std::ranges::find(feeds, inputs[i].name, &Feed::name);
    if (feed == feeds.end()) {
      throw Error(ErrorCode::usage, fmt::format("this input is not fed; the program needs {}", names(inputs)),
                  {}, inputs[i].name);
    }
    if (feed->bytes.size() != inputs[i].bytes) {
      throw Error(
          ErrorCode::usage,
          fmt::format("it is fed {} bytes, but is {}{} at this batch, which takes {}", feed->bytes.size(),
                      to_string(inputs[i].dtype), graphrun::to_string(inputs[i].extents), inputs[i].bytes),
          {}, inputs[i].name);
    }
    plan_run.bind_feed(i, feed->bytes.data());
  }
}

void check_fetches(const Plan& plan, std::span<const Fetch> fetches) {
  for (const Fetch& fetch : fetches) {
    const auto output = std::ranges::find(plan.outputs, fetch.name, &PlanOutput::name);
    if (output == plan.outputs.end()) {
      throw Error(ErrorCode::usage,
                  fmt::format("there is no output '{}'; there are {}", fetch.name, names(plan.outputs)));
    }
    if (output->bytes != fetch.bytes.size()) {
      throw Error(ErrorCode::usage,
                  fmt::format("the output '{}' is {}{} and takes {} bytes, not {}", fetch.name,
                              to_string(output->dtype), graphrun::to_string(output->extents), output->bytes,
                              fetch.bytes.size()));
    }
  }
}

void hand_out(PlanRun& plan_run, const Run& run) noexcept {
  plan_run.tell(run.observer);
  if (run.observer == nullptr) return;
  const std::vector<PlanOutput>& outputs = plan_run.plan().outputs;
  for (std::size_t i = 0; i < run.fetches.size(); ++i) {
    const auto output = std::ranges::find(outputs, run.fetches[i].name, &PlanOutput::name);
    plan_run.hand_out(static_cast<std::size_t>(output - outputs.begin()), i);
  }
}

void copy_fetches(const PlanRun& plan_run, std::span<const Fetch> fetches) noexcept {
  for (std::size_t i = 0; i < fetches.size(); ++i) {
    const Fetch& fetch = fetches[i];
    const auto output = std::ranges::find(plan_run.plan().outputs, fetch.name, &PlanOutput::name);
    if (plan_run.is_taken(static_cast<std::size_t>(output - plan_run.plan().outputs.begin()), i)) continue;
    if (output->bytes > 0) std::memcpy(fetch.bytes.data(), plan_run.address(output->place), output->bytes);
  }
}

}  // namespace graphrun::runtime
