#include "show/draw/matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "show/draw/canvas.hpp"

namespace graphrun::show {

namespace {

constexpr std::int64_t side = 72;
constexpr std::int64_t margin = 40;
constexpr std::size_t longest_name = 20;

Colour between(Colour light, Colour dark, double share) {
  const auto mixed = [&](std::uint8_t from, std::uint8_t to) {
    return static_cast<std::uint8_t>(from + share * (to - from));
  };
  return {mixed(light.red, dark.red), mixed(light.green, dark.green), mixed(light.blue, dark.blue)};
}

}  // namespace

files::Image draw_matrix(const ClassView& view) {
  const std::size_t classes = std::min(view.confusion.classes, most_drawn_classes);
  const auto extent = static_cast<std::int64_t>(classes) * side;
  std::int64_t names = text_width("it is");
  for (const std::string& name : view.names)
    names = std::max(names, text_width(name.substr(0, longest_name)) + 12);
  const std::string title = fmt::format("{}: what each is taken for", view.name);
  Canvas canvas(std::max(margin + names + extent, margin + text_width(title)) + margin,
                3 * margin + extent + 2 * text_height);
  const std::int64_t left = margin + names;
  const std::int64_t top = 2 * margin + text_height;
  canvas.text(margin, margin / 2, title, black);
  for (std::size_t truth = 0; truth < classes; ++truth) {
    const auto row =
        view.confusion.counts.begin() + static_cast<std::ptrdiff_t>(truth * view.confusion.classes);
    const auto all =
        std::accumulate(row, row + static_cast<std::ptrdiff_t>(view.confusion.classes), std::int64_t{0});
    const std::int64_t y = top + static_cast<std::int64_t>(truth) * side;
    canvas.text(margin, y + side / 2 - text_height / 2, view.names[truth].substr(0, longest_name), black);
    const std::size_t letters =
        std::max<std::size_t>(side / std::max<std::int64_t>(text_width("x"), 1), 1) - 1;
    canvas.text(left + static_cast<std::int64_t>(truth) * side + 2, top - text_height - 6,
                view.names[truth].substr(0, letters), black);
    for (std::size_t guess = 0; guess < classes; ++guess) {
      const std::int64_t count = view.confusion.count(truth, guess);
      const double share = all == 0 ? 0 : static_cast<double>(count) / static_cast<double>(all);
      const std::int64_t x = left + static_cast<std::int64_t>(guess) * side;
      const Colour dark = truth == guess ? Colour{0, 114, 178} : Colour{213, 94, 0};
      canvas.rectangle(x, y, side - 2, side - 2, between({244, 244, 244}, dark, share));
      const std::string text = std::to_string(count);
      canvas.text(x + side / 2 - text_width(text) / 2, y + side / 2 - text_height / 2, text,
                  share > 0.6 ? white : black);
    }
  }
  return canvas.image();
}

files::Image draw_worst(const RowView& view, const std::vector<FittedColumn>& columns) {
  constexpr std::size_t rows = 15;
  constexpr std::int64_t step = 44;
  constexpr std::int64_t bar_width = 400;
  constexpr std::int64_t width = 1280;
  const std::vector<std::size_t> worst = train::worst_rows(view.scores, rows);
  Canvas canvas(width, 2 * margin + static_cast<std::int64_t>(worst.size()) * step);
  canvas.text(margin, margin / 2, fmt::format("The highest scores of {}", view.of), black);
  std::int64_t y = 2 * margin;
  for (const std::size_t row : worst) {
    const double share = view.scores.scores[row] / std::max(view.scores.scores[worst.front()], 1e-300);
    const Colour colour = !view.odd.empty() && view.odd[row] ? Colour{213, 94, 0} : Colour{0, 114, 178};
    canvas.text(margin, y, fmt::format("row {}", view.number(row)), black);
    canvas.rectangle(margin + 130, y, std::max<std::int64_t>(std::llround(share * bar_width), 1), text_height,
                     colour);
    const std::int64_t left = margin + 130 + bar_width + 16;
    std::string because = fmt::format("{:<7.4g}", view.scores.scores[row]);
    for (const std::size_t column : train::surprising_columns(view.scores, row)) {
      const std::string& name = view.scores.columns[column];
      const std::string cell = cell_text(view, columns, row, name);
      const std::string reason = fmt::format(
          " {} {} ({:.0f} %)", name.substr(0, longest_name),
          cell.empty() ? "missing" : cell.substr(0, longest_name),
          100 * view.scores.parts[row * view.scores.columns.size() + column] / view.scores.scores[row]);
      if (left + text_width(because + reason) > width) break;  // the smaller ones stand in the page
      because += reason;
    }
    canvas.text(left, y, because, black);
    y += step;
  }
  return canvas.image();
}

}  // namespace graphrun::show
