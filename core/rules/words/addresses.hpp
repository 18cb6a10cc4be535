// Addresses in rules: hosts, networks with a mask, lists of them, names.
//
// Numbers are read as iptables does, which is not the same everywhere: "10.1" is the network
// 10.1.0.0 for -s and -d, but the host 10.0.0.1 where a module's option asks for a host.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/rules/words/host_names.hpp"
#include "core/wire/address.hpp"

namespace nsr::rules {

// An address with a mask that need not be a prefix.
struct MaskedAddress {
    IpAddress address;
    IpAddress mask;
    [[nodiscard]] bool matches(const IpAddress& other) const;
};

// What -s and -d take: "10.0.0.0/8", "10.0.0.0/255.0.0.0", "10.1", "fd00::/8", "localhost"; host
// bits are cleared. A name may stand for several; nothing if it stands for none, or the text is
// wrong. libxtables: xtables_ipparse_multiple
std::vector<MaskedAddress> parse_networks(std::string_view text, Family family,
                                          const HostNames& names);
// The same, if the text is numbers and stands for one network.
std::optional<MaskedAddress> parse_masked_address(std::string_view text, Family family);
// What options of modules take: a host, a name of one, and a prefix length or a mask that is one;
// host bits stay.
// libxtables: xtopt_parse_host, xtopt_parse_hostmask
std::optional<IpAddress> parse_host(std::string_view text, Family family, const HostNames& names);
std::optional<MaskedAddress> parse_host_prefix(std::string_view text, Family family,
                                               const HostNames& names);
// Numbers alone: "10.1" is 10.1.0.0. libxtables: xtables_numeric_to_ipaddr,
// xtables_numeric_to_ip6addr
std::optional<IpAddress> parse_numeric_address(std::string_view text, Family family);
// "24" or "255.255.255.0". libxtables: xtopt_parse_plen
std::optional<unsigned> parse_prefix_length(std::string_view text, Family family);

// The prefix length of a contiguous mask.
std::optional<unsigned> prefix_length(const IpAddress& mask);
// As iptables-save writes it, always with its mask.
std::string to_string(const MaskedAddress& address);

}  // namespace nsr::rules
