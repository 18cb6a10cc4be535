#include "tests/oracle/super_packets.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "router/ports/port.hpp"
#include "router/replay/schedule.hpp"

namespace oracle {
namespace {

namespace wire = nsr::wire;
using Frame = nsr::test::KeptFrame;

constexpr unsigned kTcp = 6;
constexpr unsigned kUdp = 17;
constexpr std::size_t kMostBytes = 65535;
constexpr std::size_t kMostDatagrams = 64;
constexpr std::uint8_t kFinPsh = 0x09;
constexpr std::uint8_t kAck = 0x10;
constexpr std::uint8_t kEce = 0x40;

// A TCP or UDP packet whose headers are plain and whose checksums are right.
struct Plain {
    std::size_t l4 = 0;
    std::size_t headers = 0;  // bytes before the data
    bool v4 = false;
    bool tcp = false;
    bool dont_fragment = false;

    [[nodiscard]] std::size_t checksum_at() const { return l4 + (tcp ? 16 : 6); }
    [[nodiscard]] std::size_t flags_at() const { return l4 + 13; }
};

bool checksums_right(const RecordedPacket& packet) {
    const std::map<std::string, bool> sums = packet.checksums();
    return sums.contains(packet.protocol == kTcp ? "tcp" : "udp") &&
           std::all_of(sums.begin(), sums.end(), [](const auto& sum) { return sum.second; });
}

std::optional<Plain> plain(const Bytes& bytes) {
    const RecordedPacket packet(bytes);
    const bool tcp = packet.protocol == kTcp;
    if ((!tcp && packet.protocol != kUdp) || packet.is_fragment ||
        packet.total_length != bytes.size() || !checksums_right(packet) ||
        packet.l4_offset != (packet.version == 4 ? 20u : 40u)) {
        return std::nullopt;
    }
    Plain found;
    found.l4 = *packet.l4_offset;
    found.v4 = packet.version == 4;
    found.tcp = tcp;
    found.dont_fragment = found.v4 && (bytes[6] & 0x40) != 0;
    found.headers = found.l4 + (tcp ? (bytes[found.l4 + 12] >> 4) * 4u : 8u);
    const bool fits = found.headers <= bytes.size() &&
                      (tcp ? found.headers >= found.l4 + 20
                           : load16(bytes, found.l4 + 4) == bytes.size() - found.l4 &&
                                 load16(bytes, found.l4 + 6) != 0);
    return fits ? std::optional(found) : std::nullopt;
}

// Nothing: no device would make it a part of a super-packet.
std::optional<Plain> data_packet(const Bytes& bytes) {
    const auto found = plain(bytes);
    const bool fits = found && found->headers < bytes.size() &&
                      (!found->tcp || (bytes[found->flags_at()] & ~(kFinPsh | kEce)) == kAck);
    return fits ? found : std::nullopt;
}

std::uint16_t pseudo_sum(const Bytes& bytes, const Plain& where) {
    const RecordedPacket packet(bytes);
    return wire::pseudo_header_sum(*packet.source, *packet.destination,
                                   static_cast<std::uint8_t>(*packet.protocol),
                                   static_cast<std::uint32_t>(bytes.size() - where.l4));
}

// Lengths of IP and UDP, and the IP checksum.
void set_lengths(Bytes& bytes, const Plain& where) {
    const auto length = [&](std::size_t before) {
        return static_cast<std::uint16_t>(bytes.size() - before);
    };
    if (where.v4) {
        wire::store16(bytes.data() + 2, length(0));
        wire::store16(bytes.data() + 10, 0);
        wire::store16(bytes.data() + 10, wire::checksum({bytes.data(), where.l4}));
    } else {
        wire::store16(bytes.data() + 4, length(where.l4));
    }
    if (!where.tcp) {
        wire::store16(bytes.data() + where.l4 + 4, length(where.l4));
    }
}

nsr::Offload leave_checksum(Bytes& bytes, const Plain& where) {
    wire::store16(bytes.data() + where.checksum_at(), pseudo_sum(bytes, where));
    nsr::Offload offload;
    offload.checksum = nsr::ChecksumState::Partial;
    offload.checksum_start = static_cast<std::uint16_t>(where.l4);
    offload.checksum_offset = static_cast<std::uint16_t>(where.checksum_at() - where.l4);
    return offload;
}

// --- a packet in pieces -----------------------------------------------------------------------

Bytes piece_of(const Bytes& whole, const Plain& where, std::size_t offset, std::size_t length,
               std::size_t number) {
    const auto data = whole.begin() + static_cast<std::ptrdiff_t>(where.headers + offset);
    Bytes piece(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(where.headers));
    piece.insert(piece.end(), data, data + static_cast<std::ptrdiff_t>(length));
    if (where.v4) {
        wire::store16(piece.data() + 4, static_cast<std::uint16_t>(load16(whole, 4) + number));
    }
    if (where.tcp) {
        std::uint8_t* sequence = piece.data() + where.l4 + 4;
        wire::store32(sequence, static_cast<std::uint32_t>(wire::load32(sequence) + offset));
        if (where.headers + offset + length < whole.size()) {
            piece[where.flags_at()] &= static_cast<std::uint8_t>(~kFinPsh);
        }
    }
    set_lengths(piece, where);
    wire::store16(piece.data() + where.checksum_at(), pseudo_sum(piece, where));
    const std::uint16_t sum =
        wire::checksum(std::span<const std::uint8_t>(piece).subspan(where.l4));
    wire::store16(piece.data() + where.checksum_at(), sum == 0 && !where.tcp ? 0xffff : sum);
    return piece;
}

void append_pieces(const Frame& frame, const Plain& where, Frames& out) {
    const std::size_t data = frame.bytes.size() - where.headers;
    const std::size_t wanted = 2 + frame.index % 3;
    const std::size_t size = (data + wanted - 1) / wanted;
    std::size_t number = 0;
    for (std::size_t offset = 0; offset < data; offset += size, ++number) {
        Frame& piece = out.emplace_back(frame);
        piece.bytes = piece_of(frame.bytes, where, offset, std::min(size, data - offset), number);
    }
}

// A flow's packets of one direction.
Bytes direction_of(const Bytes& bytes, const Plain& where) {
    const std::size_t addresses = where.v4 ? 12 : 8;
    return {bytes.begin() + static_cast<std::ptrdiff_t>(addresses),
            bytes.begin() + static_cast<std::ptrdiff_t>(where.l4 + 4)};
}

// The directions of TCP flows in which something is sent again.
std::set<Bytes> sent_again(const Frames& frames) {
    std::map<Bytes, std::uint32_t> ends;
    std::set<Bytes> again;
    for (const Frame& frame : frames) {
        const auto where = plain(frame.bytes);
        if (!where || !where->tcp) {
            continue;
        }
        const std::uint8_t flags = frame.bytes[where->flags_at()];
        const auto sent = static_cast<std::uint32_t>(frame.bytes.size() - where->headers +
                                                     (flags & 1u) + (flags >> 1 & 1u));
        const std::uint32_t begin = wire::load32(frame.bytes.data() + where->l4 + 4);
        const Bytes direction = direction_of(frame.bytes, *where);
        const auto [end, is_new] = ends.try_emplace(direction, begin);
        if (sent != 0 && static_cast<std::int32_t>(begin - end->second) < 0) {
            again.insert(direction);
        }
        end->second = begin + sent;
    }
    return again;
}

bool is_for_helper(const Bytes& bytes, const Plain& where) {
    constexpr std::array<unsigned, 6> kPorts = {21, 69, 1723, 5060, 6667, 10080};
    return std::any_of(kPorts.begin(), kPorts.end(), [&](unsigned port) {
        return load16(bytes, where.l4) == port || load16(bytes, where.l4 + 2) == port;
    });
}

// --- several packets as one -------------------------------------------------------------------

bool same_bytes(const Bytes& one, const Bytes& other, std::size_t from, std::size_t to) {
    return std::equal(one.begin() + static_cast<std::ptrdiff_t>(from),
                      one.begin() + static_cast<std::ptrdiff_t>(to),
                      other.begin() + static_cast<std::ptrdiff_t>(from));
}

// A super-packet as it grows.
class Super {
  public:
    explicit Super(const Frame& first)
        : frame_(first), where_(data_packet(first.bytes)), last_time_ns_(first.time_ns) {
        segment_ = where_ ? first.bytes.size() - where_->headers : 0;
    }

