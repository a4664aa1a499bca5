#include "show/report/layer_layout.hpp"

#include <algorithm>

#include "graphrun/error.hpp"

namespace graphrun::show {

namespace {

constexpr double row_gap = 30;
constexpr double column_gap = 22;
constexpr double margin = 8;
constexpr double passing_width = 10;  ///< of an edge that passes a row
constexpr int ordering_sweeps = 12;
constexpr int placing_sweeps = 24;

/// A box, or a place where a long edge passes a row.
struct Item {
  double width = 0;
  double centre = 0;
  std::size_t row = 0;
  std::vector<std::size_t> above;
  std::vector<std::size_t> below;
};

using Rows = std::vector<std::vector<std::size_t>>;

/// Rows by the longest way from a box without inputs; these themselves as low as their users allow, so that
/// noise stands beside what it is added to.
std::vector<std::size_t> rows_of(std::size_t count, const std::vector<LayoutEdge>& edges) {
  std::vector<std::size_t> row(count, 0);
  std::vector<LayoutEdge> ordered = edges;
  std::sort(ordered.begin(), ordered.end(),
            [](const LayoutEdge& a, const LayoutEdge& b) { return a.from < b.from; });
  for (const LayoutEdge& edge : ordered) row[edge.to] = std::max(row[edge.to], row[edge.from] + 1);
  std::vector<bool> has_input(count, false);
  for (const LayoutEdge& edge : edges) has_input[edge.to] = true;
  for (std::size_t box = 0; box < count; ++box) {
    if (has_input[box]) continue;
    std::size_t lowest = count;
    for (const LayoutEdge& edge : edges)
      if (edge.from == box) lowest = std::min(lowest, row[edge.to] - 1);
    if (lowest < count) row[box] = lowest;
  }
  return row;
}

class Placing {
 public:
  Placing(const std::vector<double>& widths, double height, const std::vector<LayoutEdge>& edges)
      : height_(height), boxes_(widths.size()) {
    for (const LayoutEdge& edge : edges)
      if (edge.from >= edge.to || edge.to >= boxes_)
        throw Error(ErrorCode::internal, "an edge of a drawing leads backwards");
    const std::vector<std::size_t> rows = rows_of(boxes_, edges);
    for (std::size_t box = 0; box < boxes_; ++box) add(widths[box], rows[box]);
    for (const LayoutEdge& edge : edges) add_edge(edge);
    order();
    place();
  }

  Layout layout() const {
    Layout layout;
    double left = 0;
    double right = 0;
    for (const Item& item : items_) {
      left = std::min(left, item.centre - item.width / 2);
      right = std::max(right, item.centre + item.width / 2);
    }
    layout.width = right - left + 2 * margin;
    layout.height = static_cast<double>(rows_.size()) * (height_ + row_gap) - row_gap + 2 * margin;
    const auto x = [&](double centre) { return centre - left + margin; };
    for (std::size_t box = 0; box < boxes_; ++box)
      layout.boxes.push_back({x(items_[box].centre) - items_[box].width / 2, top(items_[box].row)});
    for (const std::vector<std::size_t>& way : ways_) {
      std::vector<Point> points;
      for (std::size_t i = 0; i < way.size(); ++i) {
        const Item& item = items_[way[i]];
        if (i > 0) points.push_back({x(item.centre), top(item.row)});
        if (i + 1 < way.size()) points.push_back({x(item.centre), top(item.row) + height_});
      }
      layout.edges.push_back(std::move(points));
    }
    return layout;
  }

 private:
  double top(std::size_t row) const { return margin + static_cast<double>(row) * (height_ + row_gap); }

  std::size_t add(double width, std::size_t row) {
    if (rows_.size() <= row) rows_.resize(row + 1);
    rows_[row].push_back(items_.size());
    items_.push_back({width, 0, row, {}, {}});
    return items_.size() - 1;
  }

  void add_edge(const LayoutEdge& edge) {
    std::vector<std::size_t> way{edge.from};
    for (std::size_t row = items_[edge.from].row + 1; row < items_[edge.to].row; ++row)
      way.push_back(add(passing_width, row));
    way.push_back(edge.to);
    for (std::size_t i = 1; i < way.size(); ++i) {
      items_[way[i - 1]].below.push_back(way[i]);
      items_[way[i]].above.push_back(way[i - 1]);
    }
    ways_.push_back(std::move(way));
  }

