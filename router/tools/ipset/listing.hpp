// Listing: sets as text, a piece at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/sets/sets.hpp"
#include "router/tools/ipset/args.hpp"

namespace nsr::router {

// `ipset list` and `ipset save` (plain, save and xml), and JSON. A set that changes between two
// pieces is shown as it is at each of them; one that is gone ends where it stands.
class SetListing {
  public:
    struct Form {
        IpsetOutput output = IpsetOutput::Plain;
        bool names = false;   // nothing else
        bool terse = false;   // no elements
        bool sorted = false;  // elements of hashes in ascending order
        bool single = false;  // JSON: the one set as it is, not in a list
    };
    SetListing(std::vector<sets::SetId> ids, const Form& form)
        : ids_(std::move(ids)), form_(form) {}

    // Looks at about as many elements; false: that was all.
    bool advance(const sets::Sets& sets, const sets::References& references, std::size_t steps,
                 Instant now, std::string& out);

  private:
    // An element in its order: addresses, then ports, then the rest.
    using Order = std::tuple<IpAddress, unsigned, unsigned, unsigned, IpAddress, unsigned,
                             std::uint32_t, std::string>;
    enum class Phase : std::uint8_t { Begin, Count, Sort, Elements, Sorted, End };

    static Order order_of(const sets::Element& element);
    void begin(const sets::Set& set, std::string& out);
    // One step of the phase; false: the set is done.
    [[nodiscard]] Phase first_of_elements(const sets::Set& set) const;
    bool step(const sets::Set& set, const sets::Sets& sets, const sets::References& references,
              Instant now, std::string& out);
    void head(const sets::Set& set, const sets::Sets& sets, const sets::References& references,
              std::string& out) const;
    void element(const sets::Set& set, const sets::Sets& sets, const sets::Set::Entry& entry,
                 std::string& out);
    void end(std::string& out);
    [[nodiscard]] std::string name(const sets::Sets& sets) const;

    std::vector<sets::SetId> ids_;
    Form form_;
    std::size_t at_ = 0;  // in ids_
    Phase phase_ = Phase::Begin;
    std::uint64_t cursor_ = 0;
    std::size_t elements_ = 0;  // counted
    std::size_t shown_ = 0;
    std::map<Order, std::string> sorted_;
    bool opened_ = false;
};

}  // namespace nsr::router
