#include "router/tools/ip/form.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <string_view>
#include <utility>

#include "core/pipeline/router.hpp"
#include "router/tools/ip/command.hpp"

namespace nsr::router {
namespace {

using routing::Interface;

constexpr std::size_t kColumns = 6;
using Counts = std::array<std::uint64_t, kColumns>;

// Like the tool, the same widths for what is received and what is sent.
std::string counts_text(const Interface& interface) {
    const routing::InterfaceCounters& c = interface.counters;
    const Counts received = {c.rx_bytes, c.rx_packets, 0, c.rx_dropped, 0, 0};
    const Counts sent = {c.tx_bytes, c.tx_packets, 0, c.tx_dropped, 0, 0};
    constexpr std::array<std::size_t, kColumns> kLeast = {10, 7, 6, 7, 7, 7};
    std::array<std::size_t, kColumns> widths = kLeast;
    for (std::size_t i = 0; i < kColumns; ++i) {
        for (const Counts* counts : {&received, &sent}) {
            widths[i] = std::max(widths[i], std::to_string((*counts)[i]).size());
        }
    }
    const auto right = [](std::string_view text, std::size_t width) {
        return std::string(width - std::min(width, text.size()), ' ') + std::string(text);
    };
    std::string out;
    const auto append = [&](std::string_view way, std::array<std::string_view, kColumns> names,
                            const Counts& counts) {
        out.append("    ").append(way).append(": ").append(right(names[0], widths[0] - 4));
        for (std::size_t i = 1; i < kColumns; ++i) {
            out += " " + right(names[i], widths[i]);
        }
        out += std::string(11, ' ') + "\n   ";
        for (std::size_t i = 0; i < kColumns; ++i) {
            out += " " + right(std::to_string(counts[i]), widths[i]);
        }
        out += " \n";
    };
    append("RX", {"bytes", "packets", "errors", "dropped", "missed", "mcast"}, received);
    append("TX", {"bytes", "packets", "errors", "dropped", "carrier", "collsns"}, sent);
    return out;
}

bool wanted(const IpArgs& args, const Interface& interface) {
    return args.interface.empty() || args.interface == interface.name;
}

}  // namespace

IpForm take_ip_form(std::vector<std::string>& words) {
    IpForm form;
    bool ignored = false;
    const std::pair<std::string_view, bool*> options[] = {{"-j", &form.json},
                                                          {"-json", &form.json},
                                                          {"-br", &form.brief},
                                                          {"-brief", &form.brief},
                                                          {"-s", &form.statistics},
                                                          {"-stats", &form.statistics},
                                                          {"-statistics", &form.statistics},
                                                          {"-p", &ignored},
                                                          {"-pretty", &ignored},
                                                          {"-c", &ignored},
                                                          {"-color", &ignored}};
    for (auto word = words.begin(); word != words.end() && word->starts_with('-');) {
        const auto* found = std::find_if(std::begin(options), std::end(options),
                                         [&](const auto& each) { return each.first == *word; });
        if (found == std::end(options)) {
            ++word;  // -4, -6, or a mistake
        } else {
            *found->second = true;
            word = words.erase(word);
        }
    }
    return form;
}

std::string brief_listing(const Router& router, const IpArgs& args) {
    std::string text;
    for (const Interface& interface : router.interfaces().all()) {
        if (!wanted(args, interface)) {
            continue;
        }
        std::array<char, 64> line{};
        const int length = std::snprintf(line.data(), line.size(), "%-16s %-14s ",
                                         interface.name.c_str(), interface.up ? "UP" : "DOWN");
        text.append(line.data(), static_cast<std::size_t>(length));
        if (args.action == IpAction::LinkShow) {
            text += interface.up ? "<POINTOPOINT,NOARP,UP,LOWER_UP> " : "<POINTOPOINT,NOARP> ";
        }
        for (const Prefix& own : interface.addresses) {
            const bool fits = args.family == Family::None || args.family == own.address.family;
            text += fits && args.action == IpAction::AddressShow ? to_string(own) + " " : "";
        }
        text += "\n";
    }
    return text;
}

std::string statistics_listing(const Router& router, const IpArgs& args) {
    std::string text;
    for (const Interface& interface : router.interfaces().all()) {
        if (wanted(args, interface)) {
            IpArgs one = args;
            one.interface = interface.name;
            text += args.action == IpAction::LinkShow ? link_listing(router, one)
                                                      : address_listing(router, one);
            text += counts_text(interface);
        }
    }
    return text;
}

}  // namespace nsr::router
