#include "tests/oracle/far_end.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "core/packet/rewrite.hpp"
#include "core/packet/segment.hpp"

namespace oracle {
namespace {

constexpr nsr::routing::LinkCapabilities kTakesAll{
    .checksum = true, .gso_tcp = true, .gso_udp = true};

// What says which packets must keep their order.
struct Way {
    using Flow = std::tuple<std::string, nsr::IpAddress, nsr::IpAddress, unsigned, unsigned>;

    explicit Way(const Departure& departure) {
        const RecordedPacket packet(departure.bytes);
        if (!packet.l4_offset) {
            return;
        }
        destination = packet.destination;
        has_ports = (packet.protocol == 6u || packet.protocol == 17u) && !packet.is_fragment &&
                    packet.ports().has_value();
        const unsigned ports =
            has_ports ? static_cast<unsigned>(load16(packet.raw, packet.ports()->first)) << 16 |
                            load16(packet.raw, packet.ports()->second)
                      : 0;
        flow = {departure.interface, *packet.source, *packet.destination, *packet.protocol, ports};
    }

    [[nodiscard]] bool stays_before(const Way& later) const {
        return std::get<0>(flow) == std::get<0>(later.flow) &&
               (flow == later.flow ||
                (destination == later.destination && (!has_ports || !later.has_ports)));
    }

    Flow flow;
    std::optional<nsr::IpAddress> destination;
    bool has_ports = false;
};

// The place that each of `before` has in `after`, flow by flow.
std::optional<std::vector<std::size_t>> places(const std::vector<Departure>& before,
                                               const std::vector<Departure>& after) {
    std::map<Way::Flow, std::vector<std::size_t>> flows;
    for (std::size_t i = after.size(); i-- > 0;) {
        flows[Way(after[i]).flow].push_back(i);
    }
    std::vector<std::size_t> found;
    for (const Departure& departure : before) {
        std::vector<std::size_t>& left = flows[Way(departure).flow];
        if (left.empty()) {
            return std::nullopt;
        }
        found.push_back(left.back());
        left.pop_back();
    }
    return before.size() == after.size() ? std::optional(found) : std::nullopt;
}

bool order_is_kept(const std::vector<Departure>& before, const std::vector<std::size_t>& places) {
    const std::vector<Way> ways(before.begin(), before.end());
    for (std::size_t later = 0; later < ways.size(); ++later) {
        for (std::size_t i = 0; i < later; ++i) {
            if (ways[i].stays_before(ways[later]) && places[i] > places[later]) {
                return false;
            }
        }
    }
    return true;
}

// Where DF is set, a merged packet's identification may be any: docs/kernel-parity.md, merged-ids.
void take_identification(const Bytes& from, Bytes& to) {
    constexpr std::size_t kIdentification = 4;
    constexpr std::size_t kFlags = 6;
    constexpr std::size_t kChecksum = 10;
    if (from.size() != to.size() || from[0] >> 4 != 4 || (from[kFlags] & 0x40) == 0 ||
        !RecordedPacket(to).checksums().at("ip")) {
        return;
    }
    for (const std::size_t field : {kIdentification, kChecksum}) {
        std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(field), 2,
                    to.begin() + static_cast<std::ptrdiff_t>(field));
    }
}

}  // namespace

std::vector<Departure> FarEnd::cut(const std::vector<Left>& left) {
    Sent wire;
    for (const Left& each : left) {
        cut_one(each, packet_of(each), wire);
    }
    return wire;
}

Merged FarEnd::merge(const std::vector<Left>& left, const std::vector<std::size_t>& batches) {
    Merged merged;
    std::vector<Left> held;
    for (const Left& each : left) {
        const std::uint32_t cause = each.meta.cause;
        const auto together = [&](const Left& other) {
            return cause == nsr::kTimerCause || other.meta.cause == nsr::kTimerCause
                       ? cause == other.meta.cause && each.departure.time == other.departure.time
                       : batches.at(cause) == batches.at(other.meta.cause);
        };
        if (!held.empty() && !together(held.back())) {
            write_batch(held, merged);
        }
        held.push_back(each);
    }
    write_batch(held, merged);
    return merged;
}

nsr::BufferPool& FarEnd::pool() {
    static nsr::BufferPool blocks;
    return blocks;
}

nsr::Packet FarEnd::packet_of(const Left& left) {
    nsr::Packet packet(pool(), left.departure.bytes);
    packet.layout = left.layout;
    packet.meta = left.meta;
    packet.offload = left.offload;
    return packet;
}

void FarEnd::cut_one(const Left& left, nsr::Packet packet, Sent& wire) {
    nsr::EgressQueue pieces;
    if (packet.offload.gso != nsr::Gso::None) {
        nsr::segment(std::move(packet), pieces);
    } else {
        nsr::rewrite::complete_checksum(packet);
        pieces.push_back(std::move(packet));
    }
    std::uint32_t cause = left.meta.cause;
    for (const nsr::Packet& piece : pieces) {
        const std::string comment =
            pieces.size() > 1 ? "in=" + std::to_string(cause++) : left.departure.comment;
        wire.push_back({left.departure.time, left.departure.interface,
                        Bytes(piece.bytes().begin(), piece.bytes().end()), comment});
    }
}

void FarEnd::write_batch(std::vector<Left>& held, Merged& merged) {
    const Sent before = cut(held);
    nsr::EgressQueue queue;
    for (const Left& each : held) {
        queue.push_back(packet_of(each));
    }
    coalescer_.merge(queue, [](nsr::IfIndex) { return kTakesAll; });
    Sent after;
    std::vector<bool> was_merged;
    for (std::size_t i = 0; i < held.size(); ++i) {
        const std::size_t packets = coalescer_.packets_in(i);
        if (packets == 0) {
            continue;
        }
        cut_one(held[i], std::move(queue[i]), after);
        was_merged.resize(after.size(), packets > 1);
        merged.writes += packets > 1 ? 1 : 0;
        merged.packets += packets > 1 ? packets : 0;
    }
    held.clear();
    const auto found = places(before, after);
    if (!found || !order_is_kept(before, *found)) {
        merged.error = "what is written merged has other packets, or in another order";
        return;
    }
    for (std::size_t i = 0; i < before.size(); ++i) {
        const std::size_t place = (*found)[i];
        Departure& departure = merged.departures.emplace_back(before[i]);
        departure.bytes = after[place].bytes;
        if (was_merged[place]) {
            take_identification(before[i].bytes, departure.bytes);
        }
    }
}

}  // namespace oracle
