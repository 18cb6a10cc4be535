#include "router/explain/packet_words.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <vector>

#include "core/base/words.hpp"
#include "core/local/first_packet.hpp"
#include "core/packet/dissect.hpp"
#include "core/packet/rewrite.hpp"
#include "core/pipeline/router.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"

namespace nsr::router {
namespace {

namespace tcp = wire::tcp;

struct Protocol {
    std::string_view name;
    std::uint8_t number;
};
constexpr std::array kProtocols = {
    Protocol{"tcp", proto::kTcp},         Protocol{"udp", proto::kUdp},
    Protocol{"icmp", proto::kIcmp},       Protocol{"icmp6", proto::kIcmpv6},
    Protocol{"icmpv6", proto::kIcmpv6},   Protocol{"sctp", proto::kSctp},
    Protocol{"udplite", proto::kUdplite}, Protocol{"gre", proto::kGre},
    Protocol{"esp", proto::kEsp},         Protocol{"ah", proto::kAh},
};

template <class Number>
std::optional<Number> number_in(std::string_view text) {
    Number value = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    return read.ec == std::errc() && read.ptr == end ? std::optional(value) : std::nullopt;
}

struct End {
    IpAddress address;
    std::optional<std::uint16_t> port;
};

// "10.0.0.2:80", "10.0.0.2", "[fd00::2]:80", "fd00::2"
std::optional<End> parse_end(std::string_view text) {
    std::string_view port;
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos || !text.substr(close + 1).starts_with(':')) {
            return std::nullopt;
        }
        port = text.substr(close + 2);
        text = text.substr(1, close - 1);
    } else if (const std::size_t colon = text.find(':');
               colon != std::string_view::npos && colon == text.rfind(':')) {
        port = text.substr(colon + 1);
        text = text.substr(0, colon);
        if (port.empty()) {
            return std::nullopt;
        }
    }
    const auto address = parse_address(text);
    if (!address) {
        return std::nullopt;
    }
    End end{*address, {}};
    if (!port.empty()) {
        end.port = number_in<std::uint16_t>(port);
        if (!end.port) {
            return std::nullopt;
        }
    }
    return end;
}

std::optional<std::uint8_t> parse_flags(std::string_view text) {
    constexpr std::string_view kLetters = "FSRP.UEW";
    std::uint8_t flags = 0;
    for (const char letter : text) {
        const std::size_t bit = kLetters.find(letter);
        if (bit == std::string_view::npos) {
            return std::nullopt;
        }
        flags |= static_cast<std::uint8_t>(1u << bit);
    }
    return text.empty() ? std::nullopt : std::optional(flags);
}

template <auto kMember, class Number>
bool put_number(PacketWords& words, std::string_view text) {
    const auto number = number_in<Number>(text);
    if (number) {
        words.*kMember = *number;
    }
    return number.has_value();
}

struct Key {
    std::string_view name;
    bool (*put)(PacketWords& words, std::string_view text);
    std::string_view takes;
    std::uint8_t protocol;  // whose packets have it; 0: all
};
constexpr std::array kKeys = {
    Key{"in",
        [](PacketWords& words, std::string_view text) {
            words.in = text;
            return true;
        },
        "an interface", 0},
    Key{"ttl", put_number<&PacketWords::ttl, std::uint8_t>, "0 to 255", 0},
    Key{"tos", put_number<&PacketWords::tos, std::uint8_t>, "0 to 255", 0},
    Key{"data", put_number<&PacketWords::data, std::uint16_t>, "a number of bytes", 0},
    Key{"seq", put_number<&PacketWords::seq, std::uint32_t>, "0 to 4294967295", proto::kTcp},
    Key{"ack", put_number<&PacketWords::ack, std::uint32_t>, "0 to 4294967295", proto::kTcp},
    Key{"win", put_number<&PacketWords::window, std::uint16_t>, "0 to 65535", proto::kTcp},
    Key{"id", put_number<&PacketWords::icmp_id, std::uint16_t>, "0 to 65535", proto::kIcmp},
    Key{"type", put_number<&PacketWords::icmp_type, std::uint8_t>, "0 to 255", proto::kIcmp},
    Key{"code", put_number<&PacketWords::icmp_code, std::uint8_t>, "0 to 255", proto::kIcmp},
};

bool fits_protocol(const Key& key, std::uint8_t protocol) {
    return key.protocol == 0 || key.protocol == protocol ||
           (key.protocol == proto::kIcmp && proto::is_icmp(protocol));
}

class Parser {
  public:
    explicit Parser(std::vector<Word> words, std::size_t length)
        : words_(std::move(words)), length_(length) {}

    Result<PacketWords, WordsError> parse() {
        if (!protocol() || !ends() || !rest()) {
            return *error_;
        }
        return parsed_;
    }

