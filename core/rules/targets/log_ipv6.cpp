// IPv6 packets in the log.
// kernel: dump_ipv6_packet
#include "core/rules/targets/log_line.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/ipv6_extension.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

using wire::ConstBytes;

constexpr std::size_t kAhBytes = 12;
constexpr std::size_t kEspBytes = 8;

// The extension headers, one by one.
class ExtensionLog {
  public:
    ExtensionLog(LogLine& line, ConstBytes bytes) : line_(line), bytes_(bytes), walk_(bytes) {}

    // False: the line ends within them.
    [[nodiscard]] bool write();
    [[nodiscard]] bool fragment() const { return fragment_; }
    [[nodiscard]] std::uint8_t type() const { return walk_.type(); }
    [[nodiscard]] LogRest rest() const { return {bytes_, walk_.offset()}; }

  private:
    enum class Next : std::uint8_t { GoOn, LineEnds };

    Next one(std::uint8_t type, const LogRest& header);
    Next fragment_header(ConstBytes header);
    Next security(std::string_view name, ConstBytes header, std::size_t wanted);

    LogLine& line_;
    ConstBytes bytes_;
    wire::ExtensionWalk walk_;
    bool fragment_ = false;  // one that is not the first
};

bool ExtensionLog::write() {
    while (wire::is_extension_header(walk_.type()) || walk_.type() == proto::kEsp) {
        const std::uint8_t type = walk_.type();
        const LogRest header = rest();
        if (header.bytes.size() < 2) {
            line_.add("TRUNCATED");
            return false;
        }
        line_.add(line_.detail.ip_options ? "OPT ( " : "");
        if (one(type, header) == Next::LineEnds) {
            return false;
        }
        line_.add(line_.detail.ip_options ? ") " : "");
        walk_.next();
    }
    return true;
}

ExtensionLog::Next ExtensionLog::one(std::uint8_t type, const LogRest& header) {
    switch (type) {
        case proto::kFragment:
            return fragment_header(header.bytes);
        case proto::kAh:
            return line_.detail.ip_options ? security("AH ", header.bytes, kAhBytes) : Next::GoOn;
        case proto::kEsp:
            if (line_.detail.ip_options &&
                security("ESP ", header.bytes, kEspBytes) == Next::GoOn) {
                line_.add(")");
            }
            return Next::LineEnds;
        default:
            if (fragment_) {
                line_.add(line_.detail.ip_options ? ")" : "");
                return Next::LineEnds;
            }
            return Next::GoOn;
    }
}

ExtensionLog::Next ExtensionLog::fragment_header(ConstBytes header) {
    line_.add("FRAG:");
    if (header.size() < wire::ipv6::kFragmentHeaderBytes) {
        line_.add("TRUNCATED ");
        return Next::LineEnds;
    }
    const std::uint16_t word = wire::load16(header.data() + 2);
    line_.add(word & wire::ipv6::kFragmentOffsetMask,
              (word & wire::ipv6::kMoreFragments) != 0 ? " INCOMPLETE " : " ", "ID:");
    line_.hex(wire::load32(header.data() + 4), 8, false);
    line_.add(" ");
    fragment_ = fragment_ || (word & wire::ipv6::kFragmentOffsetMask) != 0;
    return Next::GoOn;
}

ExtensionLog::Next ExtensionLog::security(std::string_view name, ConstBytes header,
                                          std::size_t wanted) {
    line_.add(name);
    if (fragment_) {
        line_.add(")");
        return Next::LineEnds;
    }
    if (header.size() < wanted) {
        line_.add("INCOMPLETE [", header.size(), " bytes] )");
        return Next::LineEnds;
    }
    line_.add("SPI=0x");
    line_.hex(wire::load32(header.data() + wanted - 8));
    line_.add(" ");
    return Next::GoOn;
}

[[nodiscard]] bool log_icmpv6(LogLine& line, const LogRest& rest, bool quoted) {
    namespace icmpv6 = wire::icmpv6;
    const auto view = wire::IcmpView::parse(rest.bytes);
    if (!view) {
        line.incomplete(rest);
        return false;
    }
    const std::uint8_t type = view->type();
    line.add("TYPE=", type, " CODE=", view->code(), " ");
    if (type == icmpv6::kEchoRequest || type == icmpv6::kEchoReply) {
        line.add("ID=", view->identifier(), " SEQ=", view->sequence_number(), " ");
    }
    if (type == icmpv6::kParameterProblem) {
        line.add("POINTER=");
        line.hex(view->info(), 8, false);
        line.add(" ");
    }
    const bool quotes =
        type >= icmpv6::kDestinationUnreachable && type <= icmpv6::kParameterProblem;
    if (quotes && !quoted) {
        line.add("[");
        static_cast<void>(log_ipv6(line, view->payload(), true));
        line.add("] ");
    }
    if (type == icmpv6::kPacketTooBig) {
        line.add("MTU=", view->info(), " ");
    }
    return true;
}

}  // namespace

bool log_ipv6(LogLine& line, ConstBytes bytes, bool quoted) {
    const auto view = wire::Ipv6View::parse(bytes);
    if (!view) {
        line.add("TRUNCATED");
        return false;
    }
    line.add("SRC=", to_proc_string(view->source()), " DST=", to_proc_string(view->destination()),
             " ");
    line.add("LEN=", view->payload_length() + wire::ipv6::kHeaderBytes,
             " TC=", view->traffic_class(), " HOPLIMIT=", view->hop_limit(),
             " FLOWLBL=", view->flow_label(), " ");
    ExtensionLog extensions(line, bytes);
    if (!extensions.write()) {
        return false;
    }
    switch (extensions.type()) {
        case proto::kTcp:
            return log_tcp(line, extensions.rest(), extensions.fragment());
        case proto::kUdp:
        case proto::kUdplite:
            return log_udp(line, extensions.type(), extensions.rest(), extensions.fragment());
        case proto::kIcmpv6:
            line.add("PROTO=ICMPv6 ");
            return extensions.fragment() || log_icmpv6(line, extensions.rest(), quoted);
        default:
            line.add("PROTO=", extensions.type(), " ");
            return true;
    }
}

}  // namespace nsr::rules
