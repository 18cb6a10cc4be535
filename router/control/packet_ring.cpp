#include "router/control/packet_ring.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "core/base/printable.hpp"
#include "router/base/hex.hpp"

namespace nsr::router {
namespace {

namespace json = boost::json;

// pcap-savefile(5), in the byte order of this machine, which its first field tells.
struct PcapHeader {
    std::uint32_t magic = 0xa1b2c3d4;  // microseconds
    std::uint16_t major = 2;
    std::uint16_t minor = 4;
    std::uint32_t zone = 0;
    std::uint32_t accuracy = 0;
    std::uint32_t most_bytes = 262'144;
    std::uint32_t link_type = 101;  // LINKTYPE_RAW: begins with the IP header
};
static_assert(sizeof(PcapHeader) == 24);

struct PcapRecord {
    std::uint32_t seconds = 0;
    std::uint32_t microseconds = 0;
    std::uint32_t kept = 0;
    std::uint32_t length = 0;
};
static_assert(sizeof(PcapRecord) == 16);

template <class T>
void append_raw(std::string& out, const T& value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string name_of(const Router& router, IfIndex index) {
    return index == IfIndex::None ? std::string() : router.interfaces().get(index).name;
}

std::string json_of(const PacketRing::Logged& packet) {
    return json::serialize(json::object{{"time_ns", packet.at.time_since_epoch().count()},
                                        {"group", packet.group},
                                        {"prefix", printable(packet.prefix)},
                                        {"hook", std::string(nsr::name_of(packet.hook))},
                                        {"in", packet.in},
                                        {"out", packet.out},
                                        {"mark", packet.mark},
                                        {"family", packet.family == Family::Ipv4 ? "ipv4" : "ipv6"},
                                        {"length", packet.length},
                                        {"packet", hex_of(packet.bytes)}});
}

void append_pcap(std::string& out, const PacketRing::Logged& packet) {
    constexpr std::int64_t kNanoseconds = 1'000'000'000;
    const std::int64_t ns = packet.at.time_since_epoch().count();
    append_raw(out, PcapRecord{static_cast<std::uint32_t>(ns / kNanoseconds),
                               static_cast<std::uint32_t>(ns % kNanoseconds / 1000),
                               static_cast<std::uint32_t>(packet.bytes.size()), packet.length});
    out += packet.bytes;
}

}  // namespace

PacketRing::PacketRing(Router& router, Limits limits) : router_(router), limits_(limits) {
}

PacketRing::~PacketRing() {
    router_.hand_packets_to(nullptr);
}

void PacketRing::join(std::uint16_t group) {
    ++readers_[group];
    router_.hand_packets_to(this);
}

// A group without readers leaves nothing behind that a later one could take up.
void PacketRing::leave(std::uint16_t group) {
    if (--readers_[group] == 0) {
        readers_.erase(group);
    }
    if (!readers_.empty()) {
        return;
    }
    router_.hand_packets_to(nullptr);
    packets_ = {};
    bytes_ = 0;
    held_.unwatched = held_.next++;
    held_.first = held_.next;
}

void PacketRing::packet_logged(const rules::LoggedPacket& logged) {
    if (!readers_.contains(logged.group)) {
        return;
    }
    const std::span<const std::uint8_t> all = logged.packet.bytes();
    const std::size_t wanted = std::min<std::size_t>(all.size(), logged.size.value_or(0xffffffff));
    const Meta& meta = logged.packet.meta;
    Logged kept{.at = logged.at,
                .group = logged.group,
                .hook = logged.hook,
                .in = name_of(router_, meta.in),
                .out = name_of(router_, meta.out),
                .mark = meta.mark,
                .family = logged.packet.layout.family,
                .length = static_cast<std::uint32_t>(all.size()),
                .prefix = std::string(logged.prefix),
                .bytes = std::string(reinterpret_cast<const char*>(all.data()), wanted)};
    bytes_ += wanted;
    packets_.push_back(std::move(kept));
    ++held_.next;
    while (packets_.size() > 1 && (packets_.size() > limits_.packets || bytes_ > limits_.bytes)) {
        bytes_ -= packets_.front().bytes.size();
        packets_.pop_front();
        ++held_.first;
    }
    if (std::exchange(awaited_, false) && on_packet) {
        on_packet();
    }
}

PacketStream::~PacketStream() {
    if (joined_) {
        ring_.leave(wish_.group);
    }
}

http::Piece PacketStream::advance(std::string& out, std::size_t bytes) {
    constexpr int kLooks = 512;
    const bool pcap = wish_.form == Form::Pcap;
    const std::size_t before = out.size();
    if (!std::exchange(joined_, true)) {
        ring_.join(wish_.group);
        if (pcap) {
            append_raw(out, PcapHeader{});
        }
    }
    const Held& held = ring_.held();
    std::string not_in_pcap;
    place_.follow(held, pcap ? not_in_pcap : out);
    for (int looks = 0; looks < kLooks && place_.next() < held.next && out.size() < before + bytes;
         ++looks) {
        const PacketRing::Logged& packet = ring_[place_.next()];
        if (packet.group == wish_.group) {
            append(out, packet);
        }
        place_.advance();
    }
    if (place_.next() < held.next) {
        return http::Piece::More;
    }
    ring_.await_packet();
    return out.size() == before ? http::Piece::NotYet : http::Piece::More;
}

void PacketStream::append(std::string& out, const PacketRing::Logged& packet) const {
    if (wish_.form == Form::Pcap) {
        append_pcap(out, packet);
    } else {
        append_sse(out, place_.next(), "PACKET", json_of(packet));
    }
}

}  // namespace nsr::router
