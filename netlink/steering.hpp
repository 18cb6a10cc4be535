// Steering: which queue of a TUN device the kernel puts a packet into.
//
// Theory of operation
//   Of several shards each reads one queue, and a packet belongs to the shard that its home hash
//   says (core/conntrack/record/home.hpp). Left to itself the kernel picks a queue by a hash of its
//   own, and the shards have to hand most packets to each other. Here it is given a program that
//   computes the home hash: eBPF of the type of a socket filter, run on every packet that leaves
//   through the device. It gets the packet from its IP header on and returns the queue.
//
//     addresses = sum of the words of source and destination, host order, wrapping
//     ports     = source + destination port of TCP, UDP, UDP-Lite, SCTP;
//                 identifier of an ICMP or ICMPv6 echo and its reply; else 0
//     queue     = HomeHash::of_sums(addresses, ports)
//
//   It is a help, not a promise: what it does not know about is put somewhere, and the shard there
//   hands it over. That is an ICMP error (it belongs to the flow that it quotes), a query other
//   than echo, the answers to a translated flow whose port could not be chosen, and IPv6 behind
//   extension headers, which are not followed. A fragment has no ports, which is what its shard
//   expects. What is no IP or has no whole IP header goes to queue 0; a transport header with less
//   than 8 bytes counts as none.
//   The program belongs to the device: it stays with one that was there before, after all queues
//   are closed, until another takes its place. Loading takes CAP_BPF, where plain users may not
//   (the rule); giving it to a device takes nothing but its descriptor. One program serves every
//   device. kernel: tun_ebpf_select_queue, since 4.16
#pragma once

#include <cstdint>

#include "netlink/descriptor.hpp"
#include "netlink/tun.hpp"

namespace nsr::netlink {

// The numbers of HomeHash under the same names: this folder knows no core/conntrack.
struct SteeringHash {
    std::uint32_t key = 0;
    unsigned shards = 1;
    std::uint32_t port_factor = 0;
    std::uint32_t factor1 = 0;
    std::uint32_t factor2 = 0;
    unsigned shift1 = 0;  // below 32
    unsigned shift2 = 0;
};

// Has the kernel check and translate the program. Throws SystemError: EPERM where this process may
// not, ENOSYS where nobody may.
Descriptor load_steering(const SteeringHash& hash);
// From now on. Throws SystemError.
void steer(const Tun& tun, const Descriptor& program);

}  // namespace nsr::netlink
