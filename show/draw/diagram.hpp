/// \file
/// A diagram with two axes, which pictures and the page of a run draw alike.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "files/png/image.hpp"
#include "show/draw/scales.hpp"

namespace graphrun::show {

struct Diagram {
  /// Two kinds of things in one diagram: such as odd rows and others.
  enum class Kind { first, second };
  struct Point {
    double x = 0;
    double y = 0;  ///< NaN: the line is broken here
  };
  struct Line {
    std::vector<Point> points;
    Kind kind = Kind::first;
  };
  /// Of one kind upon the other.
  struct Bar {
    double from = 0;
    double to = 0;
    double first = 0;
    double second = 0;
  };
  /// A stretch along x that is shaded from bottom to top.
  struct Stretch {
    double from = 0;
    double to = 0;
    Kind kind = Kind::first;
  };
  std::string title;
  std::string about;  ///< a sentence for those who do not see it
  std::string x_name;
  std::string y_name;
  Scale x;
  Scale y;
  std::vector<Bar> bars = {};
  std::vector<Line> lines = {};
  std::vector<Stretch> stretches = {};
  std::vector<double> x_marks = {};     ///< lines that cross the diagram upwards
  std::vector<double> y_marks = {};     ///< and those to the right
  std::vector<std::string> names = {};  ///< of both kinds, where a legend is wanted
  bool is_wide = false;                 ///< it has a row of its own
};

/// Two beside each other, wide ones alone. There is at least one.
files::Image draw_diagrams(std::span<const Diagram> diagrams);

}  // namespace graphrun::show
