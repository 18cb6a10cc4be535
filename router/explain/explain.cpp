#include "router/explain/explain.hpp"

#include <chrono>
#include <utility>

#include "core/base/words.hpp"
#include "core/observe/watcher.hpp"
#include "core/packet/dissect.hpp"
#include "core/packet/rewrite.hpp"
#include "core/procfs/sysctl.hpp"
#include "core/rules/set_use.hpp"
#include "core/sets/sets.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"
#include "router/explain/story.hpp"
#include "router/observe/render.hpp"
#include "router/tools/iptables/command.hpp"

namespace nsr::router {
namespace {

using observe::Observation;

constexpr Duration kBetween = std::chrono::milliseconds(1);

class Explanation {
  public:
    Explanation(procfs::Context& context, const ExplainRequest& request,
                const rules::HostNames& names, Instant now)
        : context_(context),
          router_(context.router),
          request_(request),
          names_(names),
          now_(now),
          watcher_(router_) {
        watcher_.depth.bytes = true;
        watcher_.done = [this](std::span<const Observation> group) {
            group_.assign(group.begin(), group.end());
        };
    }

    ExplainAnswer run();

  private:
    std::string change_rules();
    std::string change_sysctls();
    Result<Packet, std::string> packet_of(const ExplainRequest::Asked& asked);
    Result<Packet, std::string> packet_of_bytes(const PacketBytes& given);
    Result<Packet, std::string> packet_of_record(std::uint64_t number);
    void pass(Packet packet, const std::string& title);
    std::string answer();

