// Reading SIP: where in a message things stand, and what is malformed.
#include <doctest/doctest.h>

#include <string>

#include "core/helpers/sip/text.hpp"

using namespace nsr;
using namespace nsr::helpers::sip;

namespace {

Reader reads(const std::string& text, Family family = Family::Ipv4) {
    return {text, family};
}

std::string at(const std::string& text, const Place& place) {
    if (place.found == Found::Malformed) {
        return "malformed";
    }
    return place.ok() ? text.substr(place.offset, place.length) : "none";
}

struct HeaderRow {
    Header header;
    const char* lines;
    const char* value;
    Family family = Family::Ipv4;
};

}  // namespace

TEST_CASE("SIP: headers by their long and short names, in any case, on several lines") {
    constexpr Family kV6 = Family::Ipv6;
    for (const HeaderRow& row : {
             HeaderRow{Header::CSeq, "CSeq: 17 INVITE", "17"},
             HeaderRow{Header::CSeq, "cseq :\t17 INVITE", "17"},
             HeaderRow{Header::CSeq, "CSeq:\r\n 17 INVITE", "17"},
             HeaderRow{Header::CSeq, "CSeq: x", "malformed"},
             HeaderRow{Header::CSeq, "CSeqs: 17", "none"},
             HeaderRow{Header::ContentLength, "l: 42", "42"},
             HeaderRow{Header::ContentLength, "Content-Length:42", "42"},
             HeaderRow{Header::ContentLength, "la: 42", "none"},
             HeaderRow{Header::Expires, "Expires: 60", "60"},
             HeaderRow{Header::From, "From: \"Ann\" <sip:ann@10.0.0.2:5060>;tag=1",
                       "10.0.0.2:5060"},
             HeaderRow{Header::From, "f: <sip:10.0.0.2>", "10.0.0.2"},
             HeaderRow{Header::To, "To: <sip:bob@example.org>", "malformed"},
             HeaderRow{Header::To, "To: bob", "malformed"},
             HeaderRow{Header::ViaUdp, "Via: SIP/2.0/UDP 10.0.0.2:5060;rport", "10.0.0.2:5060"},
             HeaderRow{Header::ViaUdp, "v: SIP/2.0/TCP 10.0.0.2:5060\r\nv: SIP/2.0/UDP 10.0.0.3",
                       "malformed"},
             HeaderRow{Header::ViaTcp, "Via: SIP/2.0/TCP\r\n  10.0.0.2", "malformed"},
             HeaderRow{Header::Contact, "m: <sip:ann@[fd00:1::2]:5060>", "[fd00:1::2]:5060", kV6},
             HeaderRow{Header::Contact, "m: <sip:ann@fd00:1::2>", "malformed", kV6},
             HeaderRow{Header::Contact, "m: <sip:ann@[fd00:1::2>", "malformed", kV6},
             HeaderRow{Header::Contact, "m: <sip:ann@10.0.0.2>", "malformed", kV6},
             HeaderRow{Header::Contact, "m: <sip:ann@10.0.0.256>", "malformed"},
             HeaderRow{Header::Contact, "m: <sip:ann@10.0.0.2.1>", "malformed"},
         }) {
        CAPTURE(row.lines);
        const std::string text = "INVITE sip:a@b SIP/2.0\r\n" + std::string(row.lines) + "\r\n\r\n";
        CHECK(at(text, reads(text, row.family).header(row.header)) == row.value);
    }
}

TEST_CASE("SIP: URIs of a header, with commas and on lines of their own; ports that may be") {
    const std::string text =
        "REGISTER sip:a SIP/2.0\r\nContact: <sip:a@10.0.0.2>, <sip:a@10.0.0.3:5070>,\r\n"
        " <sip:a@example.org>, <sip:a@10.0.0.4:70000>\r\nm: <sip:a@10.0.0.5:2000>\r\n\r\n";
    const Reader reader = reads(text);
    Walk walk;
    const Uri first = reader.next_uri(Header::Contact, walk);
    REQUIRE(first.place.ok());
    CHECK(first.address == *parse_address("10.0.0.2"));
    CHECK(first.port == 5060);  // the usual one
    const Uri second = reader.next_uri(Header::Contact, walk);
    CHECK(second.address == *parse_address("10.0.0.3"));
    CHECK(second.port == 5070);
    CHECK(reader.next_uri(Header::Contact, walk).place.found == Found::Malformed);
    for (const char* port : {"0", "1023", "65536", ""}) {
        const std::string one = "A\r\nContact: <sip:a@10.0.0.2:" + std::string(port) + ">\r\n\r\n";
        CHECK(reads(one).uri(Header::Contact).place.found == Found::Malformed);
    }
}

