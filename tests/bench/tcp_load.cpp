// TCP connections as fast as they open and close.
//
//   tcp_load serve PORT                            closes what it accepts, until it is killed
//   tcp_load open ADDRESS PORT SECONDS IN-FLIGHT   prints how many a second began and ended
//
// The server closes first: so it is the server that remembers what has ended, and the ports of the
// client are free again. It listens on several ports from PORT on, which the connections take in
// turn: no tuple comes again soon.
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/bench/datagrams.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr unsigned kPorts = 16;
constexpr unsigned kEvents = 64;

[[noreturn]] void fail(const char* attempt) {
    std::perror(attempt);
    std::exit(1);
}

sockaddr_in nth_endpoint(sockaddr_in first, std::uint64_t number) {
    first.sin_port = htons(static_cast<std::uint16_t>(ntohs(first.sin_port) + number % kPorts));
    return first;
}

void watch(int poll, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

int listening_socket(const sockaddr_in& here) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int yes = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
        ::listen(fd, 4096) != 0) {
        fail("listen");
    }
    return fd;
}

void close_all_of(int listener) {
    int fd = -1;
    while ((fd = ::accept4(listener, nullptr, nullptr, 0)) >= 0) {
        ::close(fd);
    }
}

int serve(const char* port) {
    const int poll = ::epoll_create1(0);
    for (unsigned i = 0; i < kPorts; ++i) {
        watch(poll, listening_socket(nth_endpoint(bench::endpoint("0.0.0.0", port), i)));
    }
    std::puts("ready");
    std::fflush(stdout);
    while (true) {
        std::array<epoll_event, kPorts> events{};
        const int came = ::epoll_wait(poll, events.data(), kPorts, -1);
        for (int i = 0; i < came; ++i) {
            close_all_of(events[static_cast<unsigned>(i)].data.fd);
        }
    }
}

void begin_one(int poll, const sockaddr_in& to) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 &&
        errno != EINPROGRESS) {
        fail("connect");
    }
    watch(poll, fd);
}

// Whether the other end closed it, and nobody refused or reset it.
bool ended_well(int fd) {
    char data = 0;
    const bool well = ::recv(fd, &data, 1, 0) == 0;
    ::close(fd);
    return well;
}

int open_many(const sockaddr_in& to, Seconds time, unsigned in_flight) {
    const int poll = ::epoll_create1(0);
    std::uint64_t begun = 0;
    std::uint64_t ended = 0;
    const Clock::time_point begin = Clock::now();
    while (begun < in_flight) {
        begin_one(poll, nth_endpoint(to, begun++));
    }
    while (Clock::now() - begin < time) {
        std::array<epoll_event, kEvents> events{};
        const int came = ::epoll_wait(poll, events.data(), kEvents, 100);
        for (int i = 0; i < came; ++i) {
            ended += ended_well(events[static_cast<unsigned>(i)].data.fd) ? 1 : 0;
            begin_one(poll, nth_endpoint(to, begun++));
        }
    }
    std::printf("%.0f\n", static_cast<double>(ended) / Seconds(Clock::now() - begin).count());
    return ended == 0 ? 1 : 0;
}

}  // namespace

int main(int count, char** words) {
    const std::string_view what = count > 1 ? words[1] : "";
    if (what == "serve" && count == 3) {
        return serve(words[2]);
    }
    if (what == "open" && count == 6) {
        return open_many(bench::endpoint(words[2], words[3]), Seconds(std::atof(words[4])),
                         static_cast<unsigned>(std::atoi(words[5])));
    }
    std::fputs("see the beginning of tcp_load.cpp\n", stderr);
    return 1;
}
