#include <algorithm>

#include "cli/output/bench_output.hpp"

namespace graphrun::cli {

namespace {

double microseconds(std::int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e3;
}

/// A bar on a worker's lane.
files::JsonObject bar(const std::string& name, const char* category, std::uint32_t worker,
                      std::int64_t begin_ns, std::int64_t end_ns, const files::JsonObject& arguments) {
  return files::JsonObject()
      .set("name", name)
      .set("cat", category)
      .set("ph", "X")
      .set("pid", std::int64_t{1})
      .set("tid", worker)
      .set("ts", microseconds(begin_ns))
      .set("dur", microseconds(end_ns - begin_ns))
      .set("args", arguments);
}

files::JsonObject lane_name(std::uint32_t worker) {
  return files::JsonObject()
      .set("name", "thread_name")
      .set("ph", "M")
      .set("pid", std::int64_t{1})
      .set("tid", worker)
      .set("args", files::JsonObject().set("name", "worker " + std::to_string(worker)));
}

/// The units of one task in one step stand one after the other.
std::size_t end_of_task(const std::vector<bench::TracedUnit>& trace, std::size_t first) {
  std::size_t end = first;
  while (end < trace.size() && trace[end].step == trace[first].step && trace[end].task == trace[first].task)
    ++end;
  return end;
}

files::JsonObject task_arguments(const bench::StepProfile& profile, const bench::TracedUnit& unit) {
  files::JsonArray waits_for;
  for (const std::uint32_t task : profile.waits_for[unit.task]) waits_for.add(task);
  return files::JsonObject().set("step", unit.step).set("task", unit.task).set("waits_for", waits_for);
}

files::JsonObject unit_arguments(const bench::TracedUnit& unit) {
  files::JsonObject arguments;
  arguments.set("first_row", unit.row_begin).set("rows", unit.row_count);
  if (!unit.primitive.empty()) arguments.set("primitive", unit.primitive);
  return arguments;
}

}  // namespace

std::string trace_of(const bench::StepProfile& profile) {
  files::JsonArray events;
  std::uint32_t workers = 0;
  for (const bench::TracedUnit& unit : profile.trace) workers = std::max(workers, unit.worker + 1);
  for (std::uint32_t worker = 0; worker < workers; ++worker) events.add(lane_name(worker));
  for (std::size_t first = 0; first < profile.trace.size();) {
    const std::size_t end = end_of_task(profile.trace, first);
    const bench::TracedUnit& begin = profile.trace[first];
    events.add(bar("task " + std::to_string(begin.task), "task", begin.worker, begin.begin_ns,
                   profile.trace[end - 1].end_ns, task_arguments(profile, begin)));
    for (std::size_t i = first; i < end; ++i) {
      const bench::TracedUnit& unit = profile.trace[i];
      events.add(bar(unit.name, "unit", unit.worker, unit.begin_ns, unit.end_ns, unit_arguments(unit)));
    }
    first = end;
  }
  return files::JsonObject().set("traceEvents", events).set("displayTimeUnit", "ns").text() + "\n";
}

}  // namespace graphrun::cli
