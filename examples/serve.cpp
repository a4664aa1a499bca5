// Answers requests in four threads while a session learns on and its weights are taken over, again and again.
//
//   serve MODEL.yaml
#include <atomic>
#include <cstdint>
#include <exception>
#include <graphrun/graphrun.hpp>
#include <iostream>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t pixels = 784;

/// Images of 28 by 28 pixels with a bar in each.
std::vector<std::uint8_t> make_images(std::size_t count) {
  std::vector<std::uint8_t> images(count * pixels);
  for (std::size_t image = 0; image < count; ++image)
    for (std::size_t row = 0; row < 28; ++row) images[image * pixels + row * 28 + image % 28] = 255;
  return images;
}

/// One request after the other, in memory of its own, until it is told to stop.
void answer(const graphrun::Predictor& predictor, std::span<const std::uint8_t> image,
            std::atomic<int>& answers, const std::stop_token& stop) {
  std::vector<float> code(static_cast<std::size_t>(predictor.outputs().front().shape.back()));
  while (!stop.stop_requested()) {
    predictor.predict(image, std::span(code));
    ++answers;
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: serve MODEL.yaml\n";
    return 2;
  }
  const graphrun::Model model = graphrun::Model::load(argv[1]);
  const std::vector<std::uint8_t> images = make_images(256);
  graphrun::Session session(model);
  graphrun::Predictor predictor(model, session.weights());
  predictor.prepare(1, 4);

  std::atomic<int> answers = 0;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < 4; ++i)
      threads.emplace_back([&, i](const std::stop_token& stop) {
        answer(predictor, std::span(images).subspan(i * pixels, pixels), answers, stop);
      });
    graphrun::FitOptions fit;
    fit.epochs = 5;
    fit.on_epoch = [&](const graphrun::EpochReport&) { predictor.swap_weights(session.weights()); };
    session.fit({{"x", std::span<const std::uint8_t>(images)}}, fit);
  }
  std::cout << answers << " answers; the last weights are the session's: "
            << (predictor.weights().digest() == session.digest() ? "yes" : "no") << '\n';
  return 0;
} catch (const graphrun::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
