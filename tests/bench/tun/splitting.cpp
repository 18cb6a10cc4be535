// A reader and a writer, and a ring of frames between them that has no lock.
#include <sys/epoll.h>

#include <thread>

#include "tests/bench/tun/ways.hpp"

namespace bench::tun {
namespace {

constexpr std::uint32_t kSlots = 64;

// One thread calls space() and push(), another one front() and pop(). They wait for each other.
class Ring {
  public:
    struct Entry {
        int to = -1;
        std::size_t bytes = 0;
        std::uint8_t* frame = nullptr;
    };

    explicit Ring(const Layout& layout) : frames_(kSlots, layout) {
        for (std::uint32_t i = 0; i < kSlots; ++i) {
            entries_[i].frame = frames_.slot(i);
        }
    }

    Entry& space() {
        std::uint32_t taken = taken_.load(std::memory_order_acquire);
        while (pushed_.load(std::memory_order_relaxed) - taken == kSlots) {
            taken_.wait(taken, std::memory_order_acquire);
            taken = taken_.load(std::memory_order_acquire);
        }
        return entries_[pushed_.load(std::memory_order_relaxed) % kSlots];
    }
    void push() {
        pushed_.fetch_add(1, std::memory_order_release);
        pushed_.notify_one();
    }

    const Entry& front() {
        const std::uint32_t next = taken_.load(std::memory_order_relaxed);
        pushed_.wait(next, std::memory_order_acquire);
        return entries_[next % kSlots];
    }
    void pop() {
        taken_.fetch_add(1, std::memory_order_release);
        taken_.notify_one();
    }

    [[nodiscard]] std::size_t room() const { return frames_.room(); }

  private:
    Frames frames_;
    std::array<Entry, kSlots> entries_{};
    alignas(64) std::atomic<std::uint32_t> pushed_{0};
    alignas(64) std::atomic<std::uint32_t> taken_{0};
};

void read_some(Ring& ring, int from, int to) {
    for (std::size_t i = 0; i < kBatch; ++i) {
        Ring::Entry& entry = ring.space();
        const ssize_t got = read_frame(from, entry.frame, ring.room());
        if (got <= 0) {
            return;
        }
        entry.bytes = static_cast<std::size_t>(got);
        entry.to = to;
        ring.push();
    }
}

[[noreturn]] void read_all(Ring& ring, const std::array<int, 2>& ends) {
    const int poll = ::epoll_create1(EPOLL_CLOEXEC);
    for (std::uint32_t end = 0; end < 2; ++end) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u32 = end;
        check("epoll_ctl", ::epoll_ctl(poll, EPOLL_CTL_ADD, ends[end], &event));
    }
    while (true) {
        std::array<epoll_event, 2> events{};
        const int came = ::epoll_wait(poll, events.data(), 2, -1);
        for (int i = 0; i < came; ++i) {
            const std::uint32_t end = events[static_cast<std::size_t>(i)].data.u32;
            read_some(ring, ends[end], ends[1 - end]);
        }
    }
}

[[noreturn]] void write_all(Ring& ring, Tally& tally) {
    while (true) {
        const Ring::Entry& entry = ring.front();
        tally.wrote(write_frame(entry.to, entry.frame, entry.bytes));
        ring.pop();
    }
}

}  // namespace

void forward_split(Link& link) {
    Ring ring(link.layout);
    std::thread writer([&] { write_all(ring, link.tallies[0]); });
    read_all(ring, {link.client.front(), link.server.front()});
}

}  // namespace bench::tun
