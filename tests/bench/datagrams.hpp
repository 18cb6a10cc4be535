// Sockets of the programs that load a router.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace bench {

inline int udp_socket() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    const int big = 8 << 20;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof big);
    return fd;
}

inline sockaddr_in endpoint(const char* address, const char* port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
    ::inet_pton(AF_INET, address, &to.sin_addr);
    return to;
}

// Says "ready" when it is.
inline int bound_socket(const char* port) {
    const int fd = udp_socket();
    const sockaddr_in here = endpoint("0.0.0.0", port);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) {
        std::perror("bind");
        std::exit(1);
    }
    std::puts("ready");
    std::fflush(stdout);
    return fd;
}

// Sends back what comes, until it is killed.
inline int echo(const char* port) {
    const int fd = bound_socket(port);
    while (true) {
        char data[2048];
        sockaddr_in from{};
        socklen_t size = sizeof from;
        const ssize_t count =
            ::recvfrom(fd, data, sizeof data, 0, reinterpret_cast<sockaddr*>(&from), &size);
        if (count >= 0) {
            ::sendto(fd, data, static_cast<std::size_t>(count), 0,
                     reinterpret_cast<const sockaddr*>(&from), size);
        }
    }
}

}  // namespace bench
