// The mappings of NAT.
#include "core/procfs/files.hpp"

namespace nsr::procfs {

namespace {

std::string endpoint(std::string_view address, std::string_view port, const IpAddress& at,
                     std::uint16_t number) {
    return std::string(address) + "=" + to_string(at) + " " + std::string(port) + "=" +
           std::to_string(number) + " ";
}

void append_mapping(std::string& out, const nat::Mapping& mapping) {
    const nat::Inside& inside = mapping.inside;
    const nat::Behaviour& behaviour = mapping.range.behaviour;
    out += conntrack::protocol_name(inside.source.protocol);
    out += " " + endpoint("src", "sport", inside.source.address, inside.source.port);
    if (behaviour.mapping != nat::Dependence::Endpoint) {
        out += "dst=" + to_string(inside.to_address) + " ";
    }
    if (behaviour.mapping == nat::Dependence::AddressAndPort) {
        out += "dport=" + std::to_string(inside.to_port) + " ";
    }
    out += endpoint("mapped-src", "mapped-sport", mapping.outside.address, mapping.outside.port);
    out += "mapping=" + std::string(name_of(behaviour.mapping));
    out += " filtering=" + std::string(name_of(behaviour.filtering));
    out += " sessions=" + std::to_string(mapping.sessions) + "\n";
}

}  // namespace

std::string read_nat_mappings(const Context& context, Instant /*now*/) {
    std::string text;
    for (const auto& [id, mapping] : context.router.nat().mappings().all()) {
        append_mapping(text, mapping);
    }
    return text;
}

}  // namespace nsr::procfs
