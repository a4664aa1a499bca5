#include "files/stored_bytes.hpp"

#include <fmt/format.h>

#include <cstring>

namespace graphrun::files {

const std::filesystem::path& StoredBytes::path() const noexcept {
  const Memory* memory = std::get_if<Memory>(&bytes_);
  return memory != nullptr ? memory->name : std::get_if<InputFile>(&bytes_)->path();
}

std::uint64_t StoredBytes::size() const noexcept {
  const Memory* memory = std::get_if<Memory>(&bytes_);
  return memory != nullptr ? memory->bytes.size() : std::get_if<InputFile>(&bytes_)->size();
}

void StoredBytes::read_exactly(std::uint64_t offset, std::span<std::uint8_t> into) const {
  const Memory* memory = std::get_if<Memory>(&bytes_);
  if (memory == nullptr) return std::get<InputFile>(bytes_).read_exactly(offset, into);
  if (offset > size() || into.size() > size() - offset)
    throw data_error(memory->name, fmt::format("ends at byte {}, {} bytes too early", size(),
                                               offset + into.size() - size()));
  if (!into.empty()) std::memcpy(into.data(), memory->bytes.data() + offset, into.size());
}

}  // namespace graphrun::files
