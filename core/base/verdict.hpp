// What a stage decided about the packet in its hands.
#pragma once

#include <cstdint>

#include "core/base/drop_reason.hpp"

namespace nsr {

// No default constructor: a packet cannot be dropped without a reason.
class [[nodiscard]] Verdict {
  public:
    static constexpr Verdict accept() { return Verdict(Kind::Accept, DropReason::Count); }
    static constexpr Verdict drop(DropReason reason) { return Verdict(Kind::Drop, reason); }
    // The stage keeps the packet (a fragment that waits for the others); nothing more happens to it
    // now.
    static constexpr Verdict stolen() { return Verdict(Kind::Stolen, DropReason::Count); }

    [[nodiscard]] constexpr bool accepted() const { return kind_ == Kind::Accept; }
    [[nodiscard]] constexpr bool dropped() const { return kind_ == Kind::Drop; }
    [[nodiscard]] constexpr bool was_stolen() const { return kind_ == Kind::Stolen; }
    // Precondition: dropped().
    [[nodiscard]] constexpr DropReason reason() const { return reason_; }

  private:
    enum class Kind : std::uint8_t { Accept, Drop, Stolen };
    constexpr Verdict(Kind kind, DropReason reason) : kind_(kind), reason_(reason) {}

    Kind kind_;
    DropReason reason_;
};

}  // namespace nsr
