// Mappings: which endpoint outside an endpoint inside looks like, for rules that say how their NAT
// behaves.
//
// Theory of operation
//   A mapping is made for the first connection of an inside endpoint that goes out by an interface
//   (towards anybody, an address, or an address and port, as the rule's Behaviour demands) and
//   lives as long as one of its connections does: its sessions. Those that a host began and those
//   that came to it are counted apart, so that strangers cannot use up what the host may have. No
//   two mappings share an outside endpoint. Two hash tables with
//   keyed hashes find it: by the inside endpoint, when a connection goes out, and by the outside
//   one, when somebody comes in. Whom an endpoint has talked to is counted by address for filters
//   that depend on it; one that depends on the port as well admits nobody that the connection
//   table does not know already. A session that holds its mapping keeps it alive; where packets
//   from outside refresh nothing, one that they began does not hold it until it was answered. A
//   mapping that nothing holds, or that was forgotten, is found by nobody; its body stays until
//   its sessions are over. Forgetting costs the same however many there are: it is a note of which
//   ones are meant, up to the last that there was, for as long as somebody is ending their
//   connections.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/base/siphash.hpp"
#include "core/nat/port_allocator.hpp"
#include "core/nat/port_blocks.hpp"
#include "core/nat/range.hpp"
#include "core/nat/source_index.hpp"

namespace nsr::nat {

// The outside half of a mapping.
struct Outside {
    IpAddress address;
    std::uint16_t port = 0;
    std::uint8_t protocol = 0;
    friend bool operator==(const Outside&, const Outside&) = default;
};

// The inside half, by which interface it goes out, and what of the other end it depends on;
// unspecified where it does not.
struct Inside {
    Source source;
    IfIndex out = IfIndex::None;
    IpAddress to_address;
    std::uint16_t to_port = 0;
    friend bool operator==(const Inside&, const Inside&) = default;
};

struct Mapping {
    Inside inside;
    Outside outside;
    Range range;  // of the rule that made it
    RuleId rule = RuleId::None;
    std::uint32_t sessions = 0;
    std::uint32_t holders = 0;  // of the sessions
};

// Which mappings are meant: those to which all applies that is said.
struct MappingQuery {
    std::optional<RuleId> rule;
    std::optional<IpAddress> outside;
    IfIndex behind = IfIndex::None;  // masqueraded behind this interface
    friend bool operator==(const MappingQuery&, const MappingQuery&) = default;
};

using MappingId = std::uint64_t;
inline constexpr MappingId kNoMapping = 0;

// What a connection of `source` towards `tuple`'s destination is mapped by.
Inside inside_of(const Source& source, IfIndex out, const conntrack::Tuple& tuple,
                 Dependence dependence);

class Mappings {
  public:
    explicit Mappings(SipKey key);

    [[nodiscard]] bool empty() const { return bodies_.empty(); }
    // Precondition: it is there.
    [[nodiscard]] const Mapping& operator[](MappingId id) const;
    // kNoMapping: there is none.
    [[nodiscard]] MappingId find(const Inside& inside) const;
    [[nodiscard]] MappingId find(const Outside& outside) const;

    MappingId add(const Mapping& mapping);
    // How a connection takes part: with somebody at `remote`, begun by whom, and whether it keeps
    // the mapping alive.
    struct Part {
        IpAddress remote;
        bool begun_inside = true;
        bool holds = true;
    };
    // `id` is a session of the mapping, which is there. It may be one of two.
    void join(MappingId mapping, ConnId id, const Part& part);
    // Its sessions keep their mappings alive from now on.
    void hold(ConnId id);
    // The connection is over; a mapping without sessions goes.
    void leave(ConnId id);
    // Of what `id` is a session; the first of two. kNoMapping: it is none.
    [[nodiscard]] MappingId mapping_of(ConnId id) const;
    [[nodiscard]] bool begun_inside(ConnId id) const;  // Precondition: it is a session
    // Nobody finds those that `query` means any more. Their sessions are the caller's business, who
    // keeps what this returns until all of them have ended.
    [[nodiscard]] std::shared_ptr<const void> forget(const MappingQuery& query);
    // Was one of its mappings forgotten?
    [[nodiscard]] bool forgotten(ConnId id) const;
    [[nodiscard]] bool forgotten(MappingId id) const;
    // Somebody may still be mapped by it.
    [[nodiscard]] bool in_use(MappingId id) const {
        return (*this)[id].holders != 0 && !forgotten(id);
    }

    // Has the inside endpoint a session with somebody at that address?
    [[nodiscard]] bool knows(MappingId mapping, const IpAddress& remote) const;
    // Of all mappings of an inside host: those that it began, and those that came to it.
    struct Sessions {
        std::uint32_t begun_inside = 0;
        std::uint32_t begun_outside = 0;
    };
    [[nodiscard]] Sessions sessions_of(const Host& host) const;
    // Does a mapping lead out by this interface?
    [[nodiscard]] bool leads_out(IfIndex interface) const { return outs_.contains(interface); }

    // The block of ports that a host has on `outside` by a rule with PortChoice::Blocks, or has
    // from now on; nothing: all are given away. It is kept as long as a mapping is in it.
    std::optional<PortSpan> block_of(const Host& host, const IpAddress& outside,
                                     const Range& range);
    // No mapping was made in it.
    void drop_unused_block(const Host& host, const IpAddress& outside, const Range& range);
    // One more of `span` for PortChoice::Sequential; behind the last one comes the first.
    std::uint16_t next_port(const Outside& outside, const PortSpan& span);

    // In the order in which they were made.
    [[nodiscard]] const std::map<MappingId, Mapping>& all() const { return bodies_; }

  private:
    struct Session {
        MappingId mapping = kNoMapping;
        Part part;
    };
    struct Forgotten {
        MappingId last = kNoMapping;  // none that is younger
        MappingQuery query;
        std::weak_ptr<const void> until;  // nobody keeps it any more
    };
    struct Contact {
        MappingId mapping = kNoMapping;
        IpAddress remote;
        friend bool operator==(const Contact&, const Contact&) = default;
    };
    // Keyed: what they hash comes from packets.
    struct Hash {
        SipKey key;
        std::size_t operator()(const Inside& inside) const;
        std::size_t operator()(const Outside& outside) const;
        std::size_t operator()(const Contact& contact) const;
        std::size_t operator()(const Host& host) const;
    };

    [[nodiscard]] Mapping& body_of(MappingId id);
    void leave(const Session& session);
    void remove(MappingId id, const Mapping& body);
    void remove_from_indexes(MappingId id, const Mapping& body);

    Hash hash_;
    std::map<MappingId, Mapping> bodies_;
    std::unordered_map<Inside, MappingId, Hash> by_inside_;
    std::unordered_map<Outside, MappingId, Hash> by_outside_;
    std::unordered_map<Contact, std::uint32_t, Hash> contacts_;
    std::unordered_map<Host, Sessions, Hash> hosts_;
    std::map<IfIndex, std::size_t> outs_;  // how many mappings lead out by each
    PortBlocks blocks_;
    std::unordered_multimap<std::uint32_t, Session> sessions_;     // by number of connection
    std::unordered_map<Outside, std::uint16_t, Hash> last_ports_;  // port: the first of the span
    std::vector<Forgotten> forgotten_;
    MappingId last_ = kNoMapping;
};

}  // namespace nsr::nat
