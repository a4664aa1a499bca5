#include "runtime/shards/failure_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace graphrun::runtime {

std::string failure_text(std::size_t section, std::int64_t shard, const Error& error) {
  const SourceLocation& where = error.where();
  return fmt::format("{:08}.{:08}\n{}\n{}\n{}\n{}\n{}", section, shard, where.line, where.column, where.file,
                     error.node(), error.message());
}

void throw_first_failure(const std::vector<std::string>& texts) {
  std::string first;
  for (const std::string& text : texts)
    if (first.empty() || (!text.empty() && text < first)) first = text;
  if (first.empty())
    throw Error(ErrorCode::not_finite, "the loss is not finite, but every node alone gives finite values");
  std::istringstream lines(first);
  std::string order;
  std::string line;
  std::string column;
  SourceLocation where;
  std::string node;
  std::string message;
  std::getline(lines, order);
  std::getline(lines, line);
  std::getline(lines, column);
  std::getline(lines, where.file);
  std::getline(lines, node);
  std::getline(lines, message, '\0');
  where.line = std::stoi(line);
  where.column = std::stoi(column);
  throw Error(ErrorCode::not_finite, message, where, node);
}

}  // namespace graphrun::runtime
