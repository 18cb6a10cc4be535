// Any text as the list of what a killed instance left behind (NAME.state): what is believed is
// written down the same again.
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/check.hpp"
#include "router/daemon/undo.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    const std::vector<nsr::router::Undo> undos = nsr::router::parse_undos(text);
    const std::string written = nsr::router::to_text(undos);
    NSR_CHECK(nsr::router::parse_undos(written) == undos);
    return 0;
}
