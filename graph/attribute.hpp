/// \file
/// The attributes of ops: typed, named, with defaults and documentation, so that the model language, the
/// op reference and the errors all come from one declaration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "graph/range.hpp"
#include "graph/type.hpp"

namespace graphrun {

/// Which axes a reduction covers: all of them, or a list (negative counts from the end; an empty list
/// reduces nothing).
struct Axes {
  bool all = true;
  std::vector<std::int64_t> list;
  friend bool operator==(const Axes&, const Axes&) = default;
};

/// How a variable starts: "glorot_uniform", "constant" with {value: 0.1}, …; see
/// runtime/state/initialize.hpp.
struct Initializer {
  std::string name = "zeros";
  std::vector<std::pair<std::string, double>> arguments;
  friend bool operator==(const Initializer&, const Initializer&) = default;
};

using AttributeAlternatives = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                                           std::vector<double>, Shape, Axes, Initializer>;

/// Copying and destroying nine alternatives is much code, and every op does both: it stands in one place, or
/// a build would write it a hundred times.
struct AttributeValue : AttributeAlternatives {
  using AttributeAlternatives::variant;
  AttributeValue(const AttributeValue& other);
  AttributeValue(AttributeValue&& other) noexcept;
  AttributeValue& operator=(const AttributeValue& other);
  AttributeValue& operator=(AttributeValue&& other) noexcept;
  ~AttributeValue();
};

/// The kinds, in the order of AttributeValue's alternatives; `word` is a string from a fixed list, and
/// `integer_or_list` an integer or several: a kernel's side, or its height and width.
enum class AttributeKind {
  flag,
  integer,
  number,
  text,
  word,
  integers,
  numbers,
  shape,
  axes,
  initializer,
  integer_or_list
};

struct AttributeDeclaration {
  std::string name;
  AttributeKind kind = AttributeKind::number;
  std::optional<AttributeValue> fallback = {};  ///< what it is when not written; nothing: it must be written
  std::string doc;
  std::vector<std::string> words = {};  ///< kind word: the allowed ones
  bool internal = false;                ///< set by passes only; a model file cannot write it
  Range range = {};                     ///< numbers and integers, in lists each: checked when a node is made
  std::string at_most = {};             ///< another attribute of the op, which this one does not exceed
};

std::string to_string(const AttributeValue& value);
std::string_view to_string(AttributeKind kind);

/// The attributes of one node, complete: the Builder fills in defaults in the order of the declaration.
/// Asking for a name or kind that is not there is our bug and throws Error{internal}.
class Attributes {
 public:
  Attributes();
  Attributes(std::initializer_list<std::pair<std::string, AttributeValue>> entries);
  Attributes(const Attributes& other);
  Attributes(Attributes&& other) noexcept;
  Attributes& operator=(const Attributes& other);
  Attributes& operator=(Attributes&& other) noexcept;
  ~Attributes();

  void set(std::string_view name, AttributeValue value);
  const AttributeValue* find(std::string_view name) const;
  const std::vector<std::pair<std::string, AttributeValue>>& entries() const { return entries_; }

  bool flag(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;  ///< also of an integer
  const std::string& text(std::string_view name) const;
  const std::vector<std::int64_t>& integers(std::string_view name) const;
  const std::vector<double>& numbers(std::string_view name) const;
  const Shape& shape(std::string_view name) const;
  const Axes& axes(std::string_view name) const;
  const Initializer& initializer(std::string_view name) const;

  friend bool operator==(const Attributes&, const Attributes&);

 private:
  template <class T>
  const T& get(std::string_view name) const;
  std::vector<std::pair<std::string, AttributeValue>> entries_;
};

}  // namespace graphrun
