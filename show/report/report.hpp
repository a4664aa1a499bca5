/// \file
/// report.html of a run: one file that shows what was learnt and how, without the network. The page is a
/// template of HTML, CSS and JavaScript (the folder `page`), a part of the library; what it shows stands in
/// it as one block of JSON, whose keys are those of the page's scripts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "files/json.hpp"
#include "show/draw/source.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::show {

/// All that the page shows. What a model lacks is left out; `notes` (for people) say what and why.
files::JsonObject report_data(train::Learner& learner, const Source& source, std::vector<std::string>& notes);

/// The page around its data. No text of the data can leave its block, or become markup.
std::string report_page(std::string_view title, files::JsonObject data);

struct Report {
  std::filesystem::path file;
  std::uint64_t bytes = 0;
  std::vector<std::string> notes;
};
/// Durable, or not there at all. Error{io}.
Report write_report(train::Learner& learner, const Source& source, const std::filesystem::path& file);

}  // namespace graphrun::show
