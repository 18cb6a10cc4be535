#include "router/tools/conntrack/expect.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "router/tools/conntrack/entry.hpp"

namespace nsr::router {
namespace {

using conntrack::Conntrack;
using conntrack::Expectation;
using conntrack::ExpectId;
using conntrack::Tuple;

// An expectation with all that its text needs.
struct Shown {
    const Expectation& expectation;
    Tuple mask;
    Tuple master;
    std::uint32_t seconds_left;
    std::string_view helper;
};

bool lives(const Expectation& expectation, Instant now) {
    return jiffies_until(expectation.deadline, to_jiffies(now)) > 0;
}

IpAddress all_ones(Family family) {
    IpAddress address = family == Family::Ipv4 ? IpAddress::v4(0xffffffff) : IpAddress{{}, family};
    if (family == Family::Ipv6) {
        address.words.fill(0xffffffff);
    }
    return address;
}

// What of the tuple counts. kernel: ctnetlink_exp_dump_mask
Tuple mask_of(const Expectation& expectation) {
    const Family family = expectation.tuple.family();
    Tuple mask;
    mask.source = expectation.source_given ? all_ones(family) : IpAddress{{}, family};
    mask.destination = all_ones(family);
    mask.source_port = expectation.source_port_given ? 0xffff : 0;
    mask.destination_port = 0xffff;
    mask.protocol = expectation.tuple.protocol;
    return mask;
}

Shown shown(const Conntrack& conntrack, const Expectation& expectation, Instant now) {
    const std::int32_t left = jiffies_until(expectation.deadline, to_jiffies(now));
    return {expectation, mask_of(expectation),
            conntrack.table().tuple(expectation.master, Direction::Original),
            static_cast<std::uint32_t>(std::max(left, 0)) / kJiffiesPerSecond,
            helper_info(conntrack.helper_of(expectation.master)).name};
}

// "mask-src=... mask-dst=... sport=0 dport=65535 "
void append_tuple(std::string& out, std::string_view prefix, const Tuple& tuple) {
    out.append(prefix) += "src=" + to_string(tuple.source) + " ";
    out.append(prefix) += "dst=" + to_string(tuple.destination) + " ";
    std::array<char, conntrack::kPortsTextBytes> ports{};
    out.append(ports.data(), conntrack::write_ports(ports.data(), ports_of(tuple.protocol),
                                                    tuple.source_port, tuple.destination_port));
}

std::string flags_of(const Expectation& expectation) {
    std::string flags = expectation.permanent ? "PERMANENT" : "";
    if (expectation.inactive) {
        flags += flags.empty() ? "INACTIVE" : ",INACTIVE";
    }
    return flags.empty() ? flags : flags + " ";
}

void append_line(std::string& out, const Shown& shown) {
    out += number(shown.seconds_left) + " proto=" + number(shown.expectation.tuple.protocol) + " ";
    append_tuple(out, "", shown.expectation.tuple);
    append_tuple(out, "mask-", shown.mask);
    append_tuple(out, "master-", shown.master);
    out += flags_of(shown.expectation) + "class=" + number(shown.expectation.of_class);
    out.append(" helper=").append(shown.helper) += '\n';
}

std::string element(std::string_view name, std::string_view content) {
    std::string text = "<";
    text.append(name).append(">").append(content).append("</").append(name);
    return text + ">";
}

std::string addresses(std::string_view name, const Tuple& tuple) {
    return element(name, element("src", to_string(tuple.source)) +
                             element("dst", to_string(tuple.destination)));
}

std::string ports(std::string_view name, const Tuple& tuple) {
    const bool keys = ports_of(tuple.protocol) == Ports::Keys;
    const auto text = [&](std::uint16_t port) {
        return keys ? hex(port) : number(std::uint64_t{port});
    };
    return element(name, element(keys ? "srckey" : "sport", text(tuple.source_port)) +
                             element(keys ? "dstkey" : "dport", text(tuple.destination_port)));
}

// The attributes of a layer.
std::string layer(std::string_view name, unsigned value, std::string_view called,
                  const std::string& content) {
    std::string text = "<";
    text.append(name) += " protonum=\"" + number(value) + "\" protoname=\"";
    text.append(called) += "\">" + content + "</";
    return text.append(name) + ">";
}

void append_xml(std::string& out, const Shown& shown) {
    const Tuple& tuple = shown.expectation.tuple;
    const bool v4 = tuple.family() == Family::Ipv4;
    const std::string meta = element("helper-name", shown.helper) +
                             element("timeout", number(shown.seconds_left)) +
                             element("class", number(shown.expectation.of_class)) +
                             (shown.expectation.permanent ? "<permanent/>" : "") +
                             (shown.expectation.inactive ? "<inactive/>" : "");
    out +=
        element("flow", layer("layer3", static_cast<unsigned>(tuple.family()), v4 ? "ipv4" : "ipv6",
                              addresses("expected", tuple) + addresses("mask", shown.mask) +
                                  addresses("master", shown.master)) +
                            layer("layer4", tuple.protocol, protocol_name(tuple.protocol),
                                  ports("expected", tuple) + ports("mask", shown.mask) +
                                      ports("master", shown.master)) +
                            element("meta", meta)) +
        "\n";
}

}  // namespace

std::size_t append_expectations(std::string& out, const ConntrackArgs& args,
                                const Conntrack& conntrack, Instant now) {
    const Family family = args.filter.family.value_or(Family::Ipv4);
    const conntrack::Expectations& expectations = conntrack.expectations();
    std::size_t count = 0;
    out += args.output.xml ? "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<expect>\n" : "";
    for (ExpectId id = expectations.next(0); id != 0; id = expectations.next(id)) {
        const Expectation& expectation = expectations[id];
        if (!lives(expectation, now) || expectation.tuple.family() != family) {
            continue;
        }
        const Shown one = shown(conntrack, expectation, now);
        if (args.output.xml) {
            append_xml(out, one);
        } else {
            append_line(out, one);
        }
        ++count;
    }
    out += args.output.xml ? "</expect>\n" : "";
    return count;
}

std::size_t count_expectations(const Conntrack& conntrack, Instant now) {
    const conntrack::Expectations& expectations = conntrack.expectations();
    std::size_t count = 0;
    for (ExpectId id = expectations.next(0); id != 0; id = expectations.next(id)) {
        count += lives(expectations[id], now) ? 1 : 0;
    }
    return count;
}

}  // namespace nsr::router
