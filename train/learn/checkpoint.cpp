#include "train/learn/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "files/file.hpp"
#include "graphrun/version.hpp"
#include "runtime/machine/isa.hpp"
#include "runtime/products/onednn.hpp"
#include "train/learn/state_text.hpp"

namespace graphrun::train {

namespace fs = std::filesystem;

namespace {

constexpr const char* format_key = "format";
constexpr const char* format_value = "graphrun checkpoint 1";
constexpr const char* model_key = "model";
constexpr const char* made_with_key = "made_with";
constexpr std::string_view kept_prefix = "kept/";

bool same_extents(const Extents& extents, const std::vector<std::size_t>& shape) {
  return std::equal(extents.begin(), extents.end(), shape.begin(), shape.end(),
                    [](std::int64_t a, std::size_t b) { return static_cast<std::uint64_t>(a) == b; });
}

Extents extents_of(const files::StoredTensor& tensor) {
  return {tensor.shape.begin(), tensor.shape.end()};
}

/// Of all of the variable, where a part alone is kept here.
const Extents& extents_of(const runtime::VariableStore::Variable& variable) {
  return variable.whole.empty() ? variable.extents : variable.whole;
}

std::vector<std::size_t> shape_of(const runtime::VariableStore::Variable& variable) {
  const Extents& extents = extents_of(variable);
  return {extents.begin(), extents.end()};
}

std::string shape_text(const files::StoredTensor& tensor) {
  return to_string(extents_of(tensor));
}

/// A tensor read and checked, waiting until all of them are.
struct Loaded {
  const files::StoredTensor* tensor = nullptr;
  std::vector<float> values;
};

Loaded load(const files::SafetensorsFile& file, const files::StoredTensor& tensor) {
  return {&tensor, files::as_f32(tensor.type, file.read(tensor))};
}

void require_fit(const files::SafetensorsFile& file, const files::StoredTensor& tensor,
                 const runtime::VariableStore::Variable& variable) {
  if (files::is_real(tensor.type) && same_extents(extents_of(variable), tensor.shape)) return;
  throw files::data_error(file.path(), fmt::format("'{}' is {}{} in the file and f32{} in the model",
                                                   variable.name, files::info_of(tensor.type).name,
                                                   shape_text(tensor), to_string(extents_of(variable))));
}

/// The tensors of the parameters of the model; of those that are not needed, the ones that are there.
std::vector<Loaded> load_parameters(const Learner& learner, const files::SafetensorsFile& file,
                                    const std::set<std::string>* needed = nullptr) {
  std::vector<Loaded> loaded;
  for (const runtime::VariableStore::Variable* variable : learner.variables().all()) {
    if (!variable->trainable) continue;
    const files::StoredTensor* tensor = file.find(variable->name);
    if (tensor == nullptr && needed != nullptr && !needed->contains(variable->name)) continue;
    if (tensor == nullptr)
      throw files::data_error(file.path(),
                              fmt::format("it has no parameter '{}' of the model", variable->name));
    require_fit(file, *tensor, *variable);
    loaded.push_back(load(file, *tensor));
  }
  return loaded;
}

/// The running averages of the model, as far as the file has them.
std::vector<Loaded> load_averages(const Learner& learner, const files::SafetensorsFile& file) {
  std::vector<Loaded> loaded;
  for (const Node& node : learner.model().graph.nodes()) {
    if (!node.op->traits.variable || node.attributes.flag("trainable")) continue;
    const files::StoredTensor* tensor = file.find(node.name);
    if (tensor == nullptr) continue;
    require_fit(file, *tensor, *learner.variables().find(node.name));
    loaded.push_back(load(file, *tensor));
  }
  return loaded;
}

/// Is the tensor a variable of the model, or a slot of one: "adam/enc.0.w/m"?
bool is_used(const Learner& learner, const std::string& tensor) {
  if (learner.variables().find(tensor) != nullptr) return true;
  const std::size_t first = tensor.find('/');
  const std::size_t last = tensor.rfind('/');
  return first != last && learner.variables().find(tensor.substr(first + 1, last - first - 1)) != nullptr;
}

void keep_part(std::vector<float>& values, const runtime::VariableStore::Variable& variable) {
  if (variable.whole.empty()) return;
  const auto part = std::span(values).subspan(variable.begin, variable.values.size());
  values = std::vector<float>(part.begin(), part.end());
}

/// Everything else: optimizer state, also of an optimizer that is not compiled yet.
std::vector<Loaded> load_slots(const Learner& learner, const files::SafetensorsFile& file) {
  std::vector<Loaded> loaded;
  for (const files::StoredTensor& tensor : file.tensors()) {
    const runtime::VariableStore::Variable* variable = learner.variables().find(tensor.name);
    if (variable != nullptr && variable->trainable) continue;
    if (tensor.name.starts_with(kept_prefix) || !is_used(learner, tensor.name)) continue;
    if (variable != nullptr) require_fit(file, tensor, *variable);
    if (tensor.type != files::StoredType::f32) continue;
    loaded.push_back(load(file, tensor));
    if (variable != nullptr) keep_part(loaded.back().values, *variable);
  }
  return loaded;
}

/// All or nothing: every variable is declared before the first is written.
void store(runtime::VariableStore& variables, const std::vector<Loaded>& loaded) {
  const std::size_t before = variables.size();
  try {
    for (const Loaded& one : loaded)
      if (variables.find(one.tensor->name) == nullptr)
        variables.declare(one.tensor->name, extents_of(*one.tensor), Initializer{}, false);
  } catch (...) {
    variables.shrink(before);
    throw;
  }
  for (const Loaded& one : loaded) {
    runtime::VariableStore::Variable& variable = *variables.find(one.tensor->name);
    std::copy(one.values.begin(), one.values.end(), variable.values.begin());
    variable.initialised = true;
  }
}

/// "kept/tuned/enc.0.w": the name under which weights were put aside, and the variable's. Nothing for a
/// tensor that is none of them.
struct KeptName {
  std::string set;
  std::string variable;
};
std::optional<KeptName> kept_name(const files::StoredTensor& tensor) {
  if (!tensor.name.starts_with(kept_prefix)) return std::nullopt;
  const std::size_t end = std::min(tensor.name.find('/', kept_prefix.size()), tensor.name.size());
  return KeptName{tensor.name.substr(kept_prefix.size(), end - kept_prefix.size()),
                  tensor.name.substr(std::min(end + 1, tensor.name.size()))};
}

/// What was put aside are other values of variables that the file holds too.
void require_kept_variables(const files::SafetensorsFile& file) {
  for (const files::StoredTensor& tensor : file.tensors()) {
    const std::optional<KeptName> name = kept_name(tensor);
    if (!name) continue;
    const files::StoredTensor* now = file.find(name->variable);
    if (now == nullptr)
      throw files::data_error(file.path(), fmt::format("'{}' are kept values of '{}', which it does not hold",
                                                       tensor.name, name->variable));
    if (tensor.type != files::StoredType::f32 || tensor.type != now->type || tensor.shape != now->shape)
      throw files::data_error(
          file.path(), fmt::format("'{}' is not of the type and shape of '{}'", tensor.name, name->variable));
  }
}

std::map<std::string, Learner::Weights> load_kept(const Learner& learner,
                                                  const files::SafetensorsFile& file) {
  std::map<std::string, Learner::Weights> kept;
  for (const files::StoredTensor& tensor : file.tensors()) {
    const std::optional<KeptName> name = kept_name(tensor);
    if (!name) continue;
    const runtime::VariableStore::Variable* variable = learner.variables().find(name->variable);
    if (variable == nullptr) continue;  // as its present values
    require_fit(file, tensor, *variable);
    std::vector<float>& values = kept[name->set][name->variable];
    values.resize(variable->values.size());
    file.read(tensor, std::as_writable_bytes(std::span(values)));
  }
  return kept;
}

std::vector<std::string> unused_tensors(const Learner& learner, const files::SafetensorsFile& file) {
  std::vector<std::string> unused;
  for (const files::StoredTensor& tensor : file.tensors())
    if (!tensor.name.starts_with(kept_prefix) && !is_used(learner, tensor.name))
      unused.push_back(tensor.name);
  return unused;
}

/// Slots of optimizers that the file knows nothing of: they begin anew.
std::vector<runtime::VariableStore::Variable*> slots_without_value(Learner& learner,
                                                                   const files::SafetensorsFile& file) {
  std::set<std::string_view> of_model;
  for (const Node& node : learner.model().graph.nodes())
    if (node.op->traits.variable) of_model.insert(node.name);
  std::vector<runtime::VariableStore::Variable*> slots = learner.variables().all();
  std::erase_if(slots, [&](const auto* slot) {
    return of_model.contains(slot->name) || file.find(slot->name) != nullptr;
  });
  return slots;
}

}  // namespace

bool is_checkpoint(const files::SafetensorsFile& file) {
  const auto format = file.metadata().find(format_key);
  return format != file.metadata().end() && format->second == format_value &&
         file.metadata().contains(model_key);
}

Checkpoint::Checkpoint(const fs::path& path) : Checkpoint(files::StoredBytes(path)) {}

Checkpoint::Checkpoint(files::StoredBytes bytes) : file_(std::move(bytes)) {
  const fs::path& path = file_.path();
  const auto& metadata = file_.metadata();
  if (!is_checkpoint(file_))
    throw files::data_error(
        path, "is a safetensors file, but no checkpoint of graphrun's: its metadata lacks the model");
  try {
    state_ = state_from_text(metadata);
  } catch (const Error& error) {
    throw files::data_error(path, error.message());
  }
  require_kept_variables(file_);
  file_.verify();
}

const std::string& Checkpoint::model() const {
  return file_.metadata().at(model_key);
}

std::string Checkpoint::made_with() const {
  const auto found = file_.metadata().find(made_with_key);
  return found == file_.metadata().end() ? std::string() : found->second;
}

std::string made_with(const Learner& learner) {
  const runtime::ProviderChoice provider = effective(learner.session().provider());
  std::string text = fmt::format("graphrun {}, oneDNN {}, {}", version, runtime::onednn_version(),
                                 to_string(runtime::detected_isa()));
  if (provider != runtime::ProviderChoice::automatic)
    text += fmt::format(", provider {}", to_string(provider));
  const Precision precision = learner.session().precision();
  if (precision != Precision::f32) text += fmt::format(", precision {}", to_string(precision));
  return text;
}

namespace {

/// What a checkpoint holds. The tensors are borrowed from the learner.
struct Content {
  std::vector<files::TensorView> tensors;
  std::map<std::string, std::string> metadata;
};

/// Those of the first member are of all members.
std::span<const float> values_of(const runtime::VariableStore::Variable& variable,
                                 const Learner::Weights& collected) {
  if (variable.whole.empty()) return variable.values;
  const auto found = collected.find(variable.name);
  if (found == collected.end())
    throw Error(ErrorCode::internal, "parts of this state are in other processes", {}, variable.name);
  return found->second;
}

Content content_of(const Learner& learner, const Learner::Weights& collected) {
  if (const std::string* variable = learner.spoilt())
    throw Error(ErrorCode::not_finite,
                fmt::format("the state is not saved: the gradient of '{}' was not finite when it was last "
                            "updated; load the last good state",
                            *variable),
                {}, *variable);
  Content content;
  for (const runtime::VariableStore::Variable* variable : learner.variables().all()) {
    if (!variable->initialised) continue;  // of an optimizer that has not begun
    content.tensors.push_back({variable->name, files::StoredType::f32, shape_of(*variable),
                               std::as_bytes(values_of(*variable, collected))});
  }
  for (const auto& [name, weights] : learner.kept())
    for (const auto& [variable, values] : weights)
      content.tensors.push_back({fmt::format("{}{}/{}", kept_prefix, name, variable), files::StoredType::f32,
                                 shape_of(*learner.variables().find(variable)),
                                 std::as_bytes(std::span(values))});
  content.metadata = to_text(learner.state());
  content.metadata[format_key] = format_value;
  content.metadata[model_key] = learner.model().resolved;
  content.metadata["name"] = learner.model().name;
  content.metadata[made_with_key] = made_with(learner);
  return content;
}

}  // namespace

void save_checkpoint(const fs::path& path, const Learner& learner, const Learner::Weights& collected) {
  const Content content = content_of(learner, collected);
  files::write_safetensors(path, content.tensors, content.metadata);
}

std::vector<std::byte> checkpoint_bytes(const Learner& learner) {
  const Content content = content_of(learner, {});
  return files::safetensors_bytes(content.tensors, content.metadata);
}

std::vector<std::string> restore(Learner& learner, const Checkpoint& checkpoint) {
  std::vector<std::string> unused = unused_tensors(learner, checkpoint.file());
  std::vector<Loaded> tensors = load_parameters(learner, checkpoint.file());
  std::ranges::move(load_slots(learner, checkpoint.file()), std::back_inserter(tensors));
  std::map<std::string, Learner::Weights> kept = load_kept(learner, checkpoint.file());
  TrainingState state = checkpoint.state();
  const std::vector<runtime::VariableStore::Variable*> without =
      slots_without_value(learner, checkpoint.file());
  store(learner.variables(), tensors);
  for (runtime::VariableStore::Variable* slot : without) slot->initialised = false;
  learner.kept() = std::move(kept);
  learner.state() = std::move(state);
  learner.session().forget_spoilt();
  return unused;
}

void restore_weights(Learner& learner, const files::SafetensorsFile& file,
                     const std::set<std::string>* needed) {
  std::vector<Loaded> tensors = load_parameters(learner, file, needed);
  std::ranges::move(load_averages(learner, file), std::back_inserter(tensors));
  store(learner.variables(), tensors);
}

}  // namespace graphrun::train
