// Mailbox: the packets that one shard has for another, in the order in which it put them there.
//
// Theory of operation
//   A ring of bytes between two threads, one that puts and one that takes, without a lock: each
//   writes its own end of it and reads the other's. A mail is contiguous; one that does not fit
//   before the end of the ring begins anew at its beginning. Packets are copied, because a buffer
//   belongs to the pool of a thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/packet/packet.hpp"

namespace nsr::router {

class Mailbox {
  public:
    static constexpr std::size_t kBytes = std::size_t{1} << 20;  // 16 super-packets

    // Bytes of it become memory when they are first used. Precondition: a power of two, and not
    // less than kBytes.
    explicit Mailbox(std::size_t bytes = kBytes)
        : bytes_(bytes), ring_(std::make_unique_for_overwrite<std::uint8_t[]>(bytes)) {}

    // The thread that puts: the packet as it came, with meta.in and meta.counted. False: no room.
    bool put(const Packet& packet);

    // The thread that takes.
    [[nodiscard]] bool empty() const {
        return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_acquire);
    }
    // `packet` gets a buffer of `pool`. False: there is no mail.
    bool take(BufferPool& pool, Packet& packet);

  private:
    enum class Kind : std::uint32_t { Skip, Packet };
    struct Head {
        std::uint32_t bytes = 0;  // of all, to the next mail
        Kind kind = Kind::Skip;
    };

    std::uint8_t* room_for(std::size_t bytes);
    void commit();
    static void read_packet(const std::uint8_t* from, BufferPool& pool, Packet& packet);

    // No line of the cache is written by both threads. Bytes are counted from the very first one.
    std::size_t bytes_;
    std::unique_ptr<std::uint8_t[]> ring_;
    alignas(kCacheLineBytes) std::atomic<std::uint64_t> tail_ = 0;  // what may be taken
    std::uint64_t put_ = 0;                                         // what is put
    alignas(kCacheLineBytes) std::atomic<std::uint64_t> head_ = 0;  // what is taken
};

}  // namespace nsr::router
