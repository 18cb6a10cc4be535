// BufferPool: buffers for packets. A burst may take any number of them; of those that come back, as
// many as a few batches need are kept, and the last one back is the first one out. Must outlive its
// packets. One thread.
//   Devices copy fastest to and from what begins at a line of the cache. A buffer does, and the
//   headroom lets the data of TCP over IPv4 with timestamps do so, too; all headers and the vnet
//   header lie in the one line before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nsr {

inline constexpr std::size_t kCacheLineBytes = 64;
inline constexpr std::size_t kUsualHeaderBytes = 20 + 32;
inline constexpr std::size_t kHeadroomBytes = 3 * kCacheLineBytes - kUsualHeaderBytes;
inline constexpr std::size_t kMaxPacketBytes = 65535 + 40;  // a full IPv6 payload behind its header

class BufferPool {
  public:
    BufferPool() { idle_.reserve(kMostIdle); }
    ~BufferPool();
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    static constexpr std::size_t kBlockBytes = kHeadroomBytes + kMaxPacketBytes + 64;
    static constexpr std::size_t kMostIdle = 256;  // 16 MiB

    std::uint8_t* take() {
        if (idle_.empty()) {
            return make();
        }
        std::uint8_t* block = idle_.back();
        idle_.pop_back();
        return block;
    }
    void give_back(std::uint8_t* block) {
        if (idle_.size() < kMostIdle) {
            idle_.push_back(block);
        } else {
            destroy(block);
        }
    }
    [[nodiscard]] std::size_t idle() const { return idle_.size(); }

  private:
    static std::uint8_t* make();
    static void destroy(std::uint8_t* block);

    std::vector<std::uint8_t*> idle_;  // ours
};

}  // namespace nsr
