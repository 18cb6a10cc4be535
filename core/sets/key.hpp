// Key: an element as the words that a Table compares.
#pragma once

#include <array>
#include <cstdint>

#include "core/sets/element.hpp"
#include "core/sets/table.hpp"
#include "core/sets/type.hpp"

namespace nsr::sets {

using Key = std::array<std::uint32_t, Table::kMostKeyWords>;

// What of an element is its key in sets of one type and family. Bitmaps have a single number, which
// their set gives (see Set::key_of).
class KeyShape {
  public:
    KeyShape(const SetType& type, Family family) : type_(&type), family_(family) {}

    [[nodiscard]] unsigned words() const;
    [[nodiscard]] Key pack(const Element& element) const;
    [[nodiscard]] Element unpack(const std::uint32_t* key) const;

  private:
    [[nodiscard]] unsigned address_words() const { return family_ == Family::Ipv6 ? 4 : 1; }
    [[nodiscard]] IpAddress address_at(const std::uint32_t* words) const;

    const SetType* type_;
    Family family_;
};

}  // namespace nsr::sets
