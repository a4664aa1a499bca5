// JSON that is written is JSON, whatever it is made of.
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "files/json.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun::files;

TEST_CASE("values are written in the order and in the form that readers of --json know") {
  const JsonObject object = JsonObject()
                                .set("text", "a")
                                .set("whole", 2.0)
                                .set("small", 1e-7)
                                .set("lost", std::numeric_limits<double>::infinity())
                                .set("count", std::size_t{3})
                                .set("yes", true)
                                .set("nothing", std::optional<double>())
                                .set("list", json_array(std::vector<float>{0.5F, 1}));
  CHECK(
      object.text() ==
      R"({"text": "a", "whole": 2, "small": 1e-07, "lost": null, "count": 3, "yes": true, "nothing": null, )"
      R"("list": [0.5, 1]})");
}

TEST_CASE("texts of any bytes are read back, but for what is not UTF-8") {
  const auto back = [](const std::string& text) {
    return nlohmann::json::parse(JsonObject().set("path", text).text())["path"].get<std::string>();
  };
  for (const std::string& text : {std::string("quote\" back\\slash\n\t"), std::string("\x01\x1f\x7f"),
                                  std::string("nul\0inside", 10), std::string("Größe ∑ 🙂")})
    CHECK(back(text) == text);
  CHECK(back("run\xff/\xc3") == "run\xef\xbf\xbd/\xef\xbf\xbd");
  CHECK(nlohmann::json::parse(JsonObject().set("a\xff\"b", 1).text()).is_object());
}
