#include "weights/match.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

namespace graphrun::weights {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Which modules may stay without a place.
enum class Leaving : std::uint8_t { none, groups, any };

class Search {
 public:
  Search(std::size_t places, const std::vector<ModuleOrder>& modules,
         const std::function<bool(std::size_t, std::size_t)>& fits, Leaving leaving)
      : places_(places), modules_(modules), fits_(fits), leaving_(leaving), used_(modules.size()) {
    std::map<std::string, std::size_t> groups;
    for (const ModuleOrder& module : modules)
      group_.push_back(groups.emplace(module.group, groups.size()).first->second);
    // The highest number that a group has given away.
    last_.assign(groups.size(), lowest);
  }

  std::vector<Placement> run() {
    visit(0);
    return std::move(found_);
  }

 private:
  static constexpr long lowest = -1;
  static constexpr std::size_t most_steps = 200'000;

  /// Nothing of its group with a smaller number waits, unless it may stay behind.
  bool is_next(std::size_t module) const {
    if (modules_[module].number < last_[group_[module]]) return false;
    if (leaving_ == Leaving::any) return true;
    for (std::size_t other = 0; other < modules_.size(); ++other)
      if (group_[other] == group_[module] && !used_[other] &&
          modules_[other].number < modules_[module].number)
        return false;
    return true;
  }

  /// Modules without a place: none, or whole groups, or any.
  bool is_complete() const {
    if (leaving_ == Leaving::any) return true;
    for (std::size_t module = 0; module < modules_.size(); ++module)
      if (!used_[module] && (leaving_ == Leaving::none || last_[group_[module]] != lowest)) return false;
    return true;
  }

  void visit(std::size_t place) {
    if (found_.size() > 1 || ++steps_ > most_steps) return;
    if (place == places_) {
      if (is_complete()) found_.push_back(placement_);
      return;
    }
    // The same state at the same place leads to the same end: what failed once is not tried again.
    if (failed_.contains(used_)) return;
    const std::size_t before = found_.size();
    for (std::size_t module = 0; module < modules_.size(); ++module) {
      if (used_[module] || !fits_(place, module) || !is_next(module)) continue;
      const long last = last_[group_[module]];
      last_[group_[module]] = modules_[module].number;
      used_[module] = true;
      placement_.push_back(module);
      visit(place + 1);
      placement_.pop_back();
      used_[module] = false;
      last_[group_[module]] = last;
    }
    if (found_.size() == before) failed_.insert(used_);
  }

  std::size_t places_;
  const std::vector<ModuleOrder>& modules_;
  const std::function<bool(std::size_t, std::size_t)>& fits_;
  Leaving leaving_;
  std::vector<std::size_t> group_;
  std::vector<long> last_;
  std::vector<bool> used_;
  Placement placement_;
  std::vector<Placement> found_;
  std::set<std::vector<bool>> failed_;
  std::size_t steps_ = 0;
};

}  // namespace

ModuleOrder module_order(const std::string& path) {
  for (std::size_t begin = 0; begin < path.size(); ++begin) {
    if (!is_digit(path[begin])) continue;
    std::size_t end = begin;
    while (end < path.size() && is_digit(path[end])) ++end;
    // "fc1" and "encoder.1.conv", not "conv2d_a": a number ends a word.
    if (end == path.size() || path[end] == '.' || path[end] == '/') {
      const std::string digits = path.substr(begin, std::min<std::size_t>(end - begin, 9));
      return {path.substr(0, begin), std::stol(digits)};
    }
    begin = end;
  }
  return {path, 0};
}

std::vector<Placement> placements(std::size_t places, const std::vector<ModuleOrder>& modules,
                                  const std::function<bool(std::size_t, std::size_t)>& fits) {
  for (const Leaving leaving : {Leaving::none, Leaving::groups, Leaving::any}) {
    if (modules.size() < places) break;
    std::vector<Placement> found = Search(places, modules, fits, leaving).run();
    if (!found.empty()) return found;
  }
  return {};
}

}  // namespace graphrun::weights
