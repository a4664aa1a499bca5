/// \file
/// What PyTorch, Keras and papers call things, for those who come from there.
#pragma once

#include <string>
#include <string_view>

namespace graphrun {

enum class NameOf { op, initializer, dtype, optimizer };

/// A sentence that says what it is called here, as "A fully connected layer is `dense`."; empty when the name
/// is not known elsewhere either. Case, `_` and a module in front (`nn.`) do not matter.
std::string known_elsewhere(NameOf kind, std::string_view name);

/// What an attribute is called here, as `units` for `out_features`; empty when nobody calls one so.
std::string_view attribute_elsewhere(std::string_view name);

/// Is this how others write an axis as long as the batch: None, null, -1, ?, N?
bool means_batch(std::string_view size);

}  // namespace graphrun
