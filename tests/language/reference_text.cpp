#include "language/reference_text.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "language/recipe/keys.hpp"
#include "ops/op.hpp"
#include "ops/standard_blocks.hpp"
#include "tests/language/documentation.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"

using namespace graphrun;

namespace {

const Language everything{.registry = &ops::registry(), .standard_blocks = ops::standard_blocks()};

}  // namespace

TEST_CASE("help tells all of an op") {
  CHECK(help_text(everything, "log").value() ==
        "log: Natural logarithm.\n"
        "\n"
        "  y = max(ln x, floor)\n"
        "  [...] -> [...]\n"
        "\n"
        "inputs\n"
        "  x  any shape\n"
        "\n"
        "attributes\n"
        "  floor    no result is lower; there the slope is 0; a number, below infinity; default -inf\n"
        "  at_zero  what the logarithm of 0 is taken for; there the slope is 0; a number, below infinity; "
        "default "
        "-inf\n");
  CHECK(help_text(everything, "step").value().find("gradient: zero") != std::string::npos);
  CHECK(!help_text(everything, "no_such_op"));
}

TEST_CASE("help tells of a standard block what it says about itself") {
  const std::string text = help_text(everything, "dense").value();
  CHECK(text.find("dense (block): A fully connected layer") == 0);
  CHECK(text.find("units  required") != std::string::npos);
  CHECK(text.find("act    default linear") != std::string::npos);
  for (const ReferenceEntry& entry : reference_entries(everything)) {
    INFO(entry.name);
    CHECK(!entry.doc.empty());
  }
}

TEST_CASE("help tells the settings of an optimizer") {
  const std::string text = help_text(everything, "sgd").value();
  CHECK(text.find("sgd (optimizer): Gradient descent") == 0);
  CHECK(text.find("nesterov      look ahead along the momentum; true or false; default false") !=
        std::string::npos);
  CHECK(text.find("lr            learning rate; a number or a schedule, at least 0; default 0.001") !=
        std::string::npos);
}

TEST_CASE("the index has one line for each op and block that can be written") {
  std::size_t written = 0;
  for (const ReferenceEntry& entry : reference_entries(everything)) written += entry.internal ? 0 : 1;
  const std::string index = help_index(everything);
  CHECK(static_cast<std::size_t>(std::count(index.begin(), index.end(), '\n')) == written);
  CHECK(index.find("relu ") != std::string::npos);
}

TEST_CASE("docs/ops.md is the generated reference") {
  const std::string path = testing::in_source("/docs/ops.md");
  if (std::getenv("GRAPHRUN_WRITE_DOCS") != nullptr)
    std::ofstream(path, std::ios::binary) << testing::reference_markdown(everything);
  std::ifstream file(path, std::ios::binary);
  const std::string committed((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  INFO("Write it anew: run this test with GRAPHRUN_WRITE_DOCS=1.");
  CHECK(committed == testing::reference_markdown(everything));
}

TEST_CASE("the tables of the guide are the keys that are read") {
  const std::string path = testing::in_source("/docs/model-language.md");
  std::ifstream file(path, std::ios::binary);
  const std::string guide((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::string made = testing::with_tables(guide);
  if (std::getenv("GRAPHRUN_WRITE_DOCS") != nullptr) std::ofstream(path, std::ios::binary) << made;
  INFO("Write it anew: run this test with GRAPHRUN_WRITE_DOCS=1.");
  CHECK(guide == made);
  for (const Section& section : sections()) {
    INFO(section.name);
    const bool of_a_kind =
        section.name.find('.') != std::string::npos;  // in docs/ops.md, or a row of a table
    const bool elsewhere = of_a_kind || section.name == "optimizer" || section.name == "probe";
    if (!elsewhere && section.name != "included")
      CHECK(guide.find("<!-- keys: " + section.name + " -->") != std::string::npos);
    for (const Key& key : section.keys) CHECK(!key.doc.empty());
  }
}
