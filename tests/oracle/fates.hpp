// What became of each arrival, as far as it says which of them may come as one: a super-packet has
// one fate, in Linux, too.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/oracle/case_run.hpp"

namespace oracle {

// "in=3": 3. Nothing: a timer.
std::optional<std::uint32_t> arrival_of(const Departure& departure);
// The router's own, about the arrival: an ICMP error, a TCP reset.
bool is_answer(const Departure& departure, const Bytes& arrival);

class Fates {
  public:
    // `run` of `arrivals`, which must outlive this.
    Fates(const Run& run, const Frames& arrivals);

    // The packet went as the one before it did, and changed nothing that one had left to change.
    [[nodiscard]] bool went_along(const nsr::test::KeptFrame& frame) const;

  private:
    const Run& run_;
    std::map<std::uint32_t, std::vector<std::string>> ways_;  // of what left, by arrival
    std::set<std::uint32_t> rationed_;  // arrivals whose answer is one that others then miss
};

// Rules of the case count or measure packets, and would see one for several.
bool rules_count_packets(const Case& one);

}  // namespace oracle
