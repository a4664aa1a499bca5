#include <fcntl.h>
#include <sys/file.h>

#include <array>
#include <cstdlib>

#include "files/sha256.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/idx_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/fetch/fetch.hpp"

using namespace graphrun;
using namespace graphrun::train;
using graphrun::testing::gzip_bytes;
using graphrun::testing::HttpAnswer;
using graphrun::testing::HttpRequest;
using graphrun::testing::HttpServer;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::thrown;
using graphrun::testing::throws;
namespace fs = std::filesystem;

namespace {

/// The contents of the four files of a small data set: different, and large enough for several packets.
files::Bytes contents(std::size_t index) {
  files::Bytes bytes(20000 + 1000 * index);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * i + index);
  return bytes;
}

std::string compressed(std::size_t index) {
  const files::Bytes file = gzip_bytes(contents(index));
  return {file.begin(), file.end()};
}

/// A data set with these files and a folder to fetch it to; `serve` decides what a server says.
struct SmallSet {
  SmallSet() {
    ::setenv("no_proxy", "127.0.0.1", 1);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] = files::sha256(contents(i));
      dataset.files[i] = {names[i], sums[i]};
    }
  }
  std::vector<FetchedFile> fetch(std::vector<std::string> mirrors) const {
    FetchOptions options;
    options.cache = cache.path();
    options.mirrors = std::move(mirrors);
    options.stall_timeout = std::chrono::seconds(1);
    options.connect_timeout = std::chrono::milliseconds(2000);
    return fetch_dataset(dataset, options);
  }
  fs::path file(std::size_t index) const { return cache / "small" / (std::string(names[index]) + ".gz"); }
  fs::path part(std::size_t index) const { return file(index).string() + ".part"; }
  bool complete() const {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (fs::exists(part(i)) || files::read_text_file(file(i), 100000) != compressed(i)) return false;
    }
    return true;
  }
  static constexpr std::array<std::string_view, 4> names{"a", "b", "c", "d"};
  std::array<std::string, 4> sums;
  KnownDataset dataset{"small", "small", "", "", {}, {}};
  TemporaryFolder cache;
};

std::size_t index_of(const HttpRequest& request) {
  return static_cast<std::size_t>(request.path.at(std::string("/small/").size()) - 'a');
}

/// A server as it should be, with ranges.
HttpAnswer well_behaved(const HttpRequest& request) {
  const std::string body = compressed(index_of(request));
  if (!request.range_from) return {"200 OK", {}, body, {}, false};
  if (*request.range_from >= body.size()) return {"416 Range Not Satisfiable", {}, {}, {}, false};
  return {"206 Partial Content", {}, body.substr(*request.range_from), {}, false};
}

HttpAnswer only(HttpAnswer answer, std::size_t bytes, bool stall = false) {
  answer.send_only = bytes;
  answer.stall = stall;
  return answer;
}

}  // namespace

TEST_CASE("fetch: all files of a data set, once") {
  const SmallSet set;
  const HttpServer server(well_behaved);
  const std::vector<FetchedFile> fetched = set.fetch({server.address()});
  REQUIRE(fetched.size() == 4);
  CHECK(fetched[1].path == set.file(1));
  CHECK(fetched[1].url == server.address() + "/small/b.gz");
  CHECK(set.complete());
  CHECK(server.requests().size() == 4);
  CHECK(set.fetch({server.address()})[1].url.empty());
  CHECK(server.requests().size() == 4);
}

TEST_CASE("fetch: a file with wrong contents in the cache is replaced") {
  const SmallSet set;
  const HttpServer server(well_behaved);
  set.fetch({server.address()});
  files::write_text_file(set.file(2), "wrong");
  set.fetch({server.address()});
  CHECK(set.complete());
  CHECK(server.requests().size() == 5);
}

TEST_CASE("fetch: a broken transfer leaves a part, which the next try continues") {
  const SmallSet set;
  {
    const HttpServer server([](const HttpRequest& request) { return only(well_behaved(request), 5000); });
    CHECK(
        throws([&] { set.fetch({server.address()}); }, ErrorCode::io, "could not get a of data set 'small'"));
  }
  CHECK(fs::file_size(set.part(0)) == 5000);
  CHECK_FALSE(fs::exists(set.file(0)));
  const HttpServer server(well_behaved);
  set.fetch({server.address()});
  CHECK(set.complete());
  CHECK(server.requests()[0].range_from == 5000);
  CHECK_FALSE(server.requests()[1].range_from.has_value());
}

TEST_CASE("fetch: the next mirror continues what the first began") {
  const SmallSet set;
  const HttpServer first([](const HttpRequest& request) { return only(well_behaved(request), 7000); });
  const HttpServer second(well_behaved);
  const std::vector<FetchedFile> fetched = set.fetch({first.address(), second.address()});
  CHECK(set.complete());
  CHECK(fetched[0].url == second.address() + "/small/a.gz");
  CHECK(second.requests()[0].range_from == 7000);
}

TEST_CASE("fetch: a server that ignores the range sends everything again") {
  const SmallSet set;
  fs::create_directories(set.cache / "small");
  files::write_text_file(set.part(0), compressed(0).substr(0, 3000));
  const HttpServer server([](HttpRequest request) {
    request.range_from.reset();
    return well_behaved(request);
  });
  set.fetch({server.address()});
  CHECK(set.complete());
  CHECK(server.requests().size() == 4);
}

TEST_CASE("fetch: a part that is not the beginning of the file is thrown away") {
  const SmallSet set;
  fs::create_directories(set.cache / "small");
  files::write_text_file(set.part(0), std::string(3000, 'x'));
  files::write_text_file(set.part(1), std::string(200000, 'x'));  // longer than the file: 416
  const HttpServer server(well_behaved);
  set.fetch({server.address()});
  CHECK(set.complete());
  CHECK(server.requests().size() == 6);
}

