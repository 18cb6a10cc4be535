// Ways with read() and write(): plain, busy, single, pieces, merged, queues.
#include <sys/epoll.h>
#include <sys/uio.h>

#include <algorithm>
#include <span>
#include <thread>

#include "tests/bench/tun/merging.hpp"
#include "tests/bench/tun/ways.hpp"

namespace bench::tun {
namespace {

constexpr unsigned kBatchesOfTurn = 16;
constexpr std::size_t kPieceBytes = 4096;
constexpr std::size_t kFirstPieceBytes = 256;  // holds all headers

using Write = ssize_t (*)(int, const std::uint8_t*, std::size_t);

struct Manner {
    std::size_t batch = kBatch;
    bool busy = false;
    bool merged = false;
    Write write = write_frame;
};

ssize_t write_pieces(int fd, const std::uint8_t* at, std::size_t bytes) {
    std::array<iovec, Frames::kSlotBytes / kPieceBytes + 2> pieces{};
    int count = 0;
    std::size_t most = kFirstPieceBytes;
    for (std::size_t done = 0; done < bytes; most = kPieceBytes) {
        const std::size_t size = std::min(most, bytes - done);
        pieces[static_cast<std::size_t>(count++)] = {const_cast<std::uint8_t*>(at + done), size};
        done += size;
    }
    return ::writev(fd, pieces.data(), count);
}

// Both directions between two descriptors.
class Pump {
  public:
    Pump(int client, int server, const Manner& manner, const Layout& layout, Tally& tally)
        : ends_{client, server}, manner_(manner), frames_(kBatch, layout), tally_(tally) {}

    [[noreturn]] void run() {
        const int poll = watch();
        while (true) {
            std::array<epoll_event, 2> events{};
            const int came = manner_.busy ? all(events) : ::epoll_wait(poll, events.data(), 2, -1);
            for (int i = 0; i < came; ++i) {
                turn(events[static_cast<std::size_t>(i)].data.u32);
            }
        }
    }

  private:
    int watch() {
        const int poll = ::epoll_create1(EPOLL_CLOEXEC);
        for (std::uint32_t end = 0; end < 2; ++end) {
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u32 = end;
            check("epoll_ctl", ::epoll_ctl(poll, EPOLL_CTL_ADD, ends_[end], &event));
        }
        return poll;
    }

    static int all(std::array<epoll_event, 2>& events) {
        events[1].data.u32 = 1;
        return 2;
    }

    void turn(std::size_t from) {
        for (unsigned batch = 0; batch < kBatchesOfTurn && move_batch(from); ++batch) {
        }
    }

    // Whether there may be more.
    bool move_batch(std::size_t from) {
        const bool more = read_batch(ends_[from]);
        const std::span<Piece> batch(pieces_.data(), count_);
        if (manner_.merged) {
            Merger::merge(batch);
        }
        for (const Piece& piece : batch) {
            if (piece.bytes > 0) {
                tally_.wrote(manner_.write(ends_[1 - from], piece.at, piece.bytes));
            }
        }
        return more;
    }

    bool read_batch(int from) {
        std::size_t large = 0;
        for (count_ = 0; count_ < manner_.batch && large < kBatchLarge; ++count_) {
            const ssize_t got = read_frame(from, frames_.slot(count_), frames_.room());
            if (got <= 0) {
                return false;
            }
            pieces_[count_] = {frames_.slot(count_), static_cast<std::size_t>(got), count_};
            large += pieces_[count_].bytes > kLargeBytes ? 1 : 0;
        }
        return true;
    }

    std::array<int, 2> ends_;
    Manner manner_;
    Frames frames_;
    Tally& tally_;
    std::array<Piece, kBatch> pieces_{};
    std::size_t count_ = 0;
};

void pump(Link& link, const Manner& manner, std::size_t queue = 0) {
    Pump(link.client[queue], link.server[queue], manner, link.layout, link.tallies[queue]).run();
}

}  // namespace

void forward_plain(Link& link) {
    pump(link, {});
}

void forward_busy(Link& link) {
    pump(link, {.busy = true});
}

void forward_single(Link& link) {
    pump(link, {.batch = 1});
}

void forward_pieces(Link& link) {
    pump(link, {.write = write_pieces});
}

void forward_merged(Link& link) {
    pump(link, {.merged = true});
}

void forward_queues(Link& link) {
    std::thread other([&link] { pump(link, {}, 1); });
    pump(link, {});
}

}  // namespace bench::tun
