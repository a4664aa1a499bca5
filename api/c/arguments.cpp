#include "api/c/arguments.hpp"

namespace graphrun::api {

std::vector<std::string> texts_of(const char* const* texts, std::size_t count, const char* name) {
  std::vector<std::string> result;
  if (count > 0) require(texts, name);
  for (std::size_t i = 0; i < count; ++i) {
    require(texts[i], fmt::format("element {} of {}", i, name).c_str());
    result.emplace_back(texts[i]);
  }
  return result;
}

Provider provider_of(int provider) {
  switch (provider) {
    case GRAPHRUN_PROVIDER_AUTO:
      return Provider::automatic;
    case GRAPHRUN_PROVIDER_ONEDNN:
      return Provider::onednn;
    case GRAPHRUN_PROVIDER_TILES:
      return Provider::tiles;
    default:
      throw Error(ErrorCode::usage, fmt::format("there is no provider {}", provider));
  }
}

}  // namespace graphrun::api
