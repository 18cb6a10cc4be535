// -j TCPMSS and TCPOPTSTRIP: changes of TCP options.
// kernel: xt_TCPMSS.c, xt_TCPOPTSTRIP.c
#include <algorithm>
#include <array>
#include <cstring>

#include "core/packet/offload.hpp"
#include "core/packet/rewrite.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp_options.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kTcpmssOptions =
    std::to_array<OptionSpec>({{"set-mss"}, {"clamp-mss-to-pmtu", 0}});
constexpr std::size_t kMssOptionBytes = 4;
constexpr std::size_t kMaxHeaderBytes = 60;
constexpr std::uint16_t kClamp = 0xffff;      // kernel: XT_TCPMSS_CLAMP_PMTU
constexpr std::uint16_t kDefaultMss4 = 536;   // RFC 1122 4.2.2.6
constexpr std::uint16_t kDefaultMss6 = 1220;  // RFC 8200 5: 1280 less both headers

class TcpmssTarget : public Target {
  public:
    // kClamp: to the path MTU
    explicit TcpmssTarget(std::uint16_t mss) : Target("TCPMSS"), mss_(mss) {}
    std::string save() const override {
        return mss_ == kClamp ? "--clamp-mss-to-pmtu" : "--set-mss " + std::to_string(mss_);
    }
    TargetVerdict apply(ActionParam& par, TableVerdict& verdict) const override;
    std::uint8_t hooks() const override {
        return mss_ == kClamp ? bit(Hook::Forward) | bit(Hook::Output) | bit(Hook::Postrouting)
                              : kAllHooks;
    }

  private:
    std::uint16_t mss_;
};

// What the two directions of the path can carry in one segment; nothing if it is too little.
std::optional<std::uint16_t> path_mss(const ActionParam& par) {
    const Layout& layout = par.packet.layout;
    const Network& network = par.network;
    const std::uint32_t headers = static_cast<std::uint32_t>(
        (layout.family == Family::Ipv4 ? 20 : wire::ipv6::kHeaderBytes) + wire::tcp::kHeaderBytes);
    const std::uint32_t mtu = std::min(network.path_mtu(), network.path_mtu(layout.source));
    if (mtu <= headers) {
        return std::nullopt;
    }
    return static_cast<std::uint16_t>(std::min<std::uint32_t>(mtu - headers, 0xffff));
}

// A field of the checksum changed outside of the segment's bytes (its length in the pseudo header).
void checksum_length(Packet& packet, std::size_t from, std::size_t to) {
    std::uint8_t* field = packet.l4().data() + wire::tcp::kChecksumOffset;
    const std::uint16_t sum = wire::load16(field);
    if (has_outer_partial_checksum(packet)) {
        wire::store16(field, wire::fold(std::uint64_t{sum} + (to - from)));
    } else {
        wire::store16(field, wire::update16(sum, static_cast<std::uint16_t>(from),
                                            static_cast<std::uint16_t>(to)));
    }
}

void grow_ip_length(Packet& packet, std::size_t bytes) {
    Layout& layout = packet.layout;
    layout.total_length += static_cast<std::uint32_t>(bytes);
    const bool v4 = layout.family == Family::Ipv4;
    constexpr std::size_t kIpv4TotalLength = 2;
    std::uint8_t* field =
        packet.data() + (v4 ? kIpv4TotalLength : wire::ipv6::kPayloadLengthOffset);
    wire::store16(field, static_cast<std::uint16_t>(wire::load16(field) + bytes));
    if (v4) {
        rewrite::recompute_ipv4_header_checksum(packet);
    }
}

