#include "core/rules/language/chain_name.hpp"

#include <algorithm>

#include "core/base/words.hpp"
#include "core/rules/targets/targets.hpp"

namespace nsr::rules {

namespace {

constexpr std::size_t kMaxChainName = 28;  // kernel: XT_EXTENSION_MAXNAMELEN

std::string name_of_target(std::string_view name) {
    return "chain name " + in_quotes(name) + " is the name of a target; choose another";
}

}  // namespace

std::string declared_name_problem(std::string_view name) {
    if (name.empty()) {
        return "a chain needs a name";
    }
    if (name.size() > kMaxChainName) {
        return "chain name " + in_quotes(name.substr(0, 2 * kMaxChainName)) +
               " is too long: it has " + std::to_string(name.size()) +
               " characters, 28 are the most";
    }
    const auto unfit = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= ' ' || byte == 0x7f || c == '"';
    };
    if (std::any_of(name.begin(), name.end(), unfit)) {
        return "chain name " + in_quotes(name) +
               " cannot hold blanks, double quotes or control characters";
    }
    return name == "ACCEPT" || name == "DROP" || name == "RETURN" || name == "QUEUE"
               ? name_of_target(name)
               : std::string();
}

std::string chain_name_problem(std::string_view name) {
    if (!name.empty() && (name[0] == '-' || name[0] == '!')) {
        return "chain name " + in_quotes(name) + " cannot begin with " + std::string(1, name[0]);
    }
    return find_target(name) != nullptr ? name_of_target(name) : declared_name_problem(name);
}

}  // namespace nsr::rules
