/// \file
/// The texts a model is read from, and the mistakes found in them. Everything that reads a model reports here
/// and goes on, so that one run shows all independent mistakes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "errors/budget.hpp"
#include "graphrun/error.hpp"

namespace graphrun {

/// A place in one of the texts. Lines and columns count from 1, columns in bytes; line 0 means unknown.
struct Place {
  std::size_t source = 0;
  int line = 0;
  int column = 0;
  friend bool operator==(const Place&, const Place&) = default;
};

/// The model file, the files it includes, the values given by --set: kept for positions and carets.
class Sources {
 public:
  /// Returns the number by which places name this text.
  std::size_t add(std::string name, std::string text);
  const std::string& name(std::size_t source) const { return sources_.at(source).name; }
  const std::string& text(std::size_t source) const { return sources_.at(source).text; }
  std::string line(const Place& place) const;  ///< empty when unknown
  SourceLocation location(const Place& place) const;
  Place place_at(std::size_t source, std::size_t offset) const;  ///< of a byte of the text

 private:
  struct Source {
    std::string name;
    std::string text;
    std::vector<std::size_t> line_starts;
  };
  std::vector<Source> sources_;
};

/// Leaves all that reads the model, when going on makes no sense; the mistake has been reported.
struct Abandoned {};

/// The mistakes found so far, and what is left of the budget of the model that is read.
class Diagnostics {
 public:
  explicit Diagnostics(const Sources& sources, const Budget& budget = Budget())
      : sources_(&sources), budget_(budget) {}

  /// Records a mistake; node, op and notes may be filled in through the reference until the next call. Throws
  /// Abandoned instead when there have been too many, which is the last one told.
  Diagnostic& error(const Place& place, std::string message, std::string fix = {});
  Budget& budget() { return budget_; }
  const Budget& budget() const { return budget_; }
  bool empty() const { return found_.empty(); }
  std::size_t count() const { return found_.size(); }
  const Sources& sources() const { return *sources_; }

  /// Throws ModelError with all mistakes by file, line and column, if there are any.
  void throw_if_any() const;

 private:
  Diagnostic& record(const Place& place, std::string message, std::string fix);

  const Sources* sources_;
  Budget budget_;
  bool stopped_ = false;  // too many mistakes, which has been told
  std::vector<Diagnostic> found_;
  std::vector<std::size_t> order_;  // source numbers, so that the model file's own mistakes come first
};

}  // namespace graphrun
