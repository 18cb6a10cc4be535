// Knocks: what hosts inside sent to each other's outside endpoints, and the filter there refused.
// The packet would have gone out and in again, and so opens the sender's endpoint to the other one
// for a while (RFC 4787 REQ-8, REQ-9), though no connection comes of it: also where the sender's
// mapping ended with the packet, and it gets the same endpoint again.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

#include "core/base/instant.hpp"
#include "core/nat/mappings.hpp"

namespace nsr::nat {

// Who knocked where.
struct Knock {
    Source inside;
    Outside from;
    Outside to;
    friend bool operator==(const Knock&, const Knock&) = default;
};

class Knocks {
  public:
    // As long as a datagram without an answer is remembered.
    static constexpr Duration kLast = std::chrono::seconds(30);
    // Of a host, and of all together; the oldest one is forgotten for another.
    static constexpr std::size_t kMostOfHost = 16;
    static constexpr std::size_t kMost = 256;

    void add(const Knock& knock, Instant now) {
        *place_for(knock, now) = {knock, now + kLast};
        until_ = now + kLast;
    }

    // Has it knocked there, or, if its filter does not ask for ports, at any port there?
    [[nodiscard]] bool heard(const Knock& knock, bool any_port, Instant now) const {
        return now < until_ && std::any_of(places_.begin(), places_.end(), [&](const Place& place) {
                   const Knock& known = place.knock;
                   return now < place.until && known.inside == knock.inside &&
                          known.from == knock.from && known.to.address == knock.to.address &&
                          (any_port || known.to == knock.to);
               });
    }

  private:
    struct Place {
        Knock knock;
        Instant until{};
    };
    using Places = std::array<Place, kMost>;

    // That of an equal one; else the oldest, of its host if that has as many as it may have.
    Places::iterator place_for(const Knock& knock, Instant now) {
        const auto equal = std::find_if(places_.begin(), places_.end(),
                                        [&](const Place& place) { return place.knock == knock; });
        if (equal != places_.end()) {
            return equal;
        }
        const Host host = host_of(knock.inside);
        const auto of_host = [&](const Place& place) {
            return now < place.until && host_of(place.knock.inside) == host;
        };
        const auto known = std::count_if(places_.begin(), places_.end(), of_host);
        const bool full = static_cast<std::size_t>(known) >= kMostOfHost;
        return std::min_element(places_.begin(), places_.end(),
                                [&](const Place& a, const Place& b) {
                                    const bool a_counts = !full || of_host(a);
                                    const bool b_counts = !full || of_host(b);
                                    return a_counts != b_counts ? a_counts : a.until < b.until;
                                });
    }

    Places places_{};
    Instant until_{};  // of the youngest
};

}  // namespace nsr::nat
