// Addresses of a configuration that are in each other's way.
//
// Theory of operation
//   Two prefixes overlap if one holds the other, so the prefixes of a file are a forest, and what
//   an address is in conflict with is above or below it. One walk over the sorted prefixes with a
//   stack of those that are open finds for each the first (in the order of the file) of another
//   interface on either side. An address is reported once, for the first conflict, at the later of
//   the two. Link-local networks are one per link: the same on all of them is as it should be.
#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "router/config/sections.hpp"

namespace nsr::router {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

struct Owned {
    Prefix prefix;
    std::size_t interface = 0;
    SourceLocation where;
    std::size_t conflict = kNone;  // the first address that it overlaps with

    [[nodiscard]] bool link_local() const { return prefix.address.is_link_local(); }
};

// Of many addresses the first, and the first of another interface than that one's.
class Firsts {
  public:
    void add(std::size_t index, const std::vector<Owned>& all) {
        if (index == kNone) {
            return;
        }
        if (first_ == kNone || all[index].interface == all[first_].interface) {
            first_ = std::min(first_, index);
        } else if (index < first_) {
            other_ = std::exchange(first_, index);
        } else if (other_ == kNone || index < other_) {
            other_ = index;
        }
    }
    void add(const Firsts& more, const std::vector<Owned>& all) {
        add(more.first_, all);
        add(more.other_, all);
    }
    // The first that is not of this interface.
    [[nodiscard]] std::size_t beside(std::size_t interface, const std::vector<Owned>& all) const {
        return first_ != kNone && all[first_].interface == interface ? other_ : first_;
    }

  private:
    std::size_t first_ = kNone;
    std::size_t other_ = kNone;
};

// Apart, because those of two links do not meet.
struct Both {
    Firsts global;
    Firsts link_local;

    void add(std::size_t index, const std::vector<Owned>& all) {
        (all[index].link_local() ? link_local : global).add(index, all);
    }
    void add(const Both& more, const std::vector<Owned>& all) {
        global.add(more.global, all);
        link_local.add(more.link_local, all);
    }
    [[nodiscard]] std::size_t conflict_of(const Owned& one, const std::vector<Owned>& all) const {
        const std::size_t found = global.beside(one.interface, all);
        return one.link_local() ? found : std::min(found, link_local.beside(one.interface, all));
    }
};

struct Open {
    std::size_t index = 0;
    Both above;  // itself and all that hold it
    Both below;  // itself and all that it holds
};

std::vector<Owned> addresses_of(const Config& config) {
    std::vector<Owned> all;
    for (std::size_t i = 0; i < config.interfaces.size(); ++i) {
        const InterfaceConfig& interface = config.interfaces[i];
        for (const auto* list : {&interface.addresses, &interface.host_addresses}) {
            for (const Located<Prefix>& address : *list) {
                all.push_back({address.value, i, address.where});
            }
        }
    }
    return all;
}

// Those that hold others before those.
std::vector<std::size_t> sorted(const std::vector<Owned>& all) {
    std::vector<std::size_t> order(all.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = i;
    }
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const auto key = [&](std::size_t i) {
            const Prefix& prefix = all[i].prefix;
            return std::tuple(prefix.address.family, prefix.network().address, prefix.length, i);
        };
        return key(a) < key(b);
    });
    return order;
}

void close_last(std::vector<Open>& open, std::vector<Owned>& all) {
    Open last = std::move(open.back());
    open.pop_back();
    Owned& one = all[last.index];
    one.conflict = std::min(one.conflict, last.below.conflict_of(one, all));
    if (!open.empty()) {
        open.back().below.add(last.below, all);
    }
}

void find_overlaps(std::vector<Owned>& all) {
    std::vector<Open> open;
    for (const std::size_t index : sorted(all)) {
        Owned& one = all[index];
        while (!open.empty() && !all[open.back().index].prefix.overlaps(one.prefix)) {
            close_last(open, all);
        }
        Open next;
        next.index = index;
        if (!open.empty()) {
            next.above = open.back().above;
            one.conflict = next.above.conflict_of(one, all);
        }
        next.above.add(index, all);
        next.below.add(index, all);
        open.push_back(std::move(next));
    }
    while (!open.empty()) {
        close_last(open, all);
    }
}

}  // namespace

void check_addresses(const Config& config, ConfigErrors& errors) {
    std::vector<Owned> all = addresses_of(config);
    find_overlaps(all);
    std::map<std::pair<IpAddress, std::size_t>, std::size_t> seen;  // by link where that counts
    for (std::size_t i = 0; i < all.size(); ++i) {
        const Owned& one = all[i];
        const std::size_t link = one.link_local() ? one.interface : kNone;
        const std::size_t same = seen.emplace(std::pair(one.prefix.address, link), i).first->second;
        if (same < i && same <= one.conflict) {
            errors.push_back({one.where, "address " + to_string(one.prefix.address) +
                                             " is used twice, first in line " +
                                             std::to_string(all[same].where.line)});
        } else if (one.conflict < i) {
            const Owned& other = all[one.conflict];
            errors.push_back({one.where, "address " + to_string(one.prefix) + " overlaps " +
                                             to_string(other.prefix) + " of interface \"" +
                                             config.interfaces[other.interface].name +
                                             "\" in line " + std::to_string(other.where.line)});
        }
    }
}

}  // namespace nsr::router
