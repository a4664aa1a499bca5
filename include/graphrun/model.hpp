/// \file
/// A model as a program sees it: what a YAML file describes, checked, with all shapes known but the batch.
///
///     const graphrun::Model model = graphrun::Model::load("models/autoencoder.yaml");
///     for (const graphrun::TensorInfo& parameter : model.parameters()) …
///
/// A Model is immutable, cheap to copy, and may be used from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graphrun/error.hpp"
#include "graphrun/export.hpp"
#include "graphrun/interface.hpp"

namespace graphrun {

struct ModelDefinition;
class Table;

enum class ElementType { f32, i32, u8 };

/// In a shape of TensorInfo: the axis of the batch, whose size is chosen when the model runs.
inline constexpr std::int64_t batch_axis = -1;

/// The name and type of an input, an output or a parameter.
struct TensorInfo {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;  ///< batch_axis stands for the batch; empty is a scalar
};

/// One node of a model as it is written, blocks and formulas expanded.
struct NodeInfo {
  std::string name;
  std::string op;
  std::vector<std::string> inputs;  ///< names of nodes
  TensorInfo value;                 ///< named as the node
  SourceLocation where;             ///< of its key in the file
};

class GRAPHRUN_API Model {
 public:
  /// Reads a model file. `settings` are as after --set on the command line: "units=10", "train.epochs=5".
  /// Throws ModelError with all mistakes at once, or Error{io} when the file cannot be read.
  static Model load(const std::string& path, std::span<const std::string> settings = {});
  static Model load(const std::string& path, std::initializer_list<std::string> settings) {
    return load(path, std::span(settings.begin(), settings.size()));
  }

  /// The same of a model that learns from a table, whose columns are fitted to these rows in place of those
  /// of the file that it names, which need not be there.
  static Model load(const std::string& path, const Table& rows, std::span<const std::string> settings = {});

  /// Gives the text of the file at a path that `include:` names; throws an Error to refuse it.
  using IncludeReader = std::function<std::string(const std::string& path)>;

  /// The same of a text; `name` stands for the file in errors, and includes are relative to its folder. What
  /// may be included is the host's to decide: without a reader, nothing.
  static Model parse(std::string_view text, std::string_view name = "model.yaml",
                     std::span<const std::string> settings = {}, const IncludeReader& include = {});
  static Model parse(std::string_view text, const Table& rows, std::string_view name = "model.yaml",
                     std::span<const std::string> settings = {}, const IncludeReader& include = {});

  Model(const Model&);
  Model(Model&&) noexcept;
  Model& operator=(const Model&);
  Model& operator=(Model&&) noexcept;
  ~Model();

  const std::string& name() const;
  const std::string& about() const;  ///< the description in the file; may be empty

  std::vector<TensorInfo> inputs() const;      ///< `inputs:` of the file, in its order
  std::vector<TensorInfo> outputs() const;     ///< `outputs:` of the file: "code", "image", …
  std::vector<TensorInfo> parameters() const;  ///< what is learnt: "enc.0.w", …
  std::vector<NodeInfo> nodes() const;         ///< all of the graph; the inputs of each come before it
  std::vector<std::string> loss_terms() const;
  std::vector<std::string> metrics() const;

  /// The model as YAML that stands alone: includes inlined, settings applied.
  const std::string& resolved() const;

  /// The library's own view; of no use outside it.
  const ModelDefinition& definition() const { return *definition_; }
  const std::shared_ptr<const ModelDefinition>& shared_definition() const { return definition_; }

 private:
  explicit Model(std::shared_ptr<const ModelDefinition> definition);
  std::shared_ptr<const ModelDefinition> definition_;
};

}  // namespace graphrun
