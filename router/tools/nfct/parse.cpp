// kernel's side: nfnetlink_cttimeout.c; the tool's: nfct.c, nfct-extensions/timeout.c
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/base/words.hpp"
#include "router/tools/nfct/command.hpp"

namespace nsr::router {

namespace {

using conntrack::TimeoutState;

constexpr std::string_view kUsage = "Usage: nfct command subsystem [parameters]...\n";

struct CommandRow {
    std::string_view name;
    NfctCommand command;
    std::string_view missing;  // what is said where words are missing
};

// Of several that begin with a word the first one is meant.
constexpr auto kCommands = std::to_array<CommandRow>({
    {"list", NfctCommand::List, ""},
    {"add", NfctCommand::Add,
     "missing parameters\nsyntax: nfct add timeout name family protocol state1 timeout1 ..."},
    {"delete", NfctCommand::Delete, "missing timeout policy name"},
    {"get", NfctCommand::Get, "missing timeout policy name"},
    {"flush", NfctCommand::Flush, ""},
    {"default-set", NfctCommand::DefaultSet,
     "missing parameters\nsyntax: nfct default-set timeout family protocol state1 timeout1..."},
    {"default-get", NfctCommand::DefaultGet,
     "missing parameters\nsyntax: nfct default-get timeout family protocol"},
});

const CommandRow* find_command(std::string_view word) {
    const auto found = std::find_if(kCommands.begin(), kCommands.end(),
                                    [&](const auto& row) { return row.name.starts_with(word); });
    return word.empty() || found == kCommands.end() ? nullptr : &*found;
}

bool is_timeout(std::string_view word) {
    return !word.empty() && std::string_view("timeout").starts_with(word);
}

bool is_helper(std::string_view word) {
    return !word.empty() && std::string_view("helper").starts_with(word);
}

class Parser {
  public:
    explicit Parser(const std::vector<std::string>& words) : words_(words) {}

    Result<NfctArgs, std::string> parse();

  private:
    // Each false: `problem_` says what is wrong.
    bool begin();
    bool name();
    bool kind();
    bool values();
    bool fail(std::string_view message) {
        problem_ = nfct_error(message);
        return false;
    }
    [[nodiscard]] std::size_t left() const { return words_.size() - at_; }

    const std::vector<std::string>& words_;
    std::size_t at_ = 0;
    const CommandRow* row_ = nullptr;
    NfctArgs args_;
    std::string problem_;
};

// The command and its subsystem, in either order.
bool Parser::begin() {
    if (words_.size() < 2) {
        problem_ = kUsage;
        return false;
    }
    const std::string& first = words_[0];
    const std::string& second = words_[1];
    row_ = find_command(first);
    if (row_ == nullptr || !(is_timeout(second) || is_helper(second))) {
        row_ = is_timeout(first) || is_helper(first) ? find_command(second) : nullptr;
    }
    const bool subsystem = std::any_of(words_.begin(), words_.begin() + 2, [](const auto& word) {
        return is_timeout(word) || is_helper(word);
    });
    if (row_ == nullptr) {
        problem_ = nfct_error((subsystem ? "Unknown command: " : "Unknown subsystem: ") + first) +
                   std::string(kUsage);
        return false;
    }
    if (!is_timeout(first) && !is_timeout(second)) {
        return fail("there are no helpers in user space here; the subsystem is `timeout'");
    }
    args_.command = row_->command;
    at_ = 2;
    return true;
}

bool Parser::name() {
    if (left() == 0) {
        return fail(row_->missing);
    }
    args_.name = words_[at_++].substr(0, conntrack::kMaxTimeoutNameBytes);
    if (args_.command == NfctCommand::Add && !is_printable_name(args_.name)) {
        return fail("the name of a timeout policy has printable characters only");
    }
    return true;
}

bool Parser::kind() {
    if (left() < 2) {
        return fail(row_->missing);
    }
    const std::string& family = words_[at_];
    const std::string& protocol = words_[at_ + 1];
    at_ += 2;
    if (family != "inet" && family != "inet6") {
        return fail("unknown layer 3 protocol");
    }
    args_.family = family == "inet6" ? Family::Ipv6 : Family::Ipv4;
    args_.protocol = conntrack::find_timeout_protocol(protocol);
    if (args_.protocol == nullptr) {
        return fail(lower(protocol) == "dccp" ? "netlink error: Operation not supported"
                                              : "unknown layer 4 protocol");
    }
    return true;
}

bool Parser::values() {
    while (left() > 0) {
        const std::string& state = words_[at_++];
        if (left() == 0) {
            return fail("missing value for this timeout");
        }
        const std::string& text = words_[at_++];
        const TimeoutState* known = args_.protocol->find(state);
        if (known == nullptr) {
            return fail("Wrong state name: `" + state + "' for protocol `" +
                        std::string(args_.protocol->name) + "'");
        }
        std::uint32_t seconds = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
        if (error != std::errc() || end != text.data() + text.size() ||
            seconds > conntrack::kLongestTimeout) {
            return fail("a timeout is a number of seconds from 0 to " +
                        std::to_string(conntrack::kLongestTimeout) + ", not `" + text + "'");
        }
        args_.values.push_back({known, seconds});
    }
    return true;
}

Result<NfctArgs, std::string> Parser::parse() {
    if (!begin()) {
        return problem_;
    }
    const NfctCommand command = args_.command;
    const bool adds = command == NfctCommand::Add;
    const bool defaults = command == NfctCommand::DefaultSet || command == NfctCommand::DefaultGet;
    const bool sets = adds || command == NfctCommand::DefaultSet;
    constexpr std::size_t kLeast = 3;
    if (sets && left() < kLeast) {
        return nfct_error(row_->missing);
    }
    const bool named = adds || command == NfctCommand::Delete || command == NfctCommand::Get;
    if ((named && !name()) || ((adds || defaults) && !kind()) || (sets && !values())) {
        return problem_;
    }
    if (left() > 0) {
        return nfct_error("too many arguments");
    }
    if (adds && args_.values.empty()) {
        return nfct_error("netlink error: Invalid argument");
    }
    return std::move(args_);
}

}  // namespace

bool is_printable_name(std::string_view name) {
    return std::all_of(name.begin(), name.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

std::string nfct_error(std::string_view message) {
    return "nfct v1.4.7: " + std::string(message) + "\n";
}

Result<NfctArgs, std::string> parse_nfct_args(const std::vector<std::string>& words) {
    return Parser(words).parse();
}

}  // namespace nsr::router
