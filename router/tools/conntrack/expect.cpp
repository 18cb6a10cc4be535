#include "router/tools/conntrack/expect.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include "router/tools/conntrack/entry.hpp"
#include "router/tools/conntrack/xml.hpp"

namespace nsr::router {
namespace {

using conntrack::Conntrack;
using conntrack::Expectation;
using conntrack::ExpectId;
using conntrack::Tuple;

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

std::uint32_t seconds_left(const ShownExpectation& shown) {
    const std::int32_t left = jiffies_until(shown.expectation.deadline, to_jiffies(shown.now));
    return static_cast<std::uint32_t>(std::max(left, 0)) / kJiffiesPerSecond;
}

std::string_view helper_name(const ShownExpectation& shown) {
    return shown.helper == conntrack::HelperId::None ? "" : helper_info(shown.helper).name;
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

// "[1795344361.995239]\t", with blanks in the place of zeros that a number lacks
std::string time_of(Instant now) {
    constexpr std::int64_t kNanoseconds = 1'000'000'000;
    constexpr std::int64_t kPerMicrosecond = 1'000;
    const std::int64_t ns = now.time_since_epoch().count();
    char text[48];
    std::snprintf(text, sizeof text, "[%-8lld.%-6lld]\t", static_cast<long long>(ns / kNanoseconds),
                  static_cast<long long>(ns % kNanoseconds / kPerMicrosecond));
    return text;
}

}  // namespace

ShownExpectation shown_of(const Conntrack& conntrack, const Expectation& expectation, Instant now) {
    return {expectation, conntrack.table().tuple(expectation.master, Direction::Original),
            conntrack.helper_of(expectation.master), now};
}

void append_expectation(std::string& out, const ShownExpectation& shown) {
    const Expectation& expectation = shown.expectation;
    out += number(seconds_left(shown)) + " proto=" + number(expectation.tuple.protocol) + " ";
    append_tuple(out, "", expectation.tuple);
    append_tuple(out, "mask-", mask_of(expectation));
    append_tuple(out, "master-", shown.master);
    out += flags_of(expectation) + "class=" + number(expectation.of_class);
    out.append(" helper=").append(helper_name(shown));
}

void append_expectation_xml(std::string& out, const ShownExpectation& shown, std::string_view event,
                            bool with_time) {
    const Expectation& expectation = shown.expectation;
    const Tuple& tuple = expectation.tuple;
    const Tuple mask = mask_of(expectation);
    const bool v4 = tuple.family() == Family::Ipv4;
    const std::string meta = element("helper-name", helper_name(shown)) +
                             element("timeout", number(seconds_left(shown))) +
                             element("class", number(expectation.of_class)) +
                             (expectation.permanent ? "<permanent/>" : "") +
                             (expectation.inactive ? "<inactive/>" : "") +
                             (with_time ? xml_time(shown.now) : "");
    out += xml_flow(event) +
           layer("layer3", static_cast<unsigned>(tuple.family()), v4 ? "ipv4" : "ipv6",
                 addresses("expected", tuple) + addresses("mask", mask) +
                     addresses("master", shown.master)) +
           layer("layer4", tuple.protocol, protocol_name(tuple.protocol),
                 ports("expected", tuple) + ports("mask", mask) + ports("master", shown.master)) +
           element("meta", meta) + "</flow>";
}

void append_expectation_json_members(std::string& out, const ShownExpectation& shown) {
    const Expectation& expectation = shown.expectation;
    const Tuple& tuple = expectation.tuple;
    const auto object = [&](const char* name, const Tuple& of) {
        out += std::string(",\"") + name + "\":{\"src\":\"" + to_string(of.source) +
               "\",\"dst\":\"" + to_string(of.destination) +
               "\",\"sport\":" + number(of.source_port) +
               ",\"dport\":" + number(of.destination_port) + "}";
    };
    out.append("\"family\":\"").append(tuple.family() == Family::Ipv4 ? "ipv4" : "ipv6");
    out.append("\",\"protocol\":\"").append(protocol_name(tuple.protocol));
    out += "\",\"protonum\":" + number(tuple.protocol);
    out += ",\"timeout\":" + number(seconds_left(shown));
    object("expected", tuple);
    object("mask", mask_of(expectation));
    object("master", shown.master);
    out += ",\"class\":" + number(expectation.of_class);
    out.append(",\"helper\":\"").append(helper_name(shown)).append("\"");
}

std::size_t append_expectations(std::string& out, const ConntrackArgs& args,
                                const Conntrack& conntrack, Instant now) {
    const Family family = args.filter.family.value_or(Family::Ipv4);
    const conntrack::Expectations& expectations = conntrack.expectations();
    std::size_t count = 0;
    for (ExpectId id = expectations.next(0); id != 0; id = expectations.next(id)) {
        const Expectation& expectation = expectations[id];
        if (!lives(expectation, now) || expectation.tuple.family() != family) {
            continue;
        }
        const ShownExpectation one = shown_of(conntrack, expectation, now);
        if (args.output.xml) {
            out += count == 0 ? "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<expect>\n" : "";
            append_expectation_xml(out, one, {}, args.output.timestamp);
        } else {
            out += args.output.timestamp ? time_of(now) : "";
            append_expectation(out, one);
        }
        out += '\n';
        ++count;
    }
    out += args.output.xml && count != 0 ? "</expect>\n" : "";
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
