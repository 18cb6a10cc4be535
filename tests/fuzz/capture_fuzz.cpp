// Any bytes as a pcapng: packets until an error with a text, or the end; each IP packet lies within
// its frame.
#include <cstdint>
#include <sstream>
#include <string>

#include "core/base/check.hpp"
#include "router/replay/capture.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::istringstream stream(std::string(data, data + size));
    const auto capture = nsr::router::capture_from(stream);
    nsr::router::Frame frame;
    std::size_t bytes = 0;
    while (capture->next(frame)) {
        bytes += frame.bytes.size();
        NSR_CHECK(bytes <= size);
    }
    return 0;
}
