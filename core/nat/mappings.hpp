// Mappings: which endpoint outside an endpoint inside looks like, for rules that say how their NAT
// behaves.
//
// Theory of operation
//   A mapping is made for the first connection of an inside endpoint (towards anybody, an address,
//   or an address and port, as the rule's Behaviour demands) and lives as long as one of its
//   connections does: its sessions. No two mappings share an outside endpoint. Two hash tables with
//   keyed hashes find it: by the inside endpoint, when a connection goes out, and by the outside
//   one, when somebody comes in. Whom an endpoint has talked to is counted by address for filters
//   that depend on it; one that depends on the port as well admits nobody that the connection
//   table does not know already.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>

#include "core/base/siphash.hpp"
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

// The inside half, and what of the other end it depends on; unspecified where it does not.
struct Inside {
    Source source;
    IpAddress to_address;
    std::uint16_t to_port = 0;
    friend bool operator==(const Inside&, const Inside&) = default;
};

struct Mapping {
    Inside inside;
    Outside outside;
    Range range;  // of the rule that made it
    IfIndex out = IfIndex::None;
    RuleId rule = RuleId::None;
    std::uint32_t sessions = 0;
};

using MappingId = std::uint32_t;
inline constexpr MappingId kNoMapping = 0;

// What a connection of `source` towards `tuple`'s destination is mapped by.
Inside inside_of(const Source& source, const conntrack::Tuple& tuple, Dependence dependence);

class Mappings {
  public:
    explicit Mappings(SipKey key);

    [[nodiscard]] bool empty() const { return bodies_.empty(); }
    [[nodiscard]] const Mapping& operator[](MappingId id) const { return bodies_.at(id); }
    // kNoMapping: there is none.
    [[nodiscard]] MappingId find(const Inside& inside) const;
    [[nodiscard]] MappingId find(const Outside& outside) const;

    MappingId add(const Mapping& mapping);
    // `id` is a session of the mapping, with somebody at `remote`. It may be one of two.
    void join(MappingId mapping, ConnId id, const IpAddress& remote);
    // The connection is over; a mapping without sessions goes.
    void leave(ConnId id);

    // Has the inside endpoint a session with somebody at that address?
    [[nodiscard]] bool knows(MappingId mapping, const IpAddress& remote) const;
    // Of all mappings of an inside host.
    [[nodiscard]] std::uint32_t sessions_of(const IpAddress& host) const;

    // The block of `size` ports that the host has on an outside address; nothing: all are given
    // away. It is kept as long as the host has sessions.
    std::optional<std::uint16_t> block_of(const IpAddress& host, const IpAddress& outside,
                                          std::uint16_t size);
    // One more for PortChoice::Sequential.
    std::uint16_t next_port(const Outside& outside);

    // In the order in which they were made.
    [[nodiscard]] const std::map<MappingId, Mapping>& all() const { return bodies_; }

  private:
    struct Session {
        MappingId mapping = kNoMapping;
        IpAddress remote;
    };
    struct Contact {
        MappingId mapping = kNoMapping;
        IpAddress remote;
        friend bool operator==(const Contact&, const Contact&) = default;
    };
    struct Block {
        IpAddress outside;
        std::uint16_t first = 0;
    };
    struct Host {
        std::uint32_t sessions = 0;
        std::optional<Block> block;
    };
    // Keyed: what they hash comes from packets.
    struct Hash {
        SipKey key;
        std::size_t operator()(const Inside& inside) const;
        std::size_t operator()(const Outside& outside) const;
        std::size_t operator()(const Contact& contact) const;
        std::size_t operator()(const IpAddress& address) const;
    };

    void leave(const Session& session);

    Hash hash_;
    std::map<MappingId, Mapping> bodies_;
    std::unordered_map<Inside, MappingId, Hash> by_inside_;
    std::unordered_map<Outside, MappingId, Hash> by_outside_;
    std::unordered_map<Contact, std::uint32_t, Hash> contacts_;
    std::unordered_map<IpAddress, Host, Hash> hosts_;
    std::unordered_multimap<std::uint32_t, Session> sessions_;     // by number of connection
    std::map<std::pair<IpAddress, std::uint16_t>, bool> blocks_;   // given away
    std::unordered_map<Outside, std::uint16_t, Hash> last_ports_;  // port 0: of the address
    MappingId last_ = kNoMapping;
};

}  // namespace nsr::nat
