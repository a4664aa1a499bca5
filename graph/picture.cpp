#include "graph/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "graph/op.hpp"
#include "graph/print.hpp"

namespace graphrun {

namespace {

constexpr double character = 6.6;  // the width of one, at 11 px in a font of equal widths
constexpr double box_height = 34;
constexpr double layer_distance = 70;
constexpr double gap = 14;
constexpr int sweeps = 12;

/// A node of the graph, or a point where a long edge passes a layer.
struct Place {
  std::optional<NodeId> node;
  std::size_t layer = 0;
  double width = 0;
  double x = 0;                    ///< of its middle
  std::vector<std::size_t> above;  ///< places in the layer before
  std::vector<std::size_t> below;
};

struct Drawing {
  std::vector<Place> places;
  std::vector<std::vector<std::size_t>> layers;  ///< places, from left to right
};

std::string type_of(const Node& node) {
  return node.type.dtype == DType::none ? std::string() : to_string(node.type);
}

std::string second_line(const Node& node) {
  return fmt::format("{} {}", node.op->name, type_of(node));
}

std::vector<NodeId> sources_of(const Node& node) {
  std::vector<NodeId> sources = node.inputs;
  sources.insert(sources.end(), node.controls.begin(), node.controls.end());
  std::sort(sources.begin(), sources.end());
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  return sources;
}

/// As far down as the longest way to it; what has no sources stands right above its first user.
std::vector<std::size_t> layers_of(const Graph& graph) {
  std::vector<std::size_t> layer(graph.size(), 0);
  for (NodeId id = 0; id < graph.size(); ++id)
    for (const NodeId source : sources_of(graph.node(id))) layer[id] = std::max(layer[id], layer[source] + 1);
  std::vector<std::size_t> first_user(graph.size(), graph.size());
  for (NodeId id = 0; id < graph.size(); ++id)
    for (const NodeId source : sources_of(graph.node(id)))
      first_user[source] = std::min(first_user[source], layer[id]);
  for (NodeId id = 0; id < graph.size(); ++id)
    if (sources_of(graph.node(id)).empty() && first_user[id] < graph.size()) layer[id] = first_user[id] - 1;
  return layer;
}

std::size_t add_place(Drawing& drawing, Place place) {
  if (drawing.layers.size() <= place.layer) drawing.layers.resize(place.layer + 1);
  drawing.layers[place.layer].push_back(drawing.places.size());
  drawing.places.push_back(std::move(place));
  return drawing.places.size() - 1;
}

/// One edge by way of a point in each layer between.
void connect(Drawing& drawing, std::size_t from, std::size_t to) {
  std::size_t last = from;
  for (std::size_t layer = drawing.places[from].layer + 1; layer <= drawing.places[to].layer; ++layer) {
    Place point;
    point.layer = layer;
    point.width = 6;
    const std::size_t next = layer == drawing.places[to].layer ? to : add_place(drawing, std::move(point));
    drawing.places[last].below.push_back(next);
    drawing.places[next].above.push_back(last);
    last = next;
  }
}

Drawing placed(const Graph& graph) {
  const std::vector<std::size_t> layer = layers_of(graph);
  Drawing drawing;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    Place place;
    place.node = id;
    place.layer = layer[id];
    place.width = 12 + character * static_cast<double>(std::max(node.name.size(), second_line(node).size()));
    add_place(drawing, std::move(place));
  }
  for (NodeId id = 0; id < graph.size(); ++id)
    for (const NodeId source : sources_of(graph.node(id))) connect(drawing, source, id);
  return drawing;
}

double mean_x(const Drawing& drawing, const std::vector<std::size_t>& neighbours, double otherwise) {
  if (neighbours.empty()) return otherwise;
  double sum = 0;
  for (const std::size_t neighbour : neighbours) sum += drawing.places[neighbour].x;
  return sum / static_cast<double>(neighbours.size());
}

/// Side by side in their order, each as near to where it wants to be as its neighbours allow: half way
/// between what pushes to the right only and what pushes to the left only.
void set_apart(Drawing& drawing, const std::vector<std::size_t>& layer, const std::vector<double>& wanted) {
  std::vector<double> pushed_right(layer.size());
  for (std::size_t i = 0; i < layer.size(); ++i) {
    const double width = drawing.places[layer[i]].width;
    pushed_right[i] = wanted[layer[i]];
    if (i == 0) continue;
    const double before = drawing.places[layer[i - 1]].width;
    pushed_right[i] = std::max(pushed_right[i], pushed_right[i - 1] + (before + width) / 2 + gap);
  }
  double pushed_left = 0;
  for (std::size_t i = layer.size(); i-- > 0;) {
    Place& place = drawing.places[layer[i]];
    const bool is_last = i + 1 == layer.size();
    const double after = is_last ? 0 : drawing.places[layer[i + 1]].width;
    pushed_left = is_last ? wanted[layer[i]]
                          : std::min(wanted[layer[i]], pushed_left - (after + place.width) / 2 - gap);
    place.x = (pushed_right[i] + pushed_left) / 2;
  }
}

enum class Neighbours { above, below, both };

/// Where the places of a layer want to be: at the mean of their neighbours.
std::vector<double> wanted_places(const Drawing& drawing, const std::vector<std::size_t>& layer,
                                  Neighbours neighbours) {
  std::vector<double> wanted(drawing.places.size(), 0);
  for (const std::size_t at : layer) {
    const Place& place = drawing.places[at];
    std::vector<std::size_t> pulling;
    if (neighbours != Neighbours::below) pulling = place.above;
    if (neighbours != Neighbours::above)
      pulling.insert(pulling.end(), place.below.begin(), place.below.end());
    wanted[at] = mean_x(drawing, pulling, place.x);
  }
  return wanted;
}

void order(Drawing& drawing, std::vector<std::size_t>& layer, Neighbours neighbours) {
  const std::vector<double> wanted = wanted_places(drawing, layer, neighbours);
  std::stable_sort(layer.begin(), layer.end(),
                   [&](std::size_t a, std::size_t b) { return wanted[a] < wanted[b]; });
  set_apart(drawing, layer, wanted);
}

/// First the order in each layer, then, in that order, straighter edges.
void arrange(Drawing& drawing) {
  const std::vector<double> anywhere(drawing.places.size(), 0);
  for (const std::vector<std::size_t>& layer : drawing.layers) set_apart(drawing, layer, anywhere);
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    for (std::size_t i = 1; i < drawing.layers.size(); ++i)
      order(drawing, drawing.layers[i], Neighbours::above);
    for (std::size_t i = drawing.layers.size(); i-- > 0;)
      order(drawing, drawing.layers[i], Neighbours::below);
  }
  for (int sweep = 0; sweep < 4 * sweeps; ++sweep)
    for (const std::vector<std::size_t>& layer : drawing.layers)
      set_apart(drawing, layer, wanted_places(drawing, layer, Neighbours::both));
}

