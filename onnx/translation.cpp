#include "onnx/translation.hpp"

#include <algorithm>

namespace graphrun::onnx {

Translation translation_of(const OpDef& op) {
  for (const auto family :
       {elementwise_translations(), image_translations(), index_translations(), product_translations(),
        reduction_translations(), sequence_translations(), shape_translations()}) {
    const auto found = std::ranges::find(family, op.name, &TranslatedOp::op);
    if (found != family.end()) return found->translation;
  }
  return nullptr;
}

std::int64_t axis_in(const Layout& layout, std::size_t axis) {
  if (layout.kind != Layout::Kind::channels_first || axis == 0) return static_cast<std::int64_t>(axis);
  return axis == 3 ? 1 : static_cast<std::int64_t>(axis + 1);
}

std::vector<AttributeRecord> window_records(const Window& window) {
  using Integers = std::vector<std::int64_t>;
  const auto& [vertical, horizontal] = window;
  std::vector<AttributeRecord> records = {
      {"kernel_shape", Integers{vertical.kernel, horizontal.kernel}},
      {"strides", Integers{vertical.stride, horizontal.stride}},
      {"pads", Integers{vertical.before, horizontal.before, vertical.after, horizontal.after}}};
  if (vertical.dilation != 1 || horizontal.dilation != 1)
    records.push_back({"dilations", Integers{vertical.dilation, horizontal.dilation}});
  return records;
}

}  // namespace graphrun::onnx
