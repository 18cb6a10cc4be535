#include <algorithm>
#include <cmath>

#include "tests/oracle/compare_text.hpp"
#include "tests/oracle/port_renaming.hpp"
#include "tests/oracle/recorded_case.hpp"

namespace oracle {
namespace {

constexpr double kInputTolerance = 0.004;  // seconds
constexpr std::size_t kMaxShown = 6;       // differences per interface

// IPv6 fragment identifications, renumbered by first occurrence.
using FragmentIds = std::map<std::tuple<nsr::IpAddress, nsr::IpAddress, Bytes>, std::uint32_t>;

std::string at_time(const Departure& packet) {
    return "t=" + std::to_string(packet.time) + " " + RecordedPacket(packet.bytes).show() +
           (packet.comment.empty() ? "" : " (" + packet.comment + ")");
}

class PacketComparison {
  public:
    PacketComparison(const RecordedCase& recorded, PortRenaming& ports)
        : recorded_(recorded), hints_(recorded.hints), ports_(ports) {}

    void interface(const std::string& name, const Actual& actual,
                   std::vector<Difference>& differences);

  private:
    [[nodiscard]] std::vector<Departure> of_interface(const std::vector<Departure>& all,
                                                      const std::string& name) const;
    [[nodiscard]] std::string why_different(const Departure& expected, const Departure& actual);
    [[nodiscard]] std::string rename_ports(const RecordedPacket& packet, Bytes& expected,
                                           Bytes& actual);
    [[nodiscard]] Bytes masked(const RecordedPacket& packet, FragmentIds& ids) const;

