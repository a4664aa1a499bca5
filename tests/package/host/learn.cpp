// Learns and prints the digest of the weights: learn MODEL. Linked alone, and behind a library with names
// that clash.
#include "learn.hpp"

#include <iostream>

int main(int, char** arguments) {
  try {
    std::cout << learn(arguments[1], 3) << "\n";
    return 0;
  } catch (const graphrun::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
