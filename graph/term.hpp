/// \file
/// Arithmetic notation for building graphs: `Term y = g * (1.0 - y * y);`. Used by vjps and by hosts.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "graph/graph.hpp"

namespace graphrun {

/// A node of a Builder, as a value. Copies are cheap; the Builder must outlive it.
class Term {
 public:
  Term(Builder& builder, NodeId id) : builder_(&builder), id_(id) {}
  operator NodeId() const { return id_; }  // NOLINT: a Term is a NodeId that knows its Builder
  NodeId id() const { return id_; }
  Builder& builder() const { return *builder_; }
  const Type& type() const { return builder_->type(id_); }

 private:
  Builder* builder_;
  NodeId id_;
};

/// An op applied to terms of one Builder: `call("sum", {x}, {{"axis", …}})`.
inline Term call(std::string_view op, std::initializer_list<Term> inputs, Attributes attributes = {},
                 NodeDetails details = {}) {
  std::vector<NodeId> ids;
  for (const Term& input : inputs) ids.push_back(input.id());
  Builder& builder = inputs.begin()->builder();
  return {builder, builder.add(op, std::move(ids), std::move(attributes), std::move(details))};
}

inline Term operator+(Term a, Term b) {
  return call("add", {a, b});
}
inline Term operator-(Term a, Term b) {
  return call("sub", {a, b});
}
inline Term operator*(Term a, Term b) {
  return call("mul", {a, b});
}
inline Term operator/(Term a, Term b) {
  return call("div", {a, b});
}
inline Term operator-(Term a) {
  return call("neg", {a});
}

inline Term constant_like(Term a, double value) {
  return {a.builder(), a.builder().constant(value)};
}
inline Term operator+(Term a, double b) {
  return a + constant_like(a, b);
}
inline Term operator-(Term a, double b) {
  return a - constant_like(a, b);
}
inline Term operator*(Term a, double b) {
  return a * constant_like(a, b);
}
inline Term operator/(Term a, double b) {
  return a / constant_like(a, b);
}
inline Term operator+(double a, Term b) {
  return constant_like(b, a) + b;
}
inline Term operator-(double a, Term b) {
  return constant_like(b, a) - b;
}
inline Term operator*(double a, Term b) {
  return constant_like(b, a) * b;
}
inline Term operator/(double a, Term b) {
  return constant_like(b, a) / b;
}

}  // namespace graphrun
