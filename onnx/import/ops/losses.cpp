// Losses of labelled classes. ONNX has classes on axis 1, of scores [n, classes, …].
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "onnx/import/importer.hpp"
#include "onnx/import/ops/imported_ops.hpp"

namespace graphrun::onnx {

namespace {

/// −(log p of the label) · its weight for each label, joined as `reduction` says.
Value likelihood_loss(Importer& importer, const Call& call, const Value& log_p) {
  const Value& labels = call.input(1);
  if (log_p.rank() < 2 || !log_p.shape[1].is_number() || log_p.shape[1].offset > Importer::most_indices)
    throw Unsupported("no scores of classes");
  const std::int64_t classes = log_p.shape[1].offset;
  std::vector<double> numbers(static_cast<std::size_t>(classes));
  std::iota(numbers.begin(), numbers.end(), 0.0);
  const Term logs{&importer, importer.node(log_p, channels_last(log_p.rank()))};
  Shape column = labels.shape;
  column.push_back(Dim::number(1));
  const Term label{&importer, importer.reshape(importer.node(labels), column)};
  Term hot = apply("equal", label, label.with(importer.constant(std::move(numbers), {classes})));
  if (call.has(2)) hot = hot * hot.with(importer.node(call.input(2)));
  if (call.has_attribute("ignore_index")) {
    const auto ignored = static_cast<double>(call.integer("ignore_index", 0));
    hot = hot * apply("not_equal", label, ignored);
  }
  const auto last = static_cast<std::int64_t>(labels.rank());
  const Term losses = -hot.with(importer.sum((hot * logs).id, {last}, false));
  const std::string reduction = call.text("reduction", "mean");
  if (reduction == "none") return importer.value(losses.id, log_p.type);
  std::vector<std::int64_t> all(labels.rank());
  std::iota(all.begin(), all.end(), 0);
  const Term total = losses.with(importer.sum(losses.id, all, false));
  if (reduction == "sum") return importer.value(total.id, log_p.type);
  all.push_back(last);
  return importer.value((total / hot.with(importer.sum(hot.id, all, false))).id, log_p.type);
}

Results negative_log_likelihood(Importer& importer, const Call& call) {
  return {likelihood_loss(importer, call, call.input(0))};
}

Results softmax_cross_entropy(Importer& importer, const Call& call) {
  const Value& scores = call.input(0);
  Order order;
  const NodeId node = importer.any_order(scores, order);
  const auto axis = static_cast<std::int64_t>(place_of(order, 1));
  const Value log_p =
      importer.value(importer.add("log_softmax", {node}, {{"axis", axis}}), scores.type, order);
  return {likelihood_loss(importer, call, log_p), log_p};
}

constexpr ImportedOp table[] = {{"NegativeLogLikelihoodLoss", negative_log_likelihood},
                                {"SoftmaxCrossEntropyLoss", softmax_cross_entropy}};

}  // namespace

std::span<const ImportedOp> loss_imports() {
  return table;
}

}  // namespace graphrun::onnx
