#include "router/http/rights.hpp"

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>

namespace nsr::router {
namespace {

constexpr const char* kWhatHelps = "ask as root or as the user who runs the router";
constexpr const char* kTokenHelps =
    ", or with the token of [control] (Authorization: Bearer TOKEN, nsrouter --token)";

// Without a user namespace there is one line: 0 0 4294967295.
bool knows_all_users() {
    std::ifstream map("/proc/self/uid_map");
    std::uint64_t first = 0;
    std::uint64_t outside = 0;
    std::uint64_t count = 0;
    map >> first >> outside >> count;
    return first == 0 && count == 0xffffffff;
}

}  // namespace

Owners::Owners(uid_t router, std::optional<uid_t> overflow)
    : router_(router), router_counts_(router != overflow) {
}

Owners Owners::of_this_process() {
    if (knows_all_users()) {
        return {::geteuid(), std::nullopt};
    }
    uid_t overflow = 65534;
    std::ifstream("/proc/sys/kernel/overflowuid") >> overflow;
    return {::geteuid(), overflow};
}

bool Owners::include(std::optional<uid_t> uid) const {
    return uid && (*uid == 0 || (router_counts_ && *uid == router_));
}

bool may(Access access, unsigned mode, const Caller& caller) {
    const unsigned wanted = access == Access::Read ? 4 : 2;
    const unsigned granted = caller.owner ? mode >> 6 : mode;
    return (granted & wanted) != 0;
}

std::string why_not(std::string_view what, unsigned mode, const Caller& caller) {
    char octal[8];
    std::snprintf(octal, sizeof octal, "%04o", mode);
    std::string text = "EACCES: Permission denied (";
    text.append(what).append(" is for its owner, mode ").append(octal);
    if (caller.uid) {
        text += ", and you are uid " + std::to_string(*caller.uid);
    }
    text.append(": ").append(kWhatHelps).append(caller.token_helps ? kTokenHelps : "");
    return text + ")";
}

std::string why_not_known() {
    return "EACCES: Permission denied (it cannot be known which user asks, and [control] has no "
           "token that would make up for that: use the unix socket)";
}

}  // namespace nsr::router
