/// \file
/// A small autoencoder over the images in the repository: learns in moments, and has a partial batch.
#pragma once

#include <string>

#include "tests/support/folders.hpp"

namespace graphrun::testing {

/// Its YAML. `train` are further keys of `train:`, e.g. "epochs: 3, seed: 1".
inline std::string small_model(const std::string& train = "epochs: 2, seed: 1") {
  const std::string data = testing::in_source("/data/fashion_mnist_1200/");
  return "graphrun: 1\n"
         "name: small\n"
         "vars: {hidden: 32, units: 2}\n"
         "data:\n"
         "  train: {images: " +
         data + "train-images-idx3-ubyte.gz, labels: " + data +
         "train-labels-idx1-ubyte.gz}\n"
         "  test: {images: " +
         data + "t10k-images-idx3-ubyte.gz, labels: " + data +
         "t10k-labels-idx1-ubyte.gz}\n"
         "inputs:\n"
         "  x: {shape: [batch, 784]}\n"
         "nodes:\n"
         "  noisy: {op: gaussian_noise, in: x, amount: 0.1}\n"
         "  enc: {op: dense, in: noisy, units: $hidden, act: tanh}\n"
         "  code: {op: dense, in: enc, units: $units, act: tanh}\n"
         "  dec: {op: dense, in: code, units: $hidden, act: tanh}\n"
         "  recon: {op: dense, in: dec, units: 784, act: sigmoid}\n"
         "outputs: {code: code, image: recon, noisy: noisy}\n"
         "loss:\n"
         "  reconstruction: {op: mse, in: [recon, x]}\n"
         "metrics:\n"
         "  psnr: {op: psnr, in: [recon, x]}\n"
         "train: {optimizer: {op: adam, lr: 2.0e-3}, batch: 64, " +
         train + "}\n";
}

}  // namespace graphrun::testing
