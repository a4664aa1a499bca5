#include "show/report/report.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

#include "files/base64.hpp"
#include "files/file.hpp"
#include "files/sha256.hpp"
#include "show/report/page.hpp"
#include "show/report/report_facts.hpp"
#include "show/report/report_pictures.hpp"
#include "show/report/report_rows.hpp"

namespace graphrun::show {

namespace {

std::string escaped_markup(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&')
      escaped += "&amp;";
    else if (c == '<')
      escaped += "&lt;";
    else if (c == '>')
      escaped += "&gt;";
    else
      escaped += c;
  }
  return escaped;
}

/// JSON that means the same and has none of the characters that could end the element around it. They only
/// stand inside of strings, where JSON has a second way to write them.
void append_escaped_json(std::string& page, std::string_view json) {
  for (const char c : json) {
    if (c == '<' || c == '>' || c == '&')
      page += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      page += c;
  }
}

/// SHA-256 in base64: the page's policy lets this script run and no other.
std::string digest_of(std::string_view script) {
  const std::string digits = files::sha256(files::as_bytes(script));
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at < digits.size(); at += 2) {
    std::uint8_t byte = 0;
    std::from_chars(digits.data() + at, digits.data() + at + 2, byte, 16);
    bytes.push_back(byte);
  }
  return files::base64(bytes);
}

}  // namespace

files::JsonObject report_data(train::Learner& learner, const Source& source,
                              std::vector<std::string>& notes) {
  files::JsonObject data;
  data.set("format", std::int64_t{1});
  set_facts(data, learner, source);
  set_pictures(data, learner, source, notes);
  set_rows(data, learner, source);
  return data.set("notes", files::json_array(notes));
}

std::string report_page(std::string_view title, files::JsonObject data) {
  const std::string digest = digest_of(page_script());
  const std::string name = escaped_markup(title);
  constexpr std::string_view place_of_data = "{{data}}";
  const std::string json = std::move(data).text();
  const std::array<std::pair<std::string_view, std::string_view>, 5> places = {{
      {"{{script digest}}", digest},
      {"{{title}}", name},
      {"{{style}}", page_style()},
      {place_of_data, json},
      {"{{script}}", page_script()},
  }};
  // In the order of the template, each looked for behind the one before: what is put in is never looked at.
  std::string page;
  page.reserve(page_html().size() + page_style().size() + page_script().size() + json.size() +
               json.size() / 64);
  std::string_view rest = page_html();
  for (const auto& [place, text] : places) {
    const std::size_t at = rest.find(place);
    if (at == std::string_view::npos)
      throw Error(ErrorCode::internal, fmt::format("the template of reports has no {}", place));
    page += rest.substr(0, at);
    if (place == place_of_data)
      append_escaped_json(page, text);
    else
      page += text;
    rest.remove_prefix(at + place.size());
  }
  page += rest;
  return page;
}

Report write_report(train::Learner& learner, const Source& source, const std::filesystem::path& file) {
  Report report{file, 0, {}};
  const std::string page =
      report_page(learner.model().name + " \u2013 graphrun", report_data(learner, source, report.notes));
  files::write_text_file(file, page);
  report.bytes = page.size();
  return report;
}

}  // namespace graphrun::show
