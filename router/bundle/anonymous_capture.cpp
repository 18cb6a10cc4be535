#include "router/bundle/anonymous_capture.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>
#include <utility>

#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"
#include "router/bundle/anonymous_text.hpp"
#include "router/capture/pcapng.hpp"

namespace nsr::router {
namespace {

namespace tcp = wire::tcp;
namespace icmp = wire::icmp;
namespace icmpv6 = wire::icmpv6;

constexpr std::uint8_t kHostIdentity = 139;
constexpr std::uint8_t kShim6 = 140;
constexpr std::uint8_t kFirstExtensions[] = {
    proto::kHopByHop, proto::kRouting, proto::kDestinationOptions,
    proto::kMobility, kHostIdentity,   kShim6};
constexpr std::uint8_t kMultipath = 30;  // kind of multipath TCP, which may have addresses

// What remains of a header that has no addresses.
struct Kept {
    std::uint8_t protocol;
    std::size_t bytes;
};
constexpr Kept kKept[] = {
    {proto::kSctp, 12}, {proto::kDccp, 12}, {proto::kGre, 8}, {proto::kEsp, 8}, {proto::kAh, 12}};

class Rewriting {
  public:
    Rewriting(std::span<const std::uint8_t> bytes, const Anonymizer& anonymizer)
        : bytes_(bytes.begin(), bytes.end()), anonymizer_(anonymizer) {}

    std::optional<std::vector<std::uint8_t>> run() {
        if (!packet(0)) {
            return std::nullopt;
        }
        bytes_.resize(std::min(bytes_.size(), end_));
        return std::move(bytes_);
    }

  private:
    [[nodiscard]] bool has(std::size_t end) const { return end <= bytes_.size(); }
    bool packet(std::size_t at);
    bool ipv4(std::size_t at);
    bool ipv6(std::size_t at);
    std::uint64_t exchange(std::size_t at, Family family);
    bool transport(std::uint8_t protocol, std::size_t at, std::uint64_t changed);
    bool tcp_header(std::size_t at, std::uint64_t changed);
    bool icmp_header(std::uint8_t protocol, std::size_t at, std::uint64_t changed);
    void update(std::size_t field, std::uint64_t changed);