// Puts an MSS option first, in a segment without data that has room for it.
void add_mss(Packet& packet, std::uint16_t mss) {
    const std::size_t length = packet.l4().size();
    rewrite::finish_inner_checksum(packet);
    packet.resize(packet.size() + kMssOptionBytes);
    grow_ip_length(packet, kMssOptionBytes);
    std::uint8_t* header = packet.l4().data();
    std::uint8_t* option = header + wire::tcp::kHeaderBytes;
    std::memmove(option + kMssOptionBytes, option, length - wire::tcp::kHeaderBytes);
    std::memset(option, 0, kMssOptionBytes);
    checksum_length(packet, length, length + kMssOptionBytes);
    const std::size_t at = packet.layout.l4_offset;
    rewrite::set_l4_u32(packet, at + wire::tcp::kHeaderBytes,
                        std::uint32_t{wire::tcp::kOptionMss} << 24 | kMssOptionBytes << 16 | mss);
    const std::uint16_t word = wire::load16(header + wire::tcp::kDataOffsetOffset);
    rewrite::set_l4_u16(packet, at + wire::tcp::kDataOffsetOffset,
                        static_cast<std::uint16_t>(word + 0x1000));
}

// Bytes of the options, as they stand in the packet now.
wire::ConstBytes options_of(Packet& packet, std::size_t header_bytes) {
    return wire::ConstBytes(packet.l4()).first(header_bytes).subspan(wire::tcp::kHeaderBytes);
}

// At an odd offset the value spans two words of the checksum. differs: tcpmss-odd-offset
void lower_mss(Packet& packet, std::size_t option, std::uint16_t wanted) {
    const std::size_t at = wire::tcp::kHeaderBytes + option + 2;
    if (wire::load16(packet.l4().data() + at) > wanted) {
        rewrite::set_l4_u16(packet, packet.layout.l4_offset + at, wanted);
    }
}

// kernel: tcpmss_mangle_packet
TargetVerdict TcpmssTarget::apply(ActionParam& par, TableVerdict&) const {
    Packet& packet = par.packet;
    if (!packet.layout.has_l4_header()) {
        return TargetVerdict::Continue;
    }
    const auto header = wire::TcpView::parse(packet.l4());
    if (!header || !header->data_offset_valid()) {
        return TargetVerdict::Drop;
    }
    packet.gather(packet.size());
    const auto wanted = mss_ != kClamp ? std::optional(mss_) : path_mss(par);
    if (!wanted) {
        return TargetVerdict::Drop;
    }
    const std::size_t header_bytes = header->data_offset_bytes();
    const wire::ConstBytes options = options_of(packet, header_bytes);
    wire::TcpOptionWalk walk(options, wire::TcpOptionReading::Tolerant);
    while (const auto option = walk.next()) {
        if (option->kind == wire::tcp::kOptionMss && option->length == kMssOptionBytes &&
            option->offset + kMssOptionBytes <= options.size()) {
            lower_mss(packet, option->offset, *wanted);
            return TargetVerdict::Continue;
        }
    }
    if (packet.l4().size() == header_bytes && header_bytes < kMaxHeaderBytes) {
        const auto standard = packet.layout.family == Family::Ipv4 ? kDefaultMss4 : kDefaultMss6;
        add_mss(packet, std::min(*wanted, standard));
    }
    return TargetVerdict::Continue;
}

std::shared_ptr<const Target> parse_tcpmss(const Options& options, RuleContext& context) {
    if (options.given.empty()) {
        context.error("target TCPMSS needs --set-mss or --clamp-mss-to-pmtu");
        return nullptr;
    }
    if (!context.only(proto::kTcp) || !context.tcp_syn) {
        context.refuse(options.given[0],
                       "target TCPMSS only works on SYNs: the rule needs \"-p tcp\" with"
                       " --tcp-flags SYN,RST SYN, or --syn");
        return nullptr;
    }
    const auto mss = read_number(options, context, "set-mss", 0, context.v6() ? 65495 : 65515);
    if (options.given.back().name == "clamp-mss-to-pmtu") {  // the last one counts
        return std::make_shared<TcpmssTarget>(kClamp);
    }
    return mss ? std::make_shared<TcpmssTarget>(static_cast<std::uint16_t>(*mss)) : nullptr;
}

struct OptionName {
    std::string_view name;
    std::uint8_t kind;
};
constexpr std::array kOptionNames = std::to_array<OptionName>(
    {{"wscale", 3}, {"mss", 2}, {"sack-permitted", 4}, {"sack", 5}, {"timestamp", 8}, {"md5", 19}});
