#include "session.hpp"

#include <algorithm>
#include <utility>

namespace graphrun::python {

PythonSession::PythonSession(const Model& model, const SessionOptions& options) : session_(model, options) {}

void PythonSession::in_turn(const std::function<void()>& call) const {
  if (learning_ != nullptr) {
    learning_->run(call);
    return;
  }
  const nb::gil_scoped_release released;
  call();
}

template <class Call>
nb::object PythonSession::tensor_of(nb::handle inputs, Call call) {
  const BorrowedInputs borrowed = inputs_for(session_.model(), inputs);
  Tensor tensor;
  in_turn([&] { tensor = call(borrowed.inputs); });
  return numpy(std::move(tensor));
}

NamedValues PythonSession::train_step(nb::handle batch, std::optional<double> epoch) {
  const BorrowedInputs borrowed = inputs_for(session_.model(), batch);
  NamedValues values;
  if (learning_ != nullptr)
    in_turn([&] { values = session_.train_step(borrowed.inputs); });
  else
    run_stoppable(borrowed.bytes, [&](std::stop_token stop) {
      values = session_.train_step(borrowed.inputs, StepOptions{epoch, std::move(stop)});
    });
  return values;
}

std::unique_ptr<Epochs> PythonSession::epochs(nb::handle examples, std::optional<std::int64_t> epochs,
                                              std::optional<std::int64_t> batch,
                                              const nb::object& validation) {
  FitOptions options;
  options.epochs = epochs;
  options.batch = batch;
  std::optional<BorrowedInputs> measured;
  if (!validation.is_none()) measured = inputs_for(session_.model(), validation);
  return std::make_unique<Epochs>(*this, examples, std::move(measured), std::move(options));
}

void PythonSession::fit(nb::handle examples, std::optional<std::int64_t> count,
                        std::optional<std::int64_t> batch, const nb::object& validation,
                        const nb::object& on_epoch) {
  const std::unique_ptr<Epochs> learning = epochs(examples, count, batch, validation);
  while (const std::optional<EpochReport> report = learning->next())
    if (!on_epoch.is_none()) on_epoch(*report);
}

NamedValues PythonSession::evaluate(nb::handle examples) {
  const BorrowedInputs borrowed = inputs_for(session_.model(), examples);
  NamedValues values;
  in_turn([&] { values = session_.evaluate(borrowed.inputs); });
  return values;
}

nb::object PythonSession::run(const std::string& output, nb::handle inputs) {
  return tensor_of(inputs, [&](const Inputs& given) { return session_.run(output, given); });
}

nb::object PythonSession::gradients(const std::string& of, const std::vector<std::string>& names,
                                    nb::handle inputs) {
  const BorrowedInputs borrowed = inputs_for(session_.model(), inputs);
  std::vector<Tensor> tensors;
  in_turn([&] { tensors = session_.gradients(of, names, borrowed.inputs); });
  nb::dict gradients;
  for (std::size_t i = 0; i < names.size(); ++i) gradients[names[i].c_str()] = numpy(std::move(tensors[i]));
  return gradients;
}

nb::object PythonSession::encode(nb::handle images) {
  return tensor_of(images, [&](const Inputs& given) { return session_.encode(given); });
}

nb::object PythonSession::reconstruct(nb::handle images) {
  return tensor_of(images, [&](const Inputs& given) { return session_.reconstruct(given); });
}

nb::object PythonSession::decode(nb::handle codes) {
  const std::vector<TensorInfo> outputs = session_.model().outputs();
  auto role = std::ranges::find(outputs, "latent", &TensorInfo::name);
  if (role == outputs.end()) role = std::ranges::find(outputs, "code", &TensorInfo::name);
  TensorInfo info = role == outputs.end() ? TensorInfo{"code", ElementType::f32, {}} : *role;
  info.type = ElementType::f32;
  const Values values = values_for(info, codes);
  if (values.dtype() != nb::dtype<float>())
    throw Error(ErrorCode::usage, "'" + info.name + "' needs an array of f32");
  const std::span<const float> span(static_cast<const float*>(values.data()), values.size());
  Tensor tensor;
  in_turn([&] { tensor = session_.decode(span); });
  return numpy(std::move(tensor));
}

nb::object PythonSession::parameter(const std::string& name) const {
  Tensor tensor;
  in_turn([&] { tensor = session_.parameter(name); });
  return numpy(std::move(tensor));
}

void PythonSession::set_parameter(const std::string& name, nb::handle given) {
  TensorInfo info{name, ElementType::f32, {}};
  for (const TensorInfo& parameter : session_.model().parameters())
    if (parameter.name == name) info.shape = parameter.shape;
  const nb::object array = nb::module_::import_("numpy").attr("asarray")(given, nb::arg("dtype") = "float32");
  const Values values = values_for(info, array);
  if (!info.shape.empty()) {
    Shape shape;
    for (std::size_t axis = 0; axis < values.ndim(); ++axis)
      shape.push_back(static_cast<std::int64_t>(values.shape(axis)));
    if (shape != info.shape)
      throw Error(ErrorCode::usage, "parameter '" + name + "' is " + describe(info.shape) +
                                        ", and an array of shape " + describe(shape) + " was given");
  }
  const std::span<const float> span(static_cast<const float*>(values.data()), values.size());
  in_turn([&] { session_.set_parameter(name, span); });
}

Epochs::Epochs(PythonSession& session, nb::handle examples, std::optional<BorrowedInputs> validation,
               FitOptions options)
    : session_(session), validation_(std::move(validation)), options_(std::move(options)) {
  const Model& model = session.session().model();
  if (PyCallable_Check(examples.ptr()) == 1)
    source_ = std::make_unique<PythonSource>(model, nb::borrow(examples));
  else
    examples_ = inputs_for(model, examples);
  if (validation_) options_.validation = validation_->inputs;
}

Epochs::~Epochs() {
  close();
}

void Epochs::close() {
  began_ = true;
  if (!background_) return;
  background_.reset();
  session_.learning_ = nullptr;
}

void Epochs::learn(Background& background, FitOptions options) {
  options.stop = background.stop();
  options.on_epoch = [&](const EpochReport& report) {
    report_ = report;
    background.pause();
  };
  if (source_)
    session_.session_.fit(*source_, options);
  else
    session_.session_.fit(examples_->inputs, options);
}

std::optional<EpochReport> Epochs::next() {
  if (!background_) {
    if (began_) return std::nullopt;
    if (session_.learning_ != nullptr)
      throw Error(ErrorCode::usage,
                  "this session learns already: end or close() the loop over its epochs() first");
    began_ = true;
    background_ = std::make_unique<Background>([this](Background& self) { learn(self, options_); });
    session_.learning_ = background_.get();
  } else {
    background_->resume();
  }
  try {
    if (background_->wait()) return report_;
  } catch (...) {
    close();
    throw;
  }
  close();
  return std::nullopt;
}

}  // namespace graphrun::python
