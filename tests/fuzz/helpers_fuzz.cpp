// Bytes as what two ends of one connection say to each other while a helper listens, behind
// MASQUERADE or in front of DNAT, in either family; and as the connections that were announced,
// which come. Whatever they say: what leaves is well formed, its numbers are those that the other
// end expects, and the expectations are no more than there may be and end with their master.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/check.hpp"
#include "core/procfs/nf_conntrack.hpp"
#include "core/procfs/nf_conntrack_expect.hpp"
#include "core/wire/tcp.hpp"
#include "tests/fuzz/support/input.hpp"
#include "tests/fuzz/support/router.hpp"
#include "tests/support/packet_builder.hpp"

namespace {

using namespace nsr;
using conntrack::Expectation;
using conntrack::ExpectId;
using conntrack::HelperId;
using test::PacketBuilder;

// The first byte: the helper, and these.
constexpr std::uint8_t kIpv6 = 0x08;
constexpr std::uint8_t kFromOutside = 0x10;
constexpr std::uint8_t kFewExpectations = 0x20;
// The first byte of a step: zero or more of these; behind it what is said, up to 0xff.
constexpr std::uint8_t kServerSpeaks = 0x01;
constexpr std::uint8_t kTimePasses = 0x02;
constexpr std::uint8_t kAnnouncedComes = 0x04;
constexpr std::uint8_t kInPieces = 0x08;  // UDP: two fragments; TCP: a super-packet
constexpr std::uint8_t kSaidAgain = 0x10;
constexpr char kEnd = '\xff';

constexpr std::array<HelperId, 8> kHelpers = {HelperId::Ftp,  HelperId::Irc,    HelperId::Sane,
                                              HelperId::Pptp, HelperId::SipTcp, HelperId::SipUdp,
                                              HelperId::Tftp, HelperId::Amanda};

struct End {
    IfIndex interface = IfIndex::None;
    std::string own;
    std::string peer;
    std::uint32_t next = 1000;  // of what it says
    std::uint32_t heard = 0;    // what it acknowledges
};

std::string rules_of(const conntrack::HelperInfo& helper, bool v6, bool outside) {
    const std::string from = helper.protocol == proto::kTcp ? " -p tcp" : " -p udp";
    const std::string what = from + " --dport " + std::to_string(helper.port);
    const std::string inside = v6 ? "fd00:1::9" : "10.0.0.9";
    return "*raw\n-A PREROUTING" + what + " -j CT --helper " + std::string(helper.name) +
           "\nCOMMIT\n*nat\n" +
           (outside ? "-A PREROUTING -i wan" + what + " -j DNAT --to-destination " + inside
                    : "-A POSTROUTING -o wan -j MASQUERADE") +
           "\nCOMMIT\n";
}

std::string end_text(const IpAddress& address, unsigned port) {
    const std::string host = address.is_v6() ? "[" + to_string(address) + "]" : to_string(address);
    return host + ":" + std::to_string(port);
}

// The router, the two ends, and what holds of them after each step.
class Talk {
  public:
    explicit Talk(std::uint8_t how);
    void begin();
    void step(std::uint8_t what, const std::string& text);
    void end();

  private:
    [[nodiscard]] bool tcp() const { return helper_.protocol == proto::kTcp; }
    [[nodiscard]] PacketBuilder packet(const End& from, const std::string& text) const;
    void say(End& from, End& to, const std::string& text, std::uint8_t what);
    void send(IfIndex interface, const PacketBuilder& builder, End* to, std::uint32_t length);
    void announced_comes();
    void check();