  private:
    bool fail(std::string message) {
        error_ = {at_ < words_.size() ? words_[at_].column : length_ + 1, std::move(message)};
        return false;
    }
    [[nodiscard]] bool over() const { return at_ == words_.size(); }
    [[nodiscard]] std::string quoted() const {
        return over() ? std::string("nothing") : in_quotes(words_[at_].text.substr(0, 60));
    }

    bool protocol() {
        constexpr std::string_view kKnown =
            "tcp, udp, icmp, icmp6, sctp, udplite, gre, esp, ah or a number";
        if (over()) {
            return fail("a packet begins with its protocol: " + std::string(kKnown));
        }
        const std::string name = lower(words_[at_].text);
        for (const Protocol& row : kProtocols) {
            if (row.name == name) {
                parsed_.protocol = row.number;
                ++at_;
                return true;
            }
        }
        const auto number = number_in<std::uint8_t>(name);
        if (!number) {
            return fail("there is no protocol " + quoted() + ": " + std::string(kKnown));
        }
        parsed_.protocol = *number;
        ++at_;
        return true;
    }

    bool end(IpAddress& address, std::uint16_t& port, const char* what) {
        const bool ports = proto::has_ports(parsed_.protocol);
        const auto read = over() ? std::nullopt : parse_end(words_[at_].text);
        if (!read) {
            return fail(std::string(what) + " is ADDRESS" + (ports ? ":PORT" : "") + ", not " +
                        quoted());
        }
        if (read->port.has_value() != ports) {
            return fail(ports ? std::string(what) + " needs a port: " + words_[at_].text + ":PORT"
                              : "packets of this protocol have no ports");
        }
        address = read->address;
        port = read->port.value_or(0);
        ++at_;
        return true;
    }

    bool ends() {
        if (!end(parsed_.source, parsed_.source_port, "the source")) {
            return false;
        }
        if (over() || words_[at_].text != ">") {
            return fail("behind the source stands \">\", not " + quoted());
        }
        ++at_;
        if (!end(parsed_.destination, parsed_.destination_port, "the destination")) {
            return false;
        }
        --at_;
        if (parsed_.source.family != parsed_.destination.family) {
            return fail("source and destination are not of one family");
        }
        const bool v6 = parsed_.source.is_v6();
        if (parsed_.protocol == (v6 ? proto::kIcmp : proto::kIcmpv6)) {
            return fail(v6 ? "icmp goes between IPv4 addresses, icmp6 between these"
                           : "icmp6 goes between IPv6 addresses, icmp between these");
        }
        ++at_;
        return true;
    }

    bool rest() {
        if (!over() && parsed_.protocol == proto::kTcp) {
            if (const auto flags = parse_flags(words_[at_].text)) {
                parsed_.tcp_flags = *flags;
                ++at_;
            }
        }
        while (!over()) {
            if (words_[at_].text == "df") {
                parsed_.dont_fragment = true;
                ++at_;
            } else if (!key()) {
                return false;
            }
        }
        return true;
    }

    bool key() {
        std::vector<std::string_view> known = {"df"};
        for (const Key& row : kKeys) {
            if (!fits_protocol(row, parsed_.protocol)) {
                continue;
            }
            known.push_back(row.name);
            if (row.name != words_[at_].text) {
                continue;
            }
            ++at_;
            if (over() || !row.put(parsed_, words_[at_].text)) {
                return fail(std::string(row.name) + " takes " + std::string(row.takes) + ", not " +
                            quoted());
            }
            ++at_;
            return true;
        }
        std::string list;
        for (const std::string_view name : known) {
            list.append(list.empty() ? "" : ", ").append(name);
        }
        return fail("unknown word " + quoted() + did_you_mean(words_[at_].text, known) +
                    "; known here: " + list);
    }

    std::vector<Word> words_;
    std::size_t length_;
    std::size_t at_ = 0;
    PacketWords parsed_;
    std::optional<WordsError> error_;
};

local::Flow flow_of(const PacketWords& words) {
    local::Flow flow{words.source, words.destination, words.source_port, words.destination_port,
                     words.protocol};
    if (proto::is_icmp(words.protocol)) {
        const std::uint8_t request =
            words.protocol == proto::kIcmp ? wire::icmp::kEcho : wire::icmpv6::kEchoRequest;
        flow.source_port = words.icmp_id;
        flow.destination_port =
            static_cast<std::uint16_t>(words.icmp_type.value_or(request) << 8 | words.icmp_code);
    }
    return flow;
}

