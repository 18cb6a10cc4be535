// SCTP: checksum, order of chunks, verification tags (RFC 9260 8.5), then the table for every
// chunk. kernel: nf_conntrack_proto_sctp.c
#include <bitset>
#include <iterator>
#include <optional>

#include "core/conntrack/trackers/protocol.hpp"
#include "core/conntrack/trackers/sctp_table.hpp"
#include "core/wire/sctp.hpp"

namespace nsr::conntrack {

namespace {

using wire::ConstBytes;

using wire::sctp::kChunkHeaderBytes;
using wire::sctp::kHeaderBytes;
using wire::sctp::kTagOffset;

constexpr std::size_t kInitHeaderBytes = 16;        // initiate tag, window, streams, initial TSN
constexpr std::uint8_t kTagReflected = 0x01;        // the T bit of ABORT and SHUTDOWN COMPLETE
constexpr std::uint8_t kHeartbeatTagFailed = 0x01;  // SctpState::flags

// By SctpConntrack.
constexpr std::uint32_t Timeouts::*kTimeouts[] = {
    &Timeouts::sctp_closed,         &Timeouts::sctp_closed,
    &Timeouts::sctp_cookie_wait,    &Timeouts::sctp_cookie_echoed,
    &Timeouts::sctp_established,    &Timeouts::sctp_shutdown_sent,
    &Timeouts::sctp_shutdown_recd,  &Timeouts::sctp_shutdown_ack_sent,
    &Timeouts::sctp_heartbeat_sent,
};
static_assert(std::size(kTimeouts) == static_cast<std::size_t>(SctpConntrack::Max));

struct Chunk {
    std::uint8_t type = 0;
    std::uint8_t flags = 0;
    std::uint16_t length = 0;
    ConstBytes behind;  // what follows the chunk header, up to the end of the packet

    // INIT and INIT ACK: the tag the other end must use.
    [[nodiscard]] std::optional<std::uint32_t> initiate_tag() const {
        return behind.size() < kInitHeaderBytes
                   ? std::nullopt
                   : std::optional<std::uint32_t>(wire::load32(behind.data()));
    }
};

// Walks the chunks: every one whose header is there, by their padded lengths.
class ChunkWalk {
  public:
    explicit ChunkWalk(ConstBytes l4) : rest_(l4.subspan(kHeaderBytes)) {}

    std::optional<Chunk> next() {
        if (rest_.size() < kChunkHeaderBytes) {
            return std::nullopt;
        }
        const Chunk chunk{rest_[0], rest_[1], wire::load16(rest_.data() + 2),
                          rest_.subspan(kChunkHeaderBytes)};
        const std::size_t padded = (std::size_t{chunk.length} + 3) & ~std::size_t{3};
        rest_ = padded < rest_.size() ? rest_.subspan(padded) : ConstBytes{};
        return chunk;
    }

  private:
    ConstBytes rest_;
};

class SctpTracker {
  public:
    explicit SctpTracker(Flow& flow)
        : flow_(flow),
          sctp_(flow.record.state.sctp),
          l4_(flow.l4()),
          direction_(flow.direction()),
          own_(index_of(direction_)),
          peer_(index_of(opposite(direction_))) {}

    TrackerVerdict judge();

  private:
    enum class Tag : std::uint8_t { Right, Wrong, Unsure };

    [[nodiscard]] bool malformed() const;
    bool collect_chunks();
    bool begin();
    [[nodiscard]] bool tag_ruled_out() const;
    bool take(const Chunk& chunk);
    Tag check_tag(const Chunk& chunk);
    Tag check_heartbeat(const Chunk& chunk);
    bool learn_tag(const Chunk& chunk, SctpConntrack old, SctpConntrack next);
    [[nodiscard]] std::uint32_t timeout_of(SctpConntrack state) const;
    [[nodiscard]] bool has(std::uint8_t chunk) const { return chunks_[chunk]; }

