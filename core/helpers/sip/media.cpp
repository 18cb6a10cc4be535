// Session descriptions: each medium is expected as a pair of UDP ports, RTP and RTCP.
// kernel: process_sdp, set_expected_rtp_rtcp; nf_nat_sdp_media, nf_nat_sdp_session
#include <algorithm>
#include <array>
#include <optional>

#include "core/helpers/sip/message.hpp"
#include "core/helpers/sip/scan.hpp"

namespace nsr::helpers::sip {

namespace {

using conntrack::Conntrack;
using conntrack::Expectation;
using conntrack::ExpectId;
using conntrack::Tuple;
using ExpectFailure = Conntrack::ExpectFailure;

constexpr Port kLeastPort = 1024;

struct MediaType {
    std::string_view name;
    ExpectClass of_class;
};
constexpr std::array<MediaType, 3> kMediaTypes = {
    {{"audio ", Audio}, {"video ", Video}, {"image ", Image}}};

const MediaType* type_of(std::string_view text) {
    for (const MediaType& type : kMediaTypes) {
        if (begins_with(text, type.name)) {
            return &type;
        }
    }
    return nullptr;
}

// One medium of a description.
struct Media {
    Place port_place;  // in the message
    Port port = 0;
    ExpectClass of_class = Audio;
    IpAddress address;  // where it shall go; behind NAT, where the other side sends it
};

// kernel: mangle_content_len
bool write_content_length(Message& message) {
    constexpr std::size_t kVersionName = 2;
    const Place session = message.reader().line(Line::Version, 0);
    if (!session.ok()) {
        return false;
    }
    const std::size_t length = message.length - session.offset + kVersionName;
    const Place header = message.reader().header(Header::ContentLength);
    return header.ok() && message.replace(header, std::to_string(length));
}

// kernel: mangle_sdp_packet. Nothing: there is no such line.
std::optional<bool> write_line(Message& message, std::size_t from, Line line,
                               const IpAddress& address) {
    const Place place = message.reader().line(line, from, Line::Media);
    if (!place.ok()) {
        return std::nullopt;
    }
    return message.replace(place, address_text(address, false));
}

// kernel: nf_nat_sdp_session
bool write_session(Message& message, std::size_t session, const IpAddress& address) {
    if (!write_line(message, session, Line::Owner, address).value_or(false)) {
        return false;
    }
    return write_line(message, session, Line::Connection, address).value_or(true) &&
           write_content_length(message);
}

// kernel: nf_nat_sdp_port
bool write_port(Message& message, const Media& media, Port port) {
    return message.replace(media.port_place, std::to_string(port)) && write_content_length(message);
}

struct Pair {
    Expectation rtp;
    Expectation rtcp;
};

Expectation expect_stream(const Message& message, const Media& media, const IpAddress& source,
                          Port port) {
    return conntrack::expect(message.call.id(),
                             {.protocol = proto::kUdp,
                              .source = source,
                              .destination = media.address,
                              .destination_port = port},
                             media.of_class);
}

bool is_there(const Result<ExpectId, ExpectFailure>& expected) {
    return expected.ok() || expected.error() == ExpectFailure::Known;
}

// Two media of one description may name the same ports. kernel: set_expected_rtp_rtcp
bool expect_as_it_is(Message& message, const Pair& pair) {
    Call& call = message.call;
    const auto rtp = call.conntrack.expect_related(pair.rtp, call.now, Conntrack::Whose::Anybody);
    if (!is_there(rtp)) {
        return false;
    }
    const auto rtcp = call.conntrack.expect_related(pair.rtcp, call.now, Conntrack::Whose::Anybody);
    if (!is_there(rtcp) && rtp.ok()) {
        call.conntrack.unexpect(*rtp);
    }
    return is_there(rtcp);
}

void aim(Expectation& expectation, const Message& message, const IpAddress& address) {
    expectation.saved_address = expectation.tuple.destination;
    expectation.saved_port = expectation.tuple.destination_port;
    expectation.tuple.destination = address;
    expectation.direction = opposite(message.direction());
    expectation.follow = conntrack::Follow::Sip;
}

// The pair that is expected; nothing: no ports are left. kernel: nf_nat_sdp_media
// differs: sip-media-ports
std::optional<std::array<ExpectId, 2>> expect_free_pair(Message& message, Pair& pair) {
    Call& call = message.call;
    constexpr std::uint32_t kMostPairs = 128;  // one packet asks for many media
    const std::uint32_t first = pair.rtp.tuple.destination_port;
    const std::uint32_t end = std::min(first + 2 * kMostPairs, 0xffffu);
    for (std::uint32_t port = first; port < end; port += 2) {
        pair.rtp.tuple.destination_port = static_cast<Port>(port);
        pair.rtcp.tuple.destination_port = static_cast<Port>(port + 1);
        const auto rtp =
            call.conntrack.expect_related(pair.rtp, call.now, Conntrack::Whose::Anybody);
        if (!rtp && rtp.error() == ExpectFailure::Clash) {
            continue;
        }
        if (!rtp) {
            return std::nullopt;
        }
        const auto rtcp =
            call.conntrack.expect_related(pair.rtcp, call.now, Conntrack::Whose::Anybody);
        if (rtcp) {
            return std::array{*rtp, *rtcp};
        }
        call.conntrack.unexpect(*rtp);
        if (rtcp.error() != ExpectFailure::Clash) {
            return std::nullopt;
        }
    }
    return std::nullopt;
}

Verdict expect_translated(Message& message, Media& media, Pair& pair) {
    const IpAddress mapped = message.theirs().destination;
    media.address = message.ours().source == mapped ? pair.rtp.tuple.destination : mapped;
    aim(pair.rtp, message, media.address);
    aim(pair.rtcp, message, media.address);
    const auto expected = expect_free_pair(message, pair);
    if (!expected) {
        return message.call.refuse("all ports in use for SDP media");
    }
    const Port port = pair.rtp.tuple.destination_port;
    if (port != pair.rtp.saved_port && !write_port(message, media, port)) {
        message.call.conntrack.unexpect((*expected)[0]);
        message.call.conntrack.unexpect((*expected)[1]);
        return message.call.refuse("cannot mangle SDP message");
    }
    return Verdict::accept();
}

// Whether another call expects it already, and whether both ends are inside the same NAT: then
// they may as well talk to each other directly.
struct Elsewhere {
    bool expected = false;
    bool direct = false;
};

Elsewhere find_elsewhere(const Message& message, Media& media, Port& port) {
    Conntrack& conntrack = message.call.conntrack;
    Elsewhere elsewhere;
    Tuple tuple{message.theirs().source, media.address, 0, port, proto::kUdp};
    for (;;) {
        const ExpectId id = conntrack.find_expectation(tuple, message.call.id());
        if (id == 0) {
            return elsewhere;
        }
        const Expectation& expectation = conntrack.expectations()[id];
        if (expectation.master == message.call.id() || expectation.of_class != media.of_class ||
            conntrack.helper_of(expectation.master) != conntrack.helper_of(message.call.id())) {
            return elsewhere;
        }
        const bool moved = expectation.saved_address != expectation.tuple.destination ||
                           expectation.saved_port != expectation.tuple.destination_port;
        if (elsewhere.direct || !moved || !message.call.translated()) {
            elsewhere.expected = true;
            return elsewhere;
        }
        media.address = tuple.destination = expectation.saved_address;
        port = tuple.destination_port = expectation.saved_port;
        elsewhere.direct = true;
    }
}

// Only media that come to the one who speaks. kernel: sip_direct_media
Verdict expect_media(Message& message, Media& media) {
    if (media.address != message.ours().source) {
        return Verdict::accept();
    }
    Port port = media.port;
    const Elsewhere elsewhere = find_elsewhere(message, media, port);
    const auto base = static_cast<Port>(port & ~1u);
    if (elsewhere.direct && !write_port(message, media, base)) {
        return Verdict::drop(DropReason::HelperRefused);
    }
    if (elsewhere.expected) {
        return Verdict::accept();
    }
    const IpAddress source = message.theirs().source;
    Pair pair{expect_stream(message, media, source, base),
              expect_stream(message, media, source, static_cast<Port>(base + 1))};
    if (message.call.translated() && !elsewhere.direct) {
        return expect_translated(message, media, pair);
    }
    return expect_as_it_is(message, pair) ? Verdict::accept()
                                          : Verdict::drop(DropReason::HelperRefused);
}

// What a description says of one medium, at `place`. `session`: the address of the session.
Verdict follow_medium(Message& message, Media& media, const Uri& session) {
    const std::size_t from = media.port_place.offset;
    const Uri own = message.reader().line_address(Line::Connection, from, Line::Media);
    if (!own.place.ok() && !session.place.ok()) {
        return message.call.refuse("cannot parse SDP message");
    }
    media.address = own.place.ok() ? own.address : session.address;
    if (const Verdict verdict = expect_media(message, media); !verdict.accepted()) {
        static_cast<void>(message.call.refuse("cannot add expectation for voice"));
        return verdict;
    }
    const bool written =
        !own.place.ok() || !message.call.translated() ||
        (write_line(message, from, Line::Connection, media.address).value_or(false) &&
         write_content_length(message));
    return written ? Verdict::accept() : message.call.refuse("cannot mangle SDP");
}

}  // namespace

Verdict follow_session(Message& message) {
    const Place version = message.reader().line(Line::Version, 0);
    if (!version.ok()) {
        return Verdict::accept();
    }
    const std::size_t session = version.offset;
    const Uri address = message.reader().line_address(Line::Connection, session, Line::Media);
    std::optional<IpAddress> used;  // of the last one that is followed
    std::size_t at = session;
    for (std::size_t followed = 0; followed < kMediaTypes.size();) {
        const Reader reader = message.reader();
        const Place line = reader.line(Line::Media, at);
        if (!line.ok()) {
            break;
        }
        const MediaType* type = type_of(reader.text.substr(line.offset, line.length));
        at = line.end();
        if (type == nullptr) {
            continue;
        }
        Media media;
        media.of_class = type->of_class;
        media.port_place = {Found::Yes, line.offset + type->name.size(),
                            line.length - type->name.size()};
        at = media.port_place.offset;
        const std::uint64_t port = reader.number_at(media.port_place.offset);
        if (port == 0) {  // the stream is not used
            continue;
        }
        if (port < kLeastPort || port > 0xffff) {
            return message.call.refuse("wrong port " + std::to_string(port));
        }
        media.port = static_cast<Port>(port);
        if (const Verdict verdict = follow_medium(message, media, address); !verdict.accepted()) {
            return verdict;
        }
        used = media.address;
        ++followed;
    }
    if (!message.call.translated() || !used) {
        return Verdict::accept();
    }
    return write_session(message, session, *used) ? Verdict::accept()
                                                  : Verdict::drop(DropReason::HelperRefused);
}

}  // namespace nsr::helpers::sip
