/// \file
/// What `graphrun bench` prints and writes.
#pragma once

#include <span>
#include <string>

#include "bench/ruler/benchmark.hpp"
#include "bench/ruler/step_profile.hpp"
#include "cli/json.hpp"

namespace graphrun::cli {

files::JsonObject json_of(const bench::BenchmarkResult& result);
std::string text_of(const bench::BenchmarkResult& result);

/// Sets `ops` and `idle_us`.
void set_profile(files::JsonObject& object, const bench::StepProfile& profile);
std::string text_of(const bench::StepProfile& profile);

files::JsonArray json_of(std::span<const bench::AblationResult> results);
std::string text_of(std::span<const bench::AblationResult> results);

/// Chrome's trace format, which Perfetto opens: one lane a worker; on it each task, and in the task its
/// units. A task's arguments say in which step it ran and for which tasks it waited.
std::string trace_of(const bench::StepProfile& profile);

}  // namespace graphrun::cli
