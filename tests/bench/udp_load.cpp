// Datagrams as fast as they go, and how many come; or one at a time, and how long each takes.
//
//   udp_load receive PORT SECONDS                    prints how many came a second
//   udp_load receive-gro PORT SECONDS                the same, reading those merged by the kernel
//   udp_load send ADDRESS PORT SECONDS FLOWS BYTES   prints how many a second; one flow sends 64
//                                                    with a system call, several take turns
//   udp_load echo PORT                               sends back what comes, until it is killed
//   udp_load ask ADDRESS PORT SECONDS                prints median and 99th percentile of the time
//                                                    of an answer, in us
#include <netinet/udp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "tests/bench/datagrams.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr unsigned kBatch = 64;
std::array<char, 2048> data;

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

// Where a batch of datagrams is received: of one datagram each, or of as many of a flow as the
// kernel merged (UDP_GRO).
class Batch {
  public:
    explicit Batch(bool merged) : bytes_(merged ? 65535 : 2048), storage_(kBatch * bytes_) {
        for (unsigned i = 0; i < kBatch; ++i) {
            parts_[i] = {&storage_[i * bytes_], bytes_};
            messages_[i].msg_hdr.msg_iov = &parts_[i];
            messages_[i].msg_hdr.msg_iovlen = 1;
            messages_[i].msg_hdr.msg_control = merged ? controls_[i].data() : nullptr;
        }
    }

    // How many datagrams came; none when nothing did for long.
    std::uint64_t receive(int fd) {
        for (unsigned i = 0; i < kBatch; ++i) {
            msghdr& header = messages_[i].msg_hdr;
            header.msg_controllen = header.msg_control != nullptr ? controls_[i].size() : 0;
        }
        const int came = ::recvmmsg(fd, messages_.data(), kBatch, MSG_WAITFORONE, nullptr);
        std::uint64_t count = 0;
        for (int i = 0; i < came; ++i) {
            count += datagrams_of(messages_[static_cast<unsigned>(i)]);
        }
        return count;
    }

  private:
    static std::uint64_t datagrams_of(mmsghdr& message) {
        const cmsghdr* size_of_each = CMSG_FIRSTHDR(&message.msg_hdr);
        if (size_of_each == nullptr || size_of_each->cmsg_type != UDP_GRO) {
            return 1;
        }
        int each = 0;
        std::memcpy(&each, CMSG_DATA(size_of_each), sizeof each);
        const auto size = static_cast<unsigned>(each);
        return (message.msg_len + size - 1) / size;
    }

    std::size_t bytes_;
    std::vector<char> storage_;
    std::array<iovec, kBatch> parts_{};
    std::array<mmsghdr, kBatch> messages_{};
    alignas(cmsghdr) std::array<std::array<char, CMSG_SPACE(sizeof(int))>, kBatch> controls_{};
};

int receive(const char* port, Seconds time, bool merged) {
    const int fd = patient(bench::bound_socket(port));
    const int on = merged ? 1 : 0;
    ::setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on);
    Batch batch(merged);
    std::uint64_t count = batch.receive(fd);
    const Clock::time_point begin = Clock::now();
    Clock::time_point now = begin;
    while (now - begin < time) {
        const std::uint64_t came = batch.receive(fd);
        if (came == 0) {
            break;
        }
        now = Clock::now();
        count += came;
    }
    std::printf("%.0f\n", static_cast<double>(count) / Seconds(now - begin).count());
    return count == 0 ? 1 : 0;
}

int send_all(char** words, Seconds time) {
    std::vector<int> flows(static_cast<std::size_t>(std::atoi(words[5])));
    for (int& fd : flows) {
        fd = connected(words[2], words[3]);
    }
    const auto bytes = static_cast<std::size_t>(std::atoi(words[6]));
    iovec part{data.data(), bytes};
    std::array<mmsghdr, kBatch> messages{};
    for (mmsghdr& message : messages) {
        message.msg_hdr.msg_iov = &part;
        message.msg_hdr.msg_iovlen = 1;
    }
    const unsigned in_turn = flows.size() == 1 ? kBatch : 1;
    std::uint64_t count = 0;
    std::size_t turn = 0;
    const Clock::time_point begin = Clock::now();
    do {
        for (unsigned i = 0; i < kBatch; i += in_turn) {
            const int flow = flows[turn++ % flows.size()];
            // Negative: the queue of the device is full, or nobody is there yet.
            const int sent = ::sendmmsg(flow, messages.data(), in_turn, 0);
            count += sent > 0 ? static_cast<std::uint64_t>(sent) : 0;
        }
    } while (Clock::now() - begin < time);
    std::printf("%.0f\n", static_cast<double>(count) / Seconds(Clock::now() - begin).count());
    return 0;
}

double percentile(std::vector<double>& values, std::size_t percent) {
    const std::size_t at = std::min(values.size() * percent / 100, values.size() - 1);
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at),
                     values.end());
    return values[at];
}

int ask(const char* address, const char* port, Seconds time) {
    const int fd = connected(address, port);
    std::vector<double> took;
    const Clock::time_point begin = Clock::now();
    while (Clock::now() - begin < time) {
        const Clock::time_point before = Clock::now();
        if (::send(fd, data.data(), 64, 0) > 0 && ::recv(fd, data.data(), 64, 0) > 0) {
            took.push_back(Seconds(Clock::now() - before).count() * 1e6);
        }
    }
    if (took.empty()) {
        return 1;
    }
    std::printf("%.2f %.2f\n", percentile(took, 50), percentile(took, 99));
    return 0;
}

}  // namespace

int main(int count, char** words) {
    const std::string_view what = count > 1 ? words[1] : "";
    if (what == "receive" && count == 4) {
        return receive(words[2], Seconds(std::atof(words[3])), false);
    }
    if (what == "receive-gro" && count == 4) {
        return receive(words[2], Seconds(std::atof(words[3])), true);
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
