// Datagrams as fast as they go, and how many come; or one at a time, and how long each takes.
//
//   udp_load receive PORT SECONDS                    prints how many came a second
//   udp_load send ADDRESS PORT SECONDS FLOWS BYTES   the flows take turns; prints how many a second
//   udp_load echo PORT                               sends back what comes, until it is killed
//   udp_load ask ADDRESS PORT SECONDS                prints the median time of an answer, in us
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "tests/bench/datagrams.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr unsigned kBatch = 64;
std::array<std::array<char, 2048>, kBatch> data;

// Nothing for so long is the end of what is measured.
int patient(int fd) {
    const timeval patience{2, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

int connected(const char* address, const char* port) {
    const int fd = patient(bench::udp_socket());
    const sockaddr_in to = bench::endpoint(address, port);
    ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    return fd;
}

int receive(const char* port, Seconds time) {
    const int fd = patient(bench::bound_socket(port));
    std::array<iovec, kBatch> parts{};
    std::array<mmsghdr, kBatch> messages{};
    for (unsigned i = 0; i < kBatch; ++i) {
        parts[i] = {data[i].data(), data[i].size()};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    std::uint64_t count = 0;
    Clock::time_point begin{};
    Clock::time_point now{};
    do {
        const int came = ::recvmmsg(fd, messages.data(), kBatch, MSG_WAITFORONE, nullptr);
        if (came <= 0 && begin != Clock::time_point{}) {
            break;
        }
        now = Clock::now();
        begin = begin == Clock::time_point{} ? now : begin;
        count += static_cast<std::uint64_t>(std::max(came, 0));
    } while (now - begin < time);
    std::printf("%.0f\n", static_cast<double>(count) / Seconds(now - begin).count());
    return 0;
}

int send_all(char** words, Seconds time) {
    std::vector<int> flows(static_cast<std::size_t>(std::atoi(words[5])));
    for (int& fd : flows) {
        fd = connected(words[2], words[3]);
    }
    const auto bytes = static_cast<std::size_t>(std::atoi(words[6]));
    std::uint64_t count = 0;
    const Clock::time_point begin = Clock::now();
    do {
        for (unsigned i = 0; i < kBatch; ++i) {
            ++count;
            if (::send(flows[count % flows.size()], data[0].data(), bytes, 0) < 0) {
                --count;  // the queue of the device is full, or nobody is there yet
            }
        }
    } while (Clock::now() - begin < time);
    std::printf("%.0f\n", static_cast<double>(count) / Seconds(Clock::now() - begin).count());
    return 0;
}

int ask(const char* address, const char* port, Seconds time) {
    const int fd = connected(address, port);
    std::vector<double> took;
    const Clock::time_point begin = Clock::now();
    while (Clock::now() - begin < time) {
        const Clock::time_point before = Clock::now();
        if (::send(fd, data[0].data(), 64, 0) > 0 && ::recv(fd, data[1].data(), 64, 0) > 0) {
            took.push_back(Seconds(Clock::now() - before).count() * 1e6);
        }
    }
    if (took.empty()) {
        return 1;
    }
    std::nth_element(took.begin(), took.begin() + static_cast<std::ptrdiff_t>(took.size() / 2),
                     took.end());
    std::printf("%.2f\n", took[took.size() / 2]);
    return 0;
}

}  // namespace

int main(int count, char** words) {
    const std::string_view what = count > 1 ? words[1] : "";
    if (what == "receive" && count == 4) {
        return receive(words[2], Seconds(std::atof(words[3])));
    }
    if (what == "send" && count == 7) {
        return send_all(words, Seconds(std::atof(words[4])));
    }
    if (what == "echo" && count == 3) {
        return bench::echo(words[2]);
    }
    if (what == "ask" && count == 5) {
        return ask(words[2], words[3], Seconds(std::atof(words[4])));
    }
    std::fputs("see the beginning of udp_load.cpp\n", stderr);
    return 1;
}
