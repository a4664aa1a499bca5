/// \file
/// A small stacked autoencoder with a classifier on its code, over the images in the repository.
#pragma once

#include <string>

#include "tests/support/folders.hpp"

namespace graphrun::testing {

/// Its YAML. `train` is what stands below `train:`, in lines with two blanks in front.
inline std::string phased_model(const std::string& train, const std::string& metrics = "") {
  const std::string data = testing::in_source("/data/fashion_mnist_1200/");
  return "graphrun: 1\n"
         "name: phased\n"
         "data:\n"
         "  train: {images: " +
         data + "train-images-idx3-ubyte.gz, labels: " + data +
         "train-labels-idx1-ubyte.gz}\n"
         "  test: {images: " +
         data + "t10k-images-idx3-ubyte.gz, labels: " + data +
         "t10k-labels-idx1-ubyte.gz}\n"
         "inputs:\n"
         "  x: {shape: [batch, 784]}\n"
         "  y: {from: labels}\n"
         "nodes:\n"
         "  enc: {op: dense, in: x, repeat: [24, 16], units: $item, act: tanh}\n"
         "  code: {op: dense, in: enc, units: 6, act: tanh}\n"
         "  dec: {op: dense, in: code, repeat: [16, 24], units: $item, act: tanh}\n"
         "  recon: {op: dense, in: dec, units: 784, act: sigmoid}\n"
         "  logits: {op: dense, in: code, units: 10}\n"
         "outputs: {code: code, image: recon}\n"
         "loss:\n"
         "  reconstruction: {op: mse, in: [recon, x]}\n"
         "  class: {op: cross_entropy, in: [logits, y]}\n"
         "metrics:\n"
         "  accuracy: {op: accuracy, in: [logits, y]}\n" +
         metrics +
         "train:\n"
         "  optimizer: {op: adam, lr: 2.0e-3}\n"
         "  batch: 64\n"
         "  seed: 1\n" +
         train;
}

}  // namespace graphrun::testing
