#include "weights/match.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "graphrun/error.hpp"

namespace graphrun::weights {

namespace {

using Fits = std::function<bool(std::size_t place, std::size_t module)>;

/// Which of the modules of a group come before which, for those that fit anywhere: the others are never
/// placed.
std::vector<std::vector<bool>> orders_of(std::size_t places, const std::vector<ModuleOrder>& modules,
                                         const Fits& fits) {
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t module = 0; module < modules.size(); ++module)
    for (std::size_t place = 0; place < places; ++place)
      if (fits(place, module)) {
        groups[modules[module].group].push_back(module);
        break;
      }
  std::vector<std::vector<bool>> before(modules.size());
  for (const auto& [group, members] : groups) {
    for (const std::size_t a : members) {
      before[a].resize(modules.size());
      for (const std::size_t b : members) before[a][b] = comes_before(modules[a], modules[b]);
    }
  }
  return before;
}

/// Which modules may stay without a place.
enum class Leaving : std::uint8_t { none, groups, any };

class Search {
 public:
  Search(std::size_t places, const std::vector<ModuleOrder>& modules,
         const std::vector<std::vector<bool>>& before, const Fits& fits, Leaving leaving, Filling filling)
      : places_(places),
        before_(before),
        fits_(fits),
        leaving_(leaving),
        filling_(filling),
        used_(modules.size()) {
    std::map<std::string, std::size_t> groups;
    for (const ModuleOrder& module : modules)
      group_.push_back(groups.emplace(module.group, groups.size()).first->second);
    members_.resize(groups.size());
    for (std::size_t module = 0; module < modules.size(); ++module)
      members_[group_[module]].push_back(module);
    used_in_.resize(groups.size());
  }

  std::vector<Placement> run() {
    visit(0);
    return std::move(found_);
  }

 private:
  static constexpr std::size_t most_visits = 20'000;

  bool comes_before(std::size_t a, std::size_t b) const { return !before_[a].empty() && before_[a][b]; }

  /// Nothing that comes before it waits, unless it may stay behind; nothing that comes after it is placed.
  bool is_next(std::size_t module) const {
    return std::ranges::none_of(members_[group_[module]], [&](std::size_t other) {
      return used_[other] ? leaving_ == Leaving::any && comes_before(module, other)
                          : leaving_ != Leaving::any && comes_before(other, module);
    });
  }

  /// Modules without a place: none, or whole groups, or any.
  bool is_complete() const {
    if (filling_ == Filling::some_places) return all_that_fit_are_used();
    if (leaving_ == Leaving::any) return true;
    for (std::size_t group = 0; group < members_.size(); ++group)
      if (used_in_[group] < members_[group].size() && (leaving_ == Leaving::none || used_in_[group] > 0))
        return false;
    return true;
  }

  /// Those that fit nowhere have no row.
  bool all_that_fit_are_used() const {
    for (std::size_t module = 0; module < used_.size(); ++module)
      if (!used_[module] && !before_[module].empty()) return false;
    return true;
  }

  void count_visit() {
    if (++visits_ > most_visits)
      throw Error(
          ErrorCode::data,
          "the modules of the file could stand in too many places to try them all; say which is which "
          "with --map MODULE=LAYER");
  }

  void visit(std::size_t place) {
    if (found_.size() > 1) return;
    count_visit();
    if (place == places_) {
      if (is_complete()) found_.push_back(placement_);
      return;
    }
    // The same state at the same place leads to the same end: what failed once is not tried again.
    if (failed_.contains({place, used_})) return;
    const std::size_t before = found_.size();
    for (std::size_t module = 0; module < used_.size(); ++module) {
      if (used_[module] || !fits_(place, module) || !is_next(module)) continue;
      used_[module] = true;
      ++used_in_[group_[module]];
      placement_.push_back(module);
      visit(place + 1);
      placement_.pop_back();
      used_[module] = false;
      --used_in_[group_[module]];
    }
    if (filling_ == Filling::some_places) {
      placement_.push_back(no_module);
      visit(place + 1);
      placement_.pop_back();
    }
    if (found_.size() == before) failed_.emplace(place, used_);
  }

  std::size_t places_;
  const std::vector<std::vector<bool>>& before_;
  const Fits& fits_;
  Leaving leaving_;
  Filling filling_;
  std::vector<std::size_t> group_;
  std::vector<std::vector<std::size_t>> members_;  ///< of each group
  std::vector<std::size_t> used_in_;
  std::vector<bool> used_;
  Placement placement_;
  std::vector<Placement> found_;
  std::set<std::pair<std::size_t, std::vector<bool>>> failed_;
  std::size_t visits_ = 0;
};

}  // namespace

ModuleOrder module_order(const std::string& path) {
  ModuleOrder order;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find_first_of("./", begin), path.size());
    const std::string word = path.substr(begin, end - begin);
    const std::size_t digits = word.find_last_not_of("0123456789") + 1;
    ModuleOrder::Word cut{word.substr(0, digits)};
    if (digits < word.size()) {
      cut.number = std::stol(word.substr(digits, 9));
      while (cut.stem.ends_with('_')) cut.stem.pop_back();  // "dense", "dense_1", "dense_2" of Keras
    }
    order.words.push_back(std::move(cut));
    begin = end + 1;
  }
  for (const ModuleOrder::Word& word : order.words) {
    order.group += word.stem + ".";
    if (word.number >= 0) break;
  }
  return order;
}

bool comes_before(const ModuleOrder& a, const ModuleOrder& b) {
  for (std::size_t i = 0; i < std::min(a.words.size(), b.words.size()); ++i) {
    if (a.words[i].stem != b.words[i].stem) return false;
    if (a.words[i].number != b.words[i].number) return a.words[i].number < b.words[i].number;
  }
  return false;
}

std::vector<Placement> placements(std::size_t places, const std::vector<ModuleOrder>& modules,
                                  const std::function<bool(std::size_t, std::size_t)>& fits,
                                  Filling filling) {
  const std::vector<std::vector<bool>> before = orders_of(places, modules, fits);
  // Those that fit nowhere have no row.
  const auto fitting = std::ranges::count_if(before, [](const auto& row) { return !row.empty(); });
  for (const Leaving leaving : {Leaving::none, Leaving::groups, Leaving::any}) {
    if (std::cmp_less(fitting, places) || (leaving == Leaving::none && modules.size() != places)) continue;
    std::vector<Placement> found = Search(places, modules, before, fits, leaving, Filling::all_places).run();
    if (!found.empty()) return found;
  }
  if (filling == Filling::all_places || fitting == 0) return {};
  return Search(places, modules, before, fits, Leaving::none, filling).run();
}

}  // namespace graphrun::weights
