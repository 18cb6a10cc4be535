// SIP, RFC 3261: requests and answers of the methods that say where calls and media shall go.
// kernel: the second half of nf_conntrack_sip.c
#include "core/helpers/sip/sip.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/helpers/sip/message.hpp"
#include "core/helpers/sip/scan.hpp"

namespace nsr::helpers {

namespace sip {

namespace {

using conntrack::Expectation;
using conntrack::ExpectId;

constexpr std::uint32_t kMasterSeconds = 3600;
constexpr std::string_view kVersion = "SIP/2.0 ";
constexpr std::size_t kShortest = 11;  // "SIP/2.0 200"

struct Numbers {
    std::uint32_t cseq = 0;
    unsigned code = 0;  // of an answer
};

bool is_provisional(unsigned code) {
    return code >= 100 && code <= 199;
}
bool is_success(unsigned code) {
    return code >= 200 && code <= 299;
}

// kernel: flush_expectations
void forget(Message& message, bool media) {
    conntrack::Conntrack& conntrack = message.call.conntrack;
    for (ExpectId id = conntrack.newest_expectation(message.call.id()); id != 0;) {
        const ExpectId older = conntrack.expectations().older(id);
        const bool signalling = conntrack.expectations()[id].of_class == Signalling;
        if (signalling != media) {
            conntrack.unexpect(id);
            if (!media) {
                return;
            }
        }
        id = older;
    }
}

// The expected registration lives as long as the registrar says. kernel:
// refresh_signalling_expectation
bool refresh_registration(Message& message, const Uri& contact, std::uint8_t protocol,
                          std::uint32_t seconds) {
    conntrack::Conntrack& conntrack = message.call.conntrack;
    for (ExpectId id = conntrack.newest_expectation(message.call.id()); id != 0;
         id = conntrack.expectations().older(id)) {
        const Expectation& expectation = conntrack.expectations()[id];
        const conntrack::Tuple& tuple = expectation.tuple;
        if (expectation.of_class == Signalling && tuple.destination == contact.address &&
            tuple.protocol == protocol && tuple.destination_port == contact.port) {
            conntrack.activate(id, seconds, message.call.now);
            return true;
        }
    }
    return false;
}

// The protocol that a contact asks for, if it is that of the connection. kernel:
// ct_sip_parse_transport
bool same_transport(const Message& message, std::size_t behind) {
    const Reader reader = message.reader();
    const Place place = reader.parameter("transport=", behind);
    if (!place.ok()) {
        return true;
    }
    const std::string_view name = reader.text.substr(place.offset, place.length);
    const bool tcp = message.call.packet.layout.protocol == proto::kTcp;
    return begins_with(name, tcp ? "TCP" : "UDP");
}

// --- what each method means ---

Verdict on_session(Message& message, const Numbers& /*numbers*/) {
    return follow_session(message);
}

// kernel: process_invite_request
Verdict on_invite(Message& message, const Numbers& numbers) {
    forget(message, true);
    const Verdict verdict = follow_session(message);
    if (verdict.accepted()) {
        message.help().invite_cseq = numbers.cseq;
    }
    return verdict;
}

// kernel: process_invite_response, process_update_response, process_prack_response
Verdict on_session_answer(Message& message, const Numbers& numbers) {
    if (is_provisional(numbers.code) || is_success(numbers.code)) {
        return follow_session(message);
    }
    if (message.help().invite_cseq == numbers.cseq) {
        forget(message, true);
    }
    return Verdict::accept();
}

Verdict on_bye(Message& message, const Numbers& /*numbers*/) {
    forget(message, true);
    return Verdict::accept();
}

Verdict register_contact(Message& message, const Uri& contact) {
    Expectation expectation = conntrack::expect(message.call.id(),
                                                {.protocol = message.call.packet.layout.protocol,
                                                 .source = message.theirs().source,
                                                 .destination = contact.address,
                                                 .destination_port = contact.port},
                                                Signalling);
    expectation.helper = message.call.conntrack.helper_of(message.call.id());
    expectation.permanent = true;
    expectation.inactive = true;
    return message.call.translated() ? expect_registration(message, expectation, contact.place)
                                     : message.call.expect(expectation);
}

// Calls will come to the contact, once the registrar has said so. kernel: process_register_request
Verdict on_register(Message& message, const Numbers& numbers) {
    const ConnId id = message.call.id();
    if (message.call.conntrack.table()[id].has(conntrack::status::kExpected)) {
        return Verdict::accept();
    }
    const Reader reader = message.reader();
    const Place header = reader.header(Header::Expires);
    const Uri contact = reader.uri(Header::Contact);
    if (contact.place.found == Found::Malformed) {
        return message.call.refuse("cannot parse contact");
    }
    if (!contact.place.ok() || message.ours().source != contact.address ||
        !same_transport(message, contact.place.end())) {
        return Verdict::accept();
    }
    const auto own = reader.number_parameter("expires=", contact.place.end());
    if (own.place.found == Found::Malformed) {
        return message.call.refuse("cannot parse expires");
    }
    const std::uint64_t by_header = header.ok() ? reader.number_at(header.offset) : 0;
    const std::uint64_t expires = own.place.ok() ? own.value : by_header;
    const Verdict verdict = expires == 0 ? Verdict::accept() : register_contact(message, contact);
    if (verdict.accepted()) {
        message.help().register_cseq = numbers.cseq;
    }
    return verdict;
}

// kernel: process_register_response
Verdict on_register_answer(Message& message, const Numbers& numbers) {
    if (message.help().register_cseq != numbers.cseq || is_provisional(numbers.code)) {
        return Verdict::accept();
    }
    const Reader reader = message.reader();
    const Place header = reader.header(Header::Expires);
    const std::uint64_t by_header = header.ok() ? reader.number_at(header.offset) : 0;
    Walk walk;
    while (is_success(numbers.code)) {
        const Uri contact = reader.next_uri(Header::Contact, walk);
        if (contact.place.found == Found::Malformed) {
            return message.call.refuse("cannot parse contact");
        }
        if (!contact.place.ok()) {
            break;
        }
        if (message.ours().destination != contact.address ||
            !same_transport(message, contact.place.end())) {
            continue;
        }
        const auto own = reader.number_parameter("expires=", contact.place.end());
        if (own.place.found == Found::Malformed) {
            return message.call.refuse("cannot parse expires");
        }
        const std::uint64_t expires = own.place.ok() ? own.value : by_header;
        if (expires == 0) {
            break;
        }
        if (refresh_registration(message, contact, message.call.packet.layout.protocol,
                                 static_cast<std::uint32_t>(expires))) {
            return Verdict::accept();
        }
    }
    forget(message, false);
    return Verdict::accept();
}

struct Method {
    std::string_view name;
    Verdict (*request)(Message& message, const Numbers& numbers);
    Verdict (*answer)(Message& message, const Numbers& numbers);  // null: nothing follows from it
};

constexpr std::array<Method, 6> kMethods = {{
    {"INVITE", on_invite, on_session_answer},
    {"UPDATE", on_session, on_session_answer},
    {"ACK", on_session, nullptr},
    {"PRACK", on_session, on_session_answer},
    {"BYE", on_bye, nullptr},
    {"REGISTER", on_register, on_register_answer},
}};

// Some telephones send from one port and want the answers at another one, as their Via says.
void note_forced_port(Message& message) {
    const Uri via = message.reader().uri(Header::ViaUdp);
    const conntrack::Tuple ours = message.ours();
    if (via.place.ok() && via.port != ours.source_port && via.address == ours.source) {
        message.help().forced_dport = via.port;
    }
}

// Nothing: why it is dropped has been said. kernel: process_sip_request
Verdict on_request(Message& message) {
    note_forced_port(message);
    const Reader reader = message.reader();
    for (const Method& method : kMethods) {
        const std::size_t name = method.name.size();
        const bool named = reader.text.size() >= name + 2 &&
                           begins_with(reader.text, method.name) && reader.text[name] == ' ' &&
                           ((reader.text[name + 1] | 0x20) >= 'a') &&
                           ((reader.text[name + 1] | 0x20) <= 'z');
        if (!named) {
            continue;
        }
        const Place cseq = reader.header(Header::CSeq);
        if (!cseq.ok()) {
            return message.call.refuse("cannot parse cseq");
        }
        return method.request(message, {static_cast<std::uint32_t>(reader.number_at(cseq.offset))});
    }
    return Verdict::accept();
}

// kernel: process_sip_response
Verdict on_answer(Message& message) {
    const Reader reader = message.reader();
    if (reader.text.size() < kShortest) {
        return Verdict::accept();
    }
    const auto code = static_cast<unsigned>(reader.number_at(kVersion.size()));
    if (code == 0) {
        return message.call.refuse("cannot get code");
    }
    const Place cseq = reader.header(Header::CSeq);
    if (!cseq.ok()) {
        return message.call.refuse("cannot parse cseq");
    }
    const std::size_t behind = cseq.end() + 1;
    for (const Method& method : kMethods) {
        const bool named = reader.text.size() >= behind + method.name.size() &&
                           begins_with(reader.text.substr(behind), method.name);
        if (method.answer != nullptr && named) {
            return method.answer(message,
                                 {static_cast<std::uint32_t>(reader.number_at(cseq.offset)), code});
        }
    }
    return Verdict::accept();
}

// kernel: process_sip_msg
Verdict on_message(Message& message) {
    const bool answer = begins_with(message.reader().text, kVersion);
    const Verdict verdict = answer ? on_answer(message) : on_request(message);
    if (!verdict.accepted() || !message.call.translated()) {
        return verdict;
    }
    return translate_headers(message);
}

// How long the first message of `text` is, or says that it is; 0: its end is not said. kernel:
// sip_help_tcp
std::size_t message_length(std::string_view text, Family family) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    constexpr std::uint64_t kMostBody = 0xffff;
    const Reader reader{text, family};
    const Place length = reader.header(Header::ContentLength);
    if (!length.ok()) {
        return 0;
    }
    const std::size_t end = text.find(kEnd, length.end());
    if (end == std::string_view::npos) {
        return 0;
    }
    // One that goes on behind the text goes on, however far.
    const std::uint64_t body = reader.number_at(length.offset);
    return end + kEnd.size() + static_cast<std::size_t>(std::min(body, kMostBody));
}

}  // namespace

bool Message::replace(const Place& place, std::string_view with) {
    if (!call.mangle_quietly(offset + place.offset, place.length, with)) {
        return false;
    }
    length = length + with.size() - place.length;
    return true;
}

std::string address_text(const IpAddress& address, bool bracketed) {
    return bracketed && address.is_v6() ? "[" + to_string(address) + "]" : to_string(address);
}

std::string endpoint_text(const IpAddress& address, Port port) {
    return address_text(address, true) + ":" + std::to_string(port);
}

}  // namespace sip

Verdict help_sip_udp(Call& call) {
    const std::size_t length = call.payload().size();
    if (length == 0) {
        return Verdict::accept();
    }
    call.conntrack.refresh(call.id(), sip::kMasterSeconds, call.now);
    sip::Message message{call, 0, length};
    return length < sip::kShortest ? Verdict::accept() : sip::on_message(message);
}

Verdict help_sip_tcp(Call& call) {
    const std::size_t payload = call.payload().size();
    if (!call.established() || payload == 0) {
        return Verdict::accept();
    }
    call.conntrack.refresh(call.id(), sip::kMasterSeconds, call.now);
    std::size_t offset = 0;
    while (payload >= sip::kShortest && offset < call.payload().size()) {
        const std::string_view rest = call.payload().substr(offset);
        const std::size_t length = sip::message_length(rest, call.packet.layout.family);
        if (length == 0) {
            break;
        }
        if (length > rest.size()) {
            return Verdict::accept();
        }
        sip::Message message{call, offset, length};
        if (const Verdict verdict = sip::on_message(message); !verdict.accepted()) {
            return verdict;
        }
        offset += message.length;
    }
    call.note_longer(payload);
    return Verdict::accept();
}

}  // namespace nsr::helpers
