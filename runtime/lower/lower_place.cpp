#include <algorithm>
#include <numeric>

#include "runtime/lower/lowering.hpp"

namespace graphrun::runtime {
namespace {

/// Above these, who comes before whom is not worked out between tasks, and buffers are shared within one
/// only.
constexpr std::size_t most_tasks = 4096;
constexpr std::size_t most_shared_buffers = 4096;

/// Which tasks run before which, as one bit a pair.
class TaskOrder {
 public:
  explicit TaskOrder(const std::vector<TaskDraft>& tasks) : words_((tasks.size() + 63) / 64) {
    if (tasks.size() > most_tasks) {
      words_ = 0;
      return;
    }
    before_.assign(tasks.size() * words_, 0);
    for (std::size_t task = 0; task < tasks.size(); ++task) {
      std::uint64_t* const own = &before_[task * words_];
      for (const std::uint32_t predecessor : tasks[task].predecessors) {
        const std::uint64_t* const theirs = &before_[predecessor * words_];
        for (std::size_t word = 0; word < words_; ++word) own[word] |= theirs[word];
        own[predecessor / 64] |= std::uint64_t{1} << (predecessor % 64);
      }
    }
  }

  bool before(std::uint32_t first, std::uint32_t second) const {
    return words_ != 0 && ((before_[second * words_ + first / 64] >> (first % 64)) & 1) != 0;
  }

 private:
  std::size_t words_;
  std::vector<std::uint64_t> before_;
};

class Placer {
 public:
  Placer(const BoundGraph& bound, const Partition& partition, const Schedule& schedule,
         const std::vector<std::vector<std::pair<NodeId, NodeId>>>& in_place, const LoweringOptions& options)
      : bound_(bound),
        partition_(partition),
        schedule_(schedule),
        sharing_(options.memory_sharing && !options.keep_values),
        order_(schedule.tasks),
        class_of_(bound.nodes.size()) {
    std::iota(class_of_.begin(), class_of_.end(), NodeId{0});
    result_.buffer_of.assign(bound.nodes.size(), -1);
    result_.per_slice.assign(bound.nodes.size(), false);
    result_.per_block.assign(bound.nodes.size(), false);
    if (sharing_) {
      for (std::uint32_t group = 0; group < in_place.size(); ++group) merge_in_place(group, in_place[group]);
    }
    for (const Group& group : partition.groups) {
      for (const NodeId stored : group.stored) make_buffers(stored);
    }
    for (std::uint32_t group = 0; group < partition.groups.size(); ++group) make_partials(group);
    lay_out();
  }

  Placement take() { return std::move(result_); }

 private:
  // ---- In place ----

  void merge_in_place(std::uint32_t group, const std::vector<std::pair<NodeId, NodeId>>& pairs) {
    std::vector<NodeId> taken;
    std::vector<NodeId> given;
    for (const auto& [stored, operand] : pairs) {
      const NodeId root = bound_.info(operand).root;
      const bool ends_here = std::ranges::all_of(
          bound_.info(root).uses, [&](const Use& use) { return partition_.group_of[use.user] == group; });
      const bool computed = partition_.group_of[root] != no_group;
      if (!computed || !ends_here || bound_.info(root).fetched ||
          bound_.bytes(root) != bound_.bytes(stored)) {
        continue;
      }
      if (std::ranges::find(taken, root) != taken.end() || std::ranges::find(given, stored) != given.end()) {
        continue;
      }
      taken.push_back(root);
      given.push_back(stored);
      class_of_[stored] = class_of_[root];
    }
  }

  // ---- Buffers ----

  struct Access {
    std::uint32_t group;
    std::uint32_t cut;  ///< in the parts of which it touches the value; uncut: each part touches it all
  };

  /// Every group that writes or reads a stored value.
  std::vector<Access> accesses(NodeId stored) const {
    const std::uint32_t own = partition_.group_of[stored];
    const std::uint32_t cut = schedule_.cut_of[own];
    const bool whole = partition_.groups[own].column_sum == stored;
    const bool in_parts = !whole && (cut != batch_rows || rows_of_batch(stored));
    std::vector<Access> result = {{own, in_parts ? cut : uncut}};
    for (const Use& use : bound_.info(stored).uses) {
      const std::uint32_t group = partition_.group_of[use.user];
      const std::uint32_t theirs = schedule_.cut_of[group];
      // A cut beyond the batch's joins a gradient with its update, and the update reads nothing else of it.
      const bool in_step = theirs == batch_rows ? bound_.sliced_input(use.user, use.input) : theirs == cut;
      result.push_back({group, in_step ? theirs : uncut});
    }
    return result;
  }