    const conntrack::HelperInfo& helper_;
    BufferPool pool_;
    Instant now_{std::chrono::seconds(100)};
    End client_;
    End server_;
    std::unique_ptr<Router> router_;
    bool arrived_ = false;  // what was sent last
    bool honest_ = true;    // no number was used twice for different words
};

Talk::Talk(std::uint8_t how) : helper_(conntrack::helper_info(kHelpers[how & 7])) {
    const bool v6 = (how & kIpv6) != 0 && helper_.ipv6;
    const bool outside = (how & kFromOutside) != 0;
    const std::string far = v6 ? "[2001:db8:7::7]" : "198.51.100.7";
    const std::string own = v6 ? "[2001:db8::1]" : "192.0.2.1";
    const std::string host = v6 ? "[fd00:1::9]" : "10.0.0.9";
    const std::string port = ":" + std::to_string(helper_.port);
    if (outside) {
        client_ = {fuzz::kWan, far + ":4000", own + port};
        server_ = {fuzz::kLan, host + port, far + ":4000"};
    } else {
        client_ = {fuzz::kLan, host + ":4000", far + port};
        server_ = {fuzz::kWan, far + port, own + ":4000"};
    }
    const std::string text = rules_of(helper_, v6, outside);
    fuzz::Shape shape;
    (v6 ? shape.rules_v6 : shape.rules_v4) = text;
    shape.conntrack_max = 64;
    router_ = fuzz::make_router(std::move(shape));
    pipeline::Settings settings = router_->settings();
    settings.conntrack.expect_max = (how & kFewExpectations) != 0 ? 2 : 16;
    router_->configure(settings);
}

PacketBuilder Talk::packet(const End& from, const std::string& text) const {
    return tcp()
               ? test::tcp(from.own, from.peer).seq(from.next).ack(from.heard).win(60000).data(text)
               : test::udp(from.own, from.peer).data(text);
}

void Talk::begin() {
    if (!tcp()) {
        return;
    }
    send(client_.interface, test::tcp(client_.own, client_.peer).syn().seq(client_.next++),
         &server_, 1);
    send(server_.interface,
         test::tcp(server_.own, server_.peer).syn().seq(server_.next++).ack(server_.heard),
         &client_, 1);
    say(client_, server_, "hello\r\n", 0);
}

// `to`: who counts what arrives.
void Talk::send(IfIndex interface, const PacketBuilder& builder, End* to, std::uint32_t length) {
    Packet packet = builder.packet(pool_);
    packet.meta.in = interface;
    EgressQueue out;
    router_->receive({&packet, 1}, now_, out);
    arrived_ = !out.empty();
    fuzz::check_egress(*router_, out, true);
    if (to != nullptr && tcp() && arrived_) {
        NSR_CHECK(out.size() == 1);
        const auto header = wire::TcpView::parse(out.front().l4());
        NSR_CHECK(header.has_value());
        const std::size_t behind = out.front().layout.l4_offset + header->data_offset_bytes();
        const auto payload = static_cast<std::uint32_t>(out.front().size() - behind);
        // What comes is what the other end waits for, or something that it has heard before.
        NSR_CHECK(!honest_ || to->heard == 0 || header->sequence_number() - to->heard == 0 ||
                  to->heard - header->sequence_number() < 0x20000);
        to->heard = header->sequence_number() + std::max(length, payload);
    }
    check();
}

void Talk::say(End& from, End& to, const std::string& text, std::uint8_t what) {
    PacketBuilder builder = packet(from, text);
    const auto length = static_cast<std::uint32_t>(text.size());
    if ((what & kInPieces) != 0 && tcp() && text.size() > 100) {
        builder.gso(100);
    }
    if ((what & kInPieces) != 0 && !tcp() && text.size() > 16) {
        send(from.interface, PacketBuilder(builder).fragment(0, true, 16), nullptr, 0);
        send(from.interface, PacketBuilder(builder).fragment(16, false, text.size() + 8 - 16),
             nullptr, 0);
        return;
    }
    send(from.interface, builder, &to, 0);
    honest_ = honest_ && (what & kSaidAgain) == 0;
    if (arrived_ && (what & kSaidAgain) == 0) {
        from.next += length;
    }
}

// The newest announced connection, from wherever it may come.
void Talk::announced_comes() {
    const conntrack::Expectations& expectations = router_->conntrack().expectations();
    const ExpectId id = expectations.next(0);
    if (id == 0) {
        return;
    }
    const conntrack::Tuple tuple = expectations[id].tuple;
    const bool v6 = tuple.destination.is_v6();
    const IpAddress far = *parse_address(v6 ? "2001:db8:7::8" : "198.51.100.8");
    const IpAddress source = expectations[id].source_given ? tuple.source : far;
    const bool inside = parse_prefix(v6 ? "fd00:1::/64" : "10.0.0.0/24")->contains(source);
    const unsigned port = tuple.source_port != 0 ? tuple.source_port : 1025;
    if (tuple.protocol == proto::kGre) {
        std::string gre("\x30\x01\x88\x0b\0\4..\0\0\0\1data", 16);
        gre[6] = static_cast<char>(tuple.destination_port >> 8);
        gre[7] = static_cast<char>(tuple.destination_port & 0xff);
        send(inside ? fuzz::kLan : fuzz::kWan,
             test::ip(proto::kGre, to_string(source), to_string(tuple.destination)).data(gre),
             nullptr, 0);
        return;
    }
    const std::string from = end_text(source, port);
    const std::string to = end_text(tuple.destination, tuple.destination_port);
    send(
        inside ? fuzz::kLan : fuzz::kWan,
        tuple.protocol == proto::kTcp ? test::tcp(from, to).syn() : test::udp(from, to).payload(20),
        nullptr, 0);
}

void Talk::step(std::uint8_t what, const std::string& text) {
    if ((what & kTimePasses) != 0) {
        now_ += std::chrono::seconds(text.size());
        check();
    } else if ((what & kAnnouncedComes) != 0) {
        announced_comes();
    } else if ((what & kServerSpeaks) != 0) {
        say(server_, client_, text, what);
    } else {
        say(client_, server_, text, what);
    }
}

void Talk::check() {
    EgressQueue out;
    router_->expire(now_, out);
    fuzz::check_egress(*router_, out, true);
    const conntrack::Conntrack& conntrack = router_->conntrack();
    const conntrack::Expectations& expectations = conntrack.expectations();
    NSR_CHECK(expectations.size() <= conntrack.settings().expect_max);
    std::size_t seen = 0;
    for (ExpectId id = expectations.next(0); id != 0; id = expectations.next(id)) {
        const Expectation& expectation = expectations[id];
        const HelperId helper = conntrack.helper_of(expectation.master);
        NSR_CHECK(helper != HelperId::None);
        std::size_t of_class = 0;
        for (ExpectId one = conntrack.newest_expectation(expectation.master); one != 0;
             one = expectations.older(one)) {
            NSR_CHECK(expectations[one].master == expectation.master);
            of_class += expectations[one].of_class == expectation.of_class ? 1 : 0;
        }
        NSR_CHECK(of_class <= helper_info(helper).classes[expectation.of_class].max_expected);
        ++seen;
    }
    NSR_CHECK(seen == expectations.size());
    const std::string lines = procfs::expect_snapshot(conntrack, now_);
    NSR_CHECK(static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n')) <= seen);
    const std::string table = procfs::conntrack_snapshot(conntrack, now_);
    NSR_CHECK(static_cast<std::size_t>(std::count(table.begin(), table.end(), '\n')) ==
              conntrack.table().size());
}

void Talk::end() {
    const auto& table = router_->conntrack().table();
    for (auto id = table.next(std::nullopt); id; id = table.next(id)) {
        router_->destroy_connection(*id, now_);
    }
    NSR_CHECK(router_->conntrack().expectations().size() == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input in(data, size);
    Talk talk(in.byte());
    talk.begin();
    for (int steps = 0; steps < 40 && !in.done(); ++steps) {
        const std::uint8_t what = in.byte();
        talk.step(what, in.until(kEnd).substr(0, 1300));
    }
    talk.end();
    return 0;
}
