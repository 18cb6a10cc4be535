// Pressure: how fast the connection table grows, and when it will be full if it goes on so.
//
// Whoever runs the router notes the number of entries every few seconds; the growth is that of the
// last minute up to when it is asked for. Fewer than kLeast of it say nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "core/base/instant.hpp"

namespace nsr::router {

class Pressure {
  public:
    static constexpr Duration kPeriod = std::chrono::seconds(5);   // between two notes
    static constexpr Duration kWindow = std::chrono::seconds(60);  // what is looked back at
    static constexpr Duration kLeast = std::chrono::seconds(10);

    void note(Instant now, std::uint64_t entries);

    struct Note {
        Instant at;
        std::uint64_t entries = 0;
    };
    // Entries a second up to `now`, negative where they become fewer; nothing: it is not known yet.
    [[nodiscard]] std::optional<double> growth(const Note& now) const;
    // How long until there are `max` entries; nothing: never at this rate. `max` 0: no limit.
    [[nodiscard]] std::optional<Duration> full_in(const Note& now, std::uint64_t max) const;

  private:
    std::deque<Note> notes_;
};

}  // namespace nsr::router
