// Elements: what one word of ipset(8) stands for, "10.0.0.0/30,tcp:80-90" for 44 elements.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/sets/element.hpp"
#include "core/sets/sets.hpp"
#include "router/tools/ipset/problem.hpp"

namespace nsr::router {

// A walk over the elements; it can stop and go on, however many there are.
class Elements {
  public:
    // IPv4 addresses or ports, both included.
    struct Span {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
    };
    struct Parts {
        sets::Element base;  // all that is not in a span
        std::optional<Span> first, second, ports;
        std::string member;  // of a list:set, with before and after
        std::string reference;
        bool before = false;
        std::string shown;  // as `ipset test` repeats it
    };
    Elements(Parts parts, const sets::SetSpec& spec);

    // How many one command may stand for. kernel: IPSET_MAX_RANGE, of one step of a command
    static constexpr std::uint64_t kMost = std::uint64_t{1} << 20;

    [[nodiscard]] const Parts& parts() const { return parts_; }
    [[nodiscard]] bool too_many() const;
    // False: there are no more.
    bool next(sets::Element& element);

  private:
    // Where one span is; networks go by the largest ones that fit. kernel: ip_set_range_to_cidr
    struct Walk {
        std::optional<Span> span;
        std::uint64_t at = 0;
        std::uint64_t step = 1;
        bool networks = false;
        void begin();
        // The next address behind the current one; false: that was the last.
        bool advance();
        [[nodiscard]] std::uint64_t count() const;
        [[nodiscard]] unsigned prefix() const;
    };
    bool step();
    void put(sets::Element& element) const;

    Parts parts_;
    Walk first_, second_, ports_;
    bool begun_ = false;
};

enum class IpsetVerb : std::uint8_t { Add, Del, Test };

Result<Elements, IpsetProblem> parse_elements(std::string_view text, const sets::SetSpec& spec,
                                              IpsetVerb verb);
// An address as the tool reads it; "10.1" is 10.0.0.1.
std::optional<IpAddress> parse_ipset_address(std::string_view text, Family family);

}  // namespace nsr::router
