// Reports: what stands in the data of a page, and that it stays there. The pages themselves are tried in a
// browser: tests/report.
#include <bit>
#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "files/base64.hpp"
#include "files/file.hpp"
#include "show/draw/curves.hpp"
#include "show/draw/gallery.hpp"
#include "show/report/layer_graph.hpp"
#include "show/report/page_decoder.hpp"
#include "show/report/report.hpp"
#include "show/report/sprite.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"
#include "tests/support/small_model.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/learn/definition.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::show;
using namespace graphrun::train;
using nlohmann::json;

namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// A model with first weights, its data, and what is reported of them.
struct SmallRun {
  explicit SmallRun(const std::string& text)
      : model(parse_definition(text, "m.yaml")),
        learner(model, {}),
        data(std::make_shared<const Dataset>(load_model_data(*model))),
        train(bind_images(*model, std::shared_ptr<const ImageSet>(data, &data->train))),
        test(bind_images(*model, std::shared_ptr<const ImageSet>(data, &data->test))) {
    learner.initialise();
  }
  json report() {
    notes.clear();
    return json::parse(report_data(learner, {*data, train, test, metrics}, notes).text());
  }
  SharedDefinition model;
  Learner learner;
  std::shared_ptr<const Dataset> data;
  Examples train;
  Examples test;
  std::filesystem::path metrics;
  std::vector<std::string> notes;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(text.find(from) != std::string::npos);
  return text.replace(text.find(from), from.size(), to);
}

LayerGraph graph_of_model(const std::string& name) {
  return layer_graph(*load_definition(testing::in_source("/models/") + name + ".yaml"));
}

/// "x>enc.0 enc.0>enc.1 …", by names.
std::string edges_text(const LayerGraph& graph) {
  std::string text;
  for (const LayoutEdge& edge : graph.edges)
    text += (text.empty() ? "" : " ") + graph.layers[edge.from].name + ">" + graph.layers[edge.to].name;
  return text;
}

const Layer& layer_named(const LayerGraph& graph, const std::string& name) {
  for (const Layer& layer : graph.layers)
    if (layer.name == name) return layer;
  FAIL("no layer " + name);
  return graph.layers.front();
}

}  // namespace

TEST_CASE("base64 is that of RFC 4648") {
  CHECK(files::base64({}).empty());
  CHECK(files::base64(files::as_bytes("f")) == "Zg==");
  CHECK(files::base64(files::as_bytes("fo")) == "Zm8=");
  CHECK(files::base64(files::as_bytes("foo")) == "Zm9v");
  CHECK(files::base64(files::as_bytes("foobar")) == "Zm9vYmFy");
  CHECK(files::base64(std::vector<std::uint8_t>{0xfb, 0xff, 0xbf}) == "+/+/");
}

TEST_CASE("half-precision numbers are the nearest, ties to even") {
  CHECK(half_of(0.0F) == 0x0000);
  CHECK(half_of(-0.0F) == 0x8000);
  CHECK(half_of(1.0F) == 0x3c00);
  CHECK(half_of(-2.0F) == 0xc000);
  CHECK(half_of(65504.0F) == 0x7bff);
  CHECK(half_of(1e9F) == 0x7bff);
  CHECK(half_of(-std::numeric_limits<float>::infinity()) == 0xfbff);
  CHECK(half_of(1.0F + 0x1p-11F) == 0x3c00);
  CHECK(half_of(1.0F + 3 * 0x1p-11F) == 0x3c02);
  CHECK(half_of(0x1p-24F) == 0x0001);
  CHECK(half_of(0x1p-25F) == 0x0000);
  CHECK(half_of(0x1.ff8p-15F) == 0x03ff);
  CHECK(half_of(0x1.ffcp-15F) == 0x0400);
  CHECK(half_of(std::bit_cast<float>(std::bit_cast<std::uint32_t>(0x1p-14F) - 1)) == 0x0400);
  CHECK((half_of(std::numeric_limits<float>::quiet_NaN()) & 0x7c00) == 0x7c00);
}

