// The smallest host: headers and library agree, and an exception crosses the border with its type.
#include "graphrun/version.hpp"

#include <iostream>

#include "graphrun/error.hpp"

int main() {
  if (graphrun::library_version() != graphrun::version) {
    return 1;
  }
  try {
    throw graphrun::Error(graphrun::ErrorCode::model, "inner sizes differ", {"model.yaml", 14, 18});
  } catch (const graphrun::Error& error) {
    std::cout << graphrun::library_version() << "\n" << error.what() << "\n";
    return error.where().line == 14 ? 0 : 1;
  }
}
