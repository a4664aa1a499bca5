#include "show/report/report_scale.hpp"

namespace graphrun::show {

files::JsonObject json_of(const Scale& scale) {
  return files::JsonObject()
      .set("low", scale.low)
      .set("high", scale.high)
      .set("logarithmic", scale.logarithmic)
      .set("ticks", files::json_array(scale.ticks));
}

}  // namespace graphrun::show
