#include <cap-ng.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <vector>

#include "netlink/error.hpp"
#include "router/daemon/confine.hpp"

namespace nsr::router {
namespace {

constexpr unsigned kKept[] = {
    CAP_NET_ADMIN,        // devices: their MTU, carrier, addresses and routes
    CAP_SYS_ADMIN,        // entering, making and removing namespaces
    CAP_DAC_READ_SEARCH,  // a reload reads files in folders of the user who wrote them
};

// Removing a file takes the right to write its folder, which root has in its own.
bool folder_is_somebody_elses(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    struct stat facts {};
    return ::stat(folder.empty() ? "." : folder.c_str(), &facts) == 0 &&
           facts.st_uid != ::geteuid();
}

}  // namespace

void confine(const std::string& socket_path, const std::function<void()>& last) {
    std::vector<unsigned> kept(std::begin(kKept), std::end(kKept));
    if (!socket_path.empty() && folder_is_somebody_elses(socket_path)) {
        kept.push_back(CAP_DAC_OVERRIDE);
    }
    keep_capabilities(kept);
    last();
    filter_system_calls();
}

void keep_capabilities(std::span<const unsigned> kept) {
    const char* attempt = "give up capabilities";
    if (capng_get_caps_process() != 0) {
        throw SystemError(attempt, errno);
    }
    std::vector<unsigned> held;  // a user who has but some of them keeps those
    for (const unsigned capability : kept) {
        if (capng_have_capability(CAPNG_PERMITTED, capability) != 0) {
            held.push_back(capability);
        }
    }
    const bool may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0;
    capng_clear(CAPNG_SELECT_ALL);
    for (const unsigned capability : held) {
        capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
                     capability);
    }
    if (capng_apply(may_bound ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS) != 0) {
        throw SystemError(attempt, EPERM);
    }
    netlink::check_call("set no_new_privs", ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

}  // namespace nsr::router
