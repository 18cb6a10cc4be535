// Ways with io_uring: uring, multishot, sqpoll; and merged.
#include <poll.h>
#include <sys/uio.h>

#include <algorithm>
#include <vector>

#include "tests/bench/tun/merging.hpp"
#include "tests/bench/tun/ring.hpp"
#include "tests/bench/tun/ways.hpp"

namespace bench::tun {
namespace {

constexpr unsigned kOneThread = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
constexpr std::uint8_t kReadMultishot = 49;  // newer than the headers of some systems

void register_frames(Uring& uring, const Frames& frames, std::size_t count) {
    std::vector<iovec> all(count);
    for (std::size_t i = 0; i < count; ++i) {
        all[i] = {frames.slot(i), frames.room()};
    }
    uring.add(IORING_REGISTER_BUFFERS, all.data(), static_cast<unsigned>(count));
}

void register_ends(Uring& uring, const Link& link) {
    const std::array<int, 2> ends{link.client.front(), link.server.front()};
    uring.add(IORING_REGISTER_FILES, ends.data(), 2);
}

void prepare(io_uring_sqe& entry, std::uint8_t code, std::size_t end) {
    entry.opcode = code;
    entry.flags = IOSQE_FIXED_FILE;
    entry.fd = static_cast<int>(end);
}

void prepare_move(io_uring_sqe& entry, std::uint8_t code, std::size_t end, const Frames& frames,
                  std::size_t slot, std::size_t bytes) {
    prepare(entry, code, end);
    entry.addr = reinterpret_cast<std::uint64_t>(frames.slot(slot));
    entry.len = static_cast<std::uint32_t>(bytes);
    entry.buf_index = static_cast<std::uint16_t>(slot);
    entry.user_data = slot;
}

// Each system call writes what the last one has read, and reads as much as seems to be there.
class Batches {
  public:
    Batches(Link& link, bool merged)
        : tally_(link.tallies[0]),
          merged_(merged),
          frames_(kSlots, link.layout),
          wait_{pollfd{link.client.front(), POLLIN, 0}, pollfd{link.server.front(), POLLIN, 0}} {
        register_frames(uring_, frames_, kSlots);
        register_ends(uring_, link);
    }

    [[noreturn]] void run() {
        while (true) {
            const unsigned moves = write_what_was_read() + read_some();
            uring_.enter(moves);
            uring_.take_completions([this](const io_uring_cqe& done) { take(done); });
            if (got_[0] + got_[1] == 0) {
                ::poll(wait_.data(), wait_.size(), -1);
            }
        }
    }

  private:
    static constexpr std::size_t kMost = 32;
    // Two of each end: one is read into while the other one is written.
    static constexpr std::size_t kSlots = 4 * kMost;

    unsigned write_what_was_read() {
        if (merged_) {
            Merger::merge(read_);
        }
        unsigned count = 0;
        for (const Piece& piece : read_) {
            if (piece.bytes > 0) {
                prepare_move(uring_.next(), IORING_OP_WRITE_FIXED, 1 - end_of(piece.slot), frames_,
                             piece.slot, piece.bytes);
                ++count;
            }
        }
        writing_ = half_;
        half_ = 1 - half_;
        read_.clear();
        return count;
    }

    unsigned read_some() {
        unsigned count = 0;
        for (std::size_t end = 0; end < 2; ++end) {
            const std::size_t most = large_[end] ? kBatchLarge : kMost;
            const std::size_t tries = std::min(most, std::max<std::size_t>(1, 2 * got_[end]));
            for (std::size_t i = 0; i < tries; ++i) {
                const std::size_t slot = (half_ * 2 + end) * kMost + i;
                io_uring_sqe& entry = uring_.next();
                prepare_move(entry, IORING_OP_READ_FIXED, end, frames_, slot, frames_.room());
                entry.rw_flags = RWF_NOWAIT;  // of the device O_NONBLOCK is not enough here
            }
            count += static_cast<unsigned>(tries);
        }
        got_ = {};
        large_ = {};
        return count;
    }

    void take(const io_uring_cqe& done) {
        const auto slot = static_cast<std::size_t>(done.user_data);
        if (slot / (2 * kMost) == writing_) {
            tally_.wrote(done.res);
        } else if (done.res > 0) {
            const auto bytes = static_cast<std::size_t>(done.res);
            large_[end_of(slot)] |= bytes > kLargeBytes;
            ++got_[end_of(slot)];
            read_.push_back({frames_.slot(slot), bytes, slot});
        }
    }

