// IRC: DCC commands in messages of a client name where it listens. kernel: nf_conntrack_irc.c,
// nf_nat_irc.c
#include <algorithm>
#include <array>
#include <optional>

#include "core/helpers/protocols/protocols.hpp"

namespace nsr::helpers {

namespace {

constexpr std::size_t kMostSearched = 4095;
constexpr std::size_t kShortestDcc = 26;      // " :\1DCC SENT t AAAAAAAA P\1\n"
constexpr std::size_t kShortestNumbers = 12;  // "AAAAAAAA P\1\n"
constexpr std::size_t kShortestMessage = 10;  // "PRIVMSG x "
constexpr std::array<std::string_view, 5> kCommands = {"SEND ", "CHAT ", "MOVE ", "TSEND ",
                                                       "SCHAT "};

struct Dcc {
    std::uint32_t address = 0;
    Port port = 0;
    std::size_t offset = 0;  // of both numbers in the payload
    std::size_t length = 0;
};

bool is_blank(char c) {
    return c == ' ' || c == '\r' || c == '\n';
}

// The file name, then address and port; there must be a line break somewhere behind. kernel:
// parse_dcc
std::optional<Dcc> parse_dcc(std::string_view text, std::size_t at) {
    while (at < text.size() && text[at++] != ' ') {
        if (at + kShortestNumbers > text.size()) {
            return std::nullopt;
        }
    }
    if (text.find('\n', at) == std::string_view::npos) {
        return std::nullopt;
    }
    Dcc dcc;
    dcc.offset = at;
    const Number address = leading_number(text.substr(at));
    at += address.length;
    while (at < text.size() && text[at] == ' ') {
        ++at;
    }
    const Number port = leading_number(text.substr(at));
    dcc.address = static_cast<std::uint32_t>(address.value);
    dcc.port = static_cast<Port>(port.value);
    dcc.length = at + port.length - dcc.offset;
    return dcc;
}

// Where the DCC command of a message begins, behind " :\1DCC "; nothing: there is none.
std::optional<std::size_t> find_dcc(std::string_view text) {
    constexpr std::string_view kMessage = "privmsg ";
    constexpr std::string_view kStart = " :";
    constexpr std::string_view kDcc = "\1DCC ";
    std::size_t at = 0;
    while (at + kShortestMessage < text.size() && is_blank(text[at])) {
        ++at;
    }
    if (at + kShortestMessage < text.size()) {
        const bool message = std::equal(kMessage.begin(), kMessage.end(),
                                        text.begin() + static_cast<std::ptrdiff_t>(at),
                                        [](char a, char b) { return a == (b | 0x20); });
        if (!message) {
            return std::nullopt;
        }
        at += kMessage.size();
    }
    const std::size_t start = text.find(kStart, at);
    if (start == std::string_view::npos || start + kShortestDcc >= text.size()) {
        return std::nullopt;
    }
    at = start + kStart.size();
    return text.substr(at, kDcc.size()) == kDcc ? std::optional(at + kDcc.size()) : std::nullopt;
}

Verdict expect_dcc(Call& call, const Dcc& dcc) {
    const conntrack::Tuple reply = call.tuple(Direction::Reply);
    const conntrack::Expectation expectation = conntrack::expect(
        call.id(),
        {.protocol = proto::kTcp, .destination = reply.destination, .destination_port = dcc.port});
    if (!call.translated()) {
        return call.expect(expectation);
    }
    const std::string address = std::to_string(reply.destination.as_v4());
    return call.expect_and_mangle(
        expectation, Direction::Reply, dcc.offset, dcc.length,
        [&](Port chosen) { return address + " " + std::to_string(chosen); });
}

}  // namespace

// differs: helper-client-ports
Verdict help_irc(Call& call) {
    if (call.direction() == Direction::Reply || !call.established()) {
        return Verdict::accept();
    }
    const std::string_view text = call.payload().substr(0, kMostSearched);
    const auto command = find_dcc(text);
    if (!command) {
        return Verdict::accept();
    }
    for (const std::string_view name : kCommands) {
        if (text.substr(*command, name.size()) != name) {
            continue;
        }
        const auto dcc = parse_dcc(text, *command + name.size());
        if (!dcc || dcc->port == 0) {
            continue;
        }
        const bool own = dcc->address == call.tuple(Direction::Original).source.as_v4() ||
                         dcc->address == call.tuple(Direction::Reply).destination.as_v4();
        if (own && dcc->port < kLeastClientPort) {
            return call.ignore_port(dcc->port);
        }
        if (own) {
            return expect_dcc(call, *dcc);
        }
        call.say(LogLevel::Warning, "Forged DCC command from " +
                                        to_proc_string(call.tuple(Direction::Original).source) +
                                        ": " + to_proc_string(IpAddress::v4(dcc->address)) + ":" +
                                        std::to_string(dcc->port));
    }
    return Verdict::accept();
}

}  // namespace nsr::helpers
