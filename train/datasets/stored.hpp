/// \file
/// Elements that are written once, in order, and read often: in memory, or in a file where they are too many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "files/scratch_file.hpp"

namespace graphrun::train {

/// More bytes than this of one kind are kept in a file. Where they lie changes no bit of any result.
inline constexpr std::size_t most_bytes_in_memory = std::size_t{256} << 20;

/// Immutable; copies share the elements.
template <class Element>
class Stored {
 public:
  Stored() = default;
  Stored(std::vector<Element> elements)  // NOLINT(google-explicit-constructor): elements are what it is
      : Stored(std::make_shared<const std::vector<Element>>(std::move(elements))) {}
  Stored(std::initializer_list<Element> elements) : Stored(std::vector<Element>(elements)) {}
  explicit Stored(std::shared_ptr<const files::MappedFile> file)
      : view_(reinterpret_cast<const Element*>(file->bytes().data()), file->bytes().size() / sizeof(Element)),
        owner_(file),
        file_(file.get()) {}

  const Element* data() const { return view_.data(); }
  std::size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  auto begin() const { return view_.begin(); }
  auto end() const { return view_.end(); }
  const Element& operator[](std::size_t index) const { return view_[index]; }
  /// Null: they are in memory. Who reads many of them says so to the file.
  const files::MappedFile* file() const { return file_; }

  friend bool operator==(const Stored& one, const Stored& other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end());
  }

 private:
  explicit Stored(std::shared_ptr<const std::vector<Element>> elements)
      : view_(*elements), owner_(std::move(elements)) {}

  std::span<const Element> view_;
  std::shared_ptr<const void> owner_;
  const files::MappedFile* file_ = nullptr;
};

/// Collects them, in memory as long as they are few.
template <class Element>
class StoredWriter {
 public:
  explicit StoredWriter(std::size_t most_bytes = most_bytes_in_memory) : most_bytes_(most_bytes) {}

  void append(std::span<const Element> elements) {
    const std::size_t bytes = (memory_.size() + elements.size()) * sizeof(Element);
    if (bytes > (file_ ? std::min(most_bytes_, written_at_once) : most_bytes_)) spill();
    memory_.insert(memory_.end(), elements.begin(), elements.end());
  }
  void reserve(std::size_t elements) {
    if (elements * sizeof(Element) <= most_bytes_) memory_.reserve(elements);
  }

  bool is_in_file() const { return file_.has_value(); }
  /// What is in memory, where nothing is in a file.
  std::vector<Element> take_memory() { return std::move(memory_); }

  Stored<Element> take() {
    if (!file_) return std::move(memory_);
    spill();
    return Stored<Element>(std::move(*file_).mapped());
  }

 private:
  static constexpr std::size_t written_at_once = std::size_t{4} << 20;

  void spill() {
    if (!file_) file_.emplace();
    file_->append(std::as_bytes(std::span(memory_)));
    if (memory_.capacity() * sizeof(Element) > written_at_once * 2) memory_ = std::vector<Element>();
    memory_.clear();
  }

  std::size_t most_bytes_;
  std::vector<Element> memory_;
  std::optional<files::ScratchFile> file_;
};

}  // namespace graphrun::train
