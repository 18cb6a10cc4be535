#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "core/base/random.hpp"
#include "core/local/local.hpp"
#include "core/packet/describe.hpp"
#include "core/packet/rewrite.hpp"
#include "core/wire/icmp.hpp"
#include "tests/unit/packet/frames.hpp"

using namespace nsr;
using namespace nsr::local;
using namespace nsr::test_frames;

namespace {

struct Exchange {
    std::string name;
    std::string question;
    std::string answer;  // empty: none
};

std::vector<Exchange> exchanges() {
    std::ifstream file(NSR_SOURCE_DIR "/tests/unit/local/linux_answers.txt");
    std::vector<Exchange> all;
    Exchange next;
    while (std::getline(file, next.name)) {
        if (!next.name.starts_with('#') && std::getline(file, next.question) &&
            std::getline(file, next.answer)) {
            next.answer = next.answer == "-" ? "" : next.answer;
            all.push_back(next);
        }
    }
    REQUIRE(all.size() == 166);
    return all;
}

// The identification, which Linux draws by lot, and the header checksum over it.
std::string without_identification(std::span<const std::uint8_t> bytes) {
    Frame frame(bytes.begin(), bytes.end());
    if (!frame.empty() && frame[0] >> 4 == 4) {
        put16(frame, 4, 0);
        put16(frame, 10, 0);
    }
    return to_hex(frame);
}

bool is_own(const IpAddress& address) {
    return address == IpAddress::v4(10, 9, 0, 1) || address == *parse_address("fd00:9::1");
}

// Pings to many, which the router keeps from it (icmp_echo_ignore_broadcasts), and to groups that
// the router has not joined.
bool is_kept_from_it(const Layout& layout) {
    const IpAddress& to = layout.destination;
    const bool to_many = layout.family == Family::Ipv4
                             ? !is_own(to)
                             : to.is_multicast() && to != *parse_address("ff02::1");
    return to_many && proto::is_icmp(layout.protocol);
}

// What a router around the built-in host sends back.
std::optional<Packet> answer_to(Packet& question, std::uint32_t time_of_day) {
    const Verdict verdict = dissect(question);
    const Layout& layout = question.layout;
    std::optional<Packet> answer;
    std::optional<IcmpError> error;
    if (verdict.dropped() && layout.problem_pointer != 0) {
        error =
            IcmpError{wire::icmpv6::kParameterProblem, layout.problem_code, layout.problem_pointer};
    } else if (verdict.accepted() && !is_kept_from_it(layout)) {
        Response response = respond(question, !is_own(layout.destination), {time_of_day, {}});
        error = response.error;
        answer = std::move(response.answer);
    }
    if (error) {
        const IpAddress nobody{{}, layout.family};
        answer =
            icmp_error(question, *error, is_own(layout.destination) ? layout.destination : nobody);
    }
    if (answer && answer->layout.source.is_unspecified()) {
        rewrite::set_source(*answer, *parse_address("fd00:9::1"));
    }
    return answer;
}

Response ask(const Frame& frame) {
    BufferPool pool;
    Packet packet = packet_of(pool, frame);
    Response response = respond(packet, false);
    response.answer.reset();  // it must not outlive the pool
    return response;
}

}  // namespace

TEST_CASE("the built-in host answers as Linux does, byte for byte") {
    BufferPool pool;
    for (const Exchange& exchange : exchanges()) {
        CAPTURE(exchange.name);
        const Frame expected = from_hex(exchange.answer);
        const bool timestamp = expected.size() == 40 && expected[20] == wire::icmp::kTimestampReply;
        const std::uint32_t time_of_day = timestamp ? wire::load32(&expected[32]) : 0;
        Packet question(pool, from_hex(exchange.question));
        const std::optional<Packet> answer = answer_to(question, time_of_day);
        if (answer) {
            CAPTURE(describe(*answer));
            CHECK(without_identification(answer->bytes()) == without_identification(expected));
            if (answer->layout.family == Family::Ipv4) {
                CHECK(wire::checksum(answer->bytes().first(20)) == 0);
            }
        } else {
            CHECK(expected.empty());
        }
    }
}

