#include "core/rules/language/chain_name.hpp"

#include <algorithm>

#include "core/base/words.hpp"
#include "core/rules/targets/targets.hpp"

namespace nsr::rules {

namespace {

constexpr std::size_t kMaxChainName = 28;  // kernel: XT_EXTENSION_MAXNAMELEN

}  // namespace

// As iptables -N refuses them, and what iptables-save text could not carry.
std::string chain_name_problem(std::string_view name) {
    if (name.empty()) {
        return "a chain needs a name";
    }
    if (name.size() > kMaxChainName) {
        return "chain name " + in_quotes(name.substr(0, 2 * kMaxChainName)) +
               " is too long: it has " + std::to_string(name.size()) +
               " characters, 28 are the most";
    }
    if (name[0] == '-' || name[0] == '!') {
        return "chain name " + in_quotes(name) + " cannot begin with " + std::string(1, name[0]);
    }
    const auto unfit = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= ' ' || byte == 0x7f || c == '"' || c == '\'' || c == '\\';
    };
    if (std::any_of(name.begin(), name.end(), unfit)) {
        return "chain name " + in_quotes(name) +
               " cannot hold blanks, quotes, backslashes or control characters";
    }
    if (name == "ACCEPT" || name == "DROP" || name == "RETURN" || name == "QUEUE" ||
        find_target(name) != nullptr) {
        return "chain name " + in_quotes(name) + " is the name of a target; choose another";
    }
    return {};
}

}  // namespace nsr::rules
