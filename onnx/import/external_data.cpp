#include "onnx/import/external_data.hpp"

#include <fmt/format.h>

#include <system_error>

#include "errors/printable.hpp"
#include "files/file.hpp"
#include "graph/type.hpp"
#include "onnx/import/element_type.hpp"
#include "onnx/import/wire_reader.hpp"

namespace graphrun::onnx {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const TensorRecord& tensor, const std::string& why) {
  throw MalformedFile(fmt::format("weights '{}' are in another file, '{}', {}",
                                  printable(shortened(tensor.name)),
                                  printable(shortened(tensor.external->location)), why));
}

/// Nothing on the way is a link, and the end is a file with no other name.
fs::path contained(const TensorRecord& tensor, const fs::path& folder) {
  const std::string& location = tensor.external->location;
  const fs::path relative(location);
  if (location.empty() || location.find('\0') != std::string::npos) refuse(tensor, "which is no path");
  if (relative.is_absolute()) refuse(tensor, "which is not beside it");
  fs::path path = folder;
  for (const fs::path& part : relative) {
    if (part == "..") refuse(tensor, "which is not beside it");
    path /= part;
    std::error_code error;
    if (fs::is_symlink(fs::symlink_status(path, error))) refuse(tensor, "which a link leads to");
  }
  std::error_code error;
  if (!fs::is_regular_file(path, error)) refuse(tensor, "which is not there");
  if (fs::hard_link_count(path, error) != 1) refuse(tensor, "which has another name too");
  return path;
}

void read(TensorRecord& tensor, const std::optional<fs::path>& folder) {
  if (!tensor.external) return;
  if (!folder) refuse(tensor, "which is not read unless that is allowed (--external-data)");
  const std::uint64_t wanted = bytes_of(tensor.type, element_count(tensor.shape));
  const files::InputFile file(contained(tensor, *folder));
  const auto offset = static_cast<std::uint64_t>(tensor.external->offset);
  if (tensor.external->length && static_cast<std::uint64_t>(*tensor.external->length) != wanted)
    refuse(tensor, fmt::format("of {} bytes instead of {}", *tensor.external->length, wanted));
  if (offset > file.size() || wanted > file.size() - offset)
    refuse(tensor, fmt::format("which has {} bytes", file.size()));
  std::vector<std::uint8_t> bytes(wanted);
  file.read_exactly(offset, bytes);
  tensor.bytes.assign(bytes.begin(), bytes.end());
  tensor.external.reset();
}

}  // namespace

void read_external_data(GraphRecord& graph, const std::optional<fs::path>& folder) {
  for (TensorRecord& tensor : graph.initializers) read(tensor, folder);
  for (NodeRecord& node : graph.nodes) {
    for (AttributeRecord& attribute : node.attributes) {
      if (auto* const tensor = std::get_if<TensorRecord>(&attribute.value)) read(*tensor, folder);
      if (auto* const inner = std::get_if<SharedGraph>(&attribute.value)) {
        GraphRecord copy = **inner;
        read_external_data(copy, folder);
        *inner = std::make_shared<const GraphRecord>(std::move(copy));
      }
    }
  }
}

}  // namespace graphrun::onnx
