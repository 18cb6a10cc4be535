// Chooses the tuple a connection shall look like under a NAT rule, so that its reply tuple is
// nobody else's. kernel: get_unique_tuple
#pragma once

#include "core/base/instant.hpp"
#include "core/base/random.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/nat/port_allocator.hpp"
#include "core/nat/range.hpp"
#include "core/nat/source_index.hpp"

namespace nsr::nat {

struct TupleRequest {
    ConnId id = ConnId::None;
    conntrack::Tuple current;  // what replies are the inverse of so far
    Range range;
    Manip manip = Manip::Source;
    bool by_rule = false;  // one that says what the source shall be: its port is ours to choose
};

class TupleChooser {
  public:
    TupleChooser(conntrack::Conntrack& conntrack, RandomSource& random, const SourceIndex& sources)
        : conntrack_(conntrack), random_(random), sources_(sources) {}

    // The chosen tuple. If all that may be tried are taken it is one of them: the packet then fails
    // at confirmation, as in the kernel. May destroy a TIME_WAIT connection whose port it takes.
    conntrack::Tuple choose(const TupleRequest& request, Instant now);
    // Of several shards: this one has no port for it, and the tuple is not to be used.
    [[nodiscard]] bool used_up() const { return used_up_; }

  private:
    std::optional<conntrack::Tuple> keep_source(const TupleRequest& request, Instant now) const;
    std::optional<conntrack::Tuple> mapping_of_source(const TupleRequest& request) const;
    [[nodiscard]] bool key_may_stay(const conntrack::Tuple& tuple, const TupleRequest& request,
                                    Instant now) const;
    void search_key(conntrack::Tuple& tuple, const TupleRequest& request, Instant now);
    bool search_row(conntrack::Tuple& tuple, std::uint16_t& key, const PortSpan& span,
                    const TupleRequest& request, Instant now) const;
    [[nodiscard]] bool astray(const conntrack::Tuple& reply) const;
    [[nodiscard]] bool used(const conntrack::Tuple& tuple, ConnId except, Instant now) const;
    [[nodiscard]] bool meets_mirror(ConnId newcomer, Instant now) const;
    bool used_harder(const conntrack::Tuple& tuple, ConnId except, Instant now);
    [[nodiscard]] bool may_kill(const conntrack::Hit& old, ConnId newcomer) const;

    conntrack::Conntrack& conntrack_;
    RandomSource& random_;
    const SourceIndex& sources_;
    bool used_up_ = false;
    bool comes_home_ = false;  // answers are to have this shard for their home
};

}  // namespace nsr::nat
