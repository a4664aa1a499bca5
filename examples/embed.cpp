// Trains two autoencoders at once, each in its own thread, on images this program makes itself; encodes with
// them, and saves what they learnt.
//
//   embed MODEL.yaml FOLDER
#include <cmath>
#include <cstdint>
#include <exception>
#include <graphrun/graphrun.hpp>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

/// Images of 28 by 28 pixels, each a bright disc somewhere.
std::vector<float> make_images(std::size_t count) {
  constexpr int side = 28;
  std::vector<float> images;
  images.reserve(count * side * side);
  for (std::size_t image = 0; image < count; ++image) {
    const double x = 6 + static_cast<double>(image * 7 % 17);
    const double y = 6 + static_cast<double>(image * 11 % 17);
    for (int row = 0; row < side; ++row)
      for (int column = 0; column < side; ++column)
        images.push_back(std::hypot(row - y, column - x) < 5 ? 1.0F : 0.0F);
  }
  return images;
}

struct Outcome {
  std::string report;
  std::exception_ptr failure;
};

void learn(const graphrun::Model& model, std::uint64_t seed, const std::string& weights,
           Outcome& outcome) try {
  const std::vector<float> images = make_images(512);
  graphrun::SessionOptions options;
  options.threads = 1;
  options.seed = seed;
  graphrun::Session session(model, options);

  graphrun::FitOptions fit;
  fit.epochs = 3;
  session.fit({{"x", images}}, fit);

  const graphrun::Tensor codes = session.encode({{"x", images}});
  session.save(weights);
  outcome.report = "seed " + std::to_string(seed) + ": loss " +
                   std::to_string(session.evaluate({{"x", images}}).front().value) + ", " +
                   std::to_string(codes.shape[0]) + " codes of " + std::to_string(codes.shape[1]) +
                   ", digest " + session.digest().substr(0, 12);
} catch (...) {
  outcome.failure = std::current_exception();
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::cerr << "usage: embed MODEL.yaml FOLDER\n";
    return 2;
  }
  const graphrun::Model model = graphrun::Model::load(argv[1]);
  const std::string folder = argv[2];
  Outcome first;
  Outcome second;
  {
    const std::jthread a([&] { learn(model, 1, folder + "/first.safetensors", first); });
    const std::jthread b([&] { learn(model, 2, folder + "/second.safetensors", second); });
  }
  for (const Outcome& outcome : {first, second}) {
    if (outcome.failure) std::rethrow_exception(outcome.failure);
    std::cout << outcome.report << '\n';
  }
  return 0;
} catch (const graphrun::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
