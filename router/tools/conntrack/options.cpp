#include "router/tools/conntrack/options.hpp"

#include <functional>

namespace nsr::router {
namespace {

using Draft = ConntrackDraft;
using conntrack::LabelChange;
namespace status = conntrack::status;

constexpr int kOriginal = 0;
constexpr int kReply = 1;

// --- addresses ----------------------------------------------------------------------------------

Problem set_family(Draft& draft, Family family) {
    std::optional<Family>& known = draft.args.filter.family;
    if (known.value_or(family) != family) {
        return Problem("mismatched address family");
    }
    known = family;
    return {};
}

enum class Length : std::uint8_t { Refused, Taken };

// `option`: how it is called where it takes no length.
Problem read_network(Draft& draft, const std::string& value, const char* option,
                     std::optional<IpAddress>& address, std::optional<IpAddress>* mask) {
    const std::size_t slash = value.find('/');
    const auto read = parse_address(std::string_view(value).substr(0, slash));
    if (!read) {
        return Problem("Invalid IP address `" + shown(value) + "'");
    }
    if (Problem problem = set_family(draft, read->family); !problem.ok()) {
        return problem;
    }
    if (slash != std::string::npos && mask == nullptr) {
        return Problem(std::string("CIDR notation unavailable for `--") + option + "'");
    }
    unsigned length = read->bits();
    if (slash != std::string::npos &&
        (!parse_whole(std::string_view(value).substr(slash + 1), length) ||
         length > read->bits())) {
        return Problem("Invalid netmask");
    }
    address = *read;
    if (length != read->bits()) {
        *mask = mask_of(read->family, length);
    }
    return {};
}

template <int kDirection, bool kSource>
Problem read_address(Draft& draft, const std::string& value) {
    TupleFilter& tuple = draft.args.filter.tuples[kDirection];
    std::optional<IpAddress>& address = kSource ? tuple.source : tuple.destination;
    std::optional<IpAddress>& mask = kSource ? tuple.source_mask : tuple.destination_mask;
    if (kDirection == kReply) {
        return read_network(draft, value, kSource ? "reply-src" : "reply-dst", address, nullptr);
    }
    const auto before = mask;
    mask.reset();
    Problem problem = read_network(draft, value, "", address, &mask);
    bool& came = kSource ? draft.source_mask : draft.destination_mask;
    came = came || mask;
    mask = mask ? mask : before;
    return problem;
}

template <bool kSource>
Problem read_mask(Draft& draft, const std::string& value) {
    TupleFilter& tuple = draft.args.filter.tuples[kOriginal];
    return read_network(draft, value, kSource ? "mask-src" : "mask-dst",
                        kSource ? tuple.source_mask : tuple.destination_mask, nullptr);
}

template <bool kSource>
Problem read_expected(Draft& draft, const std::string& value) {
    TupleFilter& tuple = draft.args.expected;
    TupleFilter& original = draft.args.filter.tuples[kOriginal];
    return read_network(draft, value, "", kSource ? tuple.source : tuple.destination,
                        kSource ? &original.source_mask : &original.destination_mask);
}

template <bool kSource>
Problem read_nat(Draft& draft, const std::string& value) {
    NatFilter& nat = kSource ? draft.args.filter.source_nat : draft.args.filter.destination_nat;
    nat.wanted = true;
    if (value.empty()) {
        return {};
    }
    const AddressPort split = split_address_and_port(value);
    if (!split.problem.empty()) {
        return Problem(split.problem);
    }
    nat.port = split.port;
    return read_network(draft, split.address, kSource ? "src-nat" : "dst-nat", nat.address,
                        nullptr);
}

Problem read_any_nat(Draft& draft, const std::string& value) {
    ConntrackFilter& filter = draft.args.filter;
    filter.any_nat = true;
    Problem problem = read_nat<true>(draft, value);
    filter.destination_nat = filter.source_nat;
    return problem;
}

Problem read_family(Draft& draft, const std::string& value) {
    if (value != "ipv4" && value != "ipv6") {
        return Problem("`" + shown(value) + "' unsupported protocol");
    }
    return set_family(draft, value == "ipv4" ? Family::Ipv4 : Family::Ipv6);
}

// --- numbers ------------------------------------------------------------------------------------

Problem read_protocol(Draft& draft, const std::string& value) {
    const auto protocol = protocol_by_name(value);
    if (!protocol) {
        return Problem("`" + shown(value) + "' unsupported protocol");
    }
    draft.args.filter.protocol = protocol;
    return {};
}

// A minus wraps round, as strtoul(3) has it: -1 is as long as possible.
Problem read_timeout(Draft& draft, const std::string& value) {
    const bool negative = value.starts_with('-');
    std::uint32_t seconds = 0;
    if (!parse_whole(std::string_view(value).substr(negative ? 1 : 0), seconds)) {
        return Problem("a timeout must be a number, not \"" + shown(value) + "\"");
    }
    draft.args.change.timeout_seconds = negative ? 0 - seconds : seconds;
    return {};
}

Problem read_mark(Draft& draft, const std::string& value) {
    MarkFilter mark;
    const std::size_t slash = value.find('/');
    const bool good = parse_whole(std::string_view(value).substr(0, slash), mark.value) &&
                      (slash == std::string::npos ||
                       parse_whole(std::string_view(value).substr(slash + 1), mark.mask));
    if (!good) {
        return Problem("a mark must be VALUE or VALUE/MASK, not \"" + shown(value) + "\"");
    }
    draft.args.filter.mark = mark;
    return {};
}

template <std::optional<Zone> ConntrackFilter::*kZone>
Problem read_zone(Draft& draft, const std::string& value) {
    return read_number(value, draft.args.filter.*kZone, "a zone");
}

Problem read_id(Draft& draft, const std::string& value) {
    return read_number(value, draft.args.filter.id, "an id");
}

// Connections have none here, so there is nothing to compare it with.
Problem read_secmark(Draft& /*draft*/, const std::string& value) {
    std::optional<std::uint32_t> secmark;
    return read_number(value, secmark, "a security mark");
}

Problem nothing_to_read(Draft& /*draft*/, const std::string& /*value*/) {
    return {};
}

// --- lists of words -----------------------------------------------------------------------------

struct Word {
    std::string_view name;
    std::uint32_t value;
};

// Words may be cut short; those of NAT have options of their own. Nothing: there is no such word.
std::optional<std::uint32_t> find_word(Draft& draft, std::span<const Word> words,
                                       std::string_view given) {
    const std::string wanted = upper(given);
    for (const char* nat : {"SRC_NAT", "DST_NAT"}) {
        if (std::string_view(nat).starts_with(wanted)) {
            draft.warnings.push_back(std::string("WARNING: ignoring ") + nat + ", use --" +
                                     (nat[0] == 'S' ? "src" : "dst") + "-nat instead");
            return 0;
        }
    }
    for (const Word& word : words) {
        if (upper(word.name).starts_with(wanted)) {
            return word.value;
        }
    }
    return std::nullopt;
}

// Calls `take` for each word between commas until one is refused, and says which.
Problem each_word(std::string_view rest, const std::function<bool(std::string_view&)>& take) {
    while (true) {
        const std::size_t comma = rest.find(',');
        std::string_view word = rest.substr(0, comma);
        if (word.empty() || !take(word)) {
            const auto skipped = static_cast<std::size_t>(word.data() - rest.data());
            return Problem("Bad parameter `" + shown(rest.substr(skipped)) + "'");
        }
        if (comma == std::string_view::npos) {
            return {};
        }
        rest.remove_prefix(comma + 1);
    }
}

constexpr std::uint32_t kOffload = 1u << 31;  // no status of a connection here
constexpr Word kStatus[] = {{"ASSURED", status::kAssured},
                            {"SEEN_REPLY", status::kSeenReply},
                            {"UNSET", 0},
                            {"FIXED_TIMEOUT", status::kFixedTimeout},
                            {"EXPECTED", status::kExpected},
                            {"OFFLOAD", kOffload},
                            {"HW_OFFLOAD", kOffload}};

Problem read_status(Draft& draft, const std::string& value) {
    draft.status_given = true;
    Problem problem = each_word(value, [&](std::string_view& word) {
        const bool negated = word.starts_with('!');
        word.remove_prefix(negated ? 1 : 0);
        if (word.empty()) {
            return false;
        }
        if (!negated && word.starts_with("UNREPLIED")) {
            draft.status_mask |= status::kSeenReply;
            return true;
        }
        const auto bits = find_word(draft, kStatus, word);
        if (bits && !negated) {
            draft.args.filter.status |= *bits & ~kOffload;
            draft.args.filter.offloaded = draft.args.filter.offloaded || (*bits & kOffload) != 0;
        }
        draft.status_mask |= bits && negated ? *bits & ~kOffload : 0;
        return bits.has_value();
    });
    if (draft.status_mask == 0) {
        draft.status_mask = draft.args.filter.status;
    }
    return problem;
}

Problem read_events(Draft& draft, const std::string& value) {
    constexpr std::uint32_t kNew = 1;
    constexpr std::uint32_t kUpdates = 2;
    constexpr std::uint32_t kDestroy = 4;
    constexpr Word kEvents[] = {{"ALL", kNew | kUpdates | kDestroy},
                                {"NEW", kNew},
                                {"UPDATES", kUpdates},
                                {"DESTROY", kDestroy}};
    std::uint32_t events = 0;
    Problem problem = each_word(value, [&](std::string_view& word) {
        const auto bits = find_word(draft, kEvents, word);
        events |= bits.value_or(0);
        return bits.has_value();
    });
    ConntrackOutput& output = draft.args.output;
    output.event_new = (events & kNew) != 0;
    output.event_update = (events & kUpdates) != 0;
    output.event_destroy = (events & kDestroy) != 0;
    return problem;
}

// Who asked for a change is shown with events anyway.
Problem read_output(Draft& draft, const std::string& value) {
    enum : std::uint32_t {
        Xml,
        Extended,
        Timestamp,
        Id,
        Ktimestamp,
        Labels,
        Userspace,
        Save,
        Rules
    };
    constexpr Word kOutputs[] = {
        {"xml", Xml},   {"extended", Extended},     {"timestamp", Timestamp},
        {"id", Id},     {"ktimestamp", Ktimestamp}, {"labels", Labels},
        {"save", Save}, {"userspace", Userspace},   {"rules", Rules}};
    ConntrackOutput& output = draft.args.output;
    bool of_no_effect = false;
    bool* const flags[] = {&output.xml,   &output.extended,   &output.timestamp,
                           &output.id,    &output.ktimestamp, &output.labels,
                           &of_no_effect, &output.save,       &output.rules};
    Problem problem = each_word(value, [&](std::string_view& word) {
        const std::size_t warned = draft.warnings.size();
        const auto which = find_word(draft, kOutputs, word);
        if (which && draft.warnings.size() == warned) {
            *flags[*which] = true;
        }
        return which.has_value();
    });
    const bool others = output.extended || output.xml || output.id || output.ktimestamp ||
                        output.timestamp || output.labels || output.rules;
    if (problem.ok() && output.save && others) {
        return {"cannot combine save output with any other output type, use -o save only", false};
    }
    return problem;
}

// --- labels -------------------------------------------------------------------------------------

Problem read_labels(LabelChange::Bits& bits, const std::string& value) {
    constexpr unsigned kLabels = 128;
    constexpr unsigned kPerWord = 32;
    return each_word(
               value,
               [&](std::string_view& word) {
                   unsigned label = 0;
                   if (!parse_whole(word, label) || label >= kLabels) {
                       return false;
                   }
                   bits[label / kPerWord] |= 1u << label % kPerWord;
                   return true;
               }).ok()
               ? Problem()
               : Problem("unknown label '" + shown(value) +
                         "'; labels are numbers here, from 0 to 127");
}

Problem read_label(Draft& draft, const std::string& value) {
    auto& labels = draft.args.filter.labels;
    labels = labels.value_or(LabelChange::Bits{});
    return read_labels(*labels, value);
}

template <bool kAdds>
Problem change_labels(Draft& draft, const std::string& value) {
    auto& labels = draft.args.change.labels;
    const LabelChange::Bits none{};
    if (labels && (kAdds ? labels->clear : labels->set) != none) {
        return {"cannot use --label-add and --label-del at the same time", false};
    }
    labels = labels.value_or(LabelChange{});
    if (!kAdds && value.empty()) {
        labels->clear.fill(0xffffffff);
        return {};
    }
    return read_labels(kAdds ? labels->set : labels->clear, value);
}

// --- the table ----------------------------------------------------------------------------------

constexpr auto N = Takes::Nothing;
constexpr auto V = Takes::Value;
constexpr auto M = Takes::Maybe;
using F = ConntrackFilter;

// A code that is no letter has no short name that anybody would guess; the tool has the same.
// clang-format off
constexpr ConntrackOption kOptions[] = {
    {'s', {"src", "orig-src"},    V, ".==..=.--!!!---", true,  read_address<kOriginal, true>},
    {'d', {"dst", "orig-dst"},    V, ".==..=.--!!!---", true,  read_address<kOriginal, false>},
    {'r', {"reply-src"},          V, ".==..=.--...---", true,  read_address<kReply, true>},
    {'q', {"reply-dst"},          V, ".==..=.--...---", true,  read_address<kReply, false>},
    {'p', {"protonum", "proto"},  V, ".!!..!.--!!!--.", true,  read_protocol},
    {'t', {"timeout"},            V, "-!!..----!-----", false, read_timeout},
    {'u', {"status"},             V, ".....----.-----", true,  read_status},
    {'z', {"zero"},               N, ".--------------", false, [](Draft& draft, const std::string&) {
         draft.args.output.zero = true; return Problem(); }},
    {'e', {"event-mask"},         V, "------.--------", false, read_events},
    {'[', {"tuple-src"},          V, "---------!-----", false, read_expected<true>},
    {']', {"tuple-dst"},          V, "---------!-----", false, read_expected<false>},
    {'{', {"mask-src"},           V, ".--..-.--!-----", false, read_mask<true>},
    {'}', {"mask-dst"},           V, ".--..-.--!-----", false, read_mask<false>},
    {'m', {"mark"},               V, ".....-.--------", true,  read_mark},
    {'i', {"id"},                 V, "---...---------", true,  read_id},
    {'f', {"family"},             V, ".--..-...------", false, read_family},
    {'n', {"src-nat"},            M, ".....-.--------", false, read_nat<true>},
    {'g', {"dst-nat"},            M, ".....-.--------", false, read_nat<false>},
    {'o', {"output"},             V, ".--....-.---.--", false, read_output},
    {'c', {"secmark"},            V, ".-----.--------", true,  read_secmark},
    {'b', {"buffer-size"},        V, "------.--------", false, nothing_to_read},
    {'j', {"any-nat"},            M, ".-----.--------", false, read_any_nat},
    {'w', {"zone"},               V, "...-.-.--------", true,  read_zone<&F::zone>},
    {'l', {"label"},              V, ".--....--------", true,  read_label},
    {'<', {"label-add"},          V, "-...-----------", false, change_labels<true>},
    {'>', {"label-del"},          M, "---.-----------", false, change_labels<false>},
    {'(', {"orig-zone"},          V, "...-.-.--------", true,  read_zone<&F::zone_original>},
    {')', {"reply-zone"},         V, "...-.-.--------", true,  read_zone<&F::zone_reply>},
    {'a', {"nat-range"},          V, "...............", false, [](Draft& draft, const std::string&) {
         draft.warnings.emplace_back("WARNING: ignoring -a, deprecated option.");
         return Problem(); }},
};
// clang-format on

}  // namespace

std::span<const ConntrackOption> common_options() {
    return kOptions;
}

}  // namespace nsr::router
