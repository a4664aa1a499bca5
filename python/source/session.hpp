/// \file
/// A Session as Python sees it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "graphrun/graphrun.hpp"
#include "source.hpp"
#include "stoppable.hpp"

namespace graphrun::python {

class Epochs;

class PythonSession {
 public:
  PythonSession(const Model& model, const SessionOptions& options);

  NamedValues train_step(nb::handle batch, std::optional<double> epoch);
  std::unique_ptr<Epochs> epochs(nb::handle examples, std::optional<std::int64_t> epochs,
                                 std::optional<std::int64_t> batch, const nb::object& validation);
  void fit(nb::handle examples, std::optional<std::int64_t> epochs, std::optional<std::int64_t> batch,
           const nb::object& validation, const nb::object& on_epoch);
  NamedValues evaluate(nb::handle examples);
  nb::object run(const std::string& output, nb::handle inputs);
  nb::object gradients(const std::string& of, const std::vector<std::string>& names, nb::handle inputs);
  nb::object encode(nb::handle images);
  nb::object decode(nb::handle codes);
  nb::object reconstruct(nb::handle images);

  /// Runs a call of the session's without the GIL, on the thread that it may come from.
  void in_turn(const std::function<void()>& call) const;

  Session& session() { return session_; }
  const Session& session() const { return session_; }
  nb::object parameter(const std::string& name) const;
  void set_parameter(const std::string& name, nb::handle values);

 private:
  friend class Epochs;
  template <class Call>
  nb::object tensor_of(nb::handle inputs, Call call);

  Session session_;
  Background* learning_ = nullptr;  ///< while fit() is under way
};

/// Learns, an epoch each time it is asked for the next one.
class Epochs {
 public:
  /// `examples`: what inputs_for() takes, or a function that gives batches.
  Epochs(PythonSession& session, nb::handle examples, std::optional<BorrowedInputs> validation,
         FitOptions options);
  ~Epochs();
  Epochs(const Epochs&) = delete;
  Epochs& operator=(const Epochs&) = delete;

  /// Nothing after the last one.
  std::optional<EpochReport> next();
  void close();

 private:
  void learn(Background& background, FitOptions options);

  PythonSession& session_;
  std::optional<BorrowedInputs> examples_;
  std::unique_ptr<PythonSource> source_;  ///< instead of examples
  std::optional<BorrowedInputs> validation_;
  EpochReport report_;
  bool began_ = false;
  std::unique_ptr<Background> background_;
  FitOptions options_;
};

}  // namespace graphrun::python
