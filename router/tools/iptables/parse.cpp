#include <utility>

#include "core/rules/words/addresses.hpp"
#include "core/rules/words/text.hpp"
#include "router/tools/iptables/args_parser.hpp"

namespace nsr::router {

Result<IptablesArgs, IptablesAnswer> ArgsParser::parse() {
    while (at_ < words_.size() && !answer_ && !rest_) {
        word();
    }
    if (!answer_) {
        finish();
    }
    if (answer_) {
        answer_->errors = args_.warnings + answer_->errors;
        return *answer_;
    }
    return std::move(args_);
}

void ArgsParser::word() {
    const std::string& current = words_[at_++];
    if (current == "!") {
        if (std::exchange(inverted_, true)) {
            fail("multiple consecutive ! not allowed");
        }
        return;
    }
    if (current == "--") {
        rest_ = true;
        return;
    }
    if (current.starts_with("--")) {
        long_option(current);
    } else if (current.starts_with('-') && current.size() > 1) {
        letters(current);
    } else {
        answer_ = wrong_words(args_.family, {});
        answer_->errors = "Bad argument `" + current + "'\n" + answer_->errors;
    }
    inverted_ = false;
}

void ArgsParser::letters(const std::string& word) {
    for (std::size_t i = 1; i < word.size() && !answer_; ++i) {
        const IptablesOption* option = find_letter(word[i]);
        if (option == nullptr) {
            fail("unknown option \"-" + word.substr(i, 1) + "\"");
            return;
        }
        std::optional<std::string> value;
        if (option->value != OptionValue::None && i + 1 < word.size()) {
            value = word.substr(i + 1);
            i = word.size();
        } else if (option->value == OptionValue::Needed) {
            if (at_ == words_.size()) {
                fail("option \"" + word + "\" requires an argument");
                return;
            }
            value = words_[at_++];
        }
        take(*option, std::move(value));
    }
}

void ArgsParser::long_option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    std::optional<std::string> value;
    if (equals != std::string::npos) {
        value = word.substr(equals + 1);
    }
    const IptablesOption* option = find_name(name);
    const bool exact = option != nullptr && option->name == name;
    if (!exact) {
        if (const rules::OptionSpec* spec = modules_.find(name, option != nullptr)) {
            take_module_option(*spec, word, value);
            return;
        }
    }
    if (option == nullptr || (option->value == OptionValue::None && value)) {
        fail("unknown option \"" + word + "\"");
        return;
    }
    if (option->value == OptionValue::Needed && !value) {
        if (at_ == words_.size()) {
            fail("option \"" + word + "\" requires an argument");
            return;
        }
        value = words_[at_++];
    }
    take(*option, std::move(value));
}

// Of a match or target; what it means is for the rule's own parser.
void ArgsParser::take_module_option(const rules::OptionSpec& spec, std::string_view name,
                                    const std::optional<std::string>& inline_value) {
    if (inverted_) {
        args_.rule.push_back({"!", 0, false});
    }
    args_.rule.push_back({"--" + std::string(spec.name), 0, false});
    unsigned values = spec.values;
    if (spec.values == rules::kOptionalValue) {
        values = inline_value || more() ? 1 : 0;
    }
    for (unsigned i = 0; i < values; ++i) {
        if (i == 0 && inline_value) {
            args_.rule.push_back({*inline_value, 0, true});
        } else if (at_ < words_.size()) {
            args_.rule.push_back({words_[at_++], 0, true});
        } else {
            fail("option \"" + std::string(name) + "\" requires an argument");
        }
    }
}

void ArgsParser::take(const IptablesOption& option, std::optional<std::string> value) {
    if (!take_flag(option.letter, value)) {
        const std::string text = value.value_or("");
        if (std::string_view("ACDIRLSFZNXPE").find(option.letter) != std::string_view::npos) {
            if (value) {
                args_.chain = text;
            }
            take_command(option.letter, text);
        } else {
            take_rule_option(option.letter, text);
        }
    }
}

void ArgsParser::take_command(char letter, const std::string& value) {
    const auto optional_chain = [&] {
        if (value.empty() && more()) {
            args_.chain = words_[at_++];
        }
    };
    switch (letter) {
        case 'A':
            return command(iptables::kAppend);
        case 'C':
            return command(iptables::kCheck);
        case 'D':
            command(iptables::kDelete);
            if (more()) {
                rule_number();
                args_.commands = iptables::kDeleteNumber;
            }
            return;
        case 'I':
            command(iptables::kInsert);
            args_.number = 1;
            return more() ? rule_number() : void();
        case 'R':
            command(iptables::kReplace);
            return more() ? rule_number() : fail("-R requires a rule number");
        case 'L':
        case 'S':
            command(letter == 'L' ? iptables::kList : iptables::kListRules,
                    iptables::kZero | iptables::kZeroNumber);
            optional_chain();
            return more() ? rule_number() : void();
        case 'F':
            command(iptables::kFlush);
            return optional_chain();
        case 'Z':
            command(iptables::kZero, iptables::kList | iptables::kListRules);
            optional_chain();
            if (more()) {
                rule_number();
                args_.commands = static_cast<std::uint16_t>((args_.commands & ~iptables::kZero) |
                                                            iptables::kZeroNumber);
            }
            return;
        case 'N':
            chain_name(value);
            return command(iptables::kNewChain);
        case 'X':
            command(iptables::kDeleteChain);
            return optional_chain();
        case 'E':
            command(iptables::kRenameChain);
            return second_name("-E requires old-chain-name and new-chain-name");
        default:
            command(iptables::kSetPolicy);
            return second_name("-P requires a chain and a policy");
    }
}

