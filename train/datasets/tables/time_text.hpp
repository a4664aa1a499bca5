/// \file
/// Times as tables have them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace graphrun::train {

/// A number as it is ("12.5", "12,5"), or the seconds of a date that begins with its year: "2026-01",
/// "2026-01-31", "2026-01-31 12:00", "2026-01-31T12:00:05.5Z", "2026-01-31 12:00+02:00"; or of
/// a time of day, "18:30". Nothing of any other text: "31.1.2026" and "1/31/2026" have no order that
/// everybody agrees on.
std::optional<double> time_in(std::string_view text);

/// Why a cell of `column` gives a row no place, and what would.
std::string no_time_in(std::string_view text, std::string_view column);
/// The same of a cell that is missing.
std::string no_order_in(std::string_view column);

}  // namespace graphrun::train
