// Every rule with where it comes from and what it counted, as JSON, piece by piece.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/rules/counters.hpp"

namespace nsr::router {

class RulesJson {
  public:
    RulesJson(rules::Counted counted, std::vector<Family> families);

    // Appends what comes next, about `bytes` of it. False: that was the last.
    bool advance(std::string& out, std::size_t bytes);

  private:
    bool next_chain();
    void begin_chain(std::string& out);

    rules::Counted counted_;
    std::vector<Family> families_;
    std::size_t family_ = 0;
    std::size_t table_ = 0;
    std::size_t chain_ = 0;
    std::size_t rule_ = 0;
    bool begun_ = false;     // the list of chains
    bool in_chain_ = false;  // its heading is out
};

}  // namespace nsr::router
