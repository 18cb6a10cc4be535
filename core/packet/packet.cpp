#include "core/packet/packet.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "core/base/check.hpp"

namespace nsr {

// A batch is an array of these beside the buffers: what a packet carries is paid for each one.
static_assert(sizeof(Packet) == 160);

Packet::Packet(BufferPool& pool, std::span<const std::uint8_t> bytes) : Packet(pool) {
    resize(std::min(bytes.size(), writable().size()));
    if (length_ != 0) {
        std::memcpy(data(), bytes.data(), length_);
    }
}

Packet& Packet::operator=(Packet&& other) noexcept {
    if (this != &other) {
        reset();
        layout = other.layout;
        meta = other.meta;
        offload = other.offload;
        fragments = std::move(other.fragments);
        pool_ = other.pool_;
        block_ = std::exchange(other.block_, nullptr);
        offset_ = other.offset_;
        length_ = other.length_;
    }
    return *this;
}

void Packet::push(std::size_t count) {
    NSR_CHECK(count <= offset_);
    offset_ -= count;
    length_ += count;
}

void Packet::pull(std::size_t count) {
    NSR_CHECK(count <= length_);
    offset_ += count;
    length_ -= count;
}

// What the later pieces lose, the first gains. kernel: __pskb_pull_tail
void Packet::gather(std::size_t count) {
    if (!fragments || fragments->payload_bytes.empty() || count > length_) {
        return;
    }
    auto& pieces = fragments->payload_bytes;
    const std::size_t behind_first =
        std::accumulate(pieces.begin() + 1, pieces.end(), std::size_t{0});
    std::size_t missing = count - std::min(count, length_ - behind_first);
    pieces.front() = static_cast<std::uint16_t>(pieces.front() + missing);
    auto next = pieces.begin() + 1;
    while (missing != 0) {
        const std::size_t taken = std::min<std::size_t>(missing, *next);
        *next = static_cast<std::uint16_t>(*next - taken);
        next += *next == 0 ? 1 : 0;
        missing -= taken;
    }
    pieces.erase(pieces.begin() + 1, next);
    if (pieces.size() == 1) {
        pieces.clear();
    }
}

Packet Packet::clone() const {
    Packet copy(*pool_, bytes());
    copy.layout = layout;
    copy.meta = meta;
    copy.offload = offload;
    if (fragments) {
        copy.fragments = std::make_unique<FragmentGeometry>(*fragments);
    }
    return copy;
}

}  // namespace nsr
