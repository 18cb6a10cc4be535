// Whose socket: real sockets on loopback, of this user and of another.
#include "netlink/socket_owner.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace nsr::netlink {
namespace {

constexpr IpAddress kLoopback = IpAddress::v4(127, 0, 0, 1);
constexpr IpAddress kLoopback6 = IpAddress::v6(0, 0, 0, 1);

std::uint16_t port_of(const Descriptor& socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
    std::uint16_t port = 0;  // at the same place in both families
    std::memcpy(&port, reinterpret_cast<const char*>(&address) + 2, sizeof port);
    return ntohs(port);
}

// Bound to `ip`, and connected to `to` where that is not 0.
sockaddr_storage address_of(const IpAddress& ip, std::uint16_t port) {
    sockaddr_storage storage{};
    std::array<std::uint8_t, 16> bytes{};
    ip.to_wire(bytes.data());
    if (ip.is_v4()) {
        auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&v4.sin_addr, bytes.data(), 4);
    } else {
        auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        std::memcpy(&v6.sin6_addr, bytes.data(), 16);
    }
    return storage;
}

struct Listener {
    explicit Listener(const IpAddress& ip)
        : address(ip), socket(::socket(static_cast<int>(ip.family), SOCK_STREAM, 0)) {
        const sockaddr_storage any = address_of(ip, 0);
        ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any);
        ::listen(socket.get(), 4);
        port = port_of(socket);
    }
    [[nodiscard]] Descriptor connect() const {
        Descriptor client(::socket(static_cast<int>(address.family), SOCK_STREAM, 0));
        const sockaddr_storage here = address_of(address, port);
        REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) ==
                0);
        return client;
    }
    [[nodiscard]] Descriptor accept() const {
        return Descriptor(::accept(socket.get(), nullptr, nullptr));
    }

    IpAddress address;
    Descriptor socket;
    std::uint16_t port = 0;
};

}  // namespace

TEST_CASE("socket owner: a connection of this user, over both families") {
    const SocketOwners owners;
    for (const IpAddress& loopback : {kLoopback, kLoopback6}) {
        const Listener listener(loopback);
        const Descriptor client = listener.connect();
        const TcpEnd theirs{loopback, port_of(client)};
        const TcpEnd ours{loopback, listener.port};
        CHECK(owners.owner_of(theirs, ours) == ::getuid());
    }
}

TEST_CASE("socket owner: what was closed has no owner, and is not taken for root's") {
    const SocketOwners owners;
    const Listener listener(kLoopback);
    Descriptor client = listener.connect();
    Descriptor accepted = listener.accept();
    const TcpEnd theirs{kLoopback, port_of(client)};
    const TcpEnd ours{kLoopback, listener.port};
    client.reset();  // FIN_WAIT2, an orphan
    CHECK_FALSE(owners.owner_of(theirs, ours));
    accepted.reset();  // TIME_WAIT
    CHECK_FALSE(owners.owner_of(theirs, ours));
}

TEST_CASE("socket owner: a client that has said all it had to say still has one") {
    const SocketOwners owners;
    const Listener listener(kLoopback);
    const Descriptor client = listener.connect();
    ::shutdown(client.get(), SHUT_WR);
    CHECK(owners.owner_of({kLoopback, port_of(client)}, {kLoopback, listener.port}) == ::getuid());
}

TEST_CASE("socket owner: a listener is not the other end of a connection") {
    const SocketOwners owners;
    const Listener listener(kLoopback);
    CHECK_FALSE(owners.owner_of({kLoopback, listener.port}, {kLoopback, 1}));
}

// Only root can become another user.
TEST_CASE("socket owner: another user's connection is that user's" *
          doctest::skip(::getuid() != 0)) {
    constexpr uid_t kOther = 65534;
    const Listener listener(kLoopback);
    std::array<int, 2> go{};
    REQUIRE(::pipe(go.data()) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(go[1]);
        if (::setuid(kOther) != 0) {
            ::_exit(1);
        }
        const Descriptor client = listener.connect();
        char byte = 0;
        ::_exit(::read(go[0], &byte, 1) == 0 ? 0 : 1);  // until the parent has looked
    }
    ::close(go[0]);
    const Descriptor accepted = listener.accept();
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    ::getpeername(accepted.get(), reinterpret_cast<sockaddr*>(&peer), &size);
    const SocketOwners owners;
    CHECK(owners.owner_of({kLoopback, ntohs(peer.sin_port)}, {kLoopback, listener.port}) == kOther);
    ::close(go[1]);
    ::waitpid(child, nullptr, 0);
}

}  // namespace nsr::netlink
