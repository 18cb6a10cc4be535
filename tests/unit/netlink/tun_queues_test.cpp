// Devices of several queues, in network namespaces of the tests' own: real packets, and what the
// kernel refuses.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/conntrack/record/home.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"
#include "netlink/address.hpp"
#include "netlink/error.hpp"
#include "netlink/link.hpp"
#include "netlink/netns.hpp"
#include "netlink/steering.hpp"
#include "netlink/tun.hpp"

namespace nsr::netlink {
namespace {

using conntrack::HomeHash;

constexpr const char* kDevice = "nsrq0";
constexpr IpAddress kHere = IpAddress::v4(192, 0, 2, 1);
constexpr IpAddress kThere = IpAddress::v4(192, 0, 2, 2);

// The calling thread is in it for as long as this lives, and with it goes all that was made there.
struct OwnNamespace {
    OwnNamespace() {
        check_call("leave the network namespace", ::unshare(CLONE_NEWNET));
        check_call("look at /dev/net/tun", ::access("/dev/net/tun", R_OK | W_OK));
    }

    Enter way_back{"/proc/thread-self/ns/net"};
};

// Null: this process may not.
std::unique_ptr<OwnNamespace> own_namespace() {
    try {
        return std::make_unique<OwnNamespace>();
    } catch (const SystemError& error) {
        MESSAGE("not tested: ", std::string(error.what()));
        return nullptr;
    }
}

std::optional<Descriptor> program_of(const HomeHash& hash) {
    try {
        return load_steering({hash.key, hash.shards, HomeHash::kPortFactor, HomeHash::kFactor1,
                              HomeHash::kFactor2, HomeHash::kShift1, HomeHash::kShift2});
    } catch (const SystemError& error) {
        if (error.code() != EPERM && error.code() != ENOSYS) {
            throw;
        }
        MESSAGE("not tested: ", std::string(error.what()));
        return std::nullopt;
    }
}

void bring_up(const std::string& device) {
    const Socket socket;
    quiet_ipv6(device);
    add_address(socket, device, {kHere, 24});
    set_link_up(socket, device, true);
}

std::vector<int> queues_of(const Tun& tun) {
    std::vector<int> queues = {tun.descriptor.get()};
    for (const Descriptor& queue : tun.more_queues) {
        queues.push_back(queue.get());
    }
    return queues;
}

Descriptor udp_socket() {
    Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    REQUIRE(socket.valid());
    return socket;
}

void send_to(const Descriptor& socket, std::uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(kThere.as_v4());
    REQUIRE(::sendto(socket.get(), "hello", 5, 0, reinterpret_cast<const sockaddr*>(&to),
                     sizeof to) == 5);
}

// Where the hash wants the next packet of a queue; nothing if there is none.
std::optional<unsigned> home_of_next(int queue, const HomeHash& hash) {
    constexpr std::size_t kVnetBytes = 10;
    std::array<std::uint8_t, 200> frame{};
    const ssize_t size = ::read(queue, frame.data(), frame.size());
    if (size < 0) {
        REQUIRE(errno == EAGAIN);
        return std::nullopt;
    }
    const std::uint8_t* packet = frame.data() + kVnetBytes;
    REQUIRE(size == kVnetBytes + 20 + 8 + 5);
    REQUIRE((packet[0] == 0x45 && packet[9] == proto::kUdp));
    const std::uint32_t ports =
        std::uint32_t{wire::load16(packet + 20)} + wire::load16(packet + 22);
    return hash.of_sums(wire::load32(packet + 12) + wire::load32(packet + 16), ports);
}

// Errno and text; 0 if it can be opened.
struct Refusal {
    int code = 0;
    std::string text;
};

Refusal refusal_of(const std::string& name, unsigned queues) {
    try {
        open_tun(name, false, queues);
    } catch (const SystemError& error) {
        return {error.code(), error.what()};
    }
    return {};
}

// As `ip tuntap add` leaves it.
void make_device(unsigned queues) {
    const Tun tun = open_tun(kDevice, false, queues);
    REQUIRE(::ioctl(tun.descriptor.get(), TUNSETPERSIST, 1) == 0);
}

}  // namespace

TEST_CASE("tun queues: a packet comes out of the queue of its shard") {
    const auto own = own_namespace();
    for (const unsigned shards : {2U, 3U, 4U}) {
        const HomeHash hash{0x5eed + shards, shards};
        const auto program = own ? program_of(hash) : std::nullopt;
        if (!program) {
            return;
        }
        const Tun tun = open_tun(kDevice, false, shards);
        steer(tun, *program);
        bring_up(kDevice);
        const Descriptor socket = udp_socket();
        std::vector<unsigned> packets(shards);
        constexpr unsigned kSent = 1000;
        for (unsigned i = 0; i < kSent; ++i) {
            send_to(socket, static_cast<std::uint16_t>(1000 + i));
            for (unsigned queue = 0; queue < shards; ++queue) {
                while (const auto home = home_of_next(queues_of(tun)[queue], hash)) {
                    CHECK(*home == queue);
                    ++packets[queue];
                }
            }
        }
        unsigned total = 0;
        for (const unsigned count : packets) {
            CHECK(count > kSent / shards / 2);
            total += count;
        }
        CHECK(total == kSent);
    }
}

TEST_CASE("tun queues: every queue is of the same device, and none blocks or is inherited") {
    if (const auto own = own_namespace()) {
        const Tun tun = open_tun(kDevice, true, 3);
        CHECK(tun.more_queues.size() == 2);
        for (const int queue : queues_of(tun)) {
            CHECK((::fcntl(queue, F_GETFL) & O_NONBLOCK) != 0);
            CHECK((::fcntl(queue, F_GETFD) & FD_CLOEXEC) != 0);
            int header_bytes = 0;
            CHECK(::ioctl(queue, TUNGETVNETHDRSZ, &header_bytes) == 0);
            CHECK(header_bytes == 10);
        }
        CHECK(open_tun("nsrq1", true).more_queues.empty());
    }
}

TEST_CASE("tun queues: a device that nobody made vanishes with its last queue") {
    if (const auto own = own_namespace()) {
        const Socket socket;
        Tun tun = open_tun(kDevice, false, 2);
        tun.descriptor.reset();
        CHECK(find_link(socket, kDevice));
        tun.more_queues.clear();
        CHECK_FALSE(find_link(socket, kDevice));
    }
}

TEST_CASE("tun queues: who asks for several of a device of one is told what would be right") {
    if (const auto own = own_namespace()) {
        make_device(1);
        CHECK(refusal_of(kDevice, 1).code == 0);
        const Refusal refusal = refusal_of(kDevice, 2);
        CHECK(refusal.code == EINVAL);
        CHECK(refusal.text ==
              "open TUN device nsrq0: the device was made for one queue; make it with "
              "`ip tuntap add ... multi_queue`, or ask for one shard");
    }
}

TEST_CASE("tun queues: who asks for one of a device of several is told, too") {
    if (const auto own = own_namespace()) {
        make_device(2);
        CHECK(refusal_of(kDevice, 2).code == 0);
        CHECK(refusal_of(kDevice, 3).code == 0);
        const Refusal refusal = refusal_of(kDevice, 1);
        CHECK(refusal.code == EINVAL);
        CHECK(refusal.text ==
              "open TUN device nsrq0: the device was made for several queues; make it without "
              "`multi_queue`, or ask for more than one shard");
    }
}

TEST_CASE("tun queues: what is no TUN device, or no name, is refused as ever") {
    if (const auto own = own_namespace()) {
        for (const unsigned queues : {1U, 2U}) {
            CHECK(refusal_of("lo", queues).text == "open TUN device lo: Invalid argument");
            CHECK(refusal_of("a/b", queues).text == "open TUN device a/b: Invalid argument");
        }
    }
}

TEST_CASE("tun queues: two programs cannot have the same device") {
    if (const auto own = own_namespace()) {
        for (const unsigned queues : {1U, 2U}) {
            const Tun first = open_tun(kDevice, false, queues);
            CHECK(refusal_of(kDevice, queues).code == EBUSY);
        }
        CHECK(refusal_of(kDevice, 2).code == 0);
    }
}

}  // namespace nsr::netlink
