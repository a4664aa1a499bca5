#include "train/datasets/verified_sums.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <optional>
#include <sstream>

#include "files/file.hpp"
#include "files/gzip.hpp"
#include "files/sha256.hpp"

namespace graphrun::train {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t largest_memory = 1 << 20;

std::string sum_of_source(files::ByteSource& source) {
  files::Sha256 sum;
  files::Bytes piece(64 * 1024);
  while (const std::size_t got = source.read(piece)) sum.update(std::span(piece).first(got));
  return sum.finish();
}

/// "SIZE MTIME PATH": what must be the same for a sum to be believed.
std::string state_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw files::io_error(path, "read its size", errno);
  return fmt::format("{} {}.{:09} {}", status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                     fs::absolute(path).lexically_normal().string());
}

/// Nothing is lost without the memory, so a file that cannot be read is an empty one.
std::string read_memory(const fs::path& memory) {
  try {
    return memory.empty() || !fs::exists(memory) ? std::string()
                                                 : files::read_text_file(memory, largest_memory);
  } catch (const std::exception&) {
    return {};
  }
}

std::optional<std::string> remembered(const std::string& memory, const std::string& state) {
  constexpr std::size_t digits = 64;
  std::istringstream lines(memory);
  for (std::string line; std::getline(lines, line);) {
    if (line.size() == digits + 1 + state.size() &&
        line.compare(digits, std::string::npos, " " + state) == 0) {
      return line.substr(0, digits);
    }
  }
  return std::nullopt;
}

/// All lines that are not about this path.
std::string without(const std::string& memory, const fs::path& path) {
  const std::string ending = " " + fs::absolute(path).lexically_normal().string();
  std::string kept;
  std::istringstream lines(memory);
  for (std::string line; std::getline(lines, line);) {
    if (!line.ends_with(ending)) kept += line + "\n";
  }
  return kept;
}

void remember(const fs::path& memory, const std::string& lines) {
  try {
    files::create_folders(memory.parent_path());
    files::write_text_file(memory, lines);
  } catch (const Error&) {
    // A cache that cannot be written is no reason to stop: the sum is computed again next time.
  }
}

}  // namespace

std::string decompressed_sha256(const fs::path& path) {
  std::array<std::uint8_t, 2> start{};
  const std::size_t got = files::FileSource(path).read_all(start);
  files::FileSource file(path);
  if (!files::looks_like_gzip(std::span(start).first(got))) return sum_of_source(file);
  files::GzipSource decompressed(file, path);
  return sum_of_source(decompressed);
}

std::string VerifiedSums::sum_of(const fs::path& path) const {
  const std::string state = state_of(path);
  const std::string memory = read_memory(memory_);
  if (std::optional<std::string> known = remembered(memory, state)) return *known;
  std::string sum = decompressed_sha256(path);
  const bool one_line = state.find('\n') == std::string::npos;
  if (!memory_.empty() && one_line) remember(memory_, without(memory, path) + sum + " " + state + "\n");
  return sum;
}

}  // namespace graphrun::train
