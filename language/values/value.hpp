/// \file
/// Values known before a model runs: what `vars:` hold and `$(…)` computes. Reading numbers depends on no
/// locale.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "language/syntax/document.hpp"
#include "language/values/schedule.hpp"

namespace graphrun {

struct Value;
struct ValueEntry;
using ValueList = std::vector<Value>;
using ValueMapping = std::vector<ValueEntry>;  ///< `{uniform: {low: -0.1, high: 0.1}}`

/// A collection that all copies of a value share: nothing changes it.
template <class Items>
class Shared {
 public:
  Shared(Items items);  // NOLINT(google-explicit-constructor): a value is made of its items
  const Items& operator*() const { return content_->items; }
  std::size_t elements() const { return content_->elements; }  ///< itself and all inside
  int depth() const { return content_->depth; }                ///< 1 for a list of numbers

 private:
  struct Content {
    Items items;
    std::size_t elements = 1;
    int depth = 1;
  };
  std::shared_ptr<const Content> content_;
};

/// What is large beside a number: it is there once, however often the value that holds it is copied.
template <class Content>
class Boxed {
 public:
  Boxed(Content content)  // NOLINT(google-explicit-constructor): a value is made of its content
      : content_(std::make_shared<const Content>(std::move(content))) {}
  const Content* get() const { return content_.get(); }

 private:
  std::shared_ptr<const Content> content_;
};

/// A parameter of another node, by its full name: what `tie:` hands to a block.
struct ParameterName {
  std::string name;
};

struct Value {
  std::variant<std::monostate, bool, std::int64_t, double, Boxed<std::string>, Shared<ValueList>,
               Shared<ValueMapping>, Boxed<Schedule>, Boxed<ParameterName>>
      data;

  bool is_null() const { return std::holds_alternative<std::monostate>(data); }
  const bool* flag() const { return std::get_if<bool>(&data); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&data); }
  std::optional<double> number() const;  ///< also of an integer
  const std::string* text() const { return boxed<std::string>(); }
  const ValueList* list() const {
    const auto* shared = std::get_if<Shared<ValueList>>(&data);
    return shared == nullptr ? nullptr : &**shared;
  }
  const ValueMapping* mapping() const;
  const Schedule* schedule() const { return boxed<Schedule>(); }
  const ParameterName* parameter() const { return boxed<ParameterName>(); }

 private:
  template <class Content>
  const Content* boxed() const {
    const auto* box = std::get_if<Boxed<Content>>(&data);
    return box == nullptr ? nullptr : box->get();
  }
};

struct ValueEntry {
  std::string key;
  Value value;
};

inline const ValueMapping* Value::mapping() const {
  const auto* shared = std::get_if<Shared<ValueMapping>>(&data);
  return shared == nullptr ? nullptr : &**shared;
}

bool operator==(const Value& a, const Value& b);  ///< of the same kind and equal

/// The largest number of elements a value may have, those of inner lists counted, and how deep they may lie.
inline constexpr std::size_t largest_value = 100'000;
inline constexpr int deepest_value = 64;
std::size_t element_total(const Value& value);
int depth_of(const Value& value);  ///< 0 for a number
/// What is wrong with a value of this size and depth; empty when nothing is.
std::string excess(const Value& value);

std::string to_string(const Value& value);       ///< "[1, 2.5, relu]"
std::string_view kind_name(const Value& value);  ///< "an integer", "a list", …
std::string described(const Value& value);       ///< "the integer 3", "the text 'relu'", "a list"

/// A number in the decimal forms 12, -1, 2.5, 1e-3; nothing when the text is none.
struct NumberReading {
  std::optional<Value> value;
  std::string mistake;  ///< set when it was meant as a number and is not one of ours: 010, 0x10, 1_000, .inf
  std::string fix;
};
NumberReading read_number(std::string_view text);

/// An unquoted scalar is null, true, false, a number or a text; a quoted one is a text. Reports YAML's traps
/// (`no`, `010`, …) and then returns the text.
Value read_scalar(const YamlNode& scalar, Diagnostics& diagnostics);

}  // namespace graphrun
