// The words that set elements are written in.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/base/words.hpp"
#include "core/rules/words/text.hpp"
#include "router/tools/ipset/elements.hpp"
#include "router/tools/ipset/port_words.hpp"
#include "router/tools/ipset/text.hpp"

namespace nsr::router {

namespace {

using sets::Part;

constexpr std::size_t kMaxIfaceBytes = 15;

std::string quoted(std::string_view text) {
    return "'" + std::string(text) + "'";
}

class ElementReader {
  public:
    ElementReader(std::string_view text, const sets::SetSpec& spec, IpsetVerb verb)
        : text_(text), spec_(spec), type_(*spec.type), verb_(verb) {}

    Result<Elements, IpsetProblem> read();

  private:
    void split_parts();
    void read_part(unsigned at);
    void read_address(std::string_view text, unsigned at);
    void read_range(std::string_view low, std::string_view high, unsigned at);
    void read_prefix(std::string_view text, std::string_view prefix, unsigned at);
    [[nodiscard]] bool may_be_many(unsigned at) const;
    void read_ports(std::string_view text);
    void read_mark(std::string_view text);
    void read_mac(std::string_view text);
    void read_iface(std::string_view text);
    void read_member();
    std::optional<IpAddress> address(std::string_view text);
    void set_address(unsigned at, const IpAddress& address, unsigned prefix);
    void fail(std::string text) {
        if (problem_.text.empty()) {
            problem_.text = std::move(text);
        }
    }
    [[nodiscard]] bool v6() const { return spec_.family == Family::Ipv6; }

