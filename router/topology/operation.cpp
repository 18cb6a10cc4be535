#include "router/topology/operation.hpp"

namespace nsr::router {
namespace {

std::string via_in_words(const Operation& operation) {
    if (!operation.via) {
        return {};
    }
    return " via " + to_string(*operation.via);
}

}  // namespace

std::string in_words(const Operation& operation) {
    using Kind = Operation::Kind;
    std::string where;
    if (!operation.netns.empty()) {
        where = " in namespace " + operation.netns;
    }
    switch (operation.kind) {
        case Kind::Namespace:
            return "namespace " + operation.netns;
        case Kind::LoopbackUp:
            return "lo up" + where;
        case Kind::Setting:
            return operation.setting + " = " + operation.value + where;
        case Kind::Tun:
            return "TUN device " + operation.device + where;
        case Kind::Mtu:
            return "MTU " + std::to_string(operation.mtu) + " of " + operation.device + where;
        case Kind::Address:
            return "address " + to_string(operation.prefix) + " on " + operation.device + where;
        case Kind::Up:
            return operation.device + " up" + where;
        case Kind::Route:
            return "route " + to_string(operation.prefix) + via_in_words(operation) + " dev " +
                   operation.device + where;
    }
    return {};
}

}  // namespace nsr::router
