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

TEST_CASE("arrays of a file of several are read by name, also compressed ones") {
  const TemporaryFolder folder;
  write_npz(folder / "plain.npz", arrays());
  const std::string script =
      "import sys, zipfile\n"
      "with zipfile.ZipFile(sys.argv[1]) as plain, zipfile.ZipFile(sys.argv[2], 'w') as packed:\n"
      "  for name in plain.namelist():\n"
      "    info = zipfile.ZipInfo(name)\n"
      "    info.compress_type = zipfile.ZIP_DEFLATED\n"
      "    with packed.open(info, 'w', force_zip64=True) as file: file.write(plain.read(name))\n";  // as
                                                                                                    // NumPy
  testing::run_process({"/usr/bin/env", "python3", "-c", script, (folder / "plain.npz").string(),
                        (folder / "packed.npz").string()});
  for (const std::string name : {"plain.npz", "packed.npz"}) {
    CHECK(npz_names(folder / name) == std::vector<std::string>{"enc.0.w", "steps"});
    const NpyArray read = read_npy(folder / name / "enc.0.w");
    CHECK(read.shape == std::vector<std::size_t>{2, 3});
    CHECK(as_f32(read.type, read.bytes) == std::vector<float>(numbers.begin(), numbers.end()));
    CHECK(read_npy(folder / name / "steps").type == StoredType::i64);
    CHECK(throws([&] { read_npy(folder / name / "step"); }, ErrorCode::data,
                 "holds no array 'step'; there are enc.0.w, steps"));
    CHECK(throws([&] { read_npy(folder / name); }, ErrorCode::data,
                 "holds the arrays enc.0.w, steps: write " + name + "/enc.0.w for one of them"));
  }
  const std::vector<TensorView> all = arrays();
  write_npz(folder / "one.npz", std::span(all).first(1));
  CHECK(read_npy(folder / "one.npz").shape == std::vector<std::size_t>{2, 3});
}

TEST_CASE("a damaged archive of arrays is told") {
  const TemporaryFolder folder;
  write_npz(folder / "a.npz", arrays());
  const Bytes whole = read_file(folder / "a.npz", 100'000);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    Bytes damaged = whole;
    damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ 0x41U);
    write_file(folder / "b.npz", damaged);
    try {  // a bit that nobody looks at may be another one
      for (const std::string& name : npz_names(folder / "b.npz")) read_npz({folder / "b.npz", name});
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::data);
    }
    write_file(folder / "b.npz", std::span(whole).first(at));
    CHECK(throws([&] { npz_names(folder / "b.npz"); }, ErrorCode::data, "is no NPZ file, or a damaged one"));
  }
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
