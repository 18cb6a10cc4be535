// Any bytes as a capture file, pcapng or pcap: packets until an error with a text, or the end; each
// IP packet lies within its frame, and what was read can be written and read again.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/check.hpp"
#include "router/capture/capture.hpp"
#include "tests/support/kept_frames.hpp"

namespace {

using nsr::router::Capture;
using nsr::router::Frame;
using nsr::test::KeptFrame;

// libpcap wants a file.
std::string file_with(const std::uint8_t* data, std::size_t size) {
    static const int file = ::memfd_create("capture", MFD_CLOEXEC);
    NSR_CHECK(file >= 0 && ::ftruncate(file, 0) == 0);
    NSR_CHECK(::pwrite(file, data, size, 0) == static_cast<ssize_t>(size));
    return "/proc/self/fd/" + std::to_string(file);
}

std::vector<KeptFrame> packets_of(Capture& capture, std::size_t most_bytes) {
    std::vector<KeptFrame> frames;
    Frame frame;
    std::size_t bytes = 0;
    while (capture.next(frame)) {
        bytes += frame.bytes.size();
        NSR_CHECK(bytes <= most_bytes);
        frames.emplace_back(frame);
    }
    return frames;
}

void check_written(const std::vector<KeptFrame>& frames) {
    constexpr std::uint32_t kRaw = 101;  // LINKTYPE_RAW, what the writer writes
    std::stringstream file;
    nsr::router::PcapngWriter writer(file, {"lan"});
    for (const KeptFrame& frame : frames) {
        writer.packet(frame.time_ns, 0, frame.bytes, std::string());
    }
    NSR_CHECK(writer.good());
    nsr::router::PcapngReader reader(file);
    Frame again;
    for (const KeptFrame& frame : frames) {
        NSR_CHECK(reader.next(again) &&
                  std::equal(again.bytes.begin(), again.bytes.end(), frame.bytes.begin(),
                             frame.bytes.end()) &&
                  again.link_type == kRaw);
    }
    NSR_CHECK(!reader.next(again) && reader.error().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string path = file_with(data, size);
    const auto capture = nsr::router::open_capture(path, "");
    if (!capture.ok()) {
        NSR_CHECK(!capture.error().empty());
        return 0;
    }
    const std::vector<KeptFrame> all = packets_of(**capture, size);
    check_written(all);
    const auto filtered = nsr::router::open_capture(path, "tcp or udp");
    if (filtered.ok()) {
        const std::size_t count = packets_of(**filtered, size).size();
        // A frame that ends the reading may be one that the filter passes over.
        NSR_CHECK(count <= all.size() || !(*capture)->error().empty());
    }
    return 0;
}