TEST_CASE("what reached nobody says why") {
    CHECK(ask(ip(17, udp({}))).refused == DropReason::LocalNoListener);
    CHECK(ask(ip(6, tcp(0x02, {}))).refused == DropReason::LocalNoListener);
    CHECK(ask(ip(253, {1, 2})).refused == DropReason::LocalNoProtocol);
    CHECK(ask(ip(253, {1, 2}, {six()})).refused == DropReason::LocalNoProtocol);
    CHECK_FALSE(ask(ip(1, echo({}))).refused.has_value());
    CHECK_FALSE(ask(ip(2, {1, 2})).refused.has_value());

    Frame broken = udp({1});
    broken[8] ^= 1;
    CHECK(ask(ip(17, broken)).refused == DropReason::LocalMalformed);
    CHECK_FALSE(ask(ip(17, broken)).error.has_value());
    broken = tcp(0x02, {1});
    broken[20] ^= 1;
    CHECK(ask(ip(6, broken)).refused == DropReason::LocalMalformed);
    broken = echo({1});
    broken[8] ^= 1;
    CHECK(ask(ip(1, broken)).refused == DropReason::LocalMalformed);
    Ip fragment;
    fragment.fragment = 0x2000;
    CHECK(ask(ip(17, udp({1}), fragment)).refused == DropReason::LocalMalformed);
}

TEST_CASE("a checksum that the device vouches for, or will finish, is not looked at") {
    BufferPool pool;
    for (const ChecksumState state : {ChecksumState::Verified, ChecksumState::Partial}) {
        Frame segment = tcp(0x02, {});
        put16(segment, 16, 0);
        Packet packet = packet_of(pool, ip(6, segment));
        CHECK_FALSE(respond(packet, false).answer.has_value());
        packet.offload.checksum = state;
        CHECK(respond(packet, false).answer.has_value());
    }
}

TEST_CASE("a fragment header that is not there, or in a jumbogram, is pointed at") {
    for (const Frame& header : {Frame{}, Frame{17, 0, 0}}) {
        const Response response = ask(ip(44, header, {six()}));
        REQUIRE(response.error.has_value());
        CHECK(response.error->type == wire::icmpv6::kParameterProblem);
        CHECK(response.error->code == wire::icmpv6::kErroneousHeader);
        CHECK(response.error->info == 40);
    }
}

TEST_CASE("answers repeat the IPv4 options of the question") {
    BufferPool pool;
    Ip header;
    header.options = {7, 11, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0};  // one address is recorded
    const auto options_of = [](const Packet& packet) {
        CHECK(wire::checksum(packet.bytes().first(packet.layout.l4_offset)) == 0);
        CHECK(transport_checksum_right(packet));
        return to_hex(packet.bytes().subspan(20, packet.layout.l4_offset - 20U));
    };
    const std::string wanted = "070b0c0a000001c633640700";
    for (const auto& [protocol, l4] :
         {std::pair{1U, echo(counting(9))}, std::pair{6U, tcp(2, {})}}) {
        const Response response = respond(packet_of(pool, ip(protocol, l4, header)), false);
        REQUIRE(response.answer.has_value());
        CHECK(options_of(*response.answer) == wanted);
    }
    const Packet question = packet_of(pool, ip(17, udp(counting(700)), header));
    const auto error = icmp_error(question, {3, 3}, question.layout.destination);
    REQUIRE(error.has_value());
    CHECK(options_of(*error) == wanted);
    CHECK(error->size() == 576);
    IcmpError small{3, 3};
    small.longest = 32 + 8 + 20;  // no room for more than an IP header
    CHECK_FALSE(icmp_error(question, small, question.layout.destination).has_value());
}

TEST_CASE("no bytes can hurt the built-in host") {
    BufferPool pool;
    RandomSource random(9);
    for (const Exchange& exchange : exchanges()) {
        for (int round = 0; round < 40; ++round) {
            Frame frame = from_hex(exchange.question);
            for (unsigned n = random.below(5); n > 0; --n) {
                frame[random.below(static_cast<std::uint32_t>(frame.size()))] =
                    static_cast<std::uint8_t>(random.next32());
            }
            frame.resize(random.below(static_cast<std::uint32_t>(frame.size() + 1)));
            if (frame.size() >= 20 && frame[0] >> 4 == 4) {
                put16(frame, 2, static_cast<unsigned>(frame.size()));
                put16(frame, 10, 0);
                put16(frame, 10, wire::checksum(std::span(frame).first(20)));
            }
            Packet question(pool, frame);
            if (const auto answer = answer_to(question, 0)) {
                REQUIRE(answer->size() <= 1280);
                REQUIRE(answer->layout.destination == question.layout.source);
            }
        }
    }
}
