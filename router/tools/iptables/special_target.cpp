// Targets whose listed text is more than their options in other words.
#include <algorithm>
#include <array>

#include "core/rules/words/text.hpp"
#include "router/tools/iptables/special_text.hpp"

namespace nsr::router {
namespace {

struct LogFlag {
    std::string_view option;
    std::string_view name;
    unsigned bit;
};
constexpr std::array kLogFlags = std::to_array<LogFlag>({
    {"log-tcp-sequence", "tcp-sequence", 1},
    {"log-tcp-options", "tcp-options", 2},
    {"log-ip-options", "ip-options", 4},
    {"log-uid", "uid", 8},
    {"log-macdecode", "macdecode", 0x20},
});
constexpr std::array<std::string_view, 8> kLogLevels = {"emerg", "alert",  "crit", "err",
                                                        "warn",  "notice", "info", "debug"};
constexpr std::uint64_t kWarning = 4;

std::string log_text(const SavedPart& part, const TextStyle& style) {
    const auto options = part.options();
    const SavedOption* given = find_saved(options, "log-level");
    const std::uint64_t level =
        given == nullptr ? kWarning
                         : rules::parse_number(saved_value(*given), 7).value_or(kWarning);
    unsigned bits = 0;
    std::string names;
    for (const LogFlag& flag : kLogFlags) {
        if (find_saved(options, flag.option) != nullptr) {
            bits |= flag.bit;
            names += " " + std::string(flag.name);
        }
    }
    std::string text =
        style.numeric ? " LOG flags " + std::to_string(bits) + " level " + std::to_string(level)
                      : " LOG level " + std::string(kLogLevels[level]) + names;
    if (const SavedOption* prefix = find_saved(options, "log-prefix")) {
        text += " prefix \"" + saved_value(*prefix) + "\"";
    }
    return text;
}

struct ValueMask {
    std::uint32_t value = 0;
    std::uint32_t mask = 0;
};

ValueMask value_mask(const std::string& text) {
    const std::size_t slash = text.find('/');
    const auto number = [](const std::string& digits) {
        return static_cast<std::uint32_t>(rules::parse_number(digits, 0xffffffff).value_or(0));
    };
    return {number(text.substr(0, slash)),
            slash == std::string::npos ? 0xffffffff : number(text.substr(slash + 1))};
}

std::string hex(std::uint32_t number) {
    return formatted("0x%x", number);
}

// "set 0x1", "and 0xff", "xset 0x1/0x3"
std::string mark_change(const std::string& value) {
    const ValueMask change = value_mask(value);
    if (change.value == 0) {
        return "and " + hex(~change.mask);
    }
    if (change.value == change.mask) {
        return "or " + hex(change.value);
    }
    if (change.mask == 0) {
        return "xor " + hex(change.value);
    }
    return change.mask == 0xffffffff ? "set " + hex(change.value)
                                     : "xset " + hex(change.value) + "/" + hex(change.mask);
}

std::string mark_text(const SavedPart& part, const TextStyle&) {
    const auto options = part.options();
    return " MARK " + (options.empty() ? "" : mark_change(saved_value(options.front())));
}

std::string connmark_text(const SavedPart& part, const TextStyle&) {
    const auto options = part.options();
    if (const SavedOption* set = find_saved(options, "set-xmark")) {
        std::string text = " CONNMARK " + mark_change(saved_value(*set));
        for (const char* shift : {"left-shift-mark", "right-shift-mark"}) {
            if (const SavedOption* given = find_saved(options, shift)) {
                text += " " + given->name + " " + saved_value(*given);
            }
        }
        return text;
    }
    const bool saves = find_saved(options, "save-mark") != nullptr;
    const auto mask = [&](const char* name) {
        const SavedOption* given = find_saved(options, name);
        return given == nullptr ? std::string("0xffffffff") : saved_value(*given);
    };
    const std::string nfmask = mask("nfmask");
    const std::string ctmask = mask("ctmask");
    std::string text = saves ? " CONNMARK save" : " CONNMARK restore";
    if (nfmask == ctmask) {
        return nfmask == "0xffffffff" ? text : text + " mask " + nfmask;
    }
    return saves ? text + " nfmask " + nfmask + " ctmask ~" + ctmask
                 : text + " ctmask " + ctmask + " nfmask ~" + nfmask;
}

std::string tos_text(const SavedPart& part, const TextStyle& style) {
    const auto options = part.options();
    const std::string value = options.empty() ? std::string() : saved_value(options.front());
    if (style.numeric) {
        return " TOS set " + value;
    }
    if (const std::string_view name = tos_name(value); !name.empty()) {
        return "  TOS set" + std::string(name);
    }
    const ValueMask change = value_mask(value);
    if (change.value == 0) {
        return " TOS and " + formatted("0x%02x", ~change.mask & 0xff);
    }
    if (change.value == change.mask) {
        return " TOS or " + formatted("0x%02x", change.value);
    }
    return change.mask == 0 ? " TOS xor " + formatted("0x%02x", change.value) : " TOS set " + value;
}

struct TcpOption {
    std::string_view number;
    std::string_view name;
};
constexpr std::array kTcpOptions = std::to_array<TcpOption>({
    {"2", "mss"},
    {"3", "wscale"},
    {"4", "sack-permitted"},
    {"5", "sack"},
    {"8", "timestamp"},
    {"19", "md5"},
});

std::string tcpoptstrip_text(const SavedPart& part, const TextStyle& style) {
    const auto options = part.options();
    std::string list;
    const std::string given_number = options.empty() ? "" : saved_value(options.front());
    for (const std::string_view number : split(given_number, ',')) {
        const auto* known =
            std::find_if(kTcpOptions.begin(), kTcpOptions.end(),
                         [&](const TcpOption& row) { return row.number == number; });
        const bool named = !style.numeric && known != kTcpOptions.end();
        list += (list.empty() ? "" : ",") + std::string(named ? known->name : number);
    }
    return " TCPOPTSTRIP options " + list;
}

// "0001:000a" is 1:a.
std::string classify_text(const SavedPart& part, const TextStyle&) {
    const auto options = part.options();
    std::string text = " CLASSIFY set ";
    const std::string given = options.empty() ? std::string() : saved_value(options.front());
    for (const std::string_view half : split(given, ':')) {
        const std::size_t first = std::min(half.find_first_not_of('0'), half.size() - 1);
        text += (text.back() == ' ' ? "" : ":") + std::string(half.substr(first));
    }
    return text;
}

struct HmarkPart {
    std::string_view option;
    std::string_view text;
    bool hexadecimal;
};
constexpr std::array kHmarkParts = std::to_array<HmarkPart>({
    {"hmark-mod", "mod ", false},
    {"hmark-offset", "+ ", true},
    {"hmark-src-prefix", "src-prefix ", false},
    {"hmark-dst-prefix", "dst-prefix ", false},
    {"hmark-sport-mask", "sport-mask ", true},
    {"hmark-dport-mask", "dport-mask ", true},
    {"hmark-spi-mask", "spi-mask ", true},
    {"hmark-sport", "sport ", true},
    {"hmark-dport", "dport ", true},
    {"hmark-spi", "spi ", true},
    {"hmark-proto-mask", "proto-mask ", true},
    {"hmark-rnd", "rnd ", true},
});

std::string hmark_text(const SavedPart& part, const TextStyle&) {
    const auto options = part.options();
    std::string text = " HMARK ";
    for (const HmarkPart& row : kHmarkParts) {
        if (const SavedOption* given = find_saved(options, row.option)) {
            const std::string value = saved_value(*given);
            text += std::string(row.text) +
                    (row.hexadecimal ? hex(value_mask(value).value) : value) + " ";
        }
    }
    return text;
}

}  // namespace

SpecialText special_target(std::string_view name) {
    static constexpr std::array kRows = std::to_array<SpecialRow>({
        {"LOG", log_text},
        {"MARK", mark_text},
        {"CONNMARK", connmark_text},
        {"TOS", tos_text},
        {"TCPOPTSTRIP", tcpoptstrip_text},
        {"CLASSIFY", classify_text},
        {"HMARK", hmark_text},
    });
    return find_special(kRows, name);
}

}  // namespace nsr::router
