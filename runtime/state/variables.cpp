#include "runtime/state/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "errors/lack_of_memory.hpp"
#include "runtime/machine/aligned.hpp"
#include "runtime/state/initialize.hpp"

namespace graphrun::runtime {

namespace {

/// Hands out stretches of large blocks: variables that are used together share huge pages.
class Arena {
 public:
  explicit Arena(Pages pages) : pages_(pages) {}

  std::byte* allocate(std::size_t bytes) {
    const std::size_t size = aligned_size(bytes);
    auto block = std::ranges::find_if(blocks_, [&](const Block& each) { return each.left >= size; });
    if (block == blocks_.end()) {
      const std::size_t whole = std::max(huge_page, (size + huge_page - 1) / huge_page * huge_page);
      block = blocks_.insert(blocks_.end(), {allocate_aligned(whole, pages_), whole, whole});
    }
    std::byte* const begin = block->memory.get() + (block->bytes - block->left);
    block->left -= size;
    return begin;
  }

  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const Block& block : blocks_) sum += block.bytes;
    return sum;
  }

 private:
  struct Block {
    AlignedBytes memory;
    std::size_t bytes = 0;
    std::size_t left = 0;
  };
  Pages pages_;
  std::deque<Block> blocks_;
};

}  // namespace

struct VariableStore::Storage {
  explicit Storage(Pages pages) : arena(pages) {}
  std::deque<Variable> variables;  // a deque: addresses stay
  std::map<std::string, std::size_t, std::less<>> by_name;
  std::map<std::string, Variable, std::less<>> named_parts;
  Arena arena;
};

VariableStore::VariableStore(Pages pages) : storage_(std::make_unique<Storage>(pages)) {}
VariableStore::~VariableStore() = default;
VariableStore::VariableStore(VariableStore&&) noexcept = default;
VariableStore& VariableStore::operator=(VariableStore&&) noexcept = default;

VariableStore::Variable& VariableStore::declare(std::string name, Extents extents, Initializer initializer,
                                                bool trainable) {
  if (Variable* known = find(name)) {
    if (known->extents == extents) return *known;
    throw Error(ErrorCode::model,
                fmt::format("the variable has the shape {} already and cannot be {} too",
                            to_string(known->extents), to_string(extents)),
                {}, name);
  }
  const auto count = static_cast<std::size_t>(element_count(extents));
  const std::size_t bytes = count * sizeof(float);
  const auto lack = [&] {
    return Error(ErrorCode::memory,
                 fmt::format("there is not enough memory for its {} bytes, beside {} of other variables; "
                             "fewer units need less",
                             bytes, storage_->arena.bytes()),
                 {}, name);
  };
  std::byte* const memory = saying_what_lacks([&] { return storage_->arena.allocate(bytes); }, lack);
  auto* const values = reinterpret_cast<float*>(memory);
  std::fill_n(values, count, 0.0F);
  const auto named = storage_->by_name.emplace(name, storage_->variables.size()).first;
  try {
    return storage_->variables.emplace_back(Variable{std::move(name),
                                                     std::move(extents),
                                                     std::move(initializer),
                                                     trainable,
                                                     false,
                                                     {values, count},
                                                     {},
                                                     0});
  } catch (...) {
    storage_->by_name.erase(named);
    throw;
  }
}

VariableStore::Variable& VariableStore::declare_part(std::string name, const Extents& whole,
                                                     std::size_t begin, std::size_t count,
                                                     Initializer initializer) {
  Variable& part =
      declare(std::move(name), {static_cast<std::int64_t>(count)}, std::move(initializer), false);
  part.whole = whole;
  part.begin = begin;
  return part;
}

void VariableStore::name_part(std::string name, std::string_view of, std::size_t begin, std::size_t count) {
  const std::span<float> values = get(of).values.subspan(begin, count);
  Variable part{name, {static_cast<std::int64_t>(count)}, {}, false, true, values, {}, 0};
  storage_->named_parts.insert_or_assign(std::move(name), std::move(part));
}

std::size_t VariableStore::size() const {
  return storage_->variables.size();
}

void VariableStore::shrink(std::size_t size) noexcept {
  while (storage_->variables.size() > size) {
    storage_->by_name.erase(storage_->by_name.find(storage_->variables.back().name));
    storage_->variables.pop_back();
  }
}

VariableStore::Variable* VariableStore::find(std::string_view name) {
  return const_cast<Variable*>(std::as_const(*this).find(name));
}

const VariableStore::Variable* VariableStore::find(std::string_view name) const {
  if (const auto found = storage_->by_name.find(name); found != storage_->by_name.end())
    return &storage_->variables[found->second];
  const auto part = storage_->named_parts.find(name);
  return part == storage_->named_parts.end() ? nullptr : &part->second;
}

VariableStore::Variable& VariableStore::get(std::string_view name) {
  if (Variable* found = find(name)) return *found;
  throw Error(ErrorCode::usage, fmt::format("there is no variable '{}'", name));
}

std::vector<const VariableStore::Variable*> VariableStore::all() const {
  std::vector<const Variable*> pointers;
  for (const Variable& variable : storage_->variables) pointers.push_back(&variable);
  return pointers;
}

std::vector<VariableStore::Variable*> VariableStore::all() {
  std::vector<Variable*> pointers;
  for (Variable& variable : storage_->variables) pointers.push_back(&variable);
  return pointers;
}

void VariableStore::initialise(std::uint64_t seed) {
  for (Variable& variable : storage_->variables) {
    if (variable.initialised) continue;
    initialize(variable.initializer, variable.name, variable.extents, seed, variable.values);
    variable.initialised = true;
  }
}

}  // namespace graphrun::runtime
