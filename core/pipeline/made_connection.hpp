// Connections that no packet began: an administrator makes and changes them, or says that they will
// come. kernel: nf_conntrack_netlink.c
#pragma once

#include <optional>

#include "core/base/result.hpp"
#include "core/conntrack/expect/expectations.hpp"
#include "core/conntrack/record/change.hpp"
#include "core/nat/range.hpp"

namespace nsr::pipeline {

struct State;

// A view of the router's state, for as long as nothing else happens.
class MadeConnections {
  public:
    explicit MadeConnections(State& state) : state_(state) {}

    // How both ends are translated; nothing: not at all.
    struct Translations {
        std::optional<nat::Range> source;
        std::optional<nat::Range> destination;
    };
    // Confirmed at once. kernel: ctnetlink_create_conntrack
    [[nodiscard]] Result<ConnId, conntrack::Refusal> insert(const conntrack::NewConnection& wanted,
                                                            const Translations& translations,
                                                            Instant now);
    // kernel: ctnetlink_change_conntrack
    [[nodiscard]] Result<Done, conntrack::Refusal> update(ConnId id,
                                                          const conntrack::Change& change,
                                                          Instant now);
    // kernel: ctnetlink_create_expect, ctnetlink_del_expect
    [[nodiscard]] Result<Done, conntrack::Refusal> expect(const conntrack::Expectation& expectation,
                                                          Instant now);
    void unexpect(conntrack::ExpectId id);

  private:
    State& state_;
};

}  // namespace nsr::pipeline
