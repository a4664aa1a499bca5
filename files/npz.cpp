#include "files/npz.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "files/file.hpp"
#include "files/gzip.hpp"
#include "files/npy.hpp"

namespace graphrun::files {

namespace {

constexpr std::uint16_t zip_version = 20;
constexpr std::uint16_t names_are_utf8 = 0x800;
constexpr std::uint16_t first_of_1980 = 0x21;  // the same bytes whenever it is written

/// Numbers of the archive, the lowest byte first.
class Record {
 public:
  Record& two(std::uint64_t value) { return bytes(value, 2); }
  Record& four(std::uint64_t value) { return bytes(value, 4); }
  Record& text(std::string_view value) {
    bytes_ += value;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Record& bytes(std::uint64_t value, int count) {
    for (; count > 0; --count, value >>= 8U) bytes_ += static_cast<char>(value & 0xFFU);
    return *this;
  }
  std::string bytes_;
};

struct Entry {
  std::string name;    ///< "enc.0.w.npy"
  std::string header;  ///< of the NPY file
  std::span<const std::uint8_t> bytes;
  std::uint32_t sum = 0;
  std::uint64_t offset = 0;
  std::uint64_t size() const { return header.size() + bytes.size(); }
};

Entry entry_of(const TensorView& array) {
  if (info_of(array.type).npy.empty())
    throw Error(ErrorCode::usage,
                fmt::format("NumPy has no type {}, which '{}' is of", info_of(array.type).name, array.name));
  Entry entry{array.name + ".npy",
              npy_header(array.type, array.shape, array.bytes.size()),
              {reinterpret_cast<const std::uint8_t*>(array.bytes.data()), array.bytes.size()}};
  entry.sum = crc32(entry.bytes, crc32(as_bytes(entry.header), 0));
  return entry;
}

/// What stands before an array and in the list of them alike.
Record& described(Record& record, const Entry& entry) {
  record.two(zip_version).two(names_are_utf8).two(0).two(0).two(first_of_1980).four(entry.sum);
  return record.four(entry.size()).four(entry.size()).two(entry.name.size()).two(0);
}

std::string before(const Entry& entry) {
  Record record;
  record.four(0x04034B50);
  return described(record, entry).text(entry.name).bytes();
}

std::string listed(const Entry& entry) {
  Record record;
  record.four(0x02014B50).two(zip_version);
  described(record, entry).two(0).two(0).two(0).four(0).four(entry.offset);
  return record.text(entry.name).bytes();
}

void require_room(std::size_t count, std::uint64_t bytes) {
  if (count > std::numeric_limits<std::uint16_t>::max() || bytes > std::numeric_limits<std::uint32_t>::max())
    throw Error(
        ErrorCode::usage,
        fmt::format("an NPZ file holds at most 65,535 arrays and 4 GiB, not {} and {} bytes", count, bytes));
}

}  // namespace

void write_npz(const std::filesystem::path& path, std::span<const TensorView> arrays) {
  std::vector<Entry> entries;
  std::set<std::string> names;
  std::uint64_t offset = 0;
  std::string list;
  for (const TensorView& array : arrays) {
    Entry& entry = entries.emplace_back(entry_of(array));
    if (array.name.empty() || !names.insert(array.name).second)
      throw Error(ErrorCode::usage,
                  fmt::format("an array is called '{}', as none or another is", array.name));
    entry.offset = offset;
    list += listed(entry);
    offset += before(entry).size() + entry.size();
  }
  require_room(entries.size(), offset + list.size());
  AtomicFile file(path);
  for (const Entry& entry : entries) {
    file.write(before(entry));
    file.write(entry.header);
    file.write(entry.bytes);
  }
  file.write(list);
  Record end;
  end.four(0x06054B50).two(0).two(0).two(entries.size()).two(entries.size());
  file.write(end.four(list.size()).four(offset).two(0).bytes());
  file.commit();
}

}  // namespace graphrun::files
