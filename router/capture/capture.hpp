// Capture: the packets of a file, ready for the router.
//
// A file is pcapng (pcapng.hpp) or classic pcap (libpcap). Frames run through the filter, a tcpdump
// expression that sees the frame as captured; then their link header is taken off (capture_link).
// Frames that carry no IP (ARP, ...) are counted by their kind and passed over; a link type that
// cannot be unwrapped ends the reading by name.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "router/capture/pcapng.hpp"

namespace nsr::router {

// A tcpdump expression, compiled for each link type that comes along.
class CaptureFilter {
  public:
    // Empty: everything passes.
    explicit CaptureFilter(std::string expression);
    ~CaptureFilter();
    CaptureFilter(const CaptureFilter&) = delete;
    CaptureFilter& operator=(const CaptureFilter&) = delete;

    [[nodiscard]] bool passes_all() const { return expression_.empty(); }
    // What is wrong with the expression for this link type; empty: nothing.
    std::string prepare(std::uint32_t link_type);
    // Precondition: prepared for the frame's link type.
    [[nodiscard]] bool passes(const Frame& frame) const;

  private:
    struct Compiled;
    std::string expression_;
    std::vector<std::unique_ptr<Compiled>> compiled_;
};

// The IP packet inside a frame: where it starts. Nothing: the frame carries something else.
struct Unwrapped {
    std::optional<std::size_t> ip_offset = std::nullopt;
    std::string content = {};  // what it carries else: "ARP", "ethertype 0x8864", "cut short"
    std::string error = {};    // the link type is not understood
};
Unwrapped unwrap(std::uint32_t link_type, std::span<const std::uint8_t> frame);

class Capture {
  public:
    Capture(std::unique_ptr<FrameSource> source, std::string filter)
        : source_(std::move(source)), filter_(std::move(filter)) {}

    // Reads the first frame ahead: what is wrong with the filter for its link type; empty: nothing.
    std::string begin();
    // The next frame with an IP packet in it, its link header removed. False at the end and at an
    // error.
    bool next(Frame& frame);
    [[nodiscard]] const std::string& error() const {
        return error_.empty() ? source_->error() : error_;
    }
    // What was passed over, as "5 packets skipped: 3 ARP, 2 ethertype 0x8864"; empty: nothing.
    [[nodiscard]] std::string skipped() const;
    [[nodiscard]] std::uint64_t filtered() const { return filtered_; }

  private:
    bool next_raw(Frame& frame);
    bool fail(const Frame& frame, const std::string& what);

    std::unique_ptr<FrameSource> source_;
    std::optional<Frame> ahead_;
    CaptureFilter filter_;
    std::map<std::string, std::uint64_t> not_ip_;  // frames by what they carry
    std::uint64_t filtered_ = 0;
    std::string error_;
};

// By its first bytes; "-" is standard input. Files are read from front to back, so a pipe will do.
// The error says why the file cannot be read, or what is wrong with the filter.
Result<std::unique_ptr<Capture>, std::string> open_capture(const std::string& path,
                                                           const std::string& filter);
// pcapng from a stream, which must outlive the capture.
std::unique_ptr<Capture> capture_from(std::istream& in, const std::string& filter = "");

}  // namespace nsr::router
