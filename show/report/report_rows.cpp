#include "show/report/report_rows.hpp"

#include "show/draw/matrix.hpp"
#include "show/report/report_scale.hpp"

namespace graphrun::show {

namespace {

constexpr std::size_t most_worst = 15;

const char* name_of(Diagram::Kind kind) {
  return kind == Diagram::Kind::first ? "first" : "second";
}

files::JsonArray numbers(std::initializer_list<double> values) {
  files::JsonArray array;
  for (const double value : values) array.add(value);
  return array;
}

files::JsonObject diagram_of(const Diagram& diagram) {
  files::JsonArray bars;
  for (const Diagram::Bar& bar : diagram.bars) bars.add(numbers({bar.from, bar.to, bar.first, bar.second}));
  files::JsonArray lines;
  for (const Diagram::Line& line : diagram.lines) {
    files::JsonArray points;
    for (const Diagram::Point& point : line.points) points.add(numbers({point.x, point.y}));
    lines.add(files::JsonObject().set("kind", name_of(line.kind)).set("points", points));
  }
  files::JsonArray stretches;
  for (const Diagram::Stretch& stretch : diagram.stretches)
    stretches.add(files::JsonObject()
                      .set("kind", name_of(stretch.kind))
                      .set("from", stretch.from)
                      .set("to", stretch.to));
  return files::JsonObject()
      .set("title", diagram.title)
      .set("about", diagram.about)
      .set("x_name", diagram.x_name)
      .set("y_name", diagram.y_name)
      .set("x", json_of(diagram.x))
      .set("y", json_of(diagram.y))
      .set("bars", bars)
      .set("lines", lines)
      .set("stretches", stretches)
      .set("x_marks", files::json_array(diagram.x_marks))
      .set("y_marks", files::json_array(diagram.y_marks))
      .set("names", files::json_array(diagram.names))
      .set("wide", diagram.is_wide);
}

files::JsonArray diagrams_of(const std::vector<Diagram>& diagrams) {
  files::JsonArray array;
  for (const Diagram& diagram : diagrams) array.add(diagram_of(diagram));
  return array;
}

files::JsonObject class_view_of(const ClassView& view) {
  const train::Confusion& confusion = view.confusion;
  files::JsonArray rows;
  files::JsonArray f1;
  for (std::size_t truth = 0; truth < confusion.classes; ++truth) {
    files::JsonArray row;
    for (std::size_t guess = 0; guess < confusion.classes; ++guess) row.add(confusion.count(truth, guess));
    rows.add(row);
    f1.add(confusion.f1(truth));
  }
  return files::JsonObject()
      .set("name", view.name)
      .set("names", files::json_array(view.names))
      .set("counts", rows)
      .set("f1", f1);
}

files::JsonArray worst_of(const RowView& view, const std::vector<FittedColumn>& columns) {
  files::JsonArray rows;
  for (const std::size_t row : train::worst_rows(view.scores, most_worst)) {
    files::JsonArray parts;
    for (const std::size_t column : train::surprising_columns(view.scores, row)) {
      const std::string& name = view.scores.columns[column];
      const double part = view.scores.parts[row * view.scores.columns.size() + column];
      parts.add(files::JsonObject()
                    .set("column", name)
                    .set("value", cell_text(view, columns, row, name))
                    .set("share", part / view.scores.scores[row]));
    }
    files::JsonObject object;
    object.set("row", view.number(row))
        .set("score", view.scores.scores[row])
        .set("flagged", view.is_flagged(row))
        .set("parts", parts);
    if (!view.odd.empty()) object.set("kind", view.kinds[view.odd[row] ? 1 : 0]);
    rows.add(object);
  }
  return rows;
}

}  // namespace

void set_rows(files::JsonObject& data, train::Learner& learner, const Source& source) {
  files::JsonArray classes;
  for (const ClassView& view : class_views(learner, source))
    if (view.confusion.classes <= most_drawn_classes) classes.add(class_view_of(view));
  data.set("classes", classes);
  const std::optional<RowView> view = row_view(learner, source);
  if (!view) return;
  const std::vector<FittedColumn>& columns = learner.model().data->table->fitted;
  std::vector<Diagram> diagrams{score_histogram(*view)};
  for (Diagram& diagram : detection_diagrams(*view)) diagrams.push_back(std::move(diagram));
  files::JsonObject rows;
  rows.set("of", view->of)
      .set("count", view->scores.scores.size())
      .set("diagrams", diagrams_of(diagrams))
      .set("series", diagrams_of(series_diagrams(*view, columns)))
      .set("labelled", !view->odd.empty())
      .set("worst", worst_of(*view, columns));
  if (view->detection)
    rows.set("best_f1", view->detection->best_f1).set("best_threshold", view->detection->best_threshold);
  if (view->threshold) rows.set("threshold", *view->threshold);
  if (const std::optional<ClassView> flagged = flagged_view(*view))
    rows.set("flagged", class_view_of(*flagged));
  data.set("rows", rows);
}

}  // namespace graphrun::show