    Flow& flow_;
    SctpState& sctp_;
    const ConstBytes l4_;
    const Direction direction_;
    const std::size_t own_;
    const std::size_t peer_;
    std::uint32_t tag_ = 0;
    std::bitset<256> chunks_;
    SctpConntrack state_ = SctpConntrack::None;  // after the last chunk that counted
    bool keep_timeout_ = false;
};

}  // namespace

TrackerVerdict judge_sctp(Flow& flow) {
    return SctpTracker(flow).judge();
}

namespace {

TrackerVerdict SctpTracker::judge() {
    if (malformed() || !collect_chunks()) {
        return TrackerVerdict::Invalid;
    }
    tag_ = wire::load32(l4_.data() + kTagOffset);
    if (!flow_.confirmed() && !begin()) {
        return TrackerVerdict::Invalid;
    }
    if (tag_ruled_out()) {
        flow_.log.write(flow_.packet, proto::kSctp,
                        "verification tag check failed %x vs %x for dir %d", tag_, sctp_.vtag[own_],
                        static_cast<int>(own_));
        return TrackerVerdict::Invalid;
    }
    ChunkWalk walk(l4_);
    while (const auto chunk = walk.next()) {
        if (!take(*chunk)) {
            return TrackerVerdict::Invalid;
        }
    }
    if (!keep_timeout_) {
        flow_.refresh(timeout_of(state_));
    }
    return TrackerVerdict::Accept;
}

// kernel: sctp_error
bool SctpTracker::malformed() const {
    const auto log = [&](const char* why) {
        flow_.log.write(flow_.packet, proto::kSctp, "%s", why);
        return true;
    };
    if (l4_.size() < kHeaderBytes) {
        return log("nf_ct_sctp: short packet ");
    }
    if (!flow_.verify_checksum) {
        return false;
    }
    const bool wrong = wire::sctp::stated_checksum(l4_) != wire::sctp::computed_checksum(l4_);
    return wrong && log("nf_ct_sctp: bad CRC ");
}

// Which chunks are there, and may they be together? kernel: do_basic_checks
bool SctpTracker::collect_chunks() {
    using namespace sctp_chunk;
    ChunkWalk walk(l4_);
    bool loner = false;
    int count = 0;
    while (const auto chunk = walk.next()) {
        loner = loner || chunk->type == kInit || chunk->type == kInitAck ||
                chunk->type == kShutdownComplete;
        const bool first_only = chunk->type == kCookieAck || chunk->type == kCookieEcho || loner;
        if ((first_only && count != 0) || chunk->length == 0) {
            flow_.log.write(flow_.packet, proto::kSctp,
                            "do_basic_checks failed. chunk num %d, type %d, len %d flag %d\n",
                            count, chunk->type, chunk->length, loner ? 1 : 0);
            return false;
        }
        chunks_.set(chunk->type);
        ++count;
    }
    return count != 0;
}

// RFC 9260 8.4: what may come without an association. kernel: sctp_new
bool SctpTracker::begin() {
    using namespace sctp_chunk;
    if (has(kAbort) || has(kShutdownComplete) || has(kCookieAck)) {
        return false;
    }
    sctp_ = SctpState{};
    ChunkWalk walk(l4_);
    while (const auto chunk = walk.next()) {
        const SctpConntrack next = step(Direction::Original, chunk->type, SctpConntrack::None);
        if (next == SctpConntrack::None || next == SctpConntrack::Max) {
            return false;
        }
        if (chunk->type == kInit) {
            const auto initiate_tag = chunk->initiate_tag();
            if (tag_ != 0 || !initiate_tag) {
                return false;
            }
            sctp_.vtag[index_of(Direction::Reply)] = *initiate_tag;
        } else if (chunk->type == kHeartbeat) {
            sctp_.vtag[index_of(Direction::Original)] = tag_;
        } else if (chunk->type == kShutdownAck) {
            // Answered by SHUTDOWN COMPLETE with the same tag.
            sctp_.vtag[index_of(Direction::Reply)] = tag_;
        }
    }
    return true;
}

// RFC 9260 8.5; the chunks named have rules of their own, see check_tag().
bool SctpTracker::tag_ruled_out() const {
    using namespace sctp_chunk;
    for (const std::uint8_t exempt :
         {kInit, kShutdownComplete, kCookieEcho, kAbort, kShutdownAck, kHeartbeat, kHeartbeatAck}) {
        if (has(exempt)) {
            return false;
        }
    }
    return tag_ != sctp_.vtag[own_];
}

// One chunk. False: the packet is INVALID.
bool SctpTracker::take(const Chunk& chunk) {
    switch (check_tag(chunk)) {
        case Tag::Wrong:
            return false;
        case Tag::Unsure:
            return true;
        case Tag::Right:
            break;
    }
    const auto old = static_cast<SctpConntrack>(sctp_.state);
    const SctpConntrack next = step(direction_, chunk.type, old);
    state_ = next;
    if (next == SctpConntrack::Max) {
        flow_.log.write(flow_.packet, proto::kSctp, "Invalid, old_state %d, dir %d, type %d",
                        static_cast<int>(old), static_cast<int>(own_), chunk.type);
        return false;
    }
    if (!learn_tag(chunk, old, next)) {
        return false;
    }
    sctp_.state = static_cast<std::uint8_t>(next);
    flow_.events |= old != next ? event::kProtoInfo : 0;
    if (old != next && next == SctpConntrack::Established) {
        flow_.assure();
    }
    return true;
}

// RFC 9260 8.5.1
SctpTracker::Tag SctpTracker::check_tag(const Chunk& chunk) {
    using namespace sctp_chunk;
    const auto right_if = [](bool right) { return right ? Tag::Right : Tag::Wrong; };
    switch (chunk.type) {
        case kInit:
            return right_if(tag_ == 0);
        case kAbort:
        case kShutdownComplete: {
            const bool reflected = (chunk.flags & kTagReflected) != 0;
            return right_if(tag_ == sctp_.vtag[reflected ? peer_ : own_]);
        }
        case kCookieEcho:
            return right_if(tag_ == sctp_.vtag[own_]);
        case kCookieAck:
            sctp_.init = {};
            return Tag::Right;
        case kHeartbeat:
        case kHeartbeatAck:
            return check_heartbeat(chunk);
        default:
            return Tag::Right;
    }
}

// A heartbeat with a tag that we do not know may belong to a restarted association (multihoming);
// its answer proves it.
SctpTracker::Tag SctpTracker::check_heartbeat(const Chunk& chunk) {
    using namespace sctp_chunk;
    const auto failed = static_cast<std::uint8_t>(sctp_.flags & kHeartbeatTagFailed);
    if (sctp_.vtag[own_] == 0) {
        sctp_.vtag[own_] = tag_;
        return Tag::Right;
    }
    if (tag_ == sctp_.vtag[own_]) {
        sctp_.flags ^= failed;
        return Tag::Right;
    }
    if (has(kData) || keep_timeout_) {
        return Tag::Wrong;
    }
    if (chunk.type == kHeartbeat) {
        sctp_.flags |= kHeartbeatTagFailed;
        sctp_.last_direction = static_cast<std::uint8_t>(direction_);
        keep_timeout_ = true;
        return Tag::Unsure;
    }
    if (failed == 0 || sctp_.last_direction == static_cast<std::uint8_t>(direction_)) {
        return Tag::Wrong;
    }
    sctp_.flags ^= failed;
    sctp_.vtag[own_] = tag_;
    sctp_.vtag[peer_] = 0;
    return Tag::Right;
}

// INIT and INIT ACK say which tag the other end must use from now on.
bool SctpTracker::learn_tag(const Chunk& chunk, SctpConntrack old, SctpConntrack next) {
    if (chunk.type != sctp_chunk::kInit && chunk.type != sctp_chunk::kInitAck) {
        return true;
    }
    const auto initiate_tag = chunk.initiate_tag();
    if (!initiate_tag) {
        return false;
    }
    if (chunk.type == sctp_chunk::kInit) {
        if (sctp_.init[own_] != 0 && sctp_.init[peer_] != 0) {
            sctp_.init[peer_] = 0;
        }
        sctp_.init[own_] = 1;
        // Repeating an INIT must not keep the tuple for ever.
        keep_timeout_ = keep_timeout_ || (old == SctpConntrack::Closed &&
                                          next == SctpConntrack::Closed && flow_.confirmed());
    } else {
        const std::uint32_t known = sctp_.vtag[peer_];
        const bool collision = sctp_.init[own_] != 0 && sctp_.init[peer_] != 0;
        const bool unasked = sctp_.init[peer_] == 0 && known != 0;
        if ((collision || unasked) && known != *initiate_tag) {
            return false;
        }
    }
    sctp_.vtag[peer_] = *initiate_tag;
    return true;
}

std::uint32_t SctpTracker::timeout_of(SctpConntrack state) const {
    return flow_.timeouts.*kTimeouts[static_cast<std::size_t>(state)];
}

}  // namespace

}  // namespace nsr::conntrack
