#include "train/run/event_log.hpp"

namespace graphrun::train {

namespace {
constexpr std::uint64_t largest_picture = std::uint64_t{1} << 28;
}

EventLog::EventLog(const std::filesystem::path& folder, std::uint64_t last_step)
    : train_(folder / "train", last_step), test_(folder / "test", last_step) {}

void EventLog::picture(std::uint64_t step, std::string_view tag, const std::filesystem::path& png) {
  test_.picture(step, tag, files::read_file(png, largest_picture));
}

}  // namespace graphrun::train
