#include "core/pipeline/made_connection.hpp"

#include "core/pipeline/state.hpp"

namespace nsr::pipeline {

// Where one end is translated, the other one is decided, too. kernel: ctnetlink_setup_nat
Result<ConnId, conntrack::Refusal> MadeConnections::insert(const conntrack::NewConnection& wanted,
                                                           const Translations& translations,
                                                           Instant now) {
    const auto bind = [&](ConnId id) {
        const auto decide = [&](nat::Manip manip, const std::optional<nat::Range>& range) {
            return state_.nat.bind_made(id, manip, range, now).accepted();
        };
        const auto& [source, destination] = translations;
        return (!source && !destination) ||
               (decide(nat::Manip::Destination, destination) && decide(nat::Manip::Source, source));
    };
    return state_.conntrack.insert(wanted, bind, now);
}

Result<Done, conntrack::Refusal> MadeConnections::update(ConnId id, const conntrack::Change& change,
                                                         Instant now) {
    return state_.conntrack.update(id, change, now);
}

Result<Done, conntrack::Refusal> MadeConnections::expect(const conntrack::Expectation& expectation,
                                                         Instant now) {
    using Failure = conntrack::Helping::ExpectFailure;
    const auto made = state_.conntrack.expect_related(expectation, now);
    if (made) {
        return Done{};
    }
    return made.error() == Failure::NoHelper ? conntrack::Refusal::NotSupported
                                             : conntrack::Refusal::Busy;
}

void MadeConnections::unexpect(conntrack::ExpectId id) {
    state_.conntrack.unexpect(id);
}

}  // namespace nsr::pipeline
