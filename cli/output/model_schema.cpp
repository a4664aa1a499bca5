#include "cli/output/model_schema.hpp"

#include <fmt/format.h>

#include <cmath>
#include <span>
#include <vector>

#include "files/json.hpp"
#include "graph/initializers.hpp"
#include "graph/op.hpp"
#include "language/recipe/keys.hpp"

namespace graphrun::cli {
namespace {

using files::JsonArray;
using files::JsonObject;

// ---- Pieces --------------------------------------------------------------------------------------------

JsonObject reference(std::string_view definition) {
  return JsonObject().set("$ref", fmt::format("#/definitions/{}", definition));
}

JsonObject of_type(std::string_view type) {
  return JsonObject().set("type", type);
}

JsonObject scalar() {
  return JsonObject().set("type", JsonArray().add("string").add("number").add("boolean"));
}

JsonObject any_of(const std::vector<JsonObject>& choices) {
  return JsonObject().set("anyOf", files::json_array(choices));
}

/// Where `$name` or `$(…)` may stand as well.
JsonObject or_value(const JsonObject& schema) {
  return any_of({schema, reference("value")});
}

JsonObject list_of(const JsonObject& items) {
  return JsonObject().set("type", "array").set("items", items);
}

JsonObject one_of_words(const std::vector<std::string>& words) {
  JsonArray all;
  for (const std::string& word : words) {
    all.add(word);
    if (word == "1") all.add(std::int64_t{1});  // `graphrun: 1`
  }
  return JsonObject().set("enum", all);
}

JsonObject in_range(std::string_view type, const Range& range) {
  JsonObject schema = of_type(type);
  if (std::isfinite(range.low)) schema.set(range.above ? "exclusiveMinimum" : "minimum", range.low);
  if (std::isfinite(range.high)) schema.set(range.below ? "exclusiveMaximum" : "maximum", range.high);
  return schema;
}

/// `if` the mapping's `key` is `word`, `then` this.
JsonObject when(std::string_view key, std::string_view word, const JsonObject& then) {
  const JsonObject is = JsonObject().set(key, JsonObject().set("const", word));
  return JsonObject()
      .set("if", JsonObject().set("properties", is).set("required", JsonArray().add(key)))
      .set("then", then);
}

JsonObject has(std::string_view key) {
  return of_type("object").set("required", JsonArray().add(key));
}

JsonObject choose(const JsonObject& condition, const JsonObject& then, const JsonObject& otherwise) {
  return JsonObject().set("if", condition).set("then", then).set("else", otherwise);
}

// ---- Keys ----------------------------------------------------------------------------------------------

JsonObject schema_of(const Key& key) {
  switch (key.kind) {
    case KeyKind::value:
      return {};
    case KeyKind::text:
      return scalar();
    case KeyKind::flag:
      return or_value(of_type("boolean"));
    case KeyKind::integer:
      return or_value(in_range("integer", key.range));
    case KeyKind::number:
      return or_value(in_range("number", key.range));
    case KeyKind::schedule:
      return any_of({in_range("number", key.range), reference("schedule"), reference("value")});
    case KeyKind::word:
      return key.words.empty() ? of_type("string") : or_value(one_of_words(key.words));
    case KeyKind::name:
    case KeyKind::path:
      return of_type("string").set("minLength", std::int64_t{1});
    case KeyKind::names:
      return key.short_form ? any_of({of_type("string"), list_of(of_type("string"))})
                            : list_of(of_type("string")).set("minItems", std::int64_t{1});
    case KeyKind::paths:
      return list_of(of_type("string"));
    case KeyKind::list:
      return or_value(of_type("array"));
    case KeyKind::shape:
      return reference("shape");
    case KeyKind::formula:
      return JsonObject().set("type", JsonArray().add("string").add("number"));
    case KeyKind::inputs:
      return any_of({scalar(), list_of(scalar())});
    case KeyKind::call:
      return reference("call");
    case KeyKind::section:
      return key.short_form && key.section != "optimizer"
                 ? any_of({of_type("string"), reference(key.section)})
                 : reference(key.section);
    case KeyKind::sections:
      if (key.short_form) {
        const JsonObject one = any_of({of_type("string"), reference(key.section)});
        return any_of({one, list_of(one)});
      }
      return list_of(reference(key.section)).set("minItems", std::int64_t{1});
    case KeyKind::entries: {
      JsonObject entries = of_type("object");
      entries.set("propertyNames", JsonObject().set("pattern", "^[A-Za-z_][A-Za-z0-9_]*$"))
          .set("additionalProperties", key.section.empty() ? JsonObject() : reference(key.section));
      return key.short_form ? any_of({of_type("string"), std::move(entries)}) : entries;
    }
  }
  return {};
}

JsonObject described(JsonObject schema, std::string_view doc, std::string_view fallback) {
  std::string text(doc);
  if (!fallback.empty()) text += fmt::format("{}default: {}", text.empty() ? "" : "; ", fallback);
  return text.empty() ? schema : std::move(schema.set("description", text));
}

/// Beside a $ref nothing counts in draft 7: a description stands around it.
JsonObject described_key(const Key& key) {
  JsonObject schema = schema_of(key);
  if (key.kind == KeyKind::section || key.kind == KeyKind::shape || key.kind == KeyKind::call)
    schema = JsonObject().set("allOf", JsonArray().add(schema));
  return described(std::move(schema), key.doc, key.fallback);
}

/// A mapping with the keys of a section, and no others.
JsonObject schema_of(const Section& section) {
  JsonObject properties;
  JsonArray required;
  bool any = false;
  for (const Key& key : section.keys) {
    properties.set(key.name, described_key(key));
    if (key.required) required.add(key.name);
    any = any || key.required;
  }
  JsonObject schema = of_type("object").set("properties", properties).set("additionalProperties", false);
  if (any) schema.set("required", required);
  for (const Key& key : section.keys)
    if (!key.instead_of.empty()) schema.set("oneOf", JsonArray().add(has(key.instead_of)).add(has(key.name)));
  return schema;
}

// ---- Ops and blocks ------------------------------------------------------------------------------------

/// An op or block: what its attributes may be, and their names.
struct Callable {
  std::string name;
  std::string doc;
  JsonObject attributes;
  std::vector<std::string> names;
  std::vector<std::string> required;
};

JsonObject schema_of(const AttributeDeclaration& attribute) {
  const JsonObject integers = list_of(or_value(in_range("integer", attribute.range)));
  const JsonObject number = in_range("number", attribute.range);
  switch (attribute.kind) {
    case AttributeKind::flag:
      return or_value(of_type("boolean"));
    case AttributeKind::integer:
      return or_value(in_range("integer", attribute.range));
    case AttributeKind::number:
      return or_value(number);
    case AttributeKind::text:
      return or_value(of_type("string"));
    case AttributeKind::word:
      return or_value(one_of_words(attribute.words));
    case AttributeKind::integers:
      return or_value(integers);
    case AttributeKind::integer_or_list:
      return any_of({in_range("integer", attribute.range), integers, reference("value")});
    case AttributeKind::numbers:
      return any_of({number, list_of(or_value(number)), reference("value")});
    case AttributeKind::shape:
      return reference("shape");
    case AttributeKind::axes:
      return any_of({of_type("integer"), JsonObject().set("const", "all"),
                     list_of(or_value(of_type("integer"))), reference("value")});
    case AttributeKind::initializer:
      return reference("initializer");
  }
  return {};
}

void add(Callable& callable, const std::string& name, const JsonObject& schema, bool required) {
  callable.attributes.set(name, schema);
  callable.names.push_back(name);
  if (required) callable.required.push_back(name);
}

Callable callable_of(const OpDef& op) {
  Callable callable{op.name, op.doc, {}, {}, {}};
  for (const AttributeDeclaration& attribute : op.attributes) {
    if (attribute.internal) continue;
    JsonObject schema = schema_of(attribute);
    const bool bare = attribute.kind == AttributeKind::shape || attribute.kind == AttributeKind::initializer;
    if (bare) schema = JsonObject().set("allOf", JsonArray().add(schema));
    const std::string fallback = attribute.fallback ? to_string(*attribute.fallback) : "";
    const bool shape = attribute.kind == AttributeKind::shape;  // or `like`
    add(callable, attribute.name, described(std::move(schema), attribute.doc, fallback),
        !attribute.fallback && !shape);
    if (attribute.name == "shape")
      add(callable, "like", described(of_type("string"), "a node whose shape it takes", ""), false);
  }
  if (op.traits.variable)
    add(callable, "tie", described({}, "a node whose weight is taken, transposed", ""), false);
  return callable;
}

Callable callable_of(const BlockSummary& block) {
  Callable callable{block.name, block.about, {}, {}, {}};
  for (const BlockSummary::Argument& argument : block.arguments) {
    const bool required = argument.fallback == "required";
    const JsonObject number =
        any_of({in_range("number", argument.range), reference("schedule"), reference("value")});
    const bool start = find_initializer(argument.fallback) != nullptr;
    const JsonObject schema = start ? JsonObject().set("allOf", JsonArray().add(reference("initializer")))
                              : argument.range == Range{} ? JsonObject()
                                                          : number;
    add(callable, argument.name, described(schema, "", required ? "" : argument.fallback), required);
  }
  return callable;
}

std::vector<Callable> callables(const Language& language) {
  std::vector<Callable> all;
  for (const OpDef& op : language.registry->ops())
    if (!op.internal && !op.traits.effect && !op.traits.input) all.push_back(callable_of(op));
  for (const BlockSummary& block : standard_blocks(language.standard_blocks))
    all.push_back(callable_of(block));
  return all;
}

/// A call, closed for each op and block that graphrun has; blocks of the file take what they declare.
/// `beside` are the keys that may stand beside those of a node.
JsonObject call_schema(const std::vector<Callable>& all, std::span<const Key> beside) {
  JsonArray cases;
  JsonArray names;
  for (const Callable& callable : all) {
    JsonObject allowed;
    for (const Key& key : section_of("call").keys) allowed.set(key.name, true);
    for (const Key& key : beside) allowed.set(key.name, true);
    for (const std::string& name : callable.names) allowed.set(name, true);
    cases.add(when("op", callable.name,
                   JsonObject()
                       .set("allOf", JsonArray().add(reference("op." + callable.name)))
                       .set("properties", allowed)
                       .set("additionalProperties", false)));
    names.add(JsonObject().set("const", callable.name).set("description", callable.doc));
  }
  names.add(JsonObject().set("type", "string").set("description", "a block of the file, or $name"));
  JsonObject properties;
  for (const Key& key : section_of("call").keys) properties.set(key.name, described_key(key));
  for (const Key& key : beside) properties.set(key.name, described_key(key));
  properties.set("op", JsonObject().set("anyOf", names));
  return of_type("object")
      .set("required", JsonArray().add("op"))
      .set("properties", properties)
      .set("allOf", cases);
}

JsonObject attributes_schema(const Callable& callable) {
  JsonObject schema = JsonObject().set("description", callable.doc).set("properties", callable.attributes);
  if (!callable.required.empty()) schema.set("required", files::json_array(callable.required));
  return schema;
}

// ---- What is one of several kinds ----------------------------------------------------------------------

JsonObject schedule_schema() {
  JsonObject kinds;
  for (const Section& section : schedule_sections()) kinds.set(section.name, schema_of(section));
  return of_type("object")
      .set("properties", kinds)
      .set("additionalProperties", false)
      .set("minProperties", std::int64_t{1})
      .set("maxProperties", std::int64_t{1});
}

JsonObject initializer_schema() {
  JsonArray names;
  JsonObject kinds;
  for (const InitializerKind& kind : initializer_kinds()) {
    JsonObject arguments;
    for (const InitializerArgument& argument : kind.arguments) {
      const std::string fallback = argument.fallback ? fmt::format("{}", *argument.fallback) : "";
      arguments.set(argument.name, described(or_value(of_type("number")), "", fallback));
    }
    names.add(JsonObject().set("const", kind.name).set("description", kind.doc));
    kinds.set(kind.name, of_type("object").set("properties", arguments).set("additionalProperties", false));
  }
  const JsonObject with_arguments = of_type("object")
                                        .set("properties", kinds)
                                        .set("additionalProperties", false)
                                        .set("minProperties", std::int64_t{1})
                                        .set("maxProperties", std::int64_t{1});
  return any_of({JsonObject().set("anyOf", names), with_arguments, reference("value")});
}

/// A mapping whose `key` says which of the sections "FAMILY.KIND" it is.
template <class Kinds>
JsonObject family_schema(std::string_view family, std::string_view key, const Kinds& kinds) {
  JsonArray cases;
  JsonArray names;
  for (const auto& kind : kinds) {
    cases.add(when(key, kind.name, reference(fmt::format("{}.{}", family, kind.name))));
    names.add(JsonObject().set("const", kind.name).set("description", kind.doc));
  }
  names.add(reference("value"));
  return of_type("object")
      .set("required", JsonArray().add(key))
      .set("properties", JsonObject().set(key, JsonObject().set("anyOf", names)))
      .set("allOf", cases);
}

std::vector<std::string> optimizer_names() {
  std::vector<std::string> names;
  for (const OptimizerKind& kind : optimizer_kinds()) names.emplace_back(kind.name);
  return names;
}

JsonObject shape_schema() {
  const JsonObject size =
      any_of({of_type("integer").set("minimum", std::int64_t{1}), JsonObject().set("const", std::int64_t{-1}),
              JsonObject().set("const", "batch"), reference("value")});
  return or_value(list_of(size));
}

JsonObject definitions(const Language& language) {
  const std::vector<Callable> all = callables(language);
  const Section& term = section_of("term");
  const std::span<const Key> of_terms = std::span(term.keys).subspan(1);  // but `of`
  const JsonObject object = of_type("object");
  JsonObject made;
  made.set("value", described(of_type("string").set("pattern", "^\\$"), "`$name` or `$(…)`", ""))
      .set("shape", shape_schema())
      .set("schedule", schedule_schema())
      .set("initializer", initializer_schema())
      .set("call", call_schema(all, {}))
      .set("call_of_term", call_schema(all, of_terms))
      .set("node", choose(object, choose(has("op"), reference("call"), reference("schedule")), scalar()))
      .set("term", choose(object, choose(has("of"), schema_of(term), reference("call_of_term")), scalar()))
      .set("metric",
           choose(has("probe"), reference("probe"),
                  JsonObject()
                      .set("allOf", JsonArray().add(reference("term")))
                      .set("not",
                           JsonObject().set("type", "object").set("required", JsonArray().add("weight")))))
      .set("optimizer", choose(object, family_schema("optimizer", "op", optimizer_kinds()),
                               or_value(one_of_words(optimizer_names()))))
      .set("probe", family_schema("probe", "probe", probe_kinds()));
  for (const Section& section : sections()) {
    const std::string& name = section.name;
    const bool special =
        name == "optimizer" || name == "probe" || name == "term" || name == "call" || name == "model";
    if (!special) made.set(name, schema_of(section));
  }
  for (const Callable& callable : all) made.set("op." + callable.name, attributes_schema(callable));
  return made;
}

}  // namespace

std::string model_schema(const Language& language) {
  JsonObject schema;
  schema.set("$schema", "http://json-schema.org/draft-07/schema#")
      .set("title", "graphrun model")
      .set("description", "A model in version 1 of graphrun's model language.")
      .set("allOf", JsonArray().add(schema_of(section_of("model"))))
      .set("definitions", definitions(language));
  return schema.text();
}

}  // namespace graphrun::cli