TEST_CASE("text in the data of a report cannot leave its element") {
  const std::string evil = "</script><script>alert(1)</script><!-- \u2028 & \" \\ {{script}} {{data}}";
  const std::string page = report_page(evil, files::JsonObject().set("about", evil).set("</script>", evil));
  CHECK(count_of(page, "<script") == 2);
  CHECK(count_of(page, "</script>") == 2);
  CHECK(count_of(page, "<!--") == 0);
  CHECK(page.find("<title>&lt;/script&gt;") != std::string::npos);
  const std::size_t begin = page.find("type=\"application/json\">") + 24;
  const json data = json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  CHECK(data["about"] == evil);
  CHECK(data["</script>"] == evil);
}

TEST_CASE("a report asks for nothing from outside, and its policy forbids it") {
  const std::string page = report_page("a", files::JsonObject());
  CHECK(page.find("default-src 'none'") != std::string::npos);
  CHECK(page.find("script-src 'sha256-") != std::string::npos);
  CHECK(count_of(page, "{{") == 0);
  for (const char* address : {"https:", "src=\"", "@import", "url(http"})
    CHECK(page.find(address) == std::string::npos);
  CHECK(count_of(page, "http://") == count_of(page, "http://www.w3.org/2000/svg"));
}

TEST_CASE("the data of a report has all that suits a small autoencoder") {
  const TemporaryFolder folder;
  SmallRun place(small_model());
  place.metrics = folder / "metrics.csv";
  files::write_text_file(place.metrics, "step,train.loss,test.loss\n1,0.5,0.6\n2,0.25,0.5\n");
  const json report = place.report();
  CHECK(place.notes.empty());
  CHECK(report["model"]["name"] == "small");
  CHECK(report["model"]["yaml"].get<std::string>().find("gaussian_noise") != std::string::npos);
  CHECK(report["results"]["latest"][0] == json{{"name", "loss"}, {"train", 0.25}, {"test", 0.5}});
  CHECK(report["curves"]["figures"][0]["train"] == json::parse("[[1, 0.5], [2, 0.25]]"));
  CHECK(report["curves"]["figures"][0]["train_parts"] == json::parse("[[0, 2]]"));
  CHECK(report["curves"]["figures"][0]["scales"].size() == 2);
  CHECK(report["curves"]["figures"][0]["preferred"] == 0);
  CHECK(report["curves"]["steps"]["high"] == 2);
  CHECK(report["curves"]["stages"].size() == 1);
  REQUIRE(report["reconstruction"]["lists"].size() == 3);
  CHECK(report["reconstruction"]["lists"][1]["name"] == "corrupted");
  CHECK(report["reconstruction"]["errors"].size() == 32);
  CHECK(report["codes"]["x"].size() == 200);
  CHECK(report["codes"]["labels"].size() == 200);
  CHECK(report["codes"]["thumbnails"]["count"] == 200);
  CHECK(report["latent"]["width"] == 2);
  CHECK(report["latent"]["low"][0] < report["latent"]["high"][0]);
  CHECK(report["decoder"]["precision"] == "f32");
  CHECK(report["samples"]["count"] == 40);
  CHECK(report["ways"]["rows"].size() == 2);
  CHECK(report["filters"]["count"] == 32);
}

