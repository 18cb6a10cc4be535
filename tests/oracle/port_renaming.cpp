#include "tests/oracle/port_renaming.hpp"

namespace oracle {

PortRenaming::PortRenaming(const std::vector<PortAgnostic>& specs,
                           const std::vector<Bytes>& arrivals)
    : specs_(specs) {
    for (const Bytes& bytes : specs.empty() ? std::vector<Bytes>{} : arrivals) {
        const RecordedPacket packet(bytes);
        if (const auto ports = packet.ports()) {
            kept_.insert({*packet.protocol, load16(bytes, ports->first)});
        }
    }
}

const PortAgnostic* PortRenaming::spec(unsigned protocol, const nsr::IpAddress& address,
                                       unsigned port) const {
    for (const PortAgnostic& spec : specs_) {
        if (spec.protocol == protocol && spec.address == address && spec.min <= port &&
            port <= spec.max) {
            return &spec;
        }
    }
    return nullptr;
}

bool PortRenaming::same(unsigned protocol, const nsr::IpAddress& address, const Peer& peer,
                        std::pair<unsigned, unsigned> expected_and_actual) {
    const auto [expected, actual] = expected_and_actual;
    const PortAgnostic* found = spec(protocol, address, expected);
    if (found == nullptr || spec(protocol, address, actual) == nullptr) {
        return expected == actual;
    }
    if (found->keep && kept_.contains({protocol, expected})) {
        return expected == actual;
    }
    const std::optional<Peer> scope = found->per_peer ? std::optional(peer) : std::nullopt;
    return forward_.try_emplace({protocol, address, scope, expected}, actual).first->second ==
               actual &&
           backward_.try_emplace({protocol, address, scope, actual}, expected).first->second ==
               expected;
}

unsigned PortRenaming::back(unsigned protocol, const nsr::IpAddress& address, const Peer& peer,
                            unsigned actual) const {
    for (const std::optional<Peer>& scope : {std::optional(peer), std::optional<Peer>()}) {
        const auto found = backward_.find({protocol, address, scope, actual});
        if (found != backward_.end()) {
            return found->second;
        }
    }
    return actual;
}

}  // namespace oracle