TEST_CASE("SIP: the URI of a request") {
    const auto uri = [](const std::string& text) { return reads(text).request_uri(); };
    CHECK(uri("INVITE sip:bob@10.0.0.2:5070 SIP/2.0\r\n").port == 5070);
    CHECK(uri("INVITE sip:10.0.0.2 SIP/2.0\r\n").address == *parse_address("10.0.0.2"));
    CHECK_FALSE(uri("INVITE\r\nsip:10.0.0.2\r\n").place.ok());
    CHECK_FALSE(uri("INVITE sip:example.org SIP/2.0\r\n").place.ok());
    CHECK_FALSE(uri("").place.ok());
    CHECK_FALSE(uri("INVITE").place.ok());
}

TEST_CASE("SIP: parameters, up to the next comma") {
    const std::string text =
        "A\r\nm: <sip:a@10.0.0.2>;expires=60;transport=TCP;q=1,"
        " <sip:b@10.0.0.3>;maddr=10.0.0.4;received=10.0.0.5;expires=\r\n\r\n";
    const Reader reader = reads(text);
    const std::size_t first = text.find("<sip:a");
    const std::size_t comma = text.find(',');
    CHECK(reader.number_parameter("expires=", first).value == 60);
    CHECK(at(text, reader.parameter("transport=", first)) == "TCP");
    CHECK(at(text, reader.parameter("q=", first)) == "1");
    CHECK_FALSE(reader.address_parameter("maddr=", first, true).place.ok());
    CHECK(reader.address_parameter("maddr=", comma + 1, true).address ==
          *parse_address("10.0.0.4"));
    CHECK(reader.number_parameter("expires=", comma + 1).place.found == Found::Malformed);
}

TEST_CASE("SIP: lines of a session description, up to the next medium") {
    const std::string text =
        "A\r\n\r\nv=0\r\no=a 1 1 IN IP4 10.0.0.2\r\nc=IN IP4 10.0.0.2\r\n"
        "m=audio 40000 RTP/AVP 0\r\nm=video 40002 RTP/AVP 0\r\n"
        "c=IN IP4 10.0.0.3\r\n";
    const Reader reader = reads(text);
    CHECK(at(text, reader.line(Line::Version, 0)) == "0");
    CHECK(reader.line_address(Line::Owner, 0, Line::Media).address == *parse_address("10.0.0.2"));
    const Place audio = reader.line(Line::Media, 0);
    CHECK(at(text, audio) == "audio 40000");
    CHECK_FALSE(reader.line(Line::Connection, audio.offset, Line::Media).ok());
    const Place video = reader.line(Line::Media, audio.end());
    CHECK(at(text, video) == "video 40002");
    CHECK(reader.line_address(Line::Connection, video.offset, Line::Media).address ==
          *parse_address("10.0.0.3"));
    CHECK(reads(text, Family::Ipv6).line(Line::Connection, 0).found == Found::Malformed);
    CHECK(at("A\r\nm=audio\r\n", reads("A\r\nm=audio\r\n").line(Line::Media, 0)) == "malformed");
}

TEST_CASE("SIP: text that ends anywhere is read to its end and no further") {
    const std::string whole =
        "INVITE sip:bob@[fd00::7] SIP/2.0\r\nVia: SIP/2.0/UDP [fd00::2]:5060;maddr=[fd00::3]\r\n"
        "m: <sip:a@[fd00::2]>;expires=60,\r\n <sip:b@[fd00::2]>\r\nCSeq: 1 INVITE\r\nl: 50\r\n\r\n"
        "v=0\r\no=a 1 1 IN IP6 fd00::2\r\nc=IN IP6 fd00::2\r\nm=audio 40000 RTP\r\n";
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        const std::string text = whole.substr(0, length);
        const Reader reader = reads(text, Family::Ipv6);
        for (const Header header : {Header::CSeq, Header::Contact, Header::ViaUdp, Header::ViaTcp,
                                    Header::Expires, Header::ContentLength}) {
            const Place place = reader.header(header);
            CHECK((!place.ok() || place.end() <= length));
        }
        Walk walk;
        for (int i = 0; i < 5 && reader.next_uri(Header::Contact, walk).place.ok(); ++i) {
        }
        for (const Line line : {Line::Version, Line::Owner, Line::Connection, Line::Media}) {
            const Place place = reader.line(line, 0);
            CHECK((!place.ok() || place.end() <= length));
        }
        static_cast<void>(reader.request_uri());
        static_cast<void>(reader.address_parameter("maddr=", 0, true));
    }
}
