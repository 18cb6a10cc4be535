// Addresses that no packet may have, and what is said of them.
#include <string>

#include "core/pipeline/pipeline.hpp"

namespace nsr::pipeline {

namespace {

constexpr std::uint32_t kLocalGroups = 0xe00000;  // 224.0.0.0/24

// kernel: ipv4_is_local_multicast
bool is_local_multicast(const IpAddress& address) {
    return address.is_v4() && address.as_v4() >> 8 == kLocalGroups;
}

}  // namespace

// kernel: ip_route_input_slow's checks before the lookup, ip_mc_validate_source
Verdict Pipeline::check_addresses(const Packet& packet) const {
    const IpAddress& source = packet.layout.source;
    const IpAddress& destination = packet.layout.destination;
    const bool loopback = state_.forwarding.route_localnet.either(packet.meta.in);
    if (source.is_multicast() || source.is_limited_broadcast() ||
        (source.is_loopback() && !loopback)) {
        return Verdict::drop(DropReason::MartianSource);
    }
    const bool asks_the_link =
        destination.is_limited_broadcast() || is_local_multicast(destination);
    if (source.is_unspecified() && !asks_the_link) {
        return Verdict::drop(DropReason::MartianSource);
    }
    if (destination.is_unspecified() || (destination.is_loopback() && !loopback)) {
        return Verdict::drop(DropReason::MartianDestination);
    }
    return Verdict::accept();
}

// kernel: ip_handle_martian_source, ip_route_input_slow: martian_destination
void Pipeline::refuse_source(Packet& packet, DropReason reason) {
    const bool martian = reason != DropReason::NotForwardable;
    if (martian && packet.layout.family == Family::Ipv4 &&
        state_.forwarding.log_martians.either(packet.meta.in)) {
        log_martian(packet, reason);
    }
    drop(packet, reason);
}

void Pipeline::log_martian(const Packet& packet, DropReason reason) {
    const bool source = reason != DropReason::MartianDestination;
    const auto answer = state_.martian_log.ask(to_jiffies(now_));
    if (answer.suppressed != 0) {
        state_.log.log(
            now_, LogLevel::Warning,
            "net_ratelimit: " + std::to_string(answer.suppressed) + " callbacks suppressed");
    }
    if (answer.allowed) {
        state_.log.log(now_, LogLevel::Warning,
                       std::string("IPv4: martian ") + (source ? "source " : "destination ") +
                           to_string(packet.layout.destination) + " from " +
                           to_string(packet.layout.source) + (source ? ", on dev " : ", dev ") +
                           std::string(state_.network.interface_name(packet.meta.in)));
    }
}

}  // namespace nsr::pipeline
