// The frames of a source, kept beyond it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "router/capture/pcapng.hpp"

namespace nsr::test {

struct KeptFrame {
    explicit KeptFrame(const router::Frame& frame)
        : index(frame.index),
          time_ns(frame.time_ns),
          interface(frame.interface),
          link_type(frame.link_type),
          original_length(frame.original_length),
          bytes(frame.bytes.begin(), frame.bytes.end()),
          comment(frame.comment) {}

    // As long as this stays as it is.
    [[nodiscard]] router::Frame view() const {
        return {index, time_ns, interface, link_type, original_length, bytes, comment};
    }

    std::uint32_t index;
    std::int64_t time_ns;
    std::string interface;
    std::uint32_t link_type;
    std::uint32_t original_length;
    std::vector<std::uint8_t> bytes;
    std::string comment;
};

template <class Source>
std::vector<KeptFrame> kept_frames(Source& source) {
    std::vector<KeptFrame> frames;
    for (router::Frame frame; source.next(frame);) {
        frames.emplace_back(frame);
    }
    return frames;
}

}  // namespace nsr::test
