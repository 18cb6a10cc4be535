#include <charconv>

#include "core/rules/words/addresses.hpp"
#include "core/rules/words/text.hpp"
#include "router/tools/iptables/args_parser.hpp"

namespace nsr::router {
namespace {

constexpr std::size_t kLongestName = 28;  // of a chain or target
constexpr std::size_t kLongestInterfaceName = 15;

}  // namespace

void ArgsParser::push(std::string_view option, const std::string& value) {
    if (inverted_) {
        args_.rule.push_back({"!", 0, false});
    }
    args_.rule.push_back({std::string(option), 0, false});
    args_.rule.push_back({value, 0, true});
}

void ArgsParser::take_rule_option(char letter, const std::string& value) {
    switch (letter) {
        case 'p':
            return protocol(value);
        case 's':
        case 'd':
            option(letter, true);
            (letter == 's' ? source_ : destination_) = value;
            addresses_inverted_ = addresses_inverted_ || inverted_;
            return push(letter == 's' ? "-s" : "-d", value);
        case 'i':
        case 'o':
            return interface(letter, value);
        case 'f':
            if (args_.family == Family::Ipv6) {
                return fail("`-f' is not supported in IPv6, use -m frag instead");
            }
            option(letter, true);
            if (inverted_) {
                args_.rule.push_back({"!", 0, false});
            }
            args_.rule.push_back({"-f", 0, false});
            return;
        case 'j':
        case 'g':
            return target(value, letter == 'g');
        case 'm':
            return match(value);
        default:
            return counters(value);
    }
}

void ArgsParser::protocol(std::string name) {
    option('p', true);
    name = lower(name);
    const auto number = rules::parse_protocol(name);
    if (!number) {
        return fail("unknown protocol \"" + name + "\" specified");
    }
    if (*number == 0 && inverted_) {
        return fail("rule would never match protocol");
    }
    const bool is_header = *number == 43 || *number == 44 || *number == 51 || *number == 60;
    if (args_.family == Family::Ipv6 && is_header && !inverted_) {
        args_.warnings +=
            "Warning: never matched protocol: " + name + ". use extension match instead.\n";
    }
    modules_.set_protocol(name, inverted_);
    push("-p", name);
}

void ArgsParser::interface(char letter, const std::string& name) {
    if (name.empty()) {
        return fail("Empty interface is likely to be undesired");
    }
    option(letter, true);
    (letter == 'i' ? args_.in_given : args_.out_given) = true;
    if (name.size() > kLongestInterfaceName) {
        return fail("interface name `" + name + "' must be shorter than IFNAMSIZ (15)");
    }
    if (name.find_first_of("/ ") != std::string::npos) {
        args_.warnings += "Warning: weird character in interface `" + name +
                          "' ('/' and ' ' are not allowed by the kernel).\n";
    }
    push(letter == 'i' ? "-i" : "-o", name);
}

void ArgsParser::target(const std::string& name, bool is_goto) {
    option('j');
    if (name.empty()) {
        return fail("Invalid target name (too short)");
    }
    if (name.size() > kLongestName) {
        return fail("Invalid target name `" + name + "' (28 chars max)");
    }
    if (!fit_for_name(name)) {
        return fail("Invalid target name `" + name + "'");
    }
    args_.jump = name;
    args_.is_goto = is_goto;
    if (!is_goto) {
        modules_.load_target(name);
    }
    push(is_goto ? "-g" : "-j", name);
}

void ArgsParser::match(const std::string& name) {
    if (inverted_) {
        return fail("unexpected ! flag before --match");
    }
    if (!modules_.load_match(name)) {
        return fail("Couldn't load match `" + name + "':No such file or directory\n");
    }
    push("-m", name);
}

void ArgsParser::counters(const std::string& value) {
    option('c');
    std::string packets = value;
    std::optional<std::string> bytes;
    if (const std::size_t comma = value.find(',', 1); comma != std::string::npos) {
        packets = value.substr(0, comma);
        bytes = value.substr(comma + 1);
    } else if (more()) {
        bytes = words_[at_++];
    }
    if (!bytes) {
        return fail("-c requires packet and byte counter");
    }
    const auto number = [&](const std::string& text, const char* what, std::uint64_t& into) {
        const auto read = std::from_chars(text.data(), text.data() + text.size(), into);
        if (read.ec != std::errc()) {
            fail(std::string("-c ") + what + " counter not numeric");
        }
    };
    rules::RuleCounters given;
    number(packets, "packet", given.packets);
    number(*bytes, "byte", given.bytes);
    args_.counters = given;
}

// --- all together -------------------------------------------------------------------------------

void ArgsParser::finish() {
    if (wait_interval_ && !wait_) {
        fail("--wait-interval only makes sense with --wait\n");
        return;
    }
    if (args_.table == "nat" && (args_.name == "DROP" || args_.jump == "DROP")) {
        fail(
            "\nThe \"nat\" table is not intended for filtering, the use of DROP is therefore "
            "inhibited.\n\n");
    }
    if (rest_ && at_ < words_.size()) {
        fail("unknown arguments found on commandline");
    }
    if (args_.commands == 0) {
        fail("no command specified");
    }
    if (inverted_) {
        fail("nothing appropriate following !");
    }
    const auto given = [&](char letter) {
        return (options_ >> kOptionLetters.find(letter) & 1) != 0;
    };
    if (given('s')) {
        check_addresses(source_, addresses_inverted_);
    }
    if (given('d')) {
        check_addresses(destination_, addresses_inverted_);
    }
    if (args_.has(iptables::kReplace) && (source_ + destination_).find(',') != std::string::npos) {
        fail("Replacement rule does not specify a unique address");
    }
    if (const char letter = illegal_option(args_.commands, options_); letter != 0) {
        fail(std::string("Illegal option `-") + letter + "' with this command");
    }
    if (args_.chain && args_.chain->size() > kLongestName) {
        fail("chain name `" + *args_.chain + "' too long (must be under 29 chars)");
    }
}

void ArgsParser::check_addresses(const std::string& list, bool inverted) {
    const auto parts = split(list, ',');
    for (const std::string_view part : parts) {
        if (!rules::parse_networks(part, args_.family, args_.names).empty()) {
            continue;
        }
        const std::size_t slash = part.find('/');
        if (slash != std::string_view::npos) {
            check_mask(std::string(part), slash);
        }
        fail("host/network `" + std::string(part.substr(0, slash)) + "' not found");
    }
    if (inverted && parts.size() > 1) {
        fail("! not allowed with multiple source or destination IP addresses");
    }
}

void ArgsParser::check_mask(const std::string& part, std::size_t slash) {
    const std::string mask = part.substr(slash + 1);
    const std::string any = args_.family == Family::Ipv6 ? "::/" : "0.0.0.0/";
    if (!rules::parse_masked_address(any + mask, args_.family)) {
        fail("invalid mask `" + mask + "' specified");
    }
}

}  // namespace nsr::router