TEST_CASE("fetch: a part that is complete needs no more than a check") {
  const SmallSet set;
  fs::create_directories(set.cache / "small");
  files::write_text_file(set.part(0), compressed(0));
  const HttpServer server(well_behaved);
  set.fetch({server.address()});
  CHECK(set.complete());
  CHECK(server.requests().size() == 4);
}

TEST_CASE("fetch: HTTP errors, wrong contents and no server are told mirror by mirror") {
  const SmallSet set;
  const HttpServer missing([](const HttpRequest&) {
    return HttpAnswer{"404 Not Found", {}, "<html>", {}, false};
  });
  const HttpServer page([](const HttpRequest&) { return HttpAnswer{"200 OK", {}, "<html>", {}, false}; });
  const HttpServer damaged([](const HttpRequest& request) {
    HttpAnswer answer = well_behaved(request);
    answer.body[1000] ^= 1;
    return answer;
  });
  const HttpServer empty([](const HttpRequest&) { return HttpAnswer{"204 No Content", {}, {}, {}, false}; });
  const std::string nobody = "http://127.0.0.1:1";
  const auto error = thrown([&] {
    set.fetch({missing.address(), page.address(), damaged.address(), empty.address(), nobody});
  });
  REQUIRE(error.has_value());
  CHECK(error->code() == ErrorCode::io);
  const auto told = [&](const std::string& text) { return graphrun::testing::contains(error->what(), text); };
  CHECK(told("cannot download " + missing.address() + "/small/a.gz: the server answered 404"));
  CHECK(told(page.address() + "/small/a.gz is not the right file: its contents have the SHA-256 "));
  CHECK(told(damaged.address() + "/small/a.gz is not the right file: the gzip data is damaged"));
  CHECK(told("the server answered 204"));
  CHECK(told("cannot download http://127.0.0.1:1/small/a.gz: Failed to connect"));
  CHECK_FALSE(fs::exists(set.part(0)));
  CHECK_FALSE(fs::exists(set.file(0)));
}

TEST_CASE("fetch: a silent server is given up, and what has come is kept") {
  const SmallSet set;
  const HttpServer server([](const HttpRequest& request) { return only(well_behaved(request), 4000, true); });
  CHECK(throws([&] { set.fetch({server.address()}); }, ErrorCode::io, "nothing has arrived for 1 s"));
  CHECK(fs::file_size(set.part(0)) == 4000);
}

TEST_CASE("fetch: redirects are followed, but not round and round, nor to files") {
  const SmallSet set;
  const HttpServer goal(well_behaved);
  const HttpServer server([&](const HttpRequest& request) {
    return HttpAnswer{"302 Found", "Location: " + goal.address() + request.path + "\r\n", {}, {}, false};
  });
  set.fetch({server.address()});
  CHECK(set.complete());
  fs::remove_all(set.cache / "small");
  const HttpServer round([](const HttpRequest& request) {
    return HttpAnswer{"302 Found", "Location: " + request.path + "\r\n", {}, {}, false};
  });
  CHECK(throws([&] { set.fetch({round.address()}); }, ErrorCode::io, "Maximum (5) redirects followed"));
  const HttpServer local([](const HttpRequest&) {
    return HttpAnswer{"302 Found", "Location: file:///etc/hostname\r\n", {}, {}, false};
  });
  CHECK(throws([&] { set.fetch({local.address()}); }, ErrorCode::io, "cannot download"));
  CHECK(
      throws([&] { set.fetch({"file:///tmp"}); }, ErrorCode::io, "cannot download file:///tmp/small/a.gz: "));
}

TEST_CASE("download: larger than it may be, stopped, and progress") {
  const SmallSet set;
  const HttpServer server(well_behaved);
  const std::string url = server.address() + "/small/a.gz";
  DownloadOptions options;
  options.largest_file = 1000;
  files::PartialFile part(set.cache / "a.gz");
  CHECK(throws([&] { download(url, part, options); }, ErrorCode::data, "it is larger than 1000 bytes"));
  options = {};
  std::stop_source stop;
  stop.request_stop();
  options.stop = stop.get_token();
  CHECK(throws([&] { download(url, part, options); }, ErrorCode::cancelled, "was stopped"));
  options = {};
  part.restart();
  std::uint64_t last = 0;
  std::uint64_t last_total = 0;
  options.on_progress = [&](std::uint64_t received, std::uint64_t total) {
    CHECK(received >= last);
    last = received;
    last_total = total;
  };
  CHECK_FALSE(download(url, part, options));
  CHECK(last == compressed(0).size());
  CHECK(last_total == compressed(0).size());
  options.on_progress = [](std::uint64_t, std::uint64_t) { throw Error(ErrorCode::usage, "mine"); };
  part.restart();
  CHECK(throws([&] { download(url, part, options); }, ErrorCode::usage, "mine"));
}

TEST_CASE("fetch: two processes do not write to one part, and there must be a cache") {
  const SmallSet set;
  const files::PartialFile held(set.cache / "a");
  CHECK(throws([&] { files::PartialFile(set.cache / "a"); }, ErrorCode::io,
               "another process is downloading this file"));
  CHECK(throws([&] { fetch_dataset(set.dataset, {}); }, ErrorCode::usage, "no cache folder"));
}

TEST_CASE("fetch: the environment may name another mirror") {
  ::setenv("GRAPHRUN_MIRROR", "http://mirror", 1);
  CHECK(mirrors_from_environment() == std::vector<std::string>{"http://mirror"});
  ::unsetenv("GRAPHRUN_MIRROR");
  CHECK(mirrors_from_environment().empty());
}
