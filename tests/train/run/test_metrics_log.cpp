#include <cmath>
#include <limits>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/run/metrics_log.hpp"

using namespace graphrun;
using namespace graphrun::train;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::throws;
namespace fs = std::filesystem;

namespace {

using Row = std::vector<MetricsCell>;

std::string csv(const TemporaryFolder& folder) {
  return files::read_text_file(folder / "metrics.csv", 10000);
}
std::string jsonl(const TemporaryFolder& folder) {
  return files::read_text_file(folder / "metrics.jsonl", 10000);
}

const std::vector<std::string> columns{"epoch", "loss"};

}  // namespace

TEST_CASE("metrics: the same rows as CSV and JSON lines, each written at once") {
  const TemporaryFolder folder;
  MetricsLog log(folder.path(), {"epoch", "loss", "test.loss", "phase"});
  CHECK(csv(folder) == "step,epoch,loss,test.loss,phase\n");
  log.append(938, Row{1.0, 0.1, {}, "tuned"});
  CHECK(csv(folder) == "step,epoch,loss,test.loss,phase\n938,1,0.1,,tuned\n");
  CHECK(jsonl(folder) == "{\"step\":938,\"epoch\":1,\"loss\":0.1,\"phase\":\"tuned\"}\n");
  log.append(1876, Row{2.0, 1.0 / 3, 1e-300, "a,\"b\"\n\\"});
  CHECK(csv(folder).ends_with("1876,2,0.3333333333333333,1e-300,\"a,\"\"b\"\" \\\"\n"));
  CHECK(jsonl(folder).ends_with("\"test.loss\":1e-300,\"phase\":\"a,\\\"b\\\"\\n\\\\\"}\n"));
}

TEST_CASE("metrics: numbers that are not finite") {
  const TemporaryFolder folder;
  MetricsLog log(folder.path(), columns);
  log.append(1, Row{std::numeric_limits<double>::infinity(), std::nan("")});
  CHECK(csv(folder).ends_with("1,inf,nan\n"));
  CHECK(jsonl(folder) == "{\"step\":1,\"epoch\":null,\"loss\":null}\n");
}

TEST_CASE("metrics: a resumed run continues at its step, as if it had never stopped") {
  const TemporaryFolder folder;
  const TemporaryFolder other;
  MetricsLog straight(other.path(), columns);
  {
    MetricsLog log(folder.path(), columns);
    for (const std::uint64_t step : {5U, 10U, 15U, 100U}) log.append(step, Row{1.0, 0.5});
  }
  files::write_text_file(folder / "metrics.csv", csv(folder) + "105,1,0.");  // cut off in the middle of a row
  files::write_text_file(folder / "metrics.jsonl", jsonl(folder) + "{\"step\":1");
  {
    MetricsLog log = MetricsLog::resume(folder.path(), columns, 10);
    log.append(15, Row{2.0, 0.25});
  }
  straight.append(5, Row{1.0, 0.5});
  straight.append(10, Row{1.0, 0.5});
  straight.append(15, Row{2.0, 0.25});
  CHECK(csv(folder) == csv(other));
  CHECK(jsonl(folder) == jsonl(other));
}

TEST_CASE("metrics: resuming where there is nothing starts new files") {
  const TemporaryFolder folder;
  MetricsLog::resume(folder.path(), columns, 7).append(8, Row{1.0, 2.0});
  CHECK(csv(folder) == "step,epoch,loss\n8,1,2\n");
  files::write_text_file(folder / "metrics.csv", "step,ep");  // cut off in its first line
  MetricsLog::resume(folder.path(), columns, 7);
  CHECK(csv(folder) == "step,epoch,loss\n");
  CHECK(jsonl(folder).empty());
}

TEST_CASE("metrics: a log without further columns") {
  const TemporaryFolder folder;
  MetricsLog(folder.path(), {}).append(3, Row{});
  MetricsLog::resume(folder.path(), {}, 3).append(4, Row{});
  CHECK(csv(folder) == "step\n3\n4\n");
  CHECK(jsonl(folder) == "{\"step\":3}\n{\"step\":4}\n");
}

TEST_CASE("metrics: what is refused") {
  const TemporaryFolder folder;
  const auto start = [&](std::vector<std::string> names) {
    return [&folder, names] { MetricsLog(folder.path(), names); };
  };
  CHECK(throws(start({"a,b"}), ErrorCode::usage, "cannot have a column 'a,b'"));
  CHECK(throws(start({""}), ErrorCode::usage, "cannot have a column ''"));
  CHECK(throws(start({"a", "a"}), ErrorCode::usage, "the column 'a' twice"));
  CHECK(throws(start({"step"}), ErrorCode::usage, "the column 'step' twice"));
  MetricsLog log(folder.path(), columns);
  CHECK(throws([&] { log.append(1, Row{1.0}); }, ErrorCode::usage, "1 metrics are given for 2 columns"));
  CHECK(throws(start(columns), ErrorCode::io, "File exists"));
  CHECK(throws([&] { MetricsLog::resume(folder.path(), {"other"}, 1); }, ErrorCode::data,
               "has the columns step,epoch,loss, but this run has step,other"));
  files::write_text_file(folder / "metrics.csv", "step,epoch,loss\nx,1,2\n");
  CHECK(throws([&] { MetricsLog::resume(folder.path(), columns, 1); }, ErrorCode::data,
               "begins with no step: 'x,1,2'"));
  CHECK(throws([&] { MetricsLog(folder / "none", columns); }, ErrorCode::io, "No such file"));
}