    procfs::Context& context_;
    Router& router_;
    const ExplainRequest& request_;
    const rules::HostNames& names_;
    Instant now_;
    BufferPool pool_;
    observe::Watcher watcher_;
    EgressQueue out_;
    std::vector<Observation> group_;  // of the packet that passed last
    std::string text_;
};

std::string title_of(std::size_t number) {
    return number == 0 ? "The packet" : "Packet " + std::to_string(number + 1);
}

// As captures of hosts and of this router show it: the field has the sum of the pseudo header.
bool checksum_is_left_to_the_device(Packet& packet) {
    if (!dissect(packet).accepted()) {
        return false;
    }
    const Layout& layout = packet.layout;
    const bool tcp = layout.protocol == proto::kTcp;
    const std::size_t at = tcp ? wire::tcp::kChecksumOffset : wire::udp::kChecksumOffset;
    if ((!tcp && layout.protocol != proto::kUdp) || !layout.has_l4_header() ||
        packet.l4().size() < at + 2) {
        return false;
    }
    return wire::load16(packet.l4().data() + at) ==
           wire::pseudo_header_sum(layout.source, layout.destination, layout.protocol,
                                   layout.l4_length());
}

// The packet that whoever got this one would answer with; nothing: it would not.
bool turn_round(Packet& packet) {
    namespace tcp = wire::tcp;
    const Layout& layout = packet.layout;
    if (layout.protocol == proto::kSctp || layout.protocol == proto::kDccp) {
        return false;  // it takes more than turning it round
    }
    const IpAddress source = layout.source;
    rewrite::set_source(packet, IpAddress(layout.destination));
    rewrite::set_destination(packet, source);
    rewrite::set_ttl(packet, 64);
    std::uint8_t* l4 = packet.data() + layout.l4_offset;
    if (proto::is_icmp(layout.protocol)) {
        const bool v4 = layout.protocol == proto::kIcmp;
        if (l4[0] != (v4 ? wire::icmp::kEcho : wire::icmpv6::kEchoRequest)) {
            return false;
        }
        l4[0] = v4 ? wire::icmp::kEchoReply : wire::icmpv6::kEchoReply;
    } else if (proto::has_ports(layout.protocol)) {
        const std::uint16_t port = wire::load16(l4);
        wire::store16(l4, wire::load16(l4 + 2));
        wire::store16(l4 + 2, port);
    }
    if (layout.protocol == proto::kTcp) {
        const std::uint8_t flags = l4[tcp::kFlagsOffset];
        if ((flags & tcp::kRst) != 0) {
            return false;
        }
        const std::size_t header = std::size_t{l4[tcp::kDataOffsetOffset]} >> 4 << 2;
        const auto data = static_cast<std::uint32_t>(layout.l4_length() - header);
        const bool begins = (flags & tcp::kSyn) != 0;
        const bool ends = (flags & tcp::kFin) != 0;
        const std::uint32_t seq = wire::load32(l4 + tcp::kSequenceOffset);
        const std::uint32_t ack = wire::load32(l4 + tcp::kAcknowledgmentOffset);
        const bool first = begins && (flags & tcp::kAck) == 0;
        wire::store32(l4 + tcp::kSequenceOffset, first ? 1 : ack);
        wire::store32(l4 + tcp::kAcknowledgmentOffset, seq + data + (begins || ends ? 1 : 0));
        l4[tcp::kFlagsOffset] =
            static_cast<std::uint8_t>(first ? tcp::kSyn | tcp::kAck : +tcp::kAck);
    }
    rewrite::recompute_l4_checksum(packet);
    return true;
}

ExplainAnswer Explanation::run() {
    if (std::string wrong = change_rules(); !wrong.empty()) {
        return {true, std::move(wrong)};
    }
    if (std::string wrong = change_sysctls(); !wrong.empty()) {
        return {true, std::move(wrong)};
    }
    router_.observe(&watcher_);
    for (std::size_t i = 0; i < request_.packets.size(); ++i) {
        auto packet = packet_of(request_.packets[i]);
        if (!packet) {
            router_.observe(nullptr);
            return {true, packet.error()};
        }
        pass(std::move(*packet), title_of(i));
        if (i == 0 && request_.reply) {
            text_ += answer();
        }
    }
    router_.observe(nullptr);
    return {false, std::move(text_)};
}

// As with `iptables -I CHAIN 1 ...`, unless the words name another command.
std::string Explanation::change_rules() {
    const auto* first = std::get_if<PacketWords>(&request_.packets.front());
    const Family usual = first != nullptr && first->source.is_v6() ? Family::Ipv6 : Family::Ipv4;
    for (const std::string& line : request_.rules) {
        const auto split_line = split_words(line, Quoting::Shell);
        if (!split_line) {
            return "if-rule \"" + line + "\": a quote is not closed";
        }
        std::vector<std::string> words;
        Family family = usual;
        for (const Word& word : *split_line) {
            if (words.empty() && (word.text == "-4" || word.text == "-6")) {
                family = word.text == "-6" ? Family::Ipv6 : Family::Ipv4;
                continue;
            }
            words.push_back(word.text);
        }
        if (!words.empty() && !words.front().starts_with('-')) {
            words.insert(words.begin(), "-I");
        }
        auto args = parse_iptables_args(family, words, names_);
        rules::Ruleset ruleset = router_.ruleset();
        const IptablesAnswer answer =
            args ? nsr::router::change_rules(*args, ruleset) : std::move(args.error());
        if (answer.code != 0 || (args && args->only_shows())) {
            return "if-rule \"" + line + "\": " + answer.errors + answer.cause;
        }
        const ConfigErrors unknown = rules::check_sets(ruleset, router_.sets().catalogue());
        if (!unknown.empty()) {
            return "if-rule \"" + line + "\": " + unknown.front().message;
        }
        router_.apply(std::move(ruleset), now_);
    }
    return {};
}

std::string Explanation::change_sysctls() {
    for (const std::string& line : request_.sysctls) {
        const std::size_t equals = line.find('=');
        if (equals == std::string::npos) {
            return "if-sysctl takes KEY=VALUE, not \"" + line + "\"";
        }
        const auto done =
            procfs::write_sysctl(context_, line.substr(0, equals), line.substr(equals + 1));
        if (!done) {
            return "if-sysctl " + line + ": " + std::string(procfs::text_of(done.error().code)) +
                   (done.error().detail.empty() ? "" : " (" + done.error().detail + ")");
        }
    }
    return {};
}

Result<Packet, std::string> Explanation::packet_of(const ExplainRequest::Asked& asked) {
    if (const auto* words = std::get_if<PacketWords>(&asked)) {
        return make_packet(*words, router_, pool_, now_);
    }
    if (const auto* bytes = std::get_if<PacketBytes>(&asked)) {
        return packet_of_bytes(*bytes);
    }
    return packet_of_record(std::get<PacketOfRecord>(asked).number);
}

Result<Packet, std::string> Explanation::packet_of_bytes(const PacketBytes& given) {
    const routing::Interface* in = router_.interfaces().find(given.interface);
    if (in == nullptr) {
        return "there is no interface \"" + given.interface + "\"";
    }
    Packet packet(pool_, given.bytes);
    packet.meta.in = in->index;
    if (checksum_is_left_to_the_device(packet)) {
        packet.offload.checksum = ChecksumState::Verified;
    }
    return packet;
}

// What the recorder did not keep of it is zeros, so nobody looks at its checksum.
Result<Packet, std::string> Explanation::packet_of_record(std::uint64_t number) {
    const pipeline::Record* record = router_.recorder().find(number);
    if (record == nullptr) {
        return "record " + std::to_string(number) + " is not kept (any more)";
    }
    if (!router_.interfaces().has(record->place.in)) {
        return "record " + std::to_string(number) +
               " is of a packet of the router itself, or its interface is gone";
    }
    std::vector<std::uint8_t> bytes(record->bytes().begin(), record->bytes().end());
    bytes.resize(std::max<std::size_t>(bytes.size(), record->length));
    Packet packet(pool_, bytes);
    packet.offload.checksum = ChecksumState::Verified;
    packet.meta.in = record->place.in;
    return packet;
}

void Explanation::pass(Packet packet, const std::string& title) {
    group_.clear();
    router_.receive({&packet, 1}, now_, out_);
    out_.clear();
    now_ += kBetween;
    for (const Observation& seen : group_) {
        if (request_.json) {
            append_json(text_, seen);
        } else {
            const bool caused = seen.caused_by != 0;
            text_ += story_of(seen, caused ? "Packet " + std::to_string(seen.number) +
                                                 " of the router's own, because of it"
                                           : title);
        }
    }
}

std::string Explanation::answer() {
    const observe::LeftStep* left =
        group_.empty() ? nullptr : observe::find<observe::LeftStep>(group_.front());
    std::string why;
    if (left == nullptr || !router_.interfaces().has(left->out)) {
        why = "The packet does not leave, so nobody answers it.\n";
    } else {
        Packet packet(pool_, left->bytes);
        packet.meta.in = left->out;
        if (dissect(packet).accepted() && packet.layout.has_l4_header() && turn_round(packet)) {
            pass(std::move(packet), "The answer to it");
            return {};
        }
        why = "Nothing answers such a packet.\n";
    }
    return request_.json ? std::string() : why;
}

}  // namespace

ExplainAnswer explain(procfs::Context& context, const ExplainRequest& request,
                      const rules::HostNames& names, Instant now) {
    return Explanation(context, request, names, now).run();
}

}  // namespace nsr::router
