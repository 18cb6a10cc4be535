// Any text as the list of what a killed instance left behind (NAME.state): only names that can be
// a namespace's are believed, and what is believed is written down the same again.
#include <cstdint>
#include <sstream>
#include <string>

#include "core/base/check.hpp"
#include "netlink/netns.hpp"
#include "router/daemon/instance.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::istringstream text(std::string(data, data + size));
    const nsr::router::ListedNamespaces listed = nsr::router::read_listed(text);
    for (const auto& [name, inode] : listed) {
        NSR_CHECK(nsr::netlink::valid_netns_name(name));
    }
    std::stringstream written;
    nsr::router::write_listed(written, listed);
    NSR_CHECK(nsr::router::read_listed(written) == listed);
    return 0;
}