    static std::size_t end_of(std::size_t slot) { return slot / kMost % 2; }

    Tally& tally_;
    bool merged_;
    Frames frames_;
    Uring uring_{kSlots, kOneThread};
    std::array<pollfd, 2> wait_;
    std::vector<Piece> read_;
    std::size_t half_ = 0;
    std::size_t writing_ = 1;
    std::array<std::size_t, 2> got_{};
    std::array<bool, 2> large_{};
};

// A read of each end that completes again and again, into buffers the kernel chooses.
class Stream {
  public:
    Stream(Link& link, unsigned flags, bool merged)
        : tally_(link.tallies[0]),
          merged_(merged),
          frames_(2 * kOfEnd, link.layout),
          uring_(4 * kOfEnd, flags) {
        register_frames(uring_, frames_, 2 * kOfEnd);
        register_ends(uring_, link);
        for (std::size_t slot = 0; slot < 2 * kOfEnd; ++slot) {
            give_back(slot);
        }
    }

    [[noreturn]] void run() {
        while (true) {
            for (std::size_t end = 0; end < 2; ++end) {
                if (!reading_[end] && free_[end] > 0) {
                    begin_reading(end);
                }
            }
            uring_.enter(1);
            uring_.take_completions([this](const io_uring_cqe& done) { take(done); });
            write_what_was_read();
        }
    }

  private:
    static constexpr std::size_t kOfEnd = 32;
    static constexpr std::uint64_t kReading = 1 << 16;  // and the end; other numbers: written slots

    void begin_reading(std::size_t end) {
        io_uring_sqe& entry = uring_.next();
        prepare(entry, kReadMultishot, end);
        entry.flags |= IOSQE_BUFFER_SELECT;
        entry.buf_group = static_cast<std::uint16_t>(end);
        entry.off = static_cast<std::uint64_t>(-1);
        entry.user_data = kReading + end;
        reading_[end] = true;
    }

    void take(const io_uring_cqe& done) {
        if (done.user_data < kReading) {
            tally_.wrote(done.res);
            give_back(static_cast<std::size_t>(done.user_data));
            return;
        }
        const auto end = static_cast<std::size_t>(done.user_data - kReading);
        reading_[end] = (done.flags & IORING_CQE_F_MORE) != 0;
        if ((done.flags & IORING_CQE_F_BUFFER) != 0) {
            const std::size_t slot = end * kOfEnd + (done.flags >> IORING_CQE_BUFFER_SHIFT);
            --free_[end];
            read_.push_back({frames_.slot(slot), static_cast<std::size_t>(done.res), slot});
        } else if (done.res < 0 && done.res != -ENOBUFS) {
            fail("multishot read: " + std::to_string(done.res));
        }
    }

    void write_what_was_read() {
        if (merged_) {
            Merger::merge(read_);
        }
        for (const Piece& piece : read_) {
            if (piece.bytes > 0) {
                prepare_move(uring_.next(), IORING_OP_WRITE_FIXED, 1 - piece.slot / kOfEnd, frames_,
                             piece.slot, piece.bytes);
            } else {
                give_back(piece.slot);
            }
        }
        read_.clear();
    }

    void give_back(std::size_t slot) {
        const std::size_t end = slot / kOfEnd;
        groups_[end].give(static_cast<std::uint16_t>(slot % kOfEnd), frames_.slot(slot),
                          frames_.room());
        ++free_[end];
    }

    Tally& tally_;
    bool merged_;
    Frames frames_;
    Uring uring_;
    std::vector<Piece> read_;
    std::array<BufferGroup, 2> groups_{BufferGroup(uring_, 0, kOfEnd),
                                       BufferGroup(uring_, 1, kOfEnd)};
    std::array<std::size_t, 2> free_{};
    std::array<bool, 2> reading_{};
};

}  // namespace

void forward_uring(Link& link) {
    Batches(link, false).run();
}

void forward_uring_merged(Link& link) {
    Batches(link, true).run();
}

void forward_multishot(Link& link) {
    Stream(link, kOneThread, false).run();
}

void forward_multishot_merged(Link& link) {
    Stream(link, kOneThread, true).run();
}

void forward_sqpoll(Link& link) {
    Stream(link, IORING_SETUP_SQPOLL, false).run();
}

}  // namespace bench::tun
