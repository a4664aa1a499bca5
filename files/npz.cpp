#include "files/npz.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "files/believable.hpp"
#include "files/file.hpp"
#include "files/file_kind.hpp"
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

// ---- Reading ----

/// Numbers of an archive, from wherever they stand.
class Fields {
 public:
  Fields(std::span<const std::uint8_t> bytes, const std::filesystem::path& path)
      : bytes_(bytes), path_(path) {}

  std::uint64_t at(std::size_t place, std::size_t count) const {
    if (count > bytes_.size() || place > bytes_.size() - count) damaged();
    std::uint64_t value = 0;
    for (std::size_t i = count; i-- > 0;) value = value << 8U | bytes_[place + i];
    return value;
  }
  std::string text(std::size_t place, std::size_t count) const {
    if (count > bytes_.size() || place > bytes_.size() - count) damaged();
    return {reinterpret_cast<const char*>(bytes_.data()) + place, count};
  }
  std::size_t size() const { return bytes_.size(); }
  [[noreturn]] void damaged() const { throw data_error(path_, "is no NPZ file, or a damaged one"); }

 private:
  std::span<const std::uint8_t> bytes_;
  const std::filesystem::path& path_;
};

/// An array in an archive, as the list at the end of it says.
struct Listed {
  std::string name;
  bool is_deflated = false;
  std::uint32_t sum = 0;
  std::uint64_t packed = 0;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
};

constexpr std::uint64_t in_extra = 0xFFFFFFFF;  ///< the number does not fit, and stands in an extra field
constexpr std::uint64_t wide_extra = 1;

/// Numbers of 64 bits stand one behind the other, those alone that did not fit.
void read_wide(Listed& entry, const Fields& list, std::size_t extra, std::size_t end) {
  for (std::size_t at = extra; at + 4 <= end; at += 4 + list.at(at + 2, 2)) {
    if (list.at(at, 2) != wide_extra) continue;
    std::size_t place = at + 4;
    for (std::uint64_t* number : {&entry.size, &entry.packed, &entry.offset}) {
      if (*number != in_extra) continue;
      *number = list.at(place, 8);
      place += 8;
    }
  }
}

class Archive {
 public:
  explicit Archive(const std::filesystem::path& path) : file_(path), path_(path) { read_list(); }

  const std::vector<Listed>& entries() const { return entries_; }

  /// Where the bytes of an array begin, as they are packed.
  std::uint64_t data_of(const Listed& entry) const {
    if (entry.size > believable(file_.size()))
      throw data_error(path_, fmt::format("says that the array '{}' has {} bytes, {}", entry.name, entry.size,
                                          beyond_belief(file_.size())));
    constexpr std::size_t before_name = 30;
    const Bytes start = piece(entry.offset, before_name);
    const Fields fields(start, path_);
    if (fields.at(0, 4) != 0x04034B50) fields.damaged();
    const std::uint64_t data = entry.offset + before_name + fields.at(26, 2) + fields.at(28, 2);
    if (entry.packed > file_.size() || data > file_.size() - entry.packed) fields.damaged();
    return data;
  }

 private:
  Bytes piece(std::uint64_t offset, std::uint64_t size) const {
    if (size > file_.size() || offset > file_.size() - size) Fields({}, path_).damaged();
    Bytes bytes(static_cast<std::size_t>(size));
    file_.read_exactly(offset, bytes);
    return bytes;
  }

  /// The list is found from the end of the file, where a comment may stand behind what says where it is.
  void read_list() {
    constexpr std::size_t end_bytes = 22;
    constexpr std::size_t most_comment = 65'535;
    const std::uint64_t tail_size = std::min<std::uint64_t>(file_.size(), end_bytes + most_comment + 76);
    const Bytes tail = piece(file_.size() - tail_size, tail_size);
    const Fields fields(tail, path_);
    if (tail.size() < end_bytes) fields.damaged();
    std::size_t end = tail.size() - end_bytes;
    while (fields.at(end, 4) != 0x06054B50)
      if (end-- == 0) fields.damaged();
    std::uint64_t count = fields.at(end + 10, 2);
    std::uint64_t size = fields.at(end + 12, 4);
    std::uint64_t offset = fields.at(end + 16, 4);
    if (offset == in_extra || count == 0xFFFF) {  // of more than 4 GiB: 56 bytes of numbers, 20 of a pointer
      if (end < 76 || fields.at(end - 76, 4) != 0x06064B50) fields.damaged();
      count = fields.at(end - 76 + 32, 8);
      size = fields.at(end - 76 + 40, 8);
      offset = fields.at(end - 76 + 48, 8);
    }
    const Bytes list = piece(offset, size);
    read_entries(Fields(list, path_), count);
  }

