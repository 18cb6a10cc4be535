// FTP: commands of the client and answers of the server that name where data connections go, RFC
// 959 and RFC 2428. kernel: nf_conntrack_ftp.c, nf_nat_ftp.c
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>

#include "core/helpers/protocols/protocols.hpp"
#include "core/wire/tcp.hpp"

namespace nsr::helpers {

namespace {

using conntrack::FtpHelp;
using conntrack::Tuple;

// What a command names, and where it stands in the text.
struct Named {
    IpAddress address;
    Port port = 0;
    std::size_t offset = 0;
    std::size_t length = 0;  // 0: it names nothing
};

struct Command {
    std::string_view pattern;
    char skip;  // what stands before the numbers; 0: nothing
    char term;  // and behind; 0: anything
    Named (*read)(std::string_view text, char term, const IpAddress& sender);
    std::string (*write)(const IpAddress& address, Port port);
};

// A list of numbers with `separator` between them; `length` 0: it is none. kernel: try_number
template <std::size_t N>
struct Numbers {
    std::array<std::uint32_t, N> values{};
    std::size_t length = 0;
};

template <std::size_t N>
Numbers<N> read_numbers(std::string_view text, char separator, char term) {
    Numbers<N> numbers;
    std::size_t i = 0;
    for (std::size_t at = 0; at < text.size() && i < N; ++at) {
        const char c = text[at];
        if (c >= '0' && c <= '9') {
            numbers.values[i] = numbers.values[i] * 10 + static_cast<unsigned>(c - '0');
        } else if (c == separator) {
            ++i;
        } else {
            numbers.length = (c == term || term == 0) && i == N - 1 ? at : 0;
            return numbers;
        }
    }
    return numbers;
}

template <class Values>
IpAddress address_of(const Values& values) {
    return IpAddress::v4(values[0] << 24 | values[1] << 16 | values[2] << 8 | values[3]);
}

// "192,0,2,1,4,1". kernel: try_rfc959
Named read_port(std::string_view text, char term, const IpAddress& /*sender*/) {
    const auto numbers = read_numbers<6>(text, ',', term);
    if (numbers.length == 0) {
        return {};
    }
    return {address_of(numbers.values),
            static_cast<Port>(numbers.values[4] << 8 | numbers.values[5]), 0, numbers.length};
}

// Servers say much before and behind it. kernel: try_rfc1123
Named read_pasv(std::string_view text, char /*term*/, const IpAddress& sender) {
    const auto digit =
        std::find_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    const auto skipped = static_cast<std::size_t>(digit - text.begin());
    Named named = read_port(text.substr(skipped), 0, sender);
    named.offset = skipped;
    return named;
}

bool may_delimit(char c) {
    return c > ' ' && c <= '~' && !(c >= '0' && c <= '9');
}

// Digits up to `delimiter`; the length includes it. kernel: get_port
Named read_port_field(std::string_view text, std::size_t start, char delimiter) {
    const Number number = leading_number(text.substr(std::min(start, text.size())));
    const std::size_t end = start + number.length;
    const auto port = static_cast<Port>(number.value);
    if (end >= text.size() || text[end] != delimiter || port == 0) {
        return {};
    }
    return {{}, port, 0, end + 1};
}

// "|1|192.0.2.1|1025|" or "|2|2001:db8::1|1025|". kernel: try_eprt
Named read_eprt(std::string_view text, char /*term*/, const IpAddress& sender) {
    constexpr std::size_t kAddress = 3;
    if (text.size() <= kAddress) {
        return {};
    }
    const char delimiter = text[0];
    const char wanted = sender.family == Family::Ipv4 ? '1' : '2';
    if (!may_delimit(delimiter) || text[2] != delimiter || text[1] != wanted) {
        return {};
    }
    const std::size_t end = text.find(delimiter, kAddress);
    if (end == std::string_view::npos) {
        return {};
    }
    const auto address = parse_address(text.substr(kAddress, end - kAddress));
    if (!address || address->family != sender.family) {
        return {};
    }
    Named named = read_port_field(text, end + 1, delimiter);
    named.address = *address;
    return named;
}

// "|||1025|": where the answer comes from. kernel: try_epsv_response
Named read_epsv(std::string_view text, char /*term*/, const IpAddress& sender) {
    constexpr std::size_t kPort = 3;
    if (text.size() <= kPort || !may_delimit(text[0]) || text[1] != text[0] || text[2] != text[0]) {
        return {};
    }
    Named named = read_port_field(text, kPort, text[0]);
    named.address = sender;
    return named;
}

// kernel: nf_nat_ftp_fmt_cmd
std::string write_port(const IpAddress& address, Port port) {
    const std::uint32_t bytes = address.as_v4();
    std::string text;
    for (const unsigned shift : {24u, 16u, 8u, 0u}) {
        text += std::to_string(bytes >> shift & 0xff) + ",";
    }
    return text + std::to_string(port >> 8) + "," + std::to_string(port & 0xff);
}

std::string write_eprt(const IpAddress& address, Port port) {
    const char family = address.family == Family::Ipv4 ? '1' : '2';
    return std::string("|") + family + "|" + to_string(address) + "|" + std::to_string(port) + "|";
}

std::string write_epsv(const IpAddress& /*address*/, Port port) {
    return "|||" + std::to_string(port) + "|";
}

// By direction.
constexpr std::array<std::array<Command, 2>, 2> kCommands = {{
    {{{"PORT", ' ', '\r', read_port, write_port}, {"EPRT", ' ', '\r', read_eprt, write_eprt}}},
    {{{"227 ", 0, 0, read_pasv, write_port}, {"229 ", '(', ')', read_epsv, write_epsv}}},
}};

enum class Search : std::uint8_t { None, Partial, Found };

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool begins_alike(std::string_view text, std::string_view pattern) {
    return std::equal(text.begin(), text.end(), pattern.begin(),
                      [](char a, char b) { return upper(a) == upper(b); });
}

// Partial: it might be the command, but not all of it is there, or it is malformed. kernel:
// find_pattern
Search find(const Command& command, std::string_view text, const IpAddress& sender, Named& named) {
    const std::size_t compared = std::min(text.size(), command.pattern.size());
    if (text.empty() || !begins_alike(text.substr(0, compared), command.pattern)) {
        return Search::None;
    }
    if (text.size() <= command.pattern.size()) {
        return Search::Partial;
    }
    std::size_t start = command.pattern.size();
    if (command.skip != 0) {
        start = text.find(command.skip, start);
        if (start >= text.size()) {
            return Search::Partial;
        }
        ++start;
    }
    named = command.read(text.substr(start), command.term, sender);
    named.offset += start;
    return named.length == 0 ? Search::Partial : Search::Found;
}

// Does a line begin at `sequence`? kernel: find_nl_seq
bool begins_line(const FtpHelp& help, std::size_t direction, std::uint32_t sequence) {
    const auto known = std::span(help.after_newline[direction]).first(help.known[direction]);
    return std::find(known.begin(), known.end(), sequence) != known.end();
}

// kernel: update_nl_seq
void remember_line(FtpHelp& help, std::size_t direction, std::uint32_t sequence) {
    const auto before = [](std::uint32_t a, std::uint32_t b) {
        return static_cast<std::int32_t>(a - b) < 0;
    };
    if (begins_line(help, direction, sequence)) {
        return;
    }
    auto& lines = help.after_newline[direction];
    std::uint8_t& known = help.known[direction];
    if (known < FtpHelp::kRemembered) {
        lines[known++] = sequence;
        return;
    }
    std::uint32_t& oldest = before(lines[0], lines[1]) ? lines[0] : lines[1];
    if (before(oldest, sequence)) {
        oldest = sequence;
    }
}

// The data connection comes from the other end. One that shall go to a third host is nobody's
// business, and a client has no data ports among those of services. kernel: the second half of help
// differs: helper-client-ports
Verdict announce(Call& call, const Command& command, const Named& named) {
    const Direction other = opposite(call.direction());
    const Tuple answer = call.tuple(other);
    if (named.address != call.tuple(call.direction()).source) {
        return Verdict::accept();
    }
    if (call.direction() == Direction::Original && named.port != 0 &&
        named.port < kLeastClientPort) {
        return call.ignore_port(named.port);
    }
    const conntrack::Expectation expectation =
        conntrack::expect(call.id(), {.protocol = proto::kTcp,
                                      .source = answer.source,
                                      .destination = answer.destination,
                                      .destination_port = named.port});
    if (!call.translated()) {
        return call.expect(expectation);
    }
    return call.expect_and_mangle(expectation, other, named.offset, named.length, [&](Port port) {
        return command.write(answer.destination, port);
    });
}

}  // namespace

Verdict help_ftp(Call& call) {
    const std::string_view text = call.payload();
    if (!call.established() || text.empty()) {
        return Verdict::accept();
    }
    const std::size_t direction = index_of(call.direction());
    const std::uint32_t sequence = wire::TcpView::parse(call.packet.l4())->sequence_number();
    const auto next = sequence + static_cast<std::uint32_t>(text.size());
    const bool ends_line = text.back() == '\n';
    Verdict verdict = Verdict::accept();
    if (begins_line(call.data().ftp, direction, sequence)) {
        const IpAddress sender = call.tuple(call.direction()).source;
        for (const Command& command : kCommands[direction]) {
            Named named;
            const Search search = find(command, text, sender, named);
            if (search == Search::Partial) {
                return call.refuse("partial matching of `" + std::string(command.pattern) + "'");
            }
            if (search == Search::Found) {
                verdict = announce(call, command, named);
                break;
            }
        }
    }
    if (ends_line) {
        remember_line(call.data().ftp, direction, next);
    }
    return verdict;
}

}  // namespace nsr::helpers
