/// \file
/// A list in blocks: what it holds stays where it is while more is added, and lies in order in memory.
#pragma once

#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace graphrun {

template <class T>
class BlockList {
 public:
  BlockList() = default;
  BlockList(const BlockList& other) {
    for (const T& item : other) push_back(item);
  }
  BlockList(BlockList&& other) noexcept
      : blocks_(std::move(other.blocks_)), size_(std::exchange(other.size_, 0)) {}
  BlockList& operator=(BlockList other) noexcept {
    blocks_.swap(other.blocks_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~BlockList() = default;

  std::size_t size() const { return size_; }
  const T& operator[](std::size_t i) const { return blocks_[i / block_size][i % block_size]; }
  T& operator[](std::size_t i) { return blocks_[i / block_size][i % block_size]; }

  void push_back(T item) {
    if (size_ % block_size == 0) blocks_.emplace_back().reserve(block_size);
    blocks_.back().push_back(std::move(item));
    ++size_;
  }

  /// Takes off the items from `from` on. In what it returns each stands at its place in its block: the first
  /// is item `from % block_size`, and those before it are empty.
  BlockList split_off(std::size_t from) {
    BlockList rest;
    rest.blocks_.assign(std::move_iterator(blocks_.begin() + static_cast<std::ptrdiff_t>(from / block_size)),
                        std::move_iterator(blocks_.end()));
    rest.size_ = size_ - from / block_size * block_size;
    blocks_.resize(from / block_size);
    size_ = blocks_.size() * block_size;
    if (from == size_) return rest;
    // What stays must not move: the others of this block do.
    std::vector<T> own = std::move(rest.blocks_.front());
    std::vector<T>& others = rest.blocks_.front() = std::vector<T>(from - size_);
    const auto first = own.begin() + static_cast<std::ptrdiff_t>(from - size_);
    others.insert(others.end(), std::move_iterator(first), std::move_iterator(own.end()));
    own.erase(first, own.end());
    blocks_.push_back(std::move(own));
    size_ = from;
    return rest;
  }

  static constexpr std::size_t block_size = 64;

  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    Iterator() = default;
    Iterator(const BlockList& list, std::size_t at) : list_(&list), at_(at) {}
    const T& operator*() const { return (*list_)[at_]; }
    const T* operator->() const { return &(*list_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++at_;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.at_ == b.at_; }

   private:
    const BlockList* list_ = nullptr;
    std::size_t at_ = 0;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size_}; }

 private:
  std::vector<std::vector<T>> blocks_;  // each has room for block_size from the start: its items never move
  std::size_t size_ = 0;
};

}  // namespace graphrun