    std::string_view text_;
    const sets::SetSpec& spec_;
    const sets::SetType& type_;
    IpsetVerb verb_;
    std::vector<std::string_view> words_;
    Elements::Parts parts_;
    IpsetProblem problem_;
};

Result<Elements, IpsetProblem> ElementReader::read() {
    parts_.base.ip.family = spec_.family;
    parts_.base.ip2.family = spec_.family;
    if (type_.storage == sets::Storage::List) {
        read_member();
    } else {
        split_parts();
    }
    for (unsigned i = 0; i < words_.size() && problem_.text.empty(); ++i) {
        read_part(i);
    }
    if (!problem_.text.empty()) {
        return problem_;
    }
    return Elements(std::move(parts_), spec_);
}

void ElementReader::split_parts() {
    words_ = split(text_, ',');
    const std::string in = std::string(text_);
    const unsigned dimension = type_.dimension();
    if (words_.size() > dimension) {
        constexpr std::array<std::string_view, 3> kGiven = {"Elem separator", "Two elem separators",
                                                            "Three elem separators"};
        constexpr std::array<std::string_view, 3> kAllowed = {"none", "one", "two"};
        fail("Syntax error: " +
             std::string(kGiven[std::min<std::size_t>(words_.size() - 2, kGiven.size() - 1)]) +
             " in " + in + ", but settype " + std::string(type_.name) + " supports " +
             std::string(kAllowed[dimension - 1]) + ".");
        return;
    }
    const bool mac_is_optional = type_.storage == sets::Storage::Bitmap;
    const bool short_of = words_.size() < (mac_is_optional ? 1 : dimension);
    const bool gap = dimension > 1 && std::find(words_.begin(), words_.end(), "") != words_.end();
    if (short_of || gap) {
        fail(std::string("Syntax error: ") + (short_of && words_.size() == 2 ? "Third" : "Second") +
             " element is missing from " + in + ".");
    }
}

void ElementReader::read_part(unsigned at) {
    const std::string_view text = words_[at];
    parts_.shown += at == 0 ? "" : ",";
    switch (type_.parts[at]) {
        case Part::Ip:
        case Part::Net:
            read_address(text, at);
            break;
        case Part::Port:
            read_ports(text);
            break;
        case Part::Mark:
            read_mark(text);
            break;
        case Part::Mac:
            read_mac(text);
            break;
        case Part::Iface:
            read_iface(text);
            break;
        case Part::None:
        case Part::Set:
            break;
    }
}

// --- addresses ----------------------------------------------------------------------------------

void ElementReader::read_address(std::string_view text, unsigned at) {
    parts_.shown += text;
    const std::size_t slash = text.find('/');
    const std::size_t dash = text.find('-');
    const bool net = type_.parts[at] == Part::Net;
    const bool many = slash != std::string_view::npos || dash != std::string_view::npos;
    if (many && !net && (v6() || !may_be_many(at))) {
        fail("Syntax error: plain IP address must be supplied: " + std::string(text));
    } else if (slash != std::string_view::npos) {
        read_prefix(text.substr(0, slash), text.substr(slash + 1), at);
    } else if (dash == std::string_view::npos) {
        if (const auto found = address(text)) {
            set_address(at, *found, found->bits());
        }
    } else if (v6()) {
        fail("Syntax error: IP address or IP/cidr must be specified: " + std::string(text));
    } else if (net && verb_ == IpsetVerb::Test) {
        fail("FROM-TO IP range is not allowed in command test with set type " +
             std::string(type_.name) + " and family inet");
    } else {
        read_range(text.substr(0, dash), text.substr(dash + 1), at);
    }
}

// Where a single address may be given as several. kernel: the uadt functions
bool ElementReader::may_be_many(unsigned at) const {
    return at == 0 && !type_.has(Part::Mac);
}

void ElementReader::read_range(std::string_view low, std::string_view high, unsigned at) {
    const auto first = address(low);
    const auto last = first ? address(high) : std::nullopt;
    if (!first || !last) {
        return;
    }
    const Elements::Span span{std::min(first->as_v4(), last->as_v4()),
                              std::max(first->as_v4(), last->as_v4())};
    if (verb_ == IpsetVerb::Test) {
        set_address(at, *first, first->bits());
    } else if (span.first == 0 && span.last == 0xffffffff) {
        fail("Invalid range, covers the whole address space");
    } else {
        (at == 0 ? parts_.first : parts_.second) = span;
    }
}

void ElementReader::read_prefix(std::string_view text, std::string_view prefix, unsigned at) {
    const unsigned bits = v6() ? 128 : 32;
    unsigned length = 0;
    const auto [end, error] = std::from_chars(prefix.data(), prefix.data() + prefix.size(), length);
    if (error != std::errc() || end != prefix.data() + prefix.size()) {
        fail("Syntax error: " + quoted(prefix) + " is invalid as number");
        return;
    }
    if (length > bits) {
        fail("Syntax error: " + quoted(prefix) + " is out of range 0-" + std::to_string(bits));
        return;
    }
    const auto found = address(text);
    if (!found) {
        return;
    }
    const IpAddress network = *found & mask_of(found->family, length);
    if (type_.parts[at] == Part::Net || verb_ == IpsetVerb::Test) {
        set_address(at, network, length);
        return;
    }
    if (length == 0) {
        fail("The value of the CIDR parameter of the IP address is invalid");
        return;
    }
    const std::uint32_t rest = ~mask_of(Family::Ipv4, length).as_v4();
    (at == 0 ? parts_.first : parts_.second) =
        Elements::Span{network.as_v4(), network.as_v4() | rest};
}

void ElementReader::set_address(unsigned at, const IpAddress& address, unsigned prefix) {
    (at == 0 ? parts_.base.ip : parts_.base.ip2) = address;
    (at == 0 ? parts_.base.prefix : parts_.base.prefix2) = static_cast<std::uint8_t>(prefix);
}

std::optional<IpAddress> ElementReader::address(std::string_view text) {
    const auto found = parse_ipset_address(text, spec_.family);
    if (!found) {
        fail("Syntax error: cannot parse " + std::string(text) + ": resolving to " +
             (v6() ? "IPv6" : "IPv4") + " address failed");
    }
    return found;
}

// --- everything else ----------------------------------------------------------------------------

void ElementReader::read_ports(std::string_view text) {
    const auto ports =
        type_.has_protocol() ? parse_port_span(text, spec_.family) : parse_plain_ports(text);
    if (!ports) {
        problem_ = ports.error();
        return;
    }
    parts_.base.protocol = type_.has_protocol() ? ports->protocol : std::uint8_t{0};
    parts_.base.port = ports->first;
    if (ports->single()) {
        parts_.shown += type_.has_protocol() ? port_text(ports->protocol, ports->first)
                                             : std::to_string(ports->first);
    } else if (verb_ == IpsetVerb::Test) {
        const std::string family = v6() ? "inet6" : "inet";
        fail("FROM-TO port range is not allowed in command test with set type " +
             std::string(type_.name) + " and family " + (type_.has_protocol() ? family : "unspec"));
    } else {
        parts_.ports = Elements::Span{ports->first, ports->last};
    }
}

void ElementReader::read_mark(std::string_view text) {
    const auto mark = rules::parse_number(text, 0xffffffff);
    if (!mark) {
        fail("Syntax error: " + quoted(text) + " is invalid as number");
        return;
    }
    parts_.base.mark = static_cast<std::uint32_t>(*mark);
    parts_.shown += mark_text(parts_.base.mark);
}

// One or two digits each.
void ElementReader::read_mac(std::string_view text) {
    sets::MacAddress mac{};
    const auto bytes = split(text, ':');
    bool good = bytes.size() == mac.size();
    for (std::size_t i = 0; good && i < mac.size(); ++i) {
        const char* end = bytes[i].data() + bytes[i].size();
        const auto [at, error] = std::from_chars(bytes[i].data(), end, mac[i], 16);
        good = error == std::errc() && at == end && bytes[i].size() <= 2;
    }
    if (!good) {
        fail("Syntax error: cannot parse " + quoted(text) + " as ethernet address");
        return;
    }
    parts_.base.mac = mac;
    parts_.shown += mac_text(mac);
}

void ElementReader::read_iface(std::string_view text) {
    constexpr std::string_view kPhysdev = "physdev:";
    parts_.shown += text;
    if (text.starts_with(kPhysdev)) {
        parts_.base.physdev = true;
        text.remove_prefix(kPhysdev.size());
    }
    if (text.size() > kMaxIfaceBytes) {
        fail("Syntax error: interface name " + quoted(text) + " is longer than " +
             std::to_string(kMaxIfaceBytes) + " characters");
        return;
    }
    if (text.empty() || text.find_first_of(" \t\"/") != std::string_view::npos) {
        fail("Syntax error: interface name " + quoted(text) + " is not one of an interface");
    }
    parts_.base.iface = text;
}

// "name", "name,before,other"
void ElementReader::read_member() {
    const auto words = split(text_, ',');
    if (words.size() != 1 && (words.size() != 3 || (words[1] != "before" && words[1] != "after"))) {
        fail("you must specify elements as setname,[before|after],setname");
        return;
    }
    for (const std::string_view word : words) {
        if (word.size() > sets::kMaxNameBytes) {
            fail("Syntax error: setname " + quoted(word) + " is longer than " +
                 std::to_string(sets::kMaxNameBytes) + " characters");
        }
    }
    parts_.member = words[0];
    parts_.shown = words[0];
    if (words.size() == 3) {
        parts_.before = words[1] == "before";
        parts_.reference = words[2];
    }
}

}  // namespace

Result<Elements, IpsetProblem> parse_elements(std::string_view text, const sets::SetSpec& spec,
                                              IpsetVerb verb) {
    return ElementReader(text, spec, verb).read();
}

std::optional<IpAddress> parse_ipset_address(std::string_view text, Family family) {
    if (text.starts_with('[') && text.ends_with(']')) {
        text = text.substr(1, text.size() - 2);
    }
    const auto found = parse_address(text);
    if (found) {
        return found->family == family ? found : std::nullopt;
    }
    // inet_aton(3): what is left out stands before the last number.
    const auto numbers = split(text, '.');
    if (family != Family::Ipv4 || numbers.size() > 3) {
        return std::nullopt;
    }
    std::uint32_t address = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const bool last = i + 1 == numbers.size();
        const auto shift = static_cast<unsigned>(last ? 0 : 24 - 8 * i);
        const auto value = rules::parse_number(numbers[i], last ? 0xffffffffu >> (8 * i) : 255);
        if (!value) {
            return std::nullopt;
        }
        address |= static_cast<std::uint32_t>(*value << shift);
    }
    return IpAddress::v4(address);
}

}  // namespace nsr::router