TEST_CASE("long curves are thinned in a report and keep their ends") {
  const TemporaryFolder folder;
  SmallRun place(small_model());
  place.metrics = folder / "metrics.csv";
  std::string text = "step,train.loss\n";
  for (int step = 1; step <= 9'999; ++step) text += std::to_string(step) + ",0.5\n";
  files::write_text_file(place.metrics, text);
  const json points = place.report()["curves"]["figures"][0]["train"];
  CHECK(points.size() <= 2'001);
  CHECK(points.size() > 1'000);
  CHECK(points.front()[0] == 1);
  CHECK(points.back()[0] == 9'999);
}

TEST_CASE("a model without images or codes has a report without them") {
  SmallRun place(replaced(small_model(), "outputs: {code: code, image: recon, noisy: noisy}", "outputs: {}"));
  const json report = place.report();
  for (const char* key : {"reconstruction", "codes", "decoder", "samples", "ways"})
    CHECK_FALSE(report.contains(key));
  CHECK(report.contains("filters"));
  CHECK(place.notes.empty());
}

TEST_CASE("a decoder that a page cannot run is told with the reason") {
  SECTION("an op that the page does not know") {
    SmallRun place(replaced(small_model(), "784, act: sigmoid", "784, act: softmax"));
    const json report = place.report();
    CHECK(report["decoder_note"] == "it has the op softmax, which the page does not know");
    CHECK_FALSE(report.contains("decoder"));
    CHECK(report["grid"]["count"] == 169);
  }
  SECTION("too many weights") {
    SmallRun place(
        replaced(replaced(small_model(), "hidden: 32", "hidden: 5400"), "784, act: sigmoid", "784"));
    CHECK(place.report()["decoder_note"].get<std::string>().find(
              "more weights than a report carries (8 MB") != std::string::npos);
  }
  SECTION("another input beside the code") {
    SmallRun place(replaced(small_model(), "in: dec, units: 784, act: sigmoid}",
                            "in: \"dec + 0 * sum(x)\", units: 784}"));
    CHECK(place.report()["decoder_note"] == "it needs 'x' beside the code");
  }
}

TEST_CASE("weights of more than 8 MB are carried with 16 bits") {
  SmallRun place(replaced(small_model(), "hidden: 32", "hidden: 2700"));
  const json decoder = place.report()["decoder"];
  CHECK(decoder["precision"] == "f16");
  const std::size_t weights = 2 * 2700 + 2700 + 2700 * 784 + 784;
  CHECK(decoder["weights"].get<std::string>().size() == (2 * weights + 2) / 3 * 4);
}

TEST_CASE("layers of a plain autoencoder are a chain from image to loss") {
  const LayerGraph graph = graph_of_model("autoencoder");
  CHECK(edges_text(graph) ==
        "x>enc.0 x>reconstruction enc.0>enc.1 enc.1>enc.2 enc.2>code code>dec.0 dec.0>dec.1 dec.1>dec.2 "
        "dec.2>recon recon>reconstruction");
  CHECK(layer_named(graph, "x").kind == LayerKind::input);
  CHECK(layer_named(graph, "enc.0").kind == LayerKind::layer);
  CHECK(layer_named(graph, "enc.0").what == "dense tanh");
  CHECK(layer_named(graph, "code").roles == std::vector<std::string>{"code"});
  CHECK(layer_named(graph, "reconstruction").kind == LayerKind::loss);
}

TEST_CASE("layers of rivals, noise and books are told apart") {
  const LayerGraph gan = graph_of_model("gan");
  CHECK(layer_named(gan, "z").kind == LayerKind::random);
  CHECK(layer_named(gan, "fake").roles == std::vector<std::string>{"image"});
  CHECK(edges_text(gan).find("fake>on_g.c.0.c") != std::string::npos);
  CHECK(edges_text(gan).find("on_g>g_fool") != std::string::npos);
  const LayerGraph vae = graph_of_model("vae");
  CHECK(edges_text(vae).find("logvar>z") != std::string::npos);
  CHECK(edges_text(vae).find("eps>z") != std::string::npos);
  CHECK(edges_text(vae).find("mu>kl") != std::string::npos);
  CHECK(layer_named(graph_of_model("vq_vae"), "book").kind == LayerKind::weights);
  const LayerGraph convolutional = graph_of_model("convolutional");
  CHECK(layer_named(convolutional, "enc.0.n").what == "batch_norm");
  CHECK(layer_named(convolutional, "enc.0").what == "relu, max_pool");
  CHECK(layer_named(convolutional, "up").what == "transposed convolution relu");
}

TEST_CASE("every bundled model is drawn with its layers apart and its edges downwards") {
  for (const auto& file : std::filesystem::directory_iterator(testing::in_source("/models"))) {
    if (file.path().extension() != ".yaml") continue;
    INFO(file.path().string());
    const SharedDefinition model = load_definition(file.path().string());
    const LayerGraph graph = layer_graph(*model);
    std::set<std::string> roles;
    std::set<std::string> declared;
    for (const NamedOutput& role : model->roles) declared.insert(role.name);
    std::size_t terms = 0;
    for (const Layer& layer : graph.layers) {
      roles.insert(layer.roles.begin(), layer.roles.end());
      if (layer.kind == LayerKind::loss) ++terms;
    }
    CHECK(roles == declared);
    CHECK(terms == model->loss.size());
    const std::vector<double> widths(graph.layers.size(), 120);
    const Layout layout = place_layers(widths, 46, graph.edges);
    for (std::size_t i = 0; i < layout.boxes.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (layout.boxes[i].y == layout.boxes[j].y)
          CHECK(std::abs(layout.boxes[i].x - layout.boxes[j].x) >= 120);
    for (const std::vector<Point>& edge : layout.edges)
      for (std::size_t i = 1; i < edge.size(); ++i) CHECK(edge[i].y > edge[i - 1].y);
  }
}

TEST_CASE("places in a row are the nearest that keep apart") {
  CHECK(nearest_places({0, 10}, {0, 4}) == std::vector<double>{0, 10});
  CHECK(nearest_places({5, 5}, {0, 4}) == std::vector<double>{3, 7});
  CHECK(nearest_places({0, 0, 9}, {0, 2, 2}) == std::vector<double>{-1, 1, 9});
  // Against trying: no small move of all may be better.
  std::mt19937 random(7);
  std::uniform_real_distribution<double> draw(-5, 5);
  std::vector<double> wished(6);
  for (double& place : wished) place = draw(random);
  const std::vector<double> apart{0, 1, 2, 1, 3, 1};
  const std::vector<double> best = nearest_places(wished, apart);
  const auto distance = [&](const std::vector<double>& places) {
    double sum = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (i > 0 && places[i] - places[i - 1] < apart[i] - 1e-12) return 1e9;
      sum += (places[i] - wished[i]) * (places[i] - wished[i]);
    }
    return sum;
  };
  REQUIRE(distance(best) < 1e9);
  for (int trial = 0; trial < 2'000; ++trial) {
    std::vector<double> other = best;
    for (double& place : other) place += 0.05 * draw(random);
    CHECK(distance(other) >= distance(best) - 1e-9);
  }
}

TEST_CASE("an edge of a drawing never leads backwards") {
  CHECK(throws([] { place_layers({1, 1}, 1, {{1, 0}}); }, ErrorCode::internal, "backwards"));
}

TEST_CASE("stages of a run are read from its metrics") {
  const TemporaryFolder folder;
  files::write_text_file(
      folder / "metrics.csv",
      "step,phase,draw,layer,train.loss\n1,\"a, \"\"b\"\"\",1,1,3\n2,\"a, \"\"b\"\"\",1,1,2\n3,\"a, "
      "\"\"b\"\"\",1,2,1\n4,c,1,,1\n5,c,2,,1\n");
  const std::vector<LoggedStage> stages = read_stages(folder / "metrics.csv");
  REQUIRE(stages.size() == 4);
  CHECK(stages[0].phase == "a, \"b\"");
  CHECK(stages[0].last == 2);
  CHECK(stages[1].layer == 2);
  CHECK(stages[2].layer == 0);
  CHECK(stages[3].draw == 2);
}

TEST_CASE("a report carries fewer pictures when they are large") {
  CHECK(affordable(2'000, 784) == 2'000);
  CHECK(affordable(32, 512 * 512) == 7);
  CHECK(affordable(32, 4'000'000) == 1);
}

TEST_CASE("pictures of a sprite lie row by row") {
  Pictures pictures{50, 1, 28, 1, std::vector<std::uint8_t>(50 * 28)};
  for (std::size_t i = 0; i < 50; ++i)
    std::fill_n(pictures.pixels.begin() + static_cast<std::ptrdiff_t>(28 * i), 28, i);
  const json made = json::parse(sprite(pictures).text());
  CHECK(made["columns"] == 36);
  CHECK(made["count"] == 50);
  CHECK(made["height"] == 1);
}

namespace {

/// Two numbers that are each other's double, and a kind; the last new rows contradict themselves.
std::string table_model(const TemporaryFolder& folder, const std::string& data) {
  std::string text = "a,b,kind\n";
  for (int row = 0; row < 60; ++row)
    text += std::to_string(row % 7) + "," + std::to_string(2 * (row % 7)) + (row % 2 == 0 ? ",x\n" : ",y\n");
  files::write_text_file(folder / "train.csv", text);
  text = "a,b,kind,state\n";
  for (int row = 0; row < 20; ++row)
    text += std::to_string(row % 7) + "," + std::to_string(2 * (row % 7)) + ",x,fine\n";
  files::write_text_file(folder / "new.csv", text + "500,-700,y,bad\n-600,900,x,bad\n");
  return "graphrun: 1\nname: pair\ndata:\n  train: {table: " + (folder / "train.csv").string() +
         "}\n  test: {table: " + (folder / "new.csv").string() + ", label: state}\n" + data +
         "inputs: {x: {from: cells}, y: {from: labels}}\nnodes:\n  flat: {op: flatten, in: x}\n"
         "  code: {op: dense, in: flat, units: 2}\n  wide: {op: dense, in: code, units: \"$(dim(flat, "
         "-1))\"}\n"
         "  row: {op: reshape, in: wide, shape: \"$(shape(x))\"}\n  logits: {op: dense, in: code, units: 2}\n"
         "outputs: {code: code, row: row}\nloss: {r: {op: mse, in: [wide, flat]}}\n"
         "metrics: {taken: {probe: confusion, in: [logits, y]}}\n"
         "train: {optimizer: {op: adam}, batch: 8, epochs: 1}\n";
}

}  // namespace

TEST_CASE("the report of a table shows its scores, the worst rows, and the columns that made them so") {
  const TemporaryFolder folder;
  SmallRun place(replaced(table_model(folder, ""), "\"$(shape(x))\"", "[batch, 4]"));
  place.learner.state().held_out_scores = {0.5, 1, 2, 1000};
  const json report = place.report();
  CHECK(place.notes.empty());
  const json& rows = report["rows"];
  CHECK(rows["of"] == "test rows");
  CHECK(rows["count"] == 22);
  CHECK(rows["threshold"] == 1000);
  REQUIRE(rows["diagrams"].size() == 3);
  double counted = 0;
  for (const json& bar : rows["diagrams"][0]["bars"]) counted += bar[2].get<double>() + bar[3].get<double>();
  CHECK(counted == 22);
  CHECK(rows["diagrams"][1]["lines"][0]["points"].front() == json::parse("[0, 0]"));
  CHECK(rows["diagrams"][1]["lines"][0]["points"].back() == json::parse("[1, 1]"));
  CHECK(rows["worst"].size() == 15);
  CHECK((rows["worst"][0]["row"] == 21 || rows["worst"][0]["row"] == 22));
  CHECK(rows["worst"][0]["kind"] == "bad");
  const std::string value = rows["worst"][0]["parts"][0]["value"];
  CHECK((std::abs(std::stod(value)) > 499 && std::abs(std::stod(value)) < 901));
  CHECK(rows["flagged"]["counts"] == json::parse("[[20, 0], [0, 2]]"));
  CHECK(rows["series"].empty());
  REQUIRE(report["classes"].size() == 1);
  CHECK(report["classes"][0]["name"] == "taken");
  CHECK(report["classes"][0]["counts"].size() == 2);
  CHECK(report["codes"]["of"] == "rows");
  CHECK(report["codes"]["columns"][0]["name"] == "a");
  CHECK(report["codes"]["columns"][2]["names"] == json::parse(R"(["x", "y"])"));
  const Gallery gallery =
      draw_gallery(place.learner, {*place.data, place.train, place.test, {}}, folder.path());
  CHECK(gallery.notes.empty());
  for (const char* name : {"scores.png", "worst.png", "flagged.png", "classes.png", "codes.png"})
    CHECK(std::filesystem::exists(folder / name));
  CHECK(!std::filesystem::exists(folder / "series.png"));
  CHECK(report.dump().find("image") == std::string::npos);
}

TEST_CASE("the report of a series shades what is flagged and what is odd, row by row") {
  const TemporaryFolder folder;
  SmallRun place(replaced(table_model(folder, "  windows: {size: 3}\n"), "\"$(shape(x))\"", "[batch, 3, 4]"));
  place.learner.state().held_out_scores = {0.5, 1, 2, 1000};
  const json report = place.report();
  CHECK(place.notes.empty());
  const json& series = report["rows"]["series"];
  REQUIRE(series.size() == 3);
  CHECK(series[1]["title"] == "a");
  CHECK(series[1]["lines"][0]["points"].size() == 22);
  CHECK(series[1]["lines"][0]["points"][2][1].get<double>() == Approx(2).margin(1e-4));
  json stretches = json::array();
  for (const json& stretch : series[0]["stretches"])
    if (stretch["kind"] == "second") stretches.push_back({stretch["from"], stretch["to"]});
  CHECK(stretches == json::parse("[[20.5, 22.5]]"));
  CHECK(report["codes"]["of"] == "windows");
  draw_gallery(place.learner, {*place.data, place.train, place.test, {}}, folder.path());
  CHECK(std::filesystem::exists(folder / "series.png"));
  CHECK(report.dump().find("image") == std::string::npos);
}