  bool rows_of_batch(NodeId id) const {
    const Shape& shape = bound_.node(id).type.shape;
    return !shape.empty() && shape[0].is_batch();
  }

  void make_buffers(NodeId stored) {
    const NodeId representative = class_of_[stored];
    if (representative != stored) {
      join(stored, representative);
      return;
    }
    const std::uint32_t cut = schedule_.cut_of[partition_.group_of[stored]];
    const Cut& parts = schedule_.cuts[cut];
    bool split = sharing_ && cut != uncut && parts.size() > 1 && !bound_.info(stored).fetched;
    for (const NodeId member : class_members(stored)) {
      split = split && !bound_.info(member).fetched &&
              std::ranges::all_of(accesses(member), [&](const Access& access) { return access.cut == cut; });
    }
    const bool within_blocks = split && stays_in_blocks(stored);
    result_.per_slice[stored] = split;
    result_.per_block[stored] = within_blocks;
    result_.buffer_of[stored] = static_cast<std::int64_t>(result_.buffers.size());
    const std::size_t bytes = bound_.bytes(stored);
    if (!split) {
      result_.buffers.emplace_back().bytes = bytes;
    } else {
      const auto rows = static_cast<std::size_t>(bound_.info(stored).extents[0]);
      for (std::uint32_t part = 0; part < parts.size(); ++part) {
        const std::int64_t kept =
            within_blocks ? schedule_.block_rows[unit_of(stored, part)] : parts[part].count;
        result_.buffers.emplace_back().bytes = bytes / rows * static_cast<std::size_t>(kept);
      }
    }
    add_users(stored, stored);
  }

  std::uint32_t unit_of(NodeId stored, std::uint32_t part) const {
    return schedule_.first_unit[partition_.group_of[stored]] + part;
  }

  /// Whether all that touches a value in a part runs in blocks with what makes it.
  bool stays_in_blocks(NodeId stored) {
    const std::uint32_t parts = schedule_.parts(partition_.group_of[stored]);
    for (std::uint32_t part = 0; part < parts; ++part) {
      const std::uint32_t own = unit_of(stored, part);
      if (schedule_.block_rows[own] == 0) return false;
      const auto beside_it = [&](const Access& access) {
        const std::uint32_t unit = schedule_.first_unit[access.group] + part;
        return schedule_.task_of[unit] == schedule_.task_of[own] &&
               schedule_.position_of[unit] == schedule_.position_of[own];
      };
      for (const NodeId member : class_members(stored))
        if (!std::ranges::all_of(accesses(member), beside_it)) return false;
    }
    return true;
  }

  /// One for each part of a sum, for the total behind it.
  void make_partials(std::uint32_t group) {
    result_.first_partial.push_back(result_.buffers.size());
    if (partition_.groups[group].ranges.empty()) return;
    const std::uint32_t total = schedule_.first_unit[group + 1];
    for (std::uint32_t part = 0; part < schedule_.parts(group); ++part) {
      const std::uint32_t unit = schedule_.first_unit[group] + part;
      Buffer& buffer = result_.buffers.emplace_back();
      buffer.bytes = bound_.bytes(partition_.groups[group].members.front());
      buffer.writers = {unit};
      buffer.users = {unit, total};
    }
  }

  void join(NodeId stored, NodeId representative) {
    result_.per_slice[stored] = result_.per_slice[representative];
    result_.per_block[stored] = result_.per_block[representative];
    result_.buffer_of[stored] = result_.buffer_of[representative];
    add_users(stored, representative);
  }

  std::vector<NodeId> class_members(NodeId representative) {
    if (members_.empty()) {
      members_.resize(class_of_.size());
      for (NodeId id = 0; id < class_of_.size(); ++id) {
        if (class_of_[id] != id) members_[class_of_[id]].push_back(id);
      }
    }
    std::vector<NodeId> all = {representative};
    all.insert(all.end(), members_[representative].begin(), members_[representative].end());
    return all;
  }

  void add_users(NodeId stored, NodeId representative) {
    const auto first = static_cast<std::size_t>(result_.buffer_of[representative]);
    const bool sliced = result_.per_slice[representative];
    bool writes = true;  // the first access is the one that makes it
    for (const Access& access : accesses(stored)) {
      const std::uint32_t unit = schedule_.first_unit[access.group];
      for (std::uint32_t i = 0; i < schedule_.parts(access.group); ++i) {
        Buffer& buffer = result_.buffers[first + (sliced ? i : 0)];
        buffer.users.push_back(unit + i);
        if (writes) buffer.writers.push_back(unit + i);
      }
      writes = false;
    }
    if (bound_.info(stored).fetched || !sharing_) result_.buffers[first].kept = true;
  }

  // ---- Layout ----