    std::vector<std::uint8_t> bytes_;
    const Anonymizer& anonymizer_;
    std::size_t end_ = 0;  // of what remains
    bool quoted_ = false;
};

bool Rewriting::packet(std::size_t at) {
    const unsigned version = has(at + 1) ? bytes_[at] >> 4 : 0;
    return version == 4 ? ipv4(at) : version == 6 && ipv6(at);
}

bool Rewriting::ipv4(std::size_t at) {
    constexpr std::uint8_t kWithoutOptions = 0x45;
    if (!has(at + wire::ipv4::kHeaderBytes) || bytes_[at] != kWithoutOptions) {
        return false;
    }
    const std::uint64_t changed = exchange(at + wire::ipv4::kSourceOffset, Family::Ipv4);
    update(at + wire::ipv4::kChecksumOffset, changed);
    end_ = at + wire::ipv4::kHeaderBytes;
    const std::uint16_t fragment = wire::load16(&bytes_[at + wire::ipv4::kFragmentOffset]);
    return (fragment & wire::ipv4::kOffsetMask) != 0 ||
           transport(bytes_[at + wire::ipv4::kProtocolOffset], end_, changed);
}

bool Rewriting::ipv6(std::size_t at) {
    if (!has(at + wire::ipv6::kHeaderBytes)) {
        return false;
    }
    const std::uint64_t changed = exchange(at + wire::ipv6::kSourceOffset, Family::Ipv6);
    std::uint8_t protocol = bytes_[at + wire::ipv6::kNextHeaderOffset];
    end_ = at + wire::ipv6::kHeaderBytes;
    if (protocol == proto::kFragment) {
        if (!has(end_ + wire::ipv6::kFragmentHeaderBytes)) {
            return false;
        }
        const std::uint16_t offset =
            wire::load16(&bytes_[end_ + wire::ipv6::kFragmentOffsetOffset]);
        protocol = bytes_[end_];
        end_ += wire::ipv6::kFragmentHeaderBytes;
        if ((offset & wire::ipv6::kFragmentOffsetMask) != 0) {
            return true;
        }
    }
    const bool extended = std::find(std::begin(kFirstExtensions), std::end(kFirstExtensions),
                                    protocol) != std::end(kFirstExtensions);
    return !extended && transport(protocol, end_, changed);
}

// Source and destination, one behind the other. What that adds to a sum over them.
std::uint64_t Rewriting::exchange(std::size_t at, Family family) {
    std::uint64_t changed = 0;
    for (int i = 0; i < 2; ++i) {
        const IpAddress real = IpAddress::from_wire(family, &bytes_[at]);
        const IpAddress other = anonymizer_.address(real);
        other.to_wire(&bytes_[at]);
        changed += wire::delta_of(real, other);
        at += real.size_bytes();
    }
    return changed;
}

bool Rewriting::transport(std::uint8_t protocol, std::size_t at, std::uint64_t changed) {
    if (protocol == proto::kTcp) {
        return tcp_header(at, changed);
    }
    if (proto::is_icmp(protocol)) {
        return icmp_header(protocol, at, changed);
    }
    if (protocol == proto::kUdp || protocol == proto::kUdplite) {
        const std::size_t field = at + wire::udp::kChecksumOffset;
        end_ = at + wire::udp::kHeaderBytes;
        if (has(end_) && wire::load16(&bytes_[field]) != 0) {
            update(field, changed);
            if (wire::load16(&bytes_[field]) == 0) {
                wire::store16(&bytes_[field], 0xffff);
            }
        }
        return true;
    }
    const auto* kept = std::find_if(std::begin(kKept), std::end(kKept),
                                    [&](const Kept& each) { return each.protocol == protocol; });
    end_ = at + (kept != std::end(kKept) ? kept->bytes : 0);
    return true;
}

bool Rewriting::tcp_header(std::size_t at, std::uint64_t changed) {
    if (!has(at + tcp::kHeaderBytes)) {
        end_ = bytes_.size();
        return quoted_;  // eight bytes and more
    }
    update(at + tcp::kChecksumOffset, changed);
    end_ =
        std::min(bytes_.size(), at + (std::size_t{bytes_[at + tcp::kDataOffsetOffset]} >> 4) * 4);
    for (std::size_t option = at + tcp::kOptionsOffset; option < end_;) {
        const std::uint8_t kind = bytes_[option];
        if (kind == kMultipath) {
            return false;
        }
        if (kind == tcp::kOptionEnd) {
            break;
        }
        const bool has_length = kind != tcp::kOptionNop && option + 1 < end_;
        option += has_length ? std::max<std::size_t>(bytes_[option + 1], 2) : 1;
    }
    return true;
}

bool Rewriting::icmp_header(std::uint8_t protocol, std::size_t at, std::uint64_t changed) {
    const std::size_t inner = at + icmp::kHeaderBytes;
    if (!has(inner)) {
        end_ = bytes_.size();
        return false;
    }
    const bool v4 = protocol == proto::kIcmp;
    const std::uint8_t type = bytes_[at];
    const wire::ConstBytes all = wire::ConstBytes(bytes_).subspan(at);
    const std::uint16_t before = wire::sum(all);
    end_ = inner;
    if (v4 ? icmp::is_error(type) : icmpv6::is_error(type)) {
        if (v4 && type == icmp::kRedirect) {
            std::uint8_t* gateway = &bytes_[at + icmp::kInfoOffset];
            anonymizer_.address(IpAddress::from_wire(Family::Ipv4, gateway)).to_wire(gateway);
        }
        if (std::exchange(quoted_, true) || !packet(inner)) {
            return false;  // nobody quotes an error
        }
    } else if (v4 ? type != icmp::kEcho && type != icmp::kEchoReply
                  : type != icmpv6::kEchoRequest && type != icmpv6::kEchoReply) {
        return false;
    }
    update(at + icmp::kChecksumOffset, wire::delta_of(before, wire::sum(all)) + (v4 ? 0 : changed));
    return true;
}

void Rewriting::update(std::size_t field, std::uint64_t changed) {
    const std::uint16_t checksum = wire::load16(&bytes_[field]);
    wire::store16(&bytes_[field], wire::update(checksum, changed));
}

// "id=7 because of 6 in; ...": what PcapngReader does not tell beside the comment.
PcapngWriter::Note note_of(const std::string& comment) {
    PcapngWriter::Note note{.comment = comment};
    const std::string_view text(comment);
    if (!text.starts_with("id=")) {
        return note;
    }
    const char* begin = comment.data() + 3;
    std::from_chars(begin, comment.data() + comment.size(), note.id);
    const std::string_view way = text.substr(0, text.find(';'));
    note.way = way.ends_with(" in")    ? PcapngWriter::Way::In
               : way.ends_with(" out") ? PcapngWriter::Way::Out
                                       : PcapngWriter::Way::Unknown;
    return note;
}

}  // namespace

std::optional<std::vector<std::uint8_t>> anonymous_packet(std::span<const std::uint8_t> bytes,
                                                          const Anonymizer& anonymizer) {
    return Rewriting(bytes, anonymizer).run();
}

AnonymousCapture anonymous_capture(std::string_view pcapng, const Anonymizer& anonymizer) {
    std::istringstream in{std::string(pcapng)};
    PcapngReader reader(in);
    std::ostringstream out;
    PcapngWriter writer(out, {});
    std::map<std::string, std::uint32_t> interfaces;
    AnonymousCapture made;
    for (Frame frame; reader.next(frame);) {
        const auto [known, is_new] =
            interfaces.emplace(frame.interface, static_cast<std::uint32_t>(interfaces.size()));
        if (is_new) {
            writer.add_interface(known->first);
        }
        const auto bytes = anonymous_packet(frame.bytes, anonymizer);
        if (!bytes && !frame.bytes.empty()) {
            ++made.left_out;
            continue;
        }
        const std::string comment = anonymous_text(frame.comment, anonymizer);
        PcapngWriter::Note note = note_of(comment);
        note.length = frame.original_length;
        writer.packet(frame.time_ns, known->second, bytes.value_or(std::vector<std::uint8_t>{}),
                      note);
    }
    made.pcapng = out.str();
    return made;
}

}  // namespace nsr::router