constexpr std::array kStripOptions = std::to_array<OptionSpec>({{"strip-options"}});

class StripTarget : public Target {
  public:
    StripTarget() : Target("TCPOPTSTRIP") {}
    std::string save() const override;
    TargetVerdict apply(ActionParam& par, TableVerdict& verdict) const override;

    std::array<bool, 256> kinds{};

  private:
    static void blank(Packet& packet, std::size_t from, std::size_t bytes);
};

std::string StripTarget::save() const {
    std::string list;
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
        if (kinds[kind]) {
            list += (list.empty() ? "" : ",") + std::to_string(kind);
        }
    }
    return list.empty() ? list : "--strip-options " + list;
}

// kernel: tcpoptstrip_mangle_packet: the bytes become NOPs
TargetVerdict StripTarget::apply(ActionParam& par, TableVerdict&) const {
    Packet& packet = par.packet;
    if (!packet.layout.has_l4_header()) {
        return TargetVerdict::Continue;
    }
    const auto header = wire::TcpView::parse(packet.l4());
    if (!header || !header->data_offset_valid()) {
        return TargetVerdict::Drop;
    }
    const wire::ConstBytes options = options_of(packet, header->data_offset_bytes());
    wire::TcpOptionWalk walk(options, wire::TcpOptionReading::Tolerant);
    while (const auto option = walk.next()) {
        // kernel: tcpoptstrip_mangle_packet does not look at the last byte
        if (option->offset + std::max<std::size_t>(option->length, 2) > options.size()) {
            break;
        }
        if (kinds[option->kind]) {
            blank(packet, wire::tcp::kHeaderBytes + option->offset, option->length);
        }
    }
    return TargetVerdict::Continue;
}

void StripTarget::blank(Packet& packet, std::size_t from, std::size_t bytes) {
    for (std::size_t i = from; i < from + bytes; ++i) {
        const std::size_t even = i & ~std::size_t{1};
        std::uint8_t* word = packet.l4().data() + even;
        const std::uint16_t old = wire::load16(word);
        const auto changed =
            static_cast<std::uint16_t>(i == even ? (old & 0x00ff) | wire::tcp::kOptionNop << 8
                                                 : (old & 0xff00) | wire::tcp::kOptionNop);
        rewrite::set_l4_u16(packet, packet.layout.l4_offset + even, changed);
    }
}

std::shared_ptr<const Target> parse_strip(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("strip-options");
    if (!context.only(proto::kTcp)) {
        context.refuse("target TCPOPTSTRIP needs \"-p tcp\" in the same rule");
        return nullptr;
    }
    auto target = std::make_shared<StripTarget>();
    if (given == nullptr) {
        return target;
    }
    for (const std::string_view word : split(given->value, ',')) {
        const auto* row = std::find_if(kOptionNames.begin(), kOptionNames.end(),
                                       [&](const OptionName& name) { return name.name == word; });
        const auto number = row != kOptionNames.end() ? std::optional<std::uint64_t>(row->kind)
                                                      : parse_number(word, 255);
        if (number && *number >= 2 && target->kinds[*number]) {
            context.error(*given, "option " + in_quotes(word) + " stands twice in the list");
            return nullptr;
        }
        if (!number || *number < 2) {
            context.error(*given, "unknown TCP option " + in_quotes(word) +
                                      "; known are wscale, mss, sack-permitted, sack, timestamp,"
                                      " md5 and the numbers 2 to 255");
            return nullptr;
        }
        target->kinds[*number] = true;
    }
    return target;
}

}  // namespace

const TargetModule kTcpmssTarget = {"TCPMSS", kBothFamilies, kTcpmssOptions, parse_tcpmss};
const TargetModule kTcpoptstripTarget = {"TCPOPTSTRIP", kBothFamilies, kStripOptions, parse_strip,
                                         bit(TableId::Mangle)};

}  // namespace nsr::rules