void ArgsParser::command(std::uint16_t command, std::uint16_t along) {
    if (inverted_) {
        fail("unexpected '!' flag");
    }
    const auto others = static_cast<std::uint16_t>(args_.commands & ~along);
    if (others != 0) {
        fail(std::string("Cannot use -") + command_letter(command) + " with -" +
             command_letter(others));
    }
    args_.commands = static_cast<std::uint16_t>(args_.commands | command);
}

void ArgsParser::chain_name(const std::string& name) {
    constexpr std::size_t kLongest = 28;
    if (name.size() > kLongest) {
        fail("chain name `" + name + "' too long (must be under 29 chars)");
    } else if (name.starts_with('-') || name.starts_with('!')) {
        fail("chain name not allowed to start with `" + name.substr(0, 1) + "'");
    } else if (RuleModules::is_target(name)) {
        fail("chain name may not clash with target name");
    } else if (!fit_for_name(name)) {
        fail("Invalid chain name `" + name + "'");
    }
}

void ArgsParser::rule_number() {
    const std::string& text = words_[at_++];
    const auto number = rules::parse_number(text, 0x7fffffff);
    if (!number || *number == 0) {
        fail("Invalid rule number `" + text + "'");
    } else {
        args_.number = static_cast<std::uint32_t>(*number);
    }
}

void ArgsParser::second_name(std::string_view complaint) {
    if (more()) {
        args_.name = words_[at_++];
    } else {
        fail(std::string(complaint));
    }
}

// --- flags --------------------------------------------------------------------------------------

// False: it is a command or part of a rule.
bool ArgsParser::take_flag(char letter, const std::optional<std::string>& value) {
    switch (letter) {
        case 'n':
            option(letter);
            args_.numeric = true;
            return true;
        case 'v':
            if (!std::exchange(args_.verbose, true)) {
                option(letter);
            }
            return true;
        case 'x':
            option(letter);
            args_.exact = true;
            return true;
        case '0':
            option(letter);
            args_.line_numbers = true;
            return true;
        case 't':
            if (inverted_) {
                fail("unexpected ! flag before --table");
            }
            args_.table = value.value_or("");
            return true;
        case 'w':
            wait(value);
            return true;
        case 'W':
            wait_interval(value.value_or(""));
            return true;
        case 'M':
            return true;
        case 'h':
            answer_ = IptablesAnswer{.text = iptables_help(args_.family)};
            return true;
        case 'V':
            answer_ = IptablesAnswer{.text = iptables_version(args_.family) + "\n"};
            return true;
        case '4':
        case '6':
            if ((letter == '6') != (args_.family == Family::Ipv6)) {
                answer_ = wrong_words(args_.family, {});
            }
            return true;
        default:
            return false;
    }
}

// There is no lock to wait for: changes are made one after the other.
void ArgsParser::wait(const std::optional<std::string>& value) {
    std::optional<std::string> seconds = value;
    if (!seconds && more()) {
        seconds = words_[at_++];
    }
    if (seconds && !rules::parse_number(*seconds, 0x7fffffff)) {
        fail("wait seconds not numeric");
    }
    wait_ = true;
}

void ArgsParser::wait_interval(const std::string& value) {
    if (!rules::parse_number(value, 0x7fffffff)) {
        fail("wait interval not numeric");
        return;
    }
    args_.warnings += "Ignoring deprecated --wait-interval option.\n";
    wait_interval_ = true;
}

void ArgsParser::option(char letter, bool invertible) {
    const auto bit = static_cast<std::uint16_t>(1u << kOptionLetters.find(letter));
    if ((options_ & bit) != 0) {
        fail(std::string("multiple -") + letter + " flags not allowed");
    }
    options_ = static_cast<std::uint16_t>(options_ | bit);
    if (inverted_ && !invertible) {
        fail(std::string("cannot have ! before -") + letter);
    }
}

Result<IptablesArgs, IptablesAnswer> parse_iptables_args(Family family,
                                                         const std::vector<std::string>& words,
                                                         const rules::HostNames& names) {
    return ArgsParser(family, words, names).parse();
}

}  // namespace nsr::router
