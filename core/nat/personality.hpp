// Personality: translates connections as a rule's Behaviour demands, out and in.
//
// Theory of operation
//   Out: bind_source() is asked once for a connection that a behaving rule translates. It refuses
//   UDP where the rule lets none out, and a host that has as many sessions as it may begin; takes
//   the mapping that the inside endpoint has by this interface (RFC 4787 REQ-1), if the rule still
//   allows its address; else it makes one: the address by the rule's pool (REQ-2) or the host's
//   division (RFC 7422), the host's block of ports if it has one, a port as Behaviour::ports says
//   (REQ-3, REQ-4, RFC 5382 REQ-7), which no mapping and no other connection has.
//   In: welcome() is asked about each new connection that nobody expects, and answers only for one
//   to the outside endpoint of a mapping. By hairpinning (REQ-9) a packet from inside gets a
//   mapping of its own first, or shows its inside endpoint, or is not answered for. Then the filter
//   is asked (REQ-8), and whether the host behind it has as many sessions from outside as it may
//   have: a session is expected, or is refused with a reason. A refused packet from inside is
//   remembered as a knock (knocks.hpp).
//   Life: a mapping ends with its last session (mappings.hpp). Whose packets restart the timeout of
//   UDP (REQ-6) refreshes() says; errors of ICMP end nothing (REQ-10, RFC 5508).
//   Inside is each interface out of which no mapping leads, and the router itself.
#pragma once

#include <memory>
#include <optional>

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

    // An unconfirmed connection whose source is to be translated.
    struct Binding {
        ConnId id = ConnId::None;
        conntrack::Tuple tuple;  // how it looks so far
        const Range& range;      // of the rule, which behaves
        RuleId rule = RuleId::None;
        IfIndex out = IfIndex::None;
        Instant now{};
    };
    // Its source becomes its mapping's.
    Verdict bind_source(const Binding& binding);
    // An unconfirmed connection that nobody expects goes to an outside endpoint: to the inside one,
    // if its filter admits whoever comes. What becomes of it; see Conntrack::on_unexpected.
    conntrack::Welcome welcome(ConnId id, const Packet& packet, Instant now);

    // There was a packet of a connection with kOneWayRefresh, which keeps its mapping alive from
    // now on if the packet went out. Does it restart the timeout? See Conntrack::on_refresh.
    bool refreshes(ConnId id, Direction direction);
    // Are ICMP errors about this connection to be dropped?
    [[nodiscard]] bool drops_errors(ConnId id) const;
    // The mappings that are meant are gone for whoever looks; see Mappings::forget.
    [[nodiscard]] std::shared_ptr<const void> forget(const MappingQuery& query) {
        return mappings_.forget(query);
    }
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
    struct Place {  // where to look for a port
        IpAddress address;
        PortSpan ports;
    };
    Result<MappingId, DropReason> mapping_for(const Binding& binding);
    Result<Place, DropReason> place_for(const Binding& binding, const Source& source);
    std::optional<std::uint16_t> choose_port(const Binding& binding, const Source& source,
                                             const Place& place);
    [[nodiscard]] bool is_free(const Binding& binding, const Outside& outside) const;
    [[nodiscard]] std::uint16_t neighbour(const Binding& binding, const Source& source) const;
    [[nodiscard]] bool admits(const Mapping& mapping, MappingId id, const Outside& remote,
                              Instant now) const;
    [[nodiscard]] bool comes_from_inside(const Packet& packet) const;
    std::optional<DropReason> let_in(ConnId id, MappingId mapping, const Outside& seen);

    conntrack::Conntrack& conntrack_;
    RandomSource& random_;
    Mappings mappings_;
    Knocks knocks_;
};

}  // namespace nsr::nat