  /// Downwards by the items above, upwards by those below, in turn.
  void order() {
    std::vector<double> place(items_.size());
    const auto number = [&](const std::vector<std::size_t>& row) {
      for (std::size_t i = 0; i < row.size(); ++i)
        place[row[i]] = static_cast<double>(i) - static_cast<double>(row.size()) / 2;
    };
    for (const auto& row : rows_) number(row);
    for (int sweep = 0; sweep < ordering_sweeps; ++sweep) {
      const bool down = sweep % 2 == 0;
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        std::vector<std::size_t>& row = rows_[down ? i : rows_.size() - 1 - i];
        std::vector<double> wished(items_.size());
        for (const std::size_t item : row)
          wished[item] = mean(down ? items_[item].above : items_[item].below, place, place[item]);
        std::stable_sort(row.begin(), row.end(),
                         [&](std::size_t a, std::size_t b) { return wished[a] < wished[b]; });
        number(row);
      }
    }
  }

  void place() {
    std::vector<double> centres(items_.size());
    for (int sweep = 0; sweep < placing_sweeps; ++sweep) {
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        const std::vector<std::size_t>& row = rows_[sweep % 2 == 0 ? i : rows_.size() - 1 - i];
        std::vector<double> wished;
        std::vector<double> apart;
        for (const std::size_t item : row) {
          wished.push_back(pulled(item, centres));
          const double before = apart.empty() ? 0 : items_[row[apart.size() - 1]].width;
          apart.push_back((before + items_[item].width) / 2 + column_gap);
        }
        const std::vector<double> places = nearest_places(wished, apart);
        for (std::size_t at = 0; at < row.size(); ++at) centres[row[at]] = places[at];
      }
    }
    for (std::size_t i = 0; i < items_.size(); ++i) items_[i].centre = centres[i];
  }

  /// The mean of the neighbours; those of a kind, boxes or passing edges, pull harder: chains of layers and
  /// long edges become straight.
  double pulled(std::size_t item, const std::vector<double>& centres) const {
    constexpr double alike = 6;
    double sum = 0;
    double weights = 0;
    for (const auto* neighbours : {&items_[item].above, &items_[item].below})
      for (const std::size_t other : *neighbours) {
        const double weight = (item < boxes_) == (other < boxes_) ? alike : 1;
        sum += weight * centres[other];
        weights += weight;
      }
    return weights > 0 ? sum / weights : centres[item];
  }

  static double mean(const std::vector<std::size_t>& of, const std::vector<double>& values,
                     double otherwise) {
    if (of.empty()) return otherwise;
    double sum = 0;
    for (const std::size_t item : of) sum += values[item];
    return sum / static_cast<double>(of.size());
  }

  double height_;
  std::size_t boxes_;
  std::vector<Item> items_;
  Rows rows_;
  std::vector<std::vector<std::size_t>> ways_;  ///< of each edge: the items that it goes through
};

}  // namespace

std::vector<double> nearest_places(const std::vector<double>& wished, const std::vector<double>& apart) {
  // Less what must be between them, the places only need to ascend.
  struct Pool {
    double sum = 0;
    std::size_t count = 0;
    double mean() const { return sum / static_cast<double>(count); }
  };
  std::vector<double> offset(wished.size());
  std::vector<Pool> pools;
  for (std::size_t i = 0; i < wished.size(); ++i) {
    offset[i] = i == 0 ? 0 : offset[i - 1] + apart[i];
    pools.push_back({wished[i] - offset[i], 1});
    while (pools.size() > 1 && pools[pools.size() - 2].mean() >= pools.back().mean()) {
      const Pool last = pools.back();
      pools.pop_back();
      pools.back().sum += last.sum;
      pools.back().count += last.count;
    }
  }
  std::vector<double> places;
  for (const Pool& pool : pools)
    for (std::size_t i = 0; i < pool.count; ++i) places.push_back(pool.mean() + offset[places.size()]);
  return places;
}

Layout place_layers(const std::vector<double>& widths, double height, const std::vector<LayoutEdge>& edges) {
  return Placing(widths, height, edges).layout();
}

}  // namespace graphrun::show
