#include "tests/bench/tun/costs.hpp"

#include <sys/uio.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "tests/bench/tun/ring.hpp"

namespace bench::tun {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kRounds = 60;
constexpr unsigned kWarming = 5;  // of a round, which are not counted
constexpr unsigned kTrials = 30;  // of a round
constexpr std::size_t kSmall = kVnetHeaderBytes + 20 + 32 + 40;
constexpr std::size_t kSegment = 1448;
constexpr std::size_t kSuper = kVnetHeaderBytes + 20 + 32 + 44 * kSegment;

struct Row {
    const char* name;
    std::size_t bytes = kSuper;
    std::size_t batch = 4;
    std::size_t lead = 0;
    bool huge = false;
    bool uring = false;
    std::vector<double> writes{}, reads{};  // ns per frame
};

// A TCP packet, or a super-packet whose segments the device is to cut.
void make_frame(std::uint8_t* frame, std::size_t bytes) {
    constexpr std::uint8_t kSource[] = {10, 77, 1, 2}, kDestination[] = {10, 77, 2, 2};
    std::memset(frame, 0, bytes);
    std::uint8_t* ip = frame + kVnetHeaderBytes;
    const std::size_t total = bytes - kVnetHeaderBytes;
    if (bytes == kSuper) {
        const std::uint8_t header[] = {1, 1, 52, 0, kSegment & 0xff, kSegment >> 8, 20, 0, 16, 0};
        std::memcpy(frame, header, sizeof header);
    }
    ip[0] = 0x45;
    ip[2] = static_cast<std::uint8_t>(total >> 8);
    ip[3] = static_cast<std::uint8_t>(total);
    ip[8] = 64;
    ip[9] = 6;
    std::memcpy(ip + 12, kSource, 4);
    std::memcpy(ip + 16, kDestination, 4);
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < 20; i += 2) {
        sum += static_cast<std::uint32_t>(ip[i] << 8 | ip[i + 1]);
    }
    sum = 0xffff - (sum % 0xffff);
    ip[10] = static_cast<std::uint8_t>(sum >> 8);
    ip[11] = static_cast<std::uint8_t>(sum);
    ip[32] = 0x80;
    ip[33] = 0x10;
}

class Costs {
  public:
    explicit Costs(int tun) : tun_(tun) {
        uring_.add(IORING_REGISTER_FILES, &tun_, 1);
        const std::size_t bytes = kBatch * Frames::kSlotBytes;
        const std::array<iovec, 2> areas{iovec{frames_.slot(0), bytes}, {huge_.slot(0), bytes}};
        uring_.add(IORING_REGISTER_BUFFERS, areas.data(), 2);
    }

    // What the device said when it came up.
    void drain() {
        while (read_frame(tun_, frames_.slot(0), frames_.room()) > 0) {
        }
    }

    void measure(Row& row) {
        for (std::size_t i = 0; i < row.batch; ++i) {
            make_frame(at(row, i), row.bytes);
        }
        for (unsigned trial = 0; trial < kWarming + kTrials; ++trial) {
            const Clock::time_point begin = Clock::now();
            move(row, IORING_OP_WRITE_FIXED, SYS_write);
            const Clock::time_point written = Clock::now();
            move(row, IORING_OP_READ_FIXED, SYS_read);
            if (trial >= kWarming) {
                row.writes.push_back(each(row, written - begin));
                row.reads.push_back(each(row, Clock::now() - written));
            }
        }
    }

  private:
    [[nodiscard]] std::uint8_t* at(const Row& row, std::size_t index) const {
        return (row.huge ? huge_ : frames_).slot(index) + row.lead;
    }

    static double each(const Row& row, Clock::duration spent) {
        return std::chrono::duration<double, std::nano>(spent).count() /
               static_cast<double>(row.batch);
    }

    void move(const Row& row, std::uint8_t code, long call) {
        if (row.uring) {
            move_by_ring(row, code);
            return;
        }
        for (std::size_t i = 0; i < row.batch; ++i) {
            expect(row, ::syscall(call, tun_, at(row, i), row.bytes));
        }
    }

    void move_by_ring(const Row& row, std::uint8_t code) {
        for (std::size_t i = 0; i < row.batch; ++i) {
            io_uring_sqe& entry = uring_.next();
            entry.opcode = code;
            entry.flags = IOSQE_FIXED_FILE;
            entry.rw_flags = RWF_NOWAIT;
            entry.addr = reinterpret_cast<std::uint64_t>(at(row, i));
            entry.len = static_cast<std::uint32_t>(row.bytes);
            entry.buf_index = row.huge ? 1 : 0;
        }
        uring_.enter(static_cast<unsigned>(row.batch));
        uring_.take_completions([&row](const io_uring_cqe& done) { expect(row, done.res); });
    }

    static void expect(const Row& row, long moved) {
        if (moved != static_cast<long>(row.bytes)) {
            std::fprintf(stderr, "%s: %ld of %zu bytes\n", row.name, moved, row.bytes);
            std::exit(1);
        }
    }

    int tun_;
    Frames frames_{kBatch, {}};
    Frames huge_{kBatch, {.huge = true}};
    Uring uring_{kBatch, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
};

// Others take the processor away now and then, and never give back time.
double calm(std::vector<double>& values) {
    const auto fifth = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 5);
    std::nth_element(values.begin(), fifth, values.end());
    return *fifth;
}

void print(std::vector<Row>& rows) {
    std::puts("| frame | write, ns | read, ns |\n|---|---|---|");
    for (Row& row : rows) {
        std::printf("| %s | %.0f | %.0f |\n", row.name, calm(row.writes), calm(row.reads));
    }
}

}  // namespace

void print_costs(const std::string& netns, bool napi) {
    Costs costs(open_device(netns, {.napi = napi}).front());
    std::puts("ready");
    std::fflush(stdout);
    std::getchar();
    costs.drain();
    std::vector<Row> rows{
        {.name = "102 bytes, alone", .bytes = kSmall, .batch = 1},
        {.name = "102 bytes, 32 in turn", .bytes = kSmall, .batch = 32},
        {.name = "102 bytes, 32 at once by io_uring", .bytes = kSmall, .batch = 32, .uring = true},
        {.name = "64 KB, alone", .batch = 1},
        {.name = "64 KB, 4 in turn"},
        {.name = "64 KB, 64 in turn", .batch = kBatch},
        {.name = "64 KB, 4 in turn, the IP header at a line", .lead = 54},
        {.name = "64 KB, 4 in turn, the payload at a line", .lead = 2},
        {.name = "64 KB, 4 in turn, pages of 2 MiB", .huge = true},
        {.name = "64 KB, 4 at once by io_uring", .uring = true},
        {.name = "64 KB, 4 at once by io_uring, the payload at a line", .lead = 2, .uring = true},
    };
    for (unsigned round = 0; round < kRounds; ++round) {
        for (Row& row : rows) {
            costs.measure(row);
        }
    }
    print(rows);
}

}  // namespace bench::tun
