/// \file
/// Marks what the shared library exports.
#pragma once

#define GRAPHRUN_API __attribute__((visibility("default")))
