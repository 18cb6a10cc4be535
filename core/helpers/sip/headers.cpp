// SIP behind NAT. kernel: nf_nat_sip.c
#include "core/helpers/sip/message.hpp"
#include "core/helpers/sip/scan.hpp"
#include "core/helpers/sip/sip.hpp"
#include "core/packet/rewrite.hpp"

namespace nsr::helpers {

namespace sip {

namespace {

using conntrack::Expectation;
using conntrack::Tuple;

// An end of the connection as this side knows it becomes what the other side knows. False: it does
// not fit. kernel: map_addr
bool map(Message& message, const Uri& uri) {
    const Tuple ours = message.ours();
    const Tuple theirs = message.theirs();
    IpAddress address;
    Port port = 0;
    if (uri.address == ours.source && uri.port == ours.source_port) {
        address = theirs.destination;
        port = theirs.destination_port;
    } else if (uri.address == ours.destination && uri.port == ours.destination_port) {
        const Port forced = message.help().forced_dport;
        address = theirs.source;
        port = forced != 0 ? forced : theirs.source_port;
    } else {
        return true;
    }
    const bool same = address == uri.address && port == uri.port;
    return same || message.replace(uri.place, endpoint_text(address, port));
}

bool map_header(Message& message, Header header) {
    const Uri uri = message.reader().uri(header);
    return !uri.place.ok() || map(message, uri);
}

// maddr=, received= and rport= of the topmost Via, behind `end`.
Verdict map_parameters(Message& message, std::size_t end) {
    const Tuple ours = message.ours();
    const Tuple theirs = message.theirs();
    const Uri maddr = message.reader().address_parameter("maddr=", end, true);
    if (maddr.place.ok() && maddr.address == ours.source && maddr.address != theirs.destination &&
        !message.replace(maddr.place, address_text(theirs.destination, true))) {
        return message.call.refuse("cannot mangle maddr");
    }
    const Uri received = message.reader().address_parameter("received=", end, false);
    if (received.place.ok() && received.address == ours.destination &&
        received.address != theirs.source &&
        !message.replace(received.place, address_text(theirs.source, false))) {
        return message.call.refuse("cannot mangle received");
    }
    const auto rport = message.reader().number_parameter("rport=", end);
    if (rport.place.ok() && rport.value == ours.destination_port &&
        rport.value != theirs.source_port &&
        !message.replace(rport.place, std::to_string(theirs.source_port))) {
        return message.call.refuse("cannot mangle rport");
    }
    return Verdict::accept();
}

// Only the topmost one, if it is of this connection.
Verdict map_via(Message& message, bool request) {
    const bool tcp = message.call.packet.layout.protocol == proto::kTcp;
    const Uri via = message.reader().uri(tcp ? Header::ViaTcp : Header::ViaUdp);
    const Tuple ours = message.ours();
    const IpAddress& address = request ? ours.source : ours.destination;
    const Port port = request ? ours.source_port : ours.destination_port;
    if (!via.place.ok() || via.address != address || via.port != port) {
        return Verdict::accept();
    }
    const std::size_t before = message.length;
    if (!map(message, via)) {
        return message.call.refuse("cannot mangle Via header");
    }
    return map_parameters(message, via.place.end() + message.length - before);
}

Verdict map_contacts(Message& message) {
    Walk walk;
    for (Uri contact = message.reader().next_uri(Header::Contact, walk); contact.place.ok();
         contact = message.reader().next_uri(Header::Contact, walk)) {
        if (!map(message, contact)) {
            return message.call.refuse("cannot mangle contact");
        }
    }
    return Verdict::accept();
}

}  // namespace

Verdict translate_headers(Message& message) {
    const bool request = !begins_with(message.reader().text, "SIP/2.0");
    if (request) {
        const Uri uri = message.reader().request_uri();
        if (uri.place.ok() && !map(message, uri)) {
            return message.call.refuse("cannot mangle SIP message");
        }
    }
    if (const Verdict verdict = map_via(message, request); !verdict.accepted()) {
        return verdict;
    }
    if (const Verdict verdict = map_contacts(message); !verdict.accepted()) {
        return verdict;
    }
    if (!map_header(message, Header::From) || !map_header(message, Header::To)) {
        return message.call.refuse("cannot mangle SIP from/to");
    }
    const Port forced = message.help().forced_dport;
    if (message.direction() == Direction::Reply && forced != 0) {
        rewrite::set_destination_port(message.call.packet, forced);
    }
    return Verdict::accept();
}

Verdict expect_registration(Message& message, Expectation expectation, const Place& contact) {
    const Tuple ours = message.ours();
    const Tuple theirs = message.theirs();
    const Port forced = message.help().forced_dport;
    const Port source_port = forced != 0 ? forced : ours.source_port;
    const IpAddress address =
        ours.source == theirs.destination ? expectation.tuple.destination : theirs.destination;
    expectation.saved_address = expectation.tuple.destination;
    expectation.tuple.destination = address;
    const Port wanted = expectation.tuple.destination_port;
    const Port first = wanted == source_port ? theirs.destination_port : wanted;
    const auto found = message.call.expect_translated(expectation, opposite(message.direction()),
                                                      first, conntrack::Follow::Sip);
    if (found.port == 0) {
        return message.call.refuse("all ports in use for SIP");
    }
    const bool moved = address != expectation.saved_address || found.port != wanted;
    if (moved && !message.replace(contact, endpoint_text(address, found.port))) {
        message.call.conntrack.unexpect(found.expected);
        return message.call.refuse("cannot mangle packet");
    }
    return Verdict::accept();
}

}  // namespace sip

namespace {

// The expectation of its master that goes to where the connection comes from: the other half of a
// call.
std::optional<conntrack::Expectation> find_pair(const conntrack::Conntrack& conntrack,
                                                const conntrack::Tuple& original, ConnId master) {
    const conntrack::Expectations& expectations = conntrack.expectations();
    for (auto id = conntrack.newest_expectation(master); id != 0; id = expectations.older(id)) {
        const conntrack::Expectation& pair = expectations[id];
        if (pair.tuple.protocol == original.protocol && pair.saved_address == original.source &&
            pair.saved_port == original.source_port) {
            return pair;
        }
    }
    return std::nullopt;
}

}  // namespace

void follow_sip(conntrack::Conntrack& conntrack, nat::Nat& nat, ConnId id,
                const conntrack::Expectation& expectation, Instant now) {
    const ConnId master = expectation.master;
    const conntrack::Tuple original = conntrack.table().tuple(id, Direction::Original);
    const auto bind = [&](nat::Manip manip, const IpAddress& address, std::optional<Port> port) {
        nat::Range range;
        set_address(range, address);
        if (port) {
            set_port(range, *port);
        }
        static_cast<void>(nat.bind_expected(id, manip, range, now));
    };
    bind(nat::Manip::Destination, expectation.saved_address, expectation.saved_port);
    const auto pair = expectation.of_class == sip::Signalling
                          ? std::nullopt
                          : find_pair(conntrack, original, master);
    if (pair) {
        bind(nat::Manip::Source, pair->tuple.destination, pair->tuple.destination_port);
    } else if (original.source == conntrack.table().tuple(master, expectation.direction).source) {
        bind(nat::Manip::Source,
             conntrack.table().tuple(master, opposite(expectation.direction)).destination,
             std::nullopt);
    }
}

}  // namespace nsr::helpers
