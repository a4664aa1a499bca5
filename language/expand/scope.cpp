#include "language/expand/scope.hpp"

#include <fmt/format.h>

#include "graph/op.hpp"

namespace graphrun {

Expansion::Expansion(const ModelDeclaration& file, const std::vector<BlockDeclaration>& standard,
                     const OpRegistry& registry, Diagnostics& mistakes)
    : declared(file), builder(registry), diagnostics(mistakes), top{.model = *this} {
  for (const YamlEntry& var : file.vars) vars.emplace(var.key, &var);
  for (const BlockDeclaration& block : standard) blocks[block.name] = &block;
  for (const BlockDeclaration& block : file.blocks) {
    const OpDef* op = builder.registry().find(block.name);
    if (blocks.contains(block.name) || op != nullptr) {
      diagnostics.error(block.place,
                        fmt::format("'{}' is {} of graphrun's own already", block.name,
                                    op != nullptr ? "an op" : "a block"),
                        "Choose another name.");
    } else {
      blocks[block.name] = &block;
    }
  }
}

const BlockDeclaration* Expansion::find_block(const std::string& name) const {
  const auto found = blocks.find(name);
  return found == blocks.end() ? nullptr : found->second;
}

std::vector<Diagnostic::Note> listed(const CallNotes* notes) {
  std::vector<Diagnostic::Note> list;
  for (; notes != nullptr; notes = notes->outer.get()) list.push_back(notes->innermost);
  return list;
}

}  // namespace graphrun
