// too-many-jumps: chains that may send a packet on more often than it may jump.
#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/rules/limits.hpp"
#include "core/rules/lint/rows.hpp"
#include "core/rules/lint/subject.hpp"
#include "core/rules/target.hpp"

namespace nsr::rules::lint {

namespace {

constexpr std::uint64_t kEnough = std::uint64_t{1} << 62;

// Jumps of a packet that every rule fits and none decides about, from each chain on; a way back
// into a chain counts as one (check() lets none through that a packet could take). A path may be as
// long as there are chains, so it is kept here and not on the stack.
class Jumps {
  public:
    explicit Jumps(const TableView& table) : table_(table) {}

    std::uint64_t from(const ChainView& root) {
        enter(root);
        while (!path_.empty()) {
            Step& step = path_.back();
            if (step.line == step.chain->lines.size()) {
                jumps_[step.chain] = step.jumps;
                path_.pop_back();
                continue;
            }
            const ChainView* next = table_.find(step.chain->lines[step.line].target());
            const auto known = next != nullptr ? jumps_.find(next) : jumps_.end();
            if (next != nullptr && known == jumps_.end()) {
                enter(*next);
                continue;
            }
            ++step.line;
            if (next != nullptr) {
                step.jumps = std::min(kEnough, step.jumps + 1 + known->second);
            }
        }
        return jumps_[&root];
    }

  private:
    void enter(const ChainView& chain) {
        jumps_.emplace(&chain, 0);
        path_.push_back({&chain});
    }

    struct Step {
        const ChainView* chain;
        std::size_t line = 0;
        std::uint64_t jumps = 0;
    };
    const TableView& table_;
    std::unordered_map<const ChainView*, std::uint64_t> jumps_;
    std::vector<Step> path_;
};

}  // namespace

// Rules of which one packet fits many are rare, so that there is no limit but a warning.
void look_for_many_jumps(const Subject& subject, Report& report) {
    for (const TableView& table : subject.tables()) {
        Jumps jumps(table);
        for (const ChainView& view : table.chains()) {
            const bool built_in = view.chain->policy != Policy::None;
            const std::uint64_t most = built_in ? jumps.from(view) : 0;
            if (most > kMostJumps) {
                report.warn(view.lines.front(), "a packet may jump " + std::to_string(most) +
                                                    " times from chain " + view.chain->name +
                                                    " on, and is dropped after " +
                                                    std::to_string(kMostJumps));
            }
        }
    }
}

}  // namespace nsr::rules::lint
