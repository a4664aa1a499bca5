#include <array>

#include "files/npy.hpp"
#include "files/npz.hpp"
#include "graphrun/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::files;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::throws;

namespace {

const std::array<float, 6> numbers{1, 2, 3, 4, 5, 6};
const std::array<std::int64_t, 1> whole{7};

std::vector<TensorView> arrays() {
  return {{"enc.0.w", StoredType::f32, {2, 3}, std::as_bytes(std::span(numbers))},
          {"steps", StoredType::i64, {}, std::as_bytes(std::span(whole))}};
}

}  // namespace

TEST_CASE("arrays are written as an archive that Python reads whole") {
  const TemporaryFolder folder;
  write_npz(folder / "a.npz", arrays());
  const std::string script =
      "import sys, zipfile\n"
      "archive = zipfile.ZipFile(sys.argv[1])\n"
      "assert archive.testzip() is None\n"
      "archive.extractall(sys.argv[2])\n"
      "print(archive.namelist())\n";
  const testing::ProcessResult result = testing::run_process(
      {"/usr/bin/env", "python3", "-c", script, (folder / "a.npz").string(), folder.path().string()});
  CHECK(result.out == "['enc.0.w.npy', 'steps.npy']\n");
  const NpyArray read = read_npy(folder / "enc.0.w.npy");
  CHECK(read.shape == std::vector<std::size_t>{2, 3});
  CHECK(as_f32(read.type, read.bytes) == std::vector<float>(numbers.begin(), numbers.end()));
  CHECK(read_npy(folder / "steps.npy").type == StoredType::i64);
  write_npz(folder / "empty.npz", {});
}

TEST_CASE("the same arrays are the same bytes, whenever they are written") {
  const TemporaryFolder folder;
  write_npz(folder / "a.npz", arrays());
  write_npz(folder / "b.npz", arrays());
  CHECK(read_file(folder / "a.npz", 10'000) == read_file(folder / "b.npz", 10'000));
}

TEST_CASE("what an archive of arrays cannot hold is refused") {
  const TemporaryFolder folder;
  const auto refused = [&](TensorView changed, const std::string& what) {
    std::vector<TensorView> all = arrays();
    all.push_back(std::move(changed));
    return throws([&] { write_npz(folder / "a.npz", all); }, ErrorCode::usage, what);
  };
  CHECK(refused({"steps", StoredType::i64, {}, std::as_bytes(std::span(whole))}, "'steps'"));
  CHECK(refused({"", StoredType::i64, {}, std::as_bytes(std::span(whole))}, "''"));
  CHECK(refused({"half", StoredType::bf16, {4}, std::as_bytes(std::span(whole))}, "bf16"));
  CHECK(refused({"short", StoredType::i64, {2}, std::as_bytes(std::span(whole))}, "8 bytes"));
  CHECK(!std::filesystem::exists(folder / "a.npz"));
}
