/// \file
/// What may have been meant by the path of a file that is not there.
#pragma once

#include <filesystem>
#include <string>

namespace graphrun {

/// To go behind "no such file": "; did you mean 'train.csv'?" where its folder has a name that is near, or
/// "; there is no folder 'dta': did you mean 'data'?" where not even the folder is there. An empty text when
/// there is nothing to say.
std::string hint_on_missing(const std::filesystem::path& path);

}  // namespace graphrun
