#include "router/ports/memory_port.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>

#include "netlink/error.hpp"

namespace nsr::router {

// `readable` is signalled from the first frame on until the queue was found empty.
struct MemoryPort::Queue {
    explicit Queue(std::size_t frames_at_most)
        : readable(
              netlink::check_call("make an eventfd", ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))),
          limit(frames_at_most) {}

    void wake() const { ::eventfd_write(readable.get(), 1); }

    netlink::Descriptor readable;
    std::size_t limit;
    std::deque<std::vector<std::uint8_t>> frames;
    bool writer_gone = false;
};

MemoryPort::Pair MemoryPort::pair(IfIndex first, IfIndex second, std::size_t frames) {
    const auto there = std::make_shared<Queue>(frames);
    const auto back = std::make_shared<Queue>(frames);
    return {std::unique_ptr<MemoryPort>(new MemoryPort(first, back, there)),
            std::unique_ptr<MemoryPort>(new MemoryPort(second, there, back))};
}

MemoryPort::MemoryPort(IfIndex interface, std::shared_ptr<Queue> in, std::shared_ptr<Queue> out)
    : Port(interface), in_(std::move(in)), out_(std::move(out)) {
}

MemoryPort::~MemoryPort() {
    out_->writer_gone = true;
    out_->wake();
}

int MemoryPort::descriptor() const {
    return in_->readable.get();
}

routing::LinkCapabilities MemoryPort::capabilities() const {
    return {.checksum = true, .gso_tcp = true, .gso_udp = true};
}

ssize_t MemoryPort::read_frame(std::span<std::uint8_t> space) {
    if (in_->frames.empty()) {
        if (in_->writer_gone) {
            return -ENODEV;
        }
        eventfd_t ignored = 0;
        ::eventfd_read(in_->readable.get(), &ignored);
        return -EAGAIN;
    }
    const std::vector<std::uint8_t> frame = std::move(in_->frames.front());
    in_->frames.pop_front();
    const std::size_t count = std::min(space.size(), frame.size());
    std::copy_n(frame.begin(), count, space.begin());
    return static_cast<ssize_t>(count);
}

ssize_t MemoryPort::write_frame(std::span<const std::uint8_t> frame) {
    // The other end is gone when nobody else holds its queue.
    if (out_.use_count() == 1) {
        return -ENODEV;
    }
    if (out_->frames.size() >= out_->limit) {
        return -ENOBUFS;
    }
    out_->frames.emplace_back(frame.begin(), frame.end());
    out_->wake();
    return static_cast<ssize_t>(frame.size());
}

}  // namespace nsr::router
