// What nfct(8) was asked to do with timeout policies, and what it answers.
//
// Theory of operation
//   Words become NfctArgs (parse.cpp), which knows nothing of the policies there are; run_nfct()
//   shows or changes those of a router (command.cpp). Words, texts and exit codes are those of
//   version 1.4.7. Seconds must be a number that can be kept, where the tool makes a 0 of words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/conntrack/record/timeout_policy.hpp"

namespace nsr {
class Router;
}

namespace nsr::router {

enum class NfctCommand : std::uint8_t { List, Add, Delete, Get, Flush, DefaultSet, DefaultGet };

struct NfctValue {
    const conntrack::TimeoutState* state = nullptr;
    std::uint32_t seconds = 0;
    friend bool operator==(const NfctValue&, const NfctValue&) = default;
};

struct NfctArgs {
    NfctCommand command = NfctCommand::List;
    std::string name;
    Family family = Family::Ipv4;
    const conntrack::TimeoutProtocol* protocol = nullptr;
    std::vector<NfctValue> values;

    [[nodiscard]] bool only_shows() const {
        return command == NfctCommand::List || command == NfctCommand::Get ||
               command == NfctCommand::DefaultGet;
    }
    friend bool operator==(const NfctArgs&, const NfctArgs&) = default;
};

// Of a policy: no control characters.
[[nodiscard]] bool is_printable_name(std::string_view name);
// Or what is wrong, as the tool says it: lines.
Result<NfctArgs, std::string> parse_nfct_args(const std::vector<std::string>& words);

struct NfctAnswer {
    std::string text;    // on standard output
    std::string errors;  // on standard error; empty: done, and the exit code is 0, otherwise 1
};
NfctAnswer run_nfct(const NfctArgs& args, Router& router);
// The one that Add makes; what is not said is as in `otherwise`.
conntrack::TimeoutPolicy policy_of(const NfctArgs& args, const conntrack::Timeouts& otherwise);

// "nfct v1.4.7: MESSAGE"
std::string nfct_error(std::string_view message);

}  // namespace nsr::router
