/// \file
/// Small tables for tests, and what is refused of them.
#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "files/file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/load_table.hpp"
#include "train/datasets/tables/table_text.hpp"
#include "train/learn/definition.hpp"

namespace graphrun::testing {

/// Tables in a folder of their own, and a model that learns from `train.csv`.
class Tables {
 public:
  const Tables& write(const std::string& name, const std::string& text) const {
    files::write_text_file(folder_ / name, text);
    return *this;
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  /// The model with these keys of `data:` behind the training table.
  train::SharedDefinition model(const std::string& keys = "", const std::string& train = "") const {
    return train::parse_definition("graphrun: 1\nname: m\ndata:\n  train: {table: '" + path("train.csv") +
                                       "'" + train + "}\n" + keys +
                                       "inputs: {x: {from: cells}}\n"
                                       "nodes: {row: {op: dense, in: x, units: \"$(dim(x, -1))\"}}\n"
                                       "outputs: {row: row}\nloss: {r: {op: mse, in: [row, x]}}\n"
                                       "train: {batch: 4, epochs: 1}\n",
                                   "m.yaml");
  }
  DataRecipe data(const std::string& keys = "", const std::string& train = "") const {
    return *model(keys, train)->data;
  }
  train::ImageSet read(const std::string& name, const DataRecipe& data,
                       const train::TableQuery& query = {}) const {
    return train::load_table(train::TableText(folder_ / name), data, query);
  }

 private:
  TemporaryFolder folder_;
};

inline const FittedColumn& column(const DataRecipe& data, const std::string& name) {
  return *std::ranges::find(data.table->fitted, name, &FittedColumn::name);
}

template <class Call>
bool refused(Call call, const std::string& part) {
  const std::optional<Error> error = thrown(call);
  INFO((error ? error->what() : "nothing was thrown"));
  CHECK(error.has_value());
  return error && contains(error->what(), part);
}

inline const std::string four_rows = "t,kind,id\n1,a,1\n3,b,2\n5,a,3\n7,b,4\n";

}  // namespace graphrun::testing
