// Personality: translates connections as a rule's Behaviour demands, out and in.
#pragma once

#include "core/base/random.hpp"
#include "core/base/verdict.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/nat/knocks.hpp"
#include "core/nat/mappings.hpp"
#include "core/nat/port_allocator.hpp"
#include "core/nat/range.hpp"

namespace nsr::nat {

class Personality {
  public:
    Personality(conntrack::Conntrack& conntrack, RandomSource& random, SipKey key)
        : conntrack_(conntrack), random_(random), mappings_(key) {}

    // Can it be mapped: has it ports, or an id? Others are translated as the kernel does it.
    static bool can_map(const conntrack::Tuple& tuple);

    // The source of an unconfirmed connection that goes out by `out` becomes its mapping's.
    // `current`: how it looks so far.
    Verdict bind_source(ConnId id, const conntrack::Tuple& current, const Range& range, RuleId rule,
                        IfIndex out, Instant now);
    // An unconfirmed connection that nobody expects goes to an outside endpoint: to the inside one,
    // if its filter admits whoever comes. What becomes of it; see Conntrack::on_unexpected.
    conntrack::Welcome welcome(ConnId id, const Packet& packet, Instant now);

    // See Conntrack::on_refresh.
    bool may_refresh(ConnId id, Direction direction);
    // Are ICMP errors about this connection to be dropped?
    [[nodiscard]] bool drops_errors(ConnId id) const;
    // The mappings that are meant are gone for whoever looks; see Mappings::forget.
    void forget(const MappingQuery& query) { mappings_.forget(query); }
    [[nodiscard]] bool has_forgotten(ConnId id) const {
        return !mappings_.empty() && mappings_.forgotten(id);
    }
    void erase(ConnId id) {
        if (!mappings_.empty()) {
            mappings_.leave(id);
        }
    }
    [[nodiscard]] const Mappings& mappings() const { return mappings_; }

  private:
    Result<MappingId, DropReason> mapping_for(ConnId id, const conntrack::Tuple& tuple,
                                              const Range& range, RuleId rule, IfIndex out,
                                              Instant now);
    std::optional<std::uint16_t> choose_port(ConnId id, const conntrack::Tuple& tuple,
                                             const Range& range,
                                             const std::optional<PortSpan>& block, Instant now);
    [[nodiscard]] bool is_free(ConnId id, conntrack::Tuple tuple, const Outside& outside,
                               Instant now) const;
    [[nodiscard]] std::uint16_t neighbour(const conntrack::Tuple& tuple,
                                          const Source& source) const;
    [[nodiscard]] bool admits(MappingId mapping, const Outside& remote, Instant now) const;

    conntrack::Conntrack& conntrack_;
    RandomSource& random_;
    Mappings mappings_;
    Knocks knocks_;
};

}  // namespace nsr::nat
