// Knocks: what hosts inside sent to each other's outside endpoints, and the filter there refused.
// The packet would have gone out and in again, and so opens the sender's endpoint to the other one
// for a while (RFC 4787 REQ-8, REQ-9), though no connection comes of it.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>

#include "core/base/instant.hpp"
#include "core/nat/mappings.hpp"

namespace nsr::nat {

class Knocks {
  public:
    // As long as a datagram without an answer is remembered.
    static constexpr Duration kLast = std::chrono::seconds(30);
    // Of all hosts together; the oldest one is forgotten for another.
    static constexpr std::size_t kMost = 256;

    void add(MappingId from, const Outside& to, Instant now) {
        places_[next_] = {from, to, now + kLast};
        next_ = (next_ + 1) % kMost;
    }

    // Has `from` knocked at `at`, or, if its filter does not ask for ports, at any port there?
    [[nodiscard]] bool heard(MappingId from, const Outside& at, bool any_port, Instant now) const {
        return std::any_of(places_.begin(), places_.end(), [&](const Knock& knock) {
            return knock.from == from && now < knock.until && knock.to.address == at.address &&
                   (any_port || knock.to == at);
        });
    }

  private:
    struct Knock {
        MappingId from = kNoMapping;
        Outside to;
        Instant until{};
    };
    std::array<Knock, kMost> places_{};
    std::size_t next_ = 0;
};

}  // namespace nsr::nat
