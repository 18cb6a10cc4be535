#include "tests/oracle/compare_tally.hpp"

#include <array>
#include <bit>
#include <map>

#include "core/pipeline/hooks.hpp"

namespace oracle {
namespace {

// Every counter by its name.
using Counts = std::map<std::string, std::uint64_t>;

void add(Counts& counts, const std::string& name, std::uint64_t count) {
    if (count != 0) {
        counts[name] += count;
    }
}

// Those that have nothing but numbers, by their places.
template <class Counters>
void add_words(Counts& counts, const std::string& name, const Counters& counters) {
    const auto words =
        std::bit_cast<std::array<std::uint64_t, sizeof(Counters) / sizeof(std::uint64_t)>>(
            counters);
    for (std::size_t i = 0; i < words.size(); ++i) {
        add(counts, name + " #" + std::to_string(i), words[i]);
    }
}

std::string name_of(const nsr::pipeline::DropPlace& place) {
    const auto number = [](auto value) { return std::to_string(static_cast<unsigned>(value)); };
    return "place of " + std::string(nsr::name_of(place.reason)) + ", family " +
           number(place.family) + ", in " + number(place.in) + ", hook " +
           (place.in_hook ? number(place.hook) + "." + number(place.stage) : "none") + ", rule " +
           number(place.rule);
}

Counts counts_of(const nsr::Tally& tally) {
    constexpr const char* kFamilies[] = {"IPv4", "IPv6"};
    Counts counts;
    for (std::size_t family = 0; family < tally.ip.size(); ++family) {
        add_words(counts, kFamilies[family] + std::string(" counter"), tally.ip[family]);
        add_words(counts, kFamilies[family] + std::string(" reassembly"), tally.defrag[family]);
    }
    for (const auto& [interface, counters] : tally.interfaces) {
        add_words(counts, "interface " + std::to_string(raw(interface)), counters);
    }
    for (const auto& [place, packets] : tally.places) {
        add(counts, name_of(place), packets);
    }
    add(counts, "other places", tally.other_places);
    add_words(counts, "drops", tally.drops);
    add_words(counts, "tracking", tally.tracking);
    return counts;
}

}  // namespace

void compare_tallies(const nsr::Tally& expected, const nsr::Tally& actual,
                     std::vector<Difference>& differences) {
    const Counts wanted = counts_of(expected);
    const Counts got = counts_of(actual);
    Counts all = wanted;
    all.insert(got.begin(), got.end());
    const auto count_in = [](const Counts& counts, const std::string& name) {
        const auto found = counts.find(name);
        return found == counts.end() ? 0 : found->second;
    };
    for (const auto& [name, count] : all) {
        const std::uint64_t one = count_in(wanted, name);
        const std::uint64_t sum = count_in(got, name);
        if (one != sum) {
            differences.push_back({name + ": " + std::to_string(one) + " in one shard, " +
                                       std::to_string(sum) + " in several",
                                   ""});
        }
    }
}

}  // namespace oracle
