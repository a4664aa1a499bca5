// A plug-in: another program opens it with dlopen, calls it and may close it when it is done. Nothing of
// graphrun is seen outside of it, and no exception leaves it.
#include <cstddef>
#include <cstdint>
#include <graphrun/graphrun.hpp>
#include <span>
#include <vector>

/// Learns from made-up images for a few steps and puts the weights where `state` names a file. 0, or a code
/// that says what failed, as graphrun::ErrorCode counts them from 1.
extern "C" int learn_in_plugin(const char* model, const char* state) noexcept {
  try {
    graphrun::SessionOptions options;
    options.threads = 2;
    graphrun::Session session(graphrun::Model::load(model), options);
    std::vector<std::uint8_t> images(std::size_t{16} * 784);
    for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<std::uint8_t>(i * i % 251);
    for (int step = 0; step < 2; ++step) session.train_step({{"x", std::span<const std::uint8_t>(images)}});
    session.save(state);
    return 0;  // the session's threads end here: the plug-in may be closed
  } catch (const graphrun::Error& error) {
    return 1 + static_cast<int>(error.code());
  } catch (...) {
    return -1;
  }
}
