/// \file
/// Words as a shell takes them: what the program prints can be pasted.
#pragma once

#include <string>
#include <string_view>

namespace graphrun::cli {

/// The word itself where no shell sees anything in it, otherwise within quotes.
std::string shell_word(std::string_view word);

}  // namespace graphrun::cli
