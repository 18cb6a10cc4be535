// How long packets wait: datagrams at a steady rate to somebody who sends them back.
//
//   gap_probe echo PORT                         sends back what comes, until it is killed
//   gap_probe run ADDRESS PORT SECONDS MICROS   one every MICROS; prints what came of them as JSON
//   gap_probe flows NET SECONDS RATE            RATE connections a second, to NET.100 and up
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/datagrams.hpp"

namespace {

using bench::echo;
using bench::endpoint;
using bench::udp_socket;
using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr auto kLastWait = std::chrono::milliseconds(1500);

std::int64_t now_ns() {
    return std::chrono::duration_cast<nanoseconds>(Clock::now().time_since_epoch()).count();
}

// By how much it was longer between two arrivals than between their sendings; the last class is of
// what is longer than all bounds.
constexpr std::array<std::int64_t, 6> kGapBounds = {200'000,   500'000,   1'000'000,
                                                    2'000'000, 5'000'000, 10'000'000};

struct Probe {
    std::vector<double> delays_us;
    std::array<long, kGapBounds.size() + 1> gaps{};
    long sent = 0;
    std::int64_t last_arrival = now_ns();
    std::int64_t last_delay = 0;
    double longest_silence_ms = 0;

    void receive_all(int fd) {
        std::int64_t stamp = 0;
        while (::recv(fd, &stamp, sizeof stamp, MSG_DONTWAIT) == sizeof stamp) {
            const std::int64_t now = now_ns();
            delays_us.push_back(static_cast<double>(now - stamp) / 1e3);
            const double silence = static_cast<double>(now - last_arrival) / 1e6;
            longest_silence_ms = std::max(longest_silence_ms, silence);
            last_arrival = now;
            count_gap(now - stamp);
        }
    }
    void count_gap(std::int64_t delay) {
        if (delays_us.size() > 1) {
            const std::int64_t gap = delay - last_delay;
            ++gaps[std::lower_bound(kGapBounds.begin(), kGapBounds.end(), gap) -
                   kGapBounds.begin()];
        }
        last_delay = delay;
    }
    [[nodiscard]] double quantile(double part) const {
        const auto at = static_cast<std::size_t>(static_cast<double>(delays_us.size()) * part);
        return delays_us.empty() ? 0 : delays_us[std::min(at, delays_us.size() - 1)];
    }
};

void print(Probe& probe) {
    std::sort(probe.delays_us.begin(), probe.delays_us.end());
    std::printf(
        "{\"sent\": %ld, \"lost\": %ld, \"p50\": %.0f, \"p99\": %.0f, \"p999\": %.0f, \"max\": "
        "%.0f, \"gap_ms\": %.2f, \"gaps\": [",
        probe.sent, probe.sent - static_cast<long>(probe.delays_us.size()), probe.quantile(.5),
        probe.quantile(.99), probe.quantile(.999), probe.quantile(1), probe.longest_silence_ms);
    for (std::size_t i = 0; i < probe.gaps.size(); ++i) {
        std::printf("%s%ld", i == 0 ? "" : ", ", probe.gaps[i]);
    }
    std::puts("]}");
}

int run(char** argv) {
    const int fd = udp_socket();
    const sockaddr_in there = endpoint(argv[2], argv[3]);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0) {
        return 1;
    }
    const auto period = static_cast<std::int64_t>(std::atof(argv[5]) * 1e3);
    const std::int64_t end = now_ns() + static_cast<std::int64_t>(std::atof(argv[4]) * 1e9);
    const std::int64_t given_up = end + nanoseconds(kLastWait).count();
    Probe probe;
    std::int64_t next = now_ns();
    while (now_ns() < given_up &&
           (now_ns() < end || static_cast<long>(probe.delays_us.size()) < probe.sent)) {
        const std::int64_t now = now_ns();
        if (now < end && now >= next) {
            probe.sent += ::send(fd, &now, sizeof now, 0) == sizeof now ? 1 : 0;
            next = std::max(next + period, now);
        }
        probe.receive_all(fd);
        const std::int64_t wait = now < end ? next - now_ns() : 1'000'000;
        if (wait > 0) {
            pollfd readable{fd, POLLIN, 0};
            const timespec time{wait / 1'000'000'000, wait % 1'000'000'000};
            ::ppoll(&readable, 1, &time, nullptr);
        }
    }
    print(probe);
    return 0;
}

// Raw sockets, since each datagram has ports of its own.
int flows(char** argv) {
    constexpr long kPorts = 60'000;
    constexpr int kDiscard = 9;
    const int fd = ::socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
    const double rate = std::atof(argv[4]);
    const std::int64_t begin = now_ns();
    const std::int64_t end = begin + static_cast<std::int64_t>(std::atof(argv[3]) * 1e9);
    long sent = 0;
    for (std::int64_t now = begin; now < end; now = now_ns()) {
        const auto due = static_cast<long>(static_cast<double>(now - begin) / 1e9 * rate);
        for (; sent < due; ++sent) {
            const long host = 100 + sent / kPorts % 100;
            const std::string address = std::string(argv[2]) + "." + std::to_string(host);
            const sockaddr_in to = endpoint(address.c_str(), "0");
            const std::uint16_t header[4] = {
                htons(static_cast<std::uint16_t>(1000 + sent % kPorts)), htons(kDiscard), htons(8),
                0};
            ::sendto(fd, header, sizeof header, 0, reinterpret_cast<const sockaddr*>(&to),
                     sizeof to);
        }
        const timespec millisecond{0, 1'000'000};
        ::nanosleep(&millisecond, nullptr);
    }
    std::printf("{\"per_second\": %.0f}\n",
                static_cast<double>(sent) * 1e9 / static_cast<double>(now_ns() - begin));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::string_view(argv[1]) == "echo") {
        return echo(argv[2]);
    }
    if (argc == 6 && std::string_view(argv[1]) == "run") {
        return run(argv);
    }
    if (argc == 5 && std::string_view(argv[1]) == "flows") {
        return flows(argv);
    }
    std::fputs("gap_probe echo PORT | run ADDRESS PORT SECONDS MICROS | flows NET SECONDS RATE\n",
               stderr);
    return 2;
}
