/// \file
/// Arrays on disk, by the end of the name: NPY or CSV.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "files/file.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::cli {

/// Error{usage} for a name that ends in neither .npy nor .csv.
void require_array_name(const std::string& path);

/// What stands beside an output in a CSV: as many rows, of equal lengths.
struct NamedRows {
  std::string name;
  std::vector<float> values;
};

/// Writes the rows of an output. A CSV has the columns NAME_0, NAME_1, …, the same of what stands beside it
/// and, when there are labels, `label`; beside an NPY, labels go to a file of their own: labels_path().
void write_array(const std::string& path, const train::OutputValues& output,
                 std::span<const std::int32_t> labels = {}, std::span<const NamedRows> beside = {});

/// An NPY file of an output whose rows come block by block.
class ArrayRows {
 public:
  /// Of `rows` such rows as these.
  ArrayRows(const std::string& path, const train::OutputValues& like, std::size_t rows);
  void add(const train::OutputValues& block);
  void commit() { file_.commit(); }

 private:
  files::AtomicFile file_;
};

/// "codes.labels.npy" for "codes.npy".
std::string labels_path(const std::string& path);

/// Rows of f32, whatever the file holds: [rows, columns]; further axes are flattened. A CSV's `label` column
/// is left aside.
struct RowTable {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<float> values;
};
RowTable read_array(const std::string& path);

}  // namespace graphrun::cli
