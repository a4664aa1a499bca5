// Event files: checksums, and what is refused. Whole files are read back in tests/tensorboard.
#include <string_view>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/run/event_file.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::train;

TEST_CASE("CRC-32C has the values of RFC 3720") {
  CHECK(crc32c(files::as_bytes("123456789")) == 0xe3069283);
  CHECK(crc32c(std::vector<std::uint8_t>(32, 0)) == 0x8a9136aa);
  CHECK(crc32c(std::vector<std::uint8_t>(32, 0xff)) == 0x62a8ab43);
  CHECK(crc32c({}) == 0);
}

TEST_CASE("event files of one folder never have the same name") {
  const TemporaryFolder folder;
  const EventFile first(folder / "deep/er", 3);
  const EventFile second(folder / "deep/er", 3);
  CHECK(first.path() != second.path());
  CHECK(first.path() < second.path());
}

TEST_CASE("only a PNG is a picture for an event file") {
  const TemporaryFolder folder;
  EventFile file(folder.path(), 0);
  CHECK(throws([&] { file.picture(1, "a", files::as_bytes("GIF89a, and some bytes more, quite a few")); },
               ErrorCode::usage, "must be a PNG"));
  CHECK(throws([&] { file.picture(1, "a", {}); }, ErrorCode::usage, "must be a PNG"));
}

TEST_CASE("a folder that cannot be made for event files is told") {
  const TemporaryFolder folder;
  files::write_text_file(folder / "file", "");
  CHECK(throws([&] { EventFile(folder / "file/x", 0); }, ErrorCode::io, "file"));
}
