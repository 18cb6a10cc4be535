// Any text as the list of what a killed instance has to take back (NAME.state): what is believed is
// written down the same again, and names things that a machine can have.
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/check.hpp"
#include "router/topology/undo.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    const std::vector<nsr::router::Undo> undos = nsr::router::parse_undos(text);
    NSR_CHECK(nsr::router::parse_undos(nsr::router::to_text(undos)) == undos);
    return 0;
}