  void read_entries(const Fields& list, std::uint64_t count) {
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      if (list.at(at, 4) != 0x02014B50) list.damaged();
      const auto name_size = static_cast<std::size_t>(list.at(at + 28, 2));
      const std::size_t extra = at + 46 + name_size;
      const std::size_t end = extra + static_cast<std::size_t>(list.at(at + 30, 2));
      Listed entry{.name = list.text(at + 46, name_size),
                   .is_deflated = list.at(at + 10, 2) == 8,
                   .sum = static_cast<std::uint32_t>(list.at(at + 16, 4)),
                   .packed = list.at(at + 20, 4),
                   .size = list.at(at + 24, 4),
                   .offset = list.at(at + 42, 4)};
      const bool is_read = entry.is_deflated || list.at(at + 10, 2) == 0;
      read_wide(entry, list, extra, std::min(end, list.size()));
      at = end + static_cast<std::size_t>(list.at(at + 32, 2));
      if (!entry.name.ends_with(".npy")) continue;
      entry.name.resize(entry.name.size() - 4);
      if (!is_read)
        throw data_error(path_, fmt::format("packs the array '{}' in a way that is not read", entry.name));
      entries_.push_back(std::move(entry));
    }
    if (entries_.empty()) throw data_error(path_, "is an archive without NPY arrays");
  }

  InputFile file_;
  const std::filesystem::path& path_;
  std::vector<Listed> entries_;
};

/// A part of a file.
class PartSource final : public ByteSource {
 public:
  PartSource(const std::filesystem::path& path, std::uint64_t begin, std::uint64_t size)
      : file_(path), position_(begin), left_(size) {}
  std::size_t read(std::span<std::uint8_t> into) override {
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_));
    const std::size_t count = file_.read(position_, into.first(most));
    position_ += count;
    left_ -= count;
    return count;
  }

 private:
  InputFile file_;
  std::uint64_t position_;
  std::uint64_t left_;
};

/// The bytes of an array, unpacked; their length and sum are known to be right once the end has been read.
class EntrySource final : public ByteSource {
 public:
  EntrySource(const std::filesystem::path& path, const Listed& entry, std::uint64_t data)
      : path_(path),
        name_(entry.name),
        sum_(entry.sum),
        left_(entry.size),
        packed_(path, data, entry.packed) {
    if (entry.is_deflated) unpacked_.emplace(packed_, path, GzipSource::Format::raw);
  }
  std::size_t read(std::span<std::uint8_t> into) override {
    const std::size_t count = unpacked_ ? unpacked_->read(into) : packed_.read(into);
    const bool is_end = count == 0 && !into.empty();
    if (count > left_ || (is_end && (left_ > 0 || found_ != sum_)))
      throw data_error(path_, fmt::format("the array '{}' in it is damaged", name_));
    left_ -= count;
    found_ = crc32(into.first(count), found_);
    return count;
  }

 private:
  std::filesystem::path path_;
  std::string name_;
  std::uint32_t sum_;
  std::uint32_t found_ = 0;
  std::uint64_t left_;
  PartSource packed_;
  std::optional<GzipSource> unpacked_;
};

std::string list_of(const std::vector<Listed>& entries) {
  std::string names;
  for (const Listed& entry : entries) names += (names.empty() ? "" : ", ") + entry.name;
  return names;
}

}  // namespace

std::optional<NpzPlace> npz_place(const std::filesystem::path& path) {
  std::error_code ignored;
  if (has_ending(path, ".npz")) return NpzPlace{path, {}};
  const std::filesystem::path parent = path.parent_path();
  if (!has_ending(parent, ".npz") || !std::filesystem::is_regular_file(parent, ignored)) return std::nullopt;
  return NpzPlace{parent, path.filename().string()};
}

std::vector<std::string> npz_names(const std::filesystem::path& path) {
  std::vector<std::string> names;
  const Archive archive(path);
  for (const Listed& entry : archive.entries()) names.push_back(entry.name);
  return names;
}

namespace {

const Listed& entry_at(const Archive& archive, const NpzPlace& place) {
  const std::vector<Listed>& entries = archive.entries();
  if (place.array.empty() && entries.size() == 1) return entries.front();
  const auto found = std::ranges::find(entries, place.array, &Listed::name);
  if (found != entries.end()) return *found;
  if (place.array.empty())
    throw data_error(place.file,
                     fmt::format("holds the arrays {}: write {}/{} for one of them", list_of(entries),
                                 place.file.filename().string(), entries.front().name));
  throw data_error(place.file,
                   fmt::format("holds no array '{}'; there are {}", place.array, list_of(entries)));
}

}  // namespace

std::unique_ptr<ByteSource> npz_source(const NpzPlace& place, std::uint64_t& size) {
  const Archive archive(place.file);
  const Listed& entry = entry_at(archive, place);
  size = entry.size;
  return std::make_unique<EntrySource>(place.file, entry, archive.data_of(entry));
}

NpyContent read_npz(const NpzPlace& place) {
  std::uint64_t size = 0;
  const std::unique_ptr<ByteSource> source = npz_source(place, size);
  NpyContent content =
      read_npy_content(*source, size, place.array.empty() ? place.file : place.file / place.array);
  std::uint8_t beyond = 0;
  source->read({&beyond, 1});  // the sum is looked at behind the last byte
  return content;
}

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
