/// \file
/// What the handles of the C interface point to.
#pragma once

#include <string>

#include "graphrun/graphrun.h"
#include "graphrun/model.hpp"
#include "graphrun/session.hpp"

struct graphrun_model {
  graphrun::Model model;
  std::string info;
};

struct graphrun_session {
  graphrun::Session session;
};
