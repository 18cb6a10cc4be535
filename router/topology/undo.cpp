#include "router/topology/undo.hpp"

#include <array>
#include <cerrno>
#include <sstream>

#include "netlink/address.hpp"
#include "netlink/error.hpp"
#include "netlink/link.hpp"
#include "netlink/netns.hpp"
#include "netlink/route.hpp"
#include "netlink/setting.hpp"

namespace nsr::router {
namespace {

using Kind = Operation::Kind;

constexpr const char* kNothing = "-";

// In the order of Kind; those that are never noted have no word.
constexpr std::array<std::string_view, 8> kWords = {"use", "",        "setting", "",
                                                    "mtu", "address", "up",      "route"};

std::string or_nothing(const std::string& text) {
    if (text.empty()) {
        return kNothing;
    }
    return text;
}

bool read_details(std::istringstream& words, Operation& operation) {
    std::string prefix;
    std::string via;
    switch (operation.kind) {
        case Kind::Namespace:
            return true;
        case Kind::Setting:
            return static_cast<bool>(words >> operation.setting >> operation.value);
        case Kind::Mtu:
            return static_cast<bool>(words >> operation.device >> operation.mtu);
        case Kind::Up:
            return static_cast<bool>(words >> operation.device);
        case Kind::Address:
            words >> operation.device >> prefix;
            break;
        case Kind::Route:
            words >> operation.device >> prefix >> via;
            operation.via = parse_address(via);
            break;
        case Kind::LoopbackUp:
        case Kind::Tun:
            return false;
    }
    const std::optional<Prefix> parsed = parse_prefix(prefix);
    operation.prefix = parsed.value_or(Prefix{});
    return parsed.has_value();
}

void carry_out_inside(const Operation& operation) {
    const netlink::Socket socket;
    switch (operation.kind) {
        case Kind::Setting:
            netlink::write_setting(operation.setting, operation.value);
            break;
        case Kind::Mtu:
            netlink::set_link_mtu(socket, operation.device, operation.mtu);
            break;
        case Kind::Address:
            netlink::remove_address(socket, operation.device, operation.prefix);
            break;
        case Kind::Up:
            netlink::set_link_up(socket, operation.device, false);
            break;
        case Kind::Route:
            netlink::remove_route(socket, {operation.prefix, operation.via, operation.device});
            break;
        case Kind::Namespace:
        case Kind::LoopbackUp:
        case Kind::Tun:
            break;
    }
}

}  // namespace

std::string to_line(const Undo& undo) {
    const Operation& operation = undo.operation;
    std::string line = std::to_string(undo.cookie) + " " + or_nothing(operation.netns) + " " +
                       std::string(kWords.at(static_cast<std::size_t>(operation.kind)));
    switch (operation.kind) {
        case Kind::Setting:
            return line + " " + operation.setting + " " + operation.value;
        case Kind::Mtu:
            return line + " " + operation.device + " " + std::to_string(operation.mtu);
        case Kind::Address:
            return line + " " + operation.device + " " + to_string(operation.prefix);
        case Kind::Up:
            return line + " " + operation.device;
        case Kind::Route:
            line += " " + operation.device + " " + to_string(operation.prefix) + " ";
            if (!operation.via) {
                return line + kNothing;
            }
            return line + to_string(*operation.via);
        case Kind::Namespace:
        case Kind::LoopbackUp:
        case Kind::Tun:
            return line;
    }
    return line;
}

std::optional<Undo> parse_undo(std::string_view line) {
    std::istringstream words{std::string(line)};
    Undo undo;
    std::string word;
    if (!(words >> undo.cookie >> undo.operation.netns >> word)) {
        return std::nullopt;
    }
    if (undo.operation.netns == kNothing) {
        undo.operation.netns.clear();
    }
    for (std::size_t kind = 0; kind < kWords.size(); ++kind) {
        if (!kWords.at(kind).empty() && word == kWords.at(kind)) {
            undo.operation.kind = static_cast<Kind>(kind);
            if (!read_details(words, undo.operation)) {
                return std::nullopt;
            }
            return undo;
        }
    }
    return std::nullopt;
}

std::vector<Undo> parse_undos(std::string_view text) {
    std::vector<Undo> undos;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        if (auto undo = parse_undo(line)) {
            undos.push_back(std::move(*undo));
        }
    }
    return undos;
}

std::string to_text(const std::vector<Undo>& undos) {
    std::string text;
    for (const Undo& undo : undos) {
        text += to_line(undo) + "\n";
    }
    return text;
}

void take_back(const Undo& undo) {
    if (netlink::netns_cookie(undo.operation.netns) != undo.cookie) {
        return;
    }
    try {
        const netlink::Enter enter(undo.operation.netns);
        carry_out_inside(undo.operation);
    } catch (const SystemError& error) {
        // Somebody else has removed it meanwhile.
        if (error.code() != ENODEV && error.code() != ENOENT && error.code() != ESRCH) {
            throw;
        }
    }
}

}  // namespace nsr::router
