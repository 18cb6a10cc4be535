// The ways of a frame from one device to the other. Each runs until the process is ended.
#pragma once

#include <array>
#include <cstddef>

#include "tests/bench/tun/device.hpp"
#include "tests/bench/tun/frames.hpp"

namespace bench::tun {

inline constexpr std::size_t kMostThreads = 2;

struct Link {
    Queues client, server;
    Layout layout;  // of frames
    std::array<Tally, kMostThreads> tallies;
};

// One thread: waits in epoll, reads a batch, writes it.
void forward_plain(Link& link);
// The same, and never waits.
void forward_busy(Link& link);
// A batch is one frame.
void forward_single(Link& link);
// Frames are written in pieces of a page, as IFF_NAPI_FRAGS wants them.
void forward_pieces(Link& link);
// Small datagrams of a flow are written as one super-packet.
void forward_merged(Link& link);
// A thread for each queue.
void forward_queues(Link& link);
// A thread reads, another one writes.
void forward_split(Link& link);
// io_uring: reads and writes of registered buffers and files, a batch each with one system call.
void forward_uring(Link& link);
void forward_uring_merged(Link& link);
// io_uring: one read that goes on, writes with one system call.
void forward_multishot(Link& link);
void forward_multishot_merged(Link& link);
// The same, and a thread of the kernel that looks for what is to be done.
void forward_sqpoll(Link& link);

}  // namespace bench::tun