// Zeros behind what there is.
void add_data(Packet& packet, std::uint16_t bytes) {
    const std::size_t before = packet.size();
    packet.resize(before + bytes);
    std::memset(packet.data() + before, 0, bytes);
    std::uint8_t* ip = packet.data();
    const bool v4 = packet.layout.family == Family::Ipv4;
    wire::store16(ip + (v4 ? wire::ipv4::kTotalLengthOffset : wire::ipv6::kPayloadLengthOffset),
                  static_cast<std::uint16_t>(packet.size() - (v4 ? 0 : wire::ipv6::kHeaderBytes)));
    if (packet.layout.protocol == proto::kUdp) {
        wire::store16(ip + packet.layout.l4_offset + 4,
                      static_cast<std::uint16_t>(packet.size() - packet.layout.l4_offset));
    }
}

// What its connection expects next. Nothing: there is none.
std::optional<std::pair<std::uint32_t, std::uint32_t>> expected_numbers(const Packet& packet,
                                                                        const Router& router,
                                                                        Instant now) {
    const auto tuple = conntrack::tuple_of(packet);
    const conntrack::Table& table = router.conntrack().table();
    const auto hit = tuple ? table.find(*tuple, Zone{0}, to_jiffies(now)) : std::nullopt;
    if (!hit) {
        return std::nullopt;
    }
    const auto& seen = table[hit->id].state.tcp.seen;
    const std::size_t sender = index_of(hit->direction);
    return std::pair(seen[sender].end, seen[1 - sender].end);
}

void write_tcp(Packet& packet, const PacketWords& words, const Router& router, Instant now) {
    std::uint8_t* header = packet.data() + packet.layout.l4_offset;
    const bool begins = (words.tcp_flags & (tcp::kSyn | tcp::kAck)) == tcp::kSyn;
    const auto expected = expected_numbers(packet, router, now);
    const bool known = expected && !begins;
    const std::uint32_t seq = words.seq.value_or(known ? expected->first : 1);
    const std::uint32_t ack = words.ack.value_or(known ? expected->second : 0);
    header[tcp::kFlagsOffset] = words.tcp_flags;
    wire::store32(header + tcp::kSequenceOffset, seq);
    const bool acknowledges = (words.tcp_flags & tcp::kAck) != 0;
    wire::store32(header + tcp::kAcknowledgmentOffset, acknowledges ? ack : 0);
    wire::store16(header + tcp::kWindowOffset, words.window.value_or(64240));
}

}  // namespace

Result<PacketWords, WordsError> parse_packet_words(std::string_view text) {
    auto words = split_words(text, Quoting::Restore);
    if (!words) {
        return WordsError{text.size() + 1, "a quote is not closed"};
    }
    return Parser(std::move(*words), text.size()).parse();
}

Result<Packet, std::string> make_packet(const PacketWords& words, const Router& router,
                                        BufferPool& pool, Instant now) {
    const routing::InterfaceTable& interfaces = router.interfaces();
    IfIndex in = IfIndex::None;
    if (!words.in.empty()) {
        const routing::Interface* named = interfaces.find(words.in);
        if (named == nullptr) {
            std::vector<std::string> names;
            for (const routing::Interface& each : interfaces.all()) {
                names.push_back(each.name);
            }
            return "there is no interface \"" + words.in + "\", but " + join(names);
        }
        in = named->index;
    } else {
        const routing::Decision back = router.routes().lookup(words.source);
        in = back.kind == routing::Destination::Unicast ? back.out
             : back.kind == routing::Destination::Local ? interfaces.host()
                                                        : IfIndex::None;
        if (in == IfIndex::None) {
            return "no route leads back to " + to_string(words.source) +
                   ": say with \"in NAME\" by which interface it comes";
        }
    }
    if (!interfaces.get(in).up) {
        return "interface \"" + interfaces.get(in).name + "\" is down: no packet comes by it";
    }
    Packet packet = local::first_packet(pool, flow_of(words));
    if (words.protocol == proto::kTcp) {
        write_tcp(packet, words, router, now);
    }
    if (words.data != 0) {
        add_data(packet, words.data);
    }
    if (packet.layout.family == Family::Ipv4) {
        if (words.dont_fragment) {
            wire::store16(packet.data() + wire::ipv4::kFragmentOffset, wire::ipv4::kDontFragment);
        }
        rewrite::recompute_ipv4_header_checksum(packet);
    }
    if (!dissect(packet).accepted()) {
        return std::string("there is no such packet: it would be too large");
    }
    rewrite::set_ttl(packet, words.ttl.value_or(packet.layout.ttl));
    rewrite::set_tos(packet, words.tos.value_or(packet.layout.tos));
    if (words.protocol != proto::kSctp && words.protocol != proto::kGre) {
        rewrite::recompute_l4_checksum(packet);
    }
    packet.meta.in = in;
    return packet;
}

}  // namespace nsr::router
