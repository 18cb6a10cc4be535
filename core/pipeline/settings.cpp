#include "core/pipeline/settings.hpp"

#include <array>

namespace nsr::pipeline {

namespace {

using Fwd = ForwardingSettings;
using Member = PerInterface Fwd::*;

constexpr std::array<Member, 3> kSettledAtOnce = {&Fwd::ipv4_forwarding, &Fwd::ipv6_forwarding,
                                                  &Fwd::disable_ipv6};
constexpr std::array<Member, 7> kSettledWithAddress = {
    &Fwd::rp_filter,    &Fwd::send_redirects, &Fwd::secure_redirects, &Fwd::src_valid_mark,
    &Fwd::accept_local, &Fwd::route_localnet, &Fwd::log_martians};

}  // namespace

void ForwardingSettings::settle(IfIndex interface, bool has_ipv4_address) {
    for (const Member member : kSettledAtOnce) {
        (this->*member).settle(interface);
    }
    for (const Member member : kSettledWithAddress) {
        if (has_ipv4_address) {
            (this->*member).settle(interface);
        }
    }
}

}  // namespace nsr::pipeline
