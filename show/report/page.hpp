/// \file
/// The template of a report, from the files in report/page: embedded as text.
#pragma once

#include <string_view>

namespace graphrun::show {

/// HTML with places in double braces: title, style, script, script digest, data.
std::string_view page_html();
std::string_view page_style();
std::string_view page_script();

}  // namespace graphrun::show
