/// \file
/// After which epochs pictures are drawn while a model learns: often at first, when much changes, and never
/// so often that a long run fills the disk.
#pragma once

#include <cstdint>
#include <optional>

namespace graphrun::train {

/// How many of the first `epochs` epochs have pictures: every so many-th; with 0, none; with nothing, epochs
/// 1, 2, 5, 10, 20, 50, 100 and so on. A picture is due when this number has grown since the last one.
std::uint64_t pictures_until(std::uint64_t epochs, const std::optional<std::int64_t>& every);

}  // namespace graphrun::train
