// UDP and UDP-Lite. kernel: nf_conntrack_proto_udp.c
#include "core/wire/udp.hpp"
#include "core/conntrack/trackers/protocol.hpp"
#include "core/packet/checksum.hpp"

namespace nsr::conntrack {

namespace {

// A stream is what still sends after this long; a question and its answer are over by then.
constexpr std::uint32_t kStreamSeconds = 2;

bool udp_wrong(const Flow& flow);
bool udplite_wrong(const Flow& flow);

}  // namespace

TrackerVerdict judge_udp(Flow& flow) {
    if (udp_wrong(flow)) {
        return TrackerVerdict::Invalid;
    }
    Connection& record = flow.record;
    if (!flow.confirmed()) {
        record.assured_after = flow.now + jiffies_of(kStreamSeconds);
    }
    if (!record.has(status::kSeenReply)) {
        flow.refresh(flow.timeouts.udp);
        return TrackerVerdict::Accept;
    }
    const bool stream = jiffies_until(record.assured_after, flow.now) < 0;
    flow.refresh(stream ? flow.timeouts.udp_stream : flow.timeouts.udp);
    if (stream) {
        flow.assure();
    }
    return TrackerVerdict::Accept;
}

TrackerVerdict judge_udplite(Flow& flow) {
    if (udplite_wrong(flow)) {
        return TrackerVerdict::Invalid;
    }
    if (!flow.record.has(status::kSeenReply)) {
        flow.refresh(flow.timeouts.udp);
        return TrackerVerdict::Accept;
    }
    flow.refresh(flow.timeouts.udp_stream);
    flow.assure();
    return TrackerVerdict::Accept;
}

namespace {

// kernel: udp_error. A checksum of 0 means none, in IPv6 as well.
bool udp_wrong(const Flow& flow) {
    const auto log = [&](const char* why) {
        flow.log.write(flow.packet, proto::kUdp, "%s", why);
        return true;
    };
    const auto udp = wire::UdpView::parse(flow.l4());
    if (!udp) {
        return log("short packet");
    }
    if (udp->length() > flow.l4().size() || udp->length() < wire::udp::kHeaderBytes) {
        return log("truncated/malformed packet");
    }
    if (udp->checksum() != 0 && flow.verify_checksum &&
        !checksum_right(flow.packet, whole_transport(flow.packet, proto::kUdp))) {
        return log("bad checksum");
    }
    return false;
}

// The kernel puts UDP's protocol number into the pseudo header and, over IPv4, confounds it with
// the length, of which one byte is left: a correct UDP-Lite checksum (RFC 3828 3.1) is a wrong one.
// kernel: udplite_error, nf_ip_checksum_partial
bool udplite_checksum_right(const Packet& packet, std::size_t covered) {
    ChecksumScope scope = whole_transport(packet, proto::kUdp);
    scope.covered = covered;
    if (packet.layout.family == Family::Ipv4) {
        scope.length &= 0xff;
    }
    return checksum_right(packet, scope);
}

// kernel: udplite_error
bool udplite_wrong(const Flow& flow) {
    const auto log = [&](const char* why) {
        flow.log.write(flow.packet, proto::kUdplite, "%s", why);
        return true;
    };
    const auto udplite = wire::UdpView::parse(flow.l4());
    if (!udplite) {
        return log("short packet");
    }
    const std::size_t length = flow.l4().size();
    std::size_t coverage = udplite->checksum_coverage();
    if (coverage == 0) {
        coverage = length;
    } else if (coverage < wire::udp::kHeaderBytes || coverage > length) {
        return log("invalid checksum coverage");
    }
    if (udplite->checksum() == 0) {
        return log("checksum missing");
    }
    if (flow.verify_checksum && !udplite_checksum_right(flow.packet, coverage)) {
        return log("bad checksum");
    }
    return false;
}

}  // namespace

}  // namespace nsr::conntrack