  bool unit_before(std::uint32_t first, std::uint32_t second) const {
    const std::uint32_t a = schedule_.task_of[first];
    const std::uint32_t b = schedule_.task_of[second];
    return a == b ? schedule_.position_of[first] < schedule_.position_of[second] : order_.before(a, b);
  }

  /// A buffer that is to be placed, and where in its task it begins and ends to be needed, if all its units
  /// are of one task: most pairs are then told apart by two numbers.
  struct Tenant {
    Buffer* buffer;
    std::uint32_t task = no_task;
    std::uint32_t first_write = 0;
    std::uint32_t last_use = 0;
    std::size_t begin() const { return static_cast<std::size_t>(buffer->place.offset); }
    std::size_t end() const { return begin() + aligned_size(buffer->bytes); }
  };
  static constexpr std::uint32_t no_task = ~std::uint32_t{0};

  Tenant tenant(Buffer* buffer) const {
    Tenant made{buffer};
    if (!within_one_task(*buffer)) return made;
    const auto position = [this](std::uint32_t unit) { return schedule_.position_of[unit]; };
    made.task = schedule_.task_of[buffer->users.front()];
    made.first_write = position(std::ranges::min(buffer->writers, {}, position));
    made.last_use = position(std::ranges::max(buffer->users, {}, position));
    return made;
  }

  /// Whether the last look at `a` comes before the first write to `b` in every order of execution.
  bool ends_before(const Tenant& a, const Tenant& b) const {
    if (a.task != no_task && a.task == b.task) return a.last_use < b.first_write;
    if (a.buffer->kept) return false;
    return std::ranges::all_of(a.buffer->users, [&](std::uint32_t user) {
      return std::ranges::all_of(b.buffer->writers,
                                 [&](std::uint32_t writer) { return unit_before(user, writer); });
    });
  }

  bool within_one_task(const Buffer& buffer) const {
    const std::uint32_t task = schedule_.task_of[buffer.users.front()];
    return !buffer.kept && std::ranges::all_of(buffer.users, [&](std::uint32_t user) {
      return schedule_.task_of[user] == task;
    });
  }

  void lay_out() {
    std::vector<std::vector<Buffer*>> of_task(schedule_.tasks.size());
    std::vector<Buffer*> shared;
    for (Buffer& buffer : result_.buffers) {
      if (sharing_ && within_one_task(buffer)) {
        of_task[schedule_.task_of[buffer.users.front()]].push_back(&buffer);
      } else {
        shared.push_back(&buffer);
      }
    }
    for (const std::vector<Buffer*>& buffers : of_task) {
      result_.scratch_bytes = std::max(result_.scratch_bytes, pack(buffers, Space::scratch));
    }
    result_.workspace_bytes = pack(shared, Space::workspace);
  }

  /// Greedy by size: each buffer at the lowest offset at which it meets none that lives at the same time.
  std::size_t pack(std::vector<Buffer*> buffers, Space space) const {
    std::ranges::stable_sort(buffers, [](const Buffer* a, const Buffer* b) { return a->bytes > b->bytes; });
    const bool stack = !sharing_ || buffers.size() > most_shared_buffers;
    std::vector<Tenant> placed;  // by offset
    std::size_t end = 0;
    for (Buffer* const buffer : buffers) {
      const Tenant next = stack ? Tenant{buffer} : tenant(buffer);
      const std::size_t offset = stack ? end : lowest_offset(next, placed);
      buffer->place = {space, 0, static_cast<std::ptrdiff_t>(offset)};
      end = std::max(end, next.end());
      if (!stack) placed.insert(std::ranges::upper_bound(placed, offset, {}, &Tenant::begin), next);
    }
    return end;
  }

  std::size_t lowest_offset(const Tenant& next, const std::vector<Tenant>& placed) const {
    const std::size_t bytes = aligned_size(next.buffer->bytes);
    std::size_t offset = 0;
    for (const Tenant& other : placed) {
      if (other.end() <= offset || ends_before(other, next) || ends_before(next, other)) continue;
      if (other.begin() >= offset + bytes) break;
      offset = other.end();
    }
    return offset;
  }

  const BoundGraph& bound_;
  const Partition& partition_;
  const Schedule& schedule_;
  bool sharing_;
  TaskOrder order_;
  std::vector<NodeId> class_of_;
  std::vector<std::vector<NodeId>> members_;
  Placement result_;
};

}  // namespace

Placement place_buffers(const BoundGraph& bound, const Partition& partition, const Schedule& schedule,
                        const std::vector<std::vector<std::pair<NodeId, NodeId>>>& in_place,
                        const LoweringOptions& options) {
  return Placer(bound, partition, schedule, in_place, options).take();
}

}  // namespace graphrun::runtime