void move_to_origin(Drawing& drawing) {
  double left = std::numeric_limits<double>::max();
  for (const Place& place : drawing.places) left = std::min(left, place.x - place.width / 2);
  for (Place& place : drawing.places) place.x += gap - left;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else
      result += c;
  }
  return result;
}

double top_of(const Place& place) {
  return gap + layer_distance * static_cast<double>(place.layer);
}

std::string_view colour_of(Part part) {
  switch (part) {
    case Part::forward:
      return "#dbeafe";
    case Part::backward:
      return "#fde7d3";
    case Part::update:
      return "#dcf2dc";
  }
  return "#ffffff";
}

std::string box(const Place& place, const Node& node) {
  const double top = top_of(place);
  return fmt::format(
      "<g><title>{}</title><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"4\" "
      "fill=\"{}\" "
      "stroke=\"#64748b\"/><text x=\"{:.1f}\" y=\"{:.1f}\" font-weight=\"bold\">{}</text><text x=\"{:.1f}\" "
      "y=\"{:.1f}\">{}</text></g>\n",
      escaped(node.name), place.x - place.width / 2, top, place.width, box_height, colour_of(part_of(node)),
      place.x, top + 14, escaped(node.name), place.x, top + 28, escaped(second_line(node)));
}

/// The pieces of edges that begin at a place: curves to the layer below, and through a point a straight line.
std::string edges(const Drawing& drawing, const Place& place) {
  std::string text;
  const double start = top_of(place) + box_height;
  if (!place.node && !place.below.empty())
    text += fmt::format("<path d=\"M{0:.1f} {1:.1f}V{2:.1f}\"/>\n", place.x, top_of(place), start);
  for (const std::size_t at : place.below) {
    const Place& end = drawing.places[at];
    const double middle = (start + top_of(end)) / 2;
    text += fmt::format("<path d=\"M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}\"{}/>\n", place.x,
                        start, place.x, middle, end.x, middle, end.x, top_of(end),
                        end.node ? " marker-end=\"url(#arrow)\"" : "");
  }
  return text;
}

}  // namespace

std::string to_svg(const Graph& graph) {
  if (graph.size() > most_nodes_of_picture)
    throw Error(
        ErrorCode::usage,
        fmt::format("a picture of {} nodes could not be read: at most {}; --dot and --json write them all",
                    graph.size(), most_nodes_of_picture));
  Drawing drawing = placed(graph);
  arrange(drawing);
  move_to_origin(drawing);
  double width = 0;
  for (const Place& place : drawing.places) width = std::max(width, place.x + place.width / 2 + gap);
  const double height = 2 * gap + layer_distance * static_cast<double>(drawing.layers.size());
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
      "{1:.0f}\" "
      "font-family=\"monospace\" font-size=\"11\" text-anchor=\"middle\">\n<rect width=\"100%\" "
      "height=\"100%\" "
      "fill=\"white\"/>\n<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" "
      "markerWidth=\"7\" "
      "markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#64748b\" "
      "stroke=\"none\"/></marker></defs>\n"
      "<g fill=\"none\" stroke=\"#64748b\">\n",
      width, height);
  for (const Place& place : drawing.places) text += edges(drawing, place);
  text += "</g>\n";
  for (const Place& place : drawing.places)
    if (place.node) text += box(place, graph.node(*place.node));
  return text + "</svg>\n";
}

}  // namespace graphrun