    const RecordedCase& recorded_;
    const Hints& hints_;
    PortRenaming& ports_;
    FragmentIds expected_ids_;
    FragmentIds actual_ids_;
};

void zero(Bytes& bytes, std::size_t at, std::size_t count) {
    for (std::size_t i = at; i < std::min(at + count, bytes.size()); ++i) {
        bytes[i] = 0;
    }
}

// Changed ports change the checksum, whose validity was judged before.
void zero_checksum(const RecordedPacket& packet, Bytes& bytes) {
    constexpr std::pair<unsigned, std::size_t> kFields[] = {{6, 16}, {17, 6},  {1, 2},
                                                            {58, 2}, {136, 6}, {33, 6}};
    for (const auto& [protocol, at] : kFields) {
        if (packet.protocol == protocol) {
            zero(bytes, *packet.l4_offset + at, 2);
        }
    }
    if (packet.protocol == 132u) {
        zero(bytes, *packet.l4_offset + 8, 4);
    }
}

}  // namespace

std::vector<Difference> compare(const RecordedCase& recorded, const Actual& actual) {
    std::vector<Difference> differences;
    PortRenaming ports(recorded.hints.port_agnostic, recorded.arrivals);
    PacketComparison packets(recorded, ports);
    for (const std::string& name : recorded.interfaces) {
        packets.interface(name, actual, differences);
    }
    if (recorded.hints.conntrack != "off") {
        compare_tables(recorded, actual.conntrack, ports, differences);
    }
    compare_stats(recorded, actual.stats, differences);
    if (recorded.events) {
        compare_events(recorded, actual.events, ports, differences);
    }
    return differences;
}

namespace {

void PacketComparison::interface(const std::string& name, const Actual& actual,
                                 std::vector<Difference>& differences) {
    const std::vector<Departure> expected = of_interface(recorded_.departures, name);
    const std::vector<Departure> got = of_interface(actual.departures, name);
    std::size_t bad = 0;
    for (std::size_t i = 0; i < std::max(expected.size(), got.size()) && bad < kMaxShown; ++i) {
        const std::string which = name + " packet " + std::to_string(i) + ": ";
        if (i >= expected.size()) {
            differences.push_back({which + "not expected: " + at_time(got[i]), got[i].comment});
            ++bad;
        } else if (i >= got.size()) {
            differences.push_back(
                {which + "missing: " + at_time(expected[i]), expected[i].comment});
            ++bad;
        } else if (const std::string why = why_different(expected[i], got[i]); !why.empty()) {
            differences.push_back({which + why + "\n  expected " + at_time(expected[i]) +
                                       "\n  actual   " + at_time(got[i]),
                                   expected[i].comment});
            ++bad;
        }
    }
    if (bad >= kMaxShown) {
        differences.push_back({name + ": further differences not shown (expected " +
                                   std::to_string(expected.size()) + " packets, actual " +
                                   std::to_string(got.size()) + ")",
                               ""});
    }
}

std::vector<Departure> PacketComparison::of_interface(const std::vector<Departure>& all,
                                                      const std::string& name) const {
    std::vector<Departure> some;
    std::copy_if(all.begin(), all.end(), std::back_inserter(some),
                 [&](const Departure& packet) { return packet.interface == name; });
    if (hints_.unordered) {
        std::stable_sort(some.begin(), some.end(), [](const Departure& a, const Departure& b) {
            return std::tie(a.comment, a.bytes) < std::tie(b.comment, b.bytes);
        });
    }
    return some;
}

std::string PacketComparison::why_different(const Departure& expected, const Departure& actual) {
    const RecordedPacket e(expected.bytes);
    const RecordedPacket a(actual.bytes);
    Bytes expected_bytes = masked(e, expected_ids_);
    Bytes actual_bytes = masked(a, actual_ids_);
    const std::map<std::string, bool> actual_sums = a.checksums();
    for (const auto& [name, right] : e.checksums()) {
        const auto found = actual_sums.find(name);
        if (right && found != actual_sums.end() && !found->second) {
            return name + " checksum of the actual packet is wrong";
        }
    }
    if (ports_.active() && e.ports() && a.ports() && e.protocol == a.protocol &&
        e.source == a.source && e.destination == a.destination) {
        if (std::string why = rename_ports(e, expected_bytes, actual_bytes); !why.empty()) {
            return why;
        }
    }
    if (expected_bytes != actual_bytes) {
        const auto [x, y] = std::mismatch(expected_bytes.begin(), expected_bytes.end(),
                                          actual_bytes.begin(), actual_bytes.end());
        return "bytes differ from offset " + std::to_string(x - expected_bytes.begin()) +
               " (lengths " + std::to_string(expected_bytes.size()) + "/" +
               std::to_string(actual_bytes.size()) + ")";
    }
    const double tolerance = expected.comment == "timer" ? hints_.timer_tolerance : kInputTolerance;
    return std::abs(expected.time - actual.time) > tolerance ? "time differs" : "";
}

std::string PacketComparison::rename_ports(const RecordedPacket& packet, Bytes& expected,
                                           Bytes& actual) {
    const auto [source_at, destination_at] = *packet.ports();
    const std::tuple<std::size_t, nsr::IpAddress, nsr::IpAddress, std::size_t> ends[] = {
        {source_at, *packet.source, *packet.destination, destination_at},
        {destination_at, *packet.destination, *packet.source, source_at}};
    bool changed = false;
    for (const auto& [at, address, peer, peer_at] : ends) {
        const unsigned x = load16(expected, at);
        const unsigned y = load16(actual, at);
        const unsigned other = peer_at == at ? 0 : load16(expected, peer_at);
        if (ports_.spec(*packet.protocol, address, x) == nullptr) {
            continue;
        }
        if (!ports_.same(*packet.protocol, address, {peer, other}, {x, y})) {
            return "port " + std::to_string(x) + " (expected) / " + std::to_string(y) +
                   " (actual): not a consistent renaming in the allowed range";
        }
        zero(expected, at, 2);
        zero(actual, at, 2);
        changed = true;
    }
    if (changed) {
        zero_checksum(packet, expected);
        zero_checksum(packet, actual);
    }
    return "";
}

// The fields that may differ, zeroed.
Bytes PacketComparison::masked(const RecordedPacket& packet, FragmentIds& ids) const {
    Bytes bytes = packet.raw;
    const bool generated = (packet.source && hints_.router_addresses.contains(*packet.source)) ||
                           (packet.is_icmp_error() && hints_.ignore_error_src);
    if (packet.version == 4 && packet.l4_offset.value_or(0) != 0 &&
        (generated || hints_.ignore_ip_id)) {
        zero(bytes, 4, 2);
        zero(bytes, 10, 2);
    }
    if (packet.version == 6 && packet.fragment_id_at != 0) {
        const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(packet.fragment_id_at);
        const auto number = static_cast<std::uint32_t>(ids.size());
        const std::uint32_t id =
            ids.try_emplace({*packet.source, *packet.destination, Bytes(begin, begin + 4)}, number)
                .first->second;
        begin[0] = static_cast<std::uint8_t>(id >> 24);
        begin[1] = static_cast<std::uint8_t>(id >> 16);
        begin[2] = static_cast<std::uint8_t>(id >> 8);
        begin[3] = static_cast<std::uint8_t>(id);
    }
    return bytes;
}

}  // namespace
}  // namespace oracle