    bool join(const Frame& next, std::int64_t wait_ns);
    void finish(HandedOver& out);

  private:
    [[nodiscard]] bool same_headers(const Bytes& next) const;
    [[nodiscard]] bool identification_continues(const Bytes& next) const;
    [[nodiscard]] bool is_closed() const;

    Frame frame_;
    std::optional<Plain> where_;  // nothing: it stays alone
    std::size_t segment_ = 0;     // data of all packets but the last
    std::uint32_t count_ = 1;
    std::int64_t last_time_ns_ = 0;
};

bool Super::join(const Frame& next, std::int64_t wait_ns) {
    const auto other = data_packet(next.bytes);
    if (!where_ || !other || next.time_ns - last_time_ns_ > wait_ns || is_closed() ||
        where_->headers != other->headers || where_->v4 != other->v4 || where_->tcp != other->tcp ||
        !same_headers(next.bytes) || !identification_continues(next.bytes)) {
        return false;
    }
    const std::size_t data = next.bytes.size() - other->headers;
    if (data > segment_ || frame_.bytes.size() + data > kMostBytes) {
        return false;
    }
    frame_.bytes.insert(frame_.bytes.end(),
                        next.bytes.begin() + static_cast<std::ptrdiff_t>(other->headers),
                        next.bytes.end());
    if (where_->tcp) {
        frame_.bytes[where_->flags_at()] |= next.bytes[where_->flags_at()];
    }
    ++count_;
    last_time_ns_ = next.time_ns;
    return true;
}

// But for what each packet has of its own.
bool Super::same_headers(const Bytes& next) const {
    const Bytes& bytes = frame_.bytes;
    const std::size_t l4 = where_->l4;
    const bool same_ip = where_->v4
                             ? same_bytes(bytes, next, 0, 2) && same_bytes(bytes, next, 6, 10)
                             : same_bytes(bytes, next, 0, 4) && same_bytes(bytes, next, 6, 8);
    if (!same_ip || !same_bytes(bytes, next, where_->v4 ? 12 : 8, l4 + 4)) {
        return false;
    }
    if (!where_->tcp) {
        return true;
    }
    const std::uint32_t end = static_cast<std::uint32_t>(wire::load32(bytes.data() + l4 + 4) +
                                                         (bytes.size() - where_->headers));
    const std::uint8_t flags = bytes[where_->flags_at()] ^ next[where_->flags_at()];
    return wire::load32(next.data() + l4 + 4) == end && same_bytes(bytes, next, l4 + 8, l4 + 13) &&
           (flags & ~kFinPsh) == 0 && same_bytes(bytes, next, l4 + 14, l4 + 16) &&
           same_bytes(bytes, next, l4 + 18, where_->headers);
}

bool Super::identification_continues(const Bytes& next) const {
    const auto steps = static_cast<std::uint16_t>(load16(next, 4) - load16(frame_.bytes, 4));
    return !where_->v4 || where_->dont_fragment || steps == count_;
}

// A shorter one or one with PSH or FIN was the last.
bool Super::is_closed() const {
    const std::size_t data = frame_.bytes.size() - where_->headers;
    return data != count_ * segment_ || count_ == kMostDatagrams ||
           (where_->tcp && (frame_.bytes[where_->flags_at()] & kFinPsh) != 0);
}

void Super::finish(HandedOver& out) {
    const std::uint32_t first = frame_.index;
    const auto where = count_ > 1 ? where_ : plain(frame_.bytes);
    if (where) {
        if (count_ > 1) {
            set_lengths(frame_.bytes, *where);
        }
        nsr::Offload& offload = out.offloads[first] = leave_checksum(frame_.bytes, *where);
        if (count_ > 1) {
            offload.gso = !where->tcp ? nsr::Gso::Udp : where->v4 ? nsr::Gso::Tcp4 : nsr::Gso::Tcp6;
            offload.gso_size = static_cast<std::uint16_t>(segment_);
            offload.header_length = static_cast<std::uint16_t>(where->headers);
        }
    }
    for (std::uint32_t i = 0; count_ > 1 && i < count_; ++i) {
        out.joined[first + i] = {first, last_time_ns_};
    }
    out.super_packets += count_ > 1 ? 1 : 0;
    out.partial_checksums += where && count_ == 1 ? 1 : 0;
    frame_.time_ns = last_time_ns_;
    frame_.original_length = static_cast<std::uint32_t>(frame_.bytes.size());
    out.frames.push_back(std::move(frame_));
}

}  // namespace

std::vector<std::size_t> batches_of(const Frames& frames,
                                    const nsr::router::ReplayConfig& schedule) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    const std::int64_t epoch = frames.empty() ? 0 : frames[0].time_ns / kSecond * kSecond;
    const auto scheduled = nsr::router::schedule_of(schedule);
    std::vector<std::size_t> batches;
    std::size_t batch = 0;
    std::size_t packets = 0;
    std::size_t passed = 0;
    for (const Frame& frame : frames) {
        const nsr::Instant at{nsr::Duration(frame.time_ns - epoch)};
        bool begins =
            !batches.empty() && (frame.interface != frames[batches.size() - 1].interface ||
                                 packets == nsr::router::kBatchPackets);
        for (; passed < scheduled.size() && scheduled[passed].at < at; ++passed) {
            begins = true;
        }
        batch += begins ? 1 : 0;
        packets = begins ? 1 : packets + 1;
        batches.push_back(batch);
    }
    return batches;
}

Frames split_data(const Frames& frames) {
    const std::set<Bytes> again = sent_again(frames);
    Frames pieces;
    for (const Frame& frame : frames) {
        const auto where = data_packet(frame.bytes);
        if (where && !is_for_helper(frame.bytes, *where) &&
            !again.contains(direction_of(frame.bytes, *where))) {
            append_pieces(frame, *where, pieces);
        } else {
            pieces.push_back(frame);
        }
    }
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        pieces[i].index = static_cast<std::uint32_t>(i);
        pieces[i].original_length = static_cast<std::uint32_t>(pieces[i].bytes.size());
    }
    return pieces;
}

HandedOver hand_over(const Frames& frames, const Terms& terms) {
    HandedOver out;
    std::optional<Super> super;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const bool may_join =
            i != 0 && terms.batches[i] == terms.batches[i - 1] && terms.may_join(frames[i]);
        if (may_join && super->join(frames[i], terms.wait_ns)) {
            continue;
        }
        if (super) {
            super->finish(out);
        }
        super.emplace(frames[i]);
    }
    if (super) {
        super->finish(out);
    }
    return out;
}

}  // namespace oracle
