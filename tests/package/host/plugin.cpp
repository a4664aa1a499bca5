// A plug-in that learns: what a host loads and unloads.
#include "learn.hpp"

extern "C" int learn_in_plugin(const char* model) noexcept {
  try {
    return learn(model, 2).size() == 64 ? 0 : 1;
  } catch (const graphrun::Error&) {
    return 2;
  }
}
