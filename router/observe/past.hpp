// What the history of a router kept, as a capture: the packets of the last seconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/pipeline/router.hpp"
#include "router/observe/capture_form.hpp"
#include "router/observe/filter.hpp"

namespace nsr::router {

// "30s", "500ms", "5m", "1h"; nothing: it is none of these, or beyond a day.
std::optional<Duration> parse_ago(std::string_view text);

// What is known of a packet of the history, as far as its records tell: where it came and went,
// state, translations, and of a drop its reason and its rule.
observe::Observation observation_of(const pipeline::PastPacket& past, const Router& router);

// Goes through the history from the oldest packet on, a few at a time, up to the one that was the
// latest at the beginning. What is overwritten meanwhile is counted in the capture.
class Past {
  public:
    struct Wish {
        Filter filter;
        CaptureWish form;
        Instant since{};
        std::uint64_t count = 0;  // of those that fit; 0: all
    };
    Past(Router& router, Wish wish);

    // Appends about `bytes` of what comes next. False: that was the last.
    bool advance(std::string& out, std::size_t bytes);

  private:
    void tell(const pipeline::PastPacket& past, std::string& out);

    Router& router_;
    Wish wish_;
    std::unique_ptr<Form> form_;
    std::uint64_t next_;
    std::uint64_t last_;
    std::uint64_t told_ = 0;
    std::uint64_t overwritten_ = 0;
    bool begun_ = false;
};

}  // namespace nsr::router
