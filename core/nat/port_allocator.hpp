// Which ports (or ICMP ids, or GRE keys) NAT tries, and in which order.
//
// Without a range from the rule, a source port stays in its class: 1-511, 600-1023 or 1024-65535;
// an ICMP id may become any. The search begins at a random place and is bounded: 128 tries in a
// row, then from another random place half as many, and so on, because a full range must not stall
// the router.
// kernel: nf_nat_l4proto_unique_tuple
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/random.hpp"
#include "core/conntrack/record/tuple.hpp"
#include "core/nat/range.hpp"

namespace nsr::nat {

struct PortSpan {
    std::uint32_t min = 0;
    std::uint32_t size = 0;  // at least 1
    friend bool operator==(const PortSpan&, const PortSpan&) = default;
};

// What is chosen from where nobody says which.
inline constexpr PortSpan kUnprivilegedPorts{kFirstPort, kPorts - kFirstPort};

// The ports that the rule names, else kUnprivilegedPorts.
PortSpan ports_of(const Range& range);

// The field of the tuple that a manipulation may change: a port, an ICMP id, a GRE key. Null if the
// protocol has none.
std::uint16_t* key_of(conntrack::Tuple& tuple, Manip manip);
std::uint16_t key_of(const conntrack::Tuple& tuple, Manip manip);

// Is the key within the rule's ports? True for protocols without one. kernel: l4proto_in_range
bool key_in_range(const conntrack::Tuple& tuple, Manip manip, const Range& range);

// Where to look for a free key. Nothing: the key must stay (a destination without a port range,
// protocols without ports, GRE that is not `expected` by PPTP).
std::optional<PortSpan> span_for(const conntrack::Tuple& tuple, Manip manip, const Range& range,
                                 bool expected);

class PortSequence {
  public:
    PortSequence(PortSpan span, std::uint16_t first_offset, RandomSource& random);

    // The next candidate; nothing when it is time to give up.
    std::optional<std::uint16_t> next();
    // How many tries this round has, the last candidate included.
    [[nodiscard]] std::uint32_t attempts_left() const { return attempts_left_; }

  private:
    PortSpan span_;
    std::uint16_t offset_;
    RandomSource& random_;
    std::uint32_t attempts_;  // of this round
    std::uint32_t tried_ = 0;
    std::uint32_t attempts_left_ = 0;
};

// The sequence as `range` wants it to begin.
PortSequence sequence_for(PortSpan span, const conntrack::Tuple& tuple, Manip manip,
                          const Range& range, RandomSource& random);

}  // namespace nsr::nat
