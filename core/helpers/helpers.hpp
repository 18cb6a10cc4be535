// Helpers: follow protocols whose packets carry addresses, so that what they announce is expected
// and, behind NAT, said in addresses that the other side can reach.
//
// Theory of operation
//   help() runs in INPUT and POSTROUTING at priority 300, behind source NAT: the packet has its new
//   addresses, its payload still speaks of the old ones. If a helper follows the packet's
//   connection, it reads the payload as the kernel's does, no more and no less. For what is
//   announced it makes an expectation (core/conntrack/expect); for a translated connection it first
//   finds an address and port that the peer can reach, expects that, and writes it into the
//   payload. A TCP payload whose length changed moves all sequence numbers behind it: the amount is
//   kept in the connection's Help, and every later segment of it is adjusted here, acknowledgments
//   and SACK blocks included. The expected connection is translated the moment it is made
//   (on_expected), as its master is.
//   One row of the table in helpers.cpp a protocol; protocols/ has a file for each, sip/ is a room
//   of its own; Call (call/call.hpp) is what they share.
// kernel: nf_confirm, nf_conntrack_helper.c, nf_nat_helper.c, nf_conntrack_seqadj.c
#pragma once

#include "core/base/log.hpp"
#include "core/base/random.hpp"
#include "core/base/verdict.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/conntrack/rate_limit.hpp"
#include "core/nat/nat.hpp"
#include "core/packet/packet.hpp"

namespace nsr::helpers {

class Helpers {
  public:
    Helpers(conntrack::Conntrack& conntrack, nat::Nat& nat, RandomSource& random, LogSink& log);
    ~Helpers();
    Helpers(const Helpers&) = delete;
    Helpers& operator=(const Helpers&) = delete;

    // A packet whose connection nobody follows costs one test.
    Verdict help(Packet& packet, Instant now);

  private:
    void follow(ConnId id, const conntrack::Expectation& expectation, Instant now);
    void follow_master(ConnId id, const conntrack::Expectation& expectation, Instant now);

    conntrack::Conntrack& conntrack_;
    nat::Nat& nat_;
    RandomSource& random_;
    LogSink& log_;
    conntrack::RateLimit log_limit_;
};

}  // namespace nsr::helpers
