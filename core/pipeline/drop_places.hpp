// DropPlaces: how many packets ended where, by reason, interface, hook, stage and rule. Counted
// always; a place that nobody ended at has no row. Never reset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "core/base/drop_reason.hpp"
#include "core/base/ids.hpp"
#include "core/packet/hook.hpp"
#include "core/pipeline/hooks.hpp"
#include "core/wire/address.hpp"

namespace nsr::pipeline {

struct DropPlace {
    DropReason reason = DropReason::Count;
    Family family = Family::None;
    IfIndex in = IfIndex::None;  // None: it began here
    // Which stage of which hook refused it; else it was between two hooks (routing, TTL, leaving).
    bool in_hook = false;
    Hook hook = Hook::Prerouting;
    StageId stage = StageId::Defrag;
    RuleId rule = RuleId::None;  // that decided; None: a policy, or no rule's doing

    friend bool operator==(const DropPlace&, const DropPlace&) = default;
};

class DropPlaces {
  public:
    static constexpr std::size_t kMost = 4096;  // what comes to other places counts as `others`

    void add(const DropPlace& place, std::uint64_t packets = 1) {
        if (latest_ == nullptr || !(*latest_ == place)) {
            look_up(place);
        }
        *count_ += packets;
    }

    void add_others(std::uint64_t packets) { others_ += packets; }

    struct Hash {
        std::size_t operator()(const DropPlace& place) const;
    };
    using Rows = std::unordered_map<DropPlace, std::uint64_t, Hash>;
    [[nodiscard]] const Rows& rows() const { return rows_; }
    [[nodiscard]] std::uint64_t others() const { return others_; }

  private:
    void look_up(const DropPlace& place);

    Rows rows_;
    std::uint64_t others_ = 0;
    // Packets that end come in floods, all at one place.
    const DropPlace* latest_ = nullptr;
    std::uint64_t* count_ = nullptr;
};

}  // namespace nsr::pipeline
