// What the recorder kept, as text and as JSON: which packet, where it ended, what tracking thought
// of it, and what would have let it through.
#pragma once

#include <string>
#include <vector>

#include "core/pipeline/router.hpp"
#include "router/observe/filter.hpp"

namespace nsr::router {

// Goes through the records of a router, the oldest first, a few at a time; what is overwritten
// meanwhile is passed over.
class Why {
  public:
    struct Wish {
        Filter filter;
        std::size_t last = 20;  // that fit; 0: all
        bool json = false;      // an object a line
    };
    Why(const Router& router, Wish wish, Instant now);

    // Appends about `bytes` of what comes next. False: that was the last.
    bool advance(std::string& out, std::size_t bytes);

  private:
    [[nodiscard]] bool fits(const pipeline::Record& record) const;
    void search();

    const Router& router_;
    Wish wish_;
    Instant now_;
    std::uint64_t next_ = 0;            // to look at, going backwards; 0: the search is over
    std::vector<std::uint64_t> found_;  // the latest first; told from the end
};

Subject subject_of(const pipeline::Record& record, const Router& router);
// The packet in one line, as far as its first bytes tell.
std::string packet_text(const pipeline::Record& record);

}  // namespace nsr::router
