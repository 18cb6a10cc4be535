#include "core/sets/reach.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace nsr::sets {

namespace {

// The lengths that networks are noted by, the longest first.
using Lengths = std::array<std::uint8_t, 4>;
constexpr std::array<Lengths, 2> kLengths = {Lengths{32, 24, 16, 8}, Lengths{128, 64, 48, 32}};

const Lengths& lengths_of(Family family) {
    return kLengths[index_of(family)];
}

std::array<std::uint32_t, 5> key_of(const IpAddress& address, std::uint8_t length) {
    const IpAddress network = address & mask_of(address.family, length);
    const auto& words = network.words;
    const std::uint32_t kind = length | (address.is_v6() ? 256u : 0u);
    return {kind, words[0], words[1], words[2], words[3]};
}

// Which of the lengths it has. Precondition: it is one of them.
std::size_t number_of_length(const Prefix& network) {
    const Lengths& lengths = lengths_of(network.address.family);
    const auto at = std::find(lengths.begin(), lengths.end(), network.length);
    return static_cast<std::size_t>(at - lengths.begin());
}

// The smallest network of such a length that holds all of it; nothing: there is none.
std::optional<Prefix> noted_network(const Prefix& network) {
    for (const std::uint8_t length : lengths_of(network.address.family)) {
        if (length <= network.length) {
            return Prefix{network.address & mask_of(network.address.family, length), length};
        }
    }
    return std::nullopt;
}

}  // namespace

std::uint32_t hash_of_name(std::string_view name) {
    std::uint32_t hash = 2166136261u;
    for (const char letter : name) {
        hash = (hash ^ static_cast<std::uint8_t>(letter)) * 16777619u;
    }
    return hash;
}

// --- of one set ---------------------------------------------------------------------------------

void Reach::add(const Prefix& network) {
    if (any_) {
        return;
    }
    const auto noted = noted_network(network);
    if (noted && std::find(networks_.begin(), networks_.end(), *noted) != networks_.end()) {
        return;
    }
    if (noted && networks_.size() < kMostNetworks) {
        networks_.push_back(*noted);
    } else {
        any_ = true;
    }
}

// Precondition: it is not noted.
void Reach::clear() {
    any_ = !bound_;
    networks_.clear();
}

// Those of Holders are its own.
std::size_t Reach::bytes() const {
    constexpr std::size_t kOfOneNoted = (2 + 5 + 1 + 1 + 2) * sizeof(std::uint32_t);
    return networks_.size() * (sizeof(Prefix) + kOfOneNoted);
}

// --- of all -------------------------------------------------------------------------------------

bool MayHold::contains(std::uint32_t name) const {
    return std::binary_search(names.begin(), names.end(), name) || any->contains(name);
}

void Holders::name(Reach& reach, std::string_view name) {
    reach.name_ = hash_of_name(name);
    reach.noted_ = 0;
    reach.any_noted_ = false;
}

void Holders::note(Reach& reach) {
    for (; !reach.any_ && reach.noted_ < reach.networks_.size(); ++reach.noted_) {
        if (!add(reach.networks_[reach.noted_], reach.name_)) {
            reach.any_ = true;
            break;
        }
    }
    if (reach.any_ && !reach.any_noted_) {
        forget(reach);
        reach.networks_.clear();
        reach.any_noted_ = true;
        any_.insert(reach.name_);
        ++gains_;
    }
}

void Holders::forget(Reach& reach) {
    for (; reach.noted_ != 0; --reach.noted_) {
        remove(reach.networks_[reach.noted_ - 1], reach.name_);
    }
    if (std::exchange(reach.any_noted_, false)) {
        any_.erase(any_.find(reach.name_));
    }
}

void Holders::clear(std::vector<Table::Chunk>& chunks) {
    table_.clear(chunks);
    postings_ = {{}};
    free_ = 0;
    in_use_ = {};
    any_.clear();
}

bool Holders::add(const Prefix& network, std::uint32_t name) {
    const auto key = key_of(network.address, network.length);
    const Place known = table_.find(key.data());
    std::size_t others = 0;
    for (std::uint32_t at = known == kNoPlace ? 0 : *table_.extra(known); at != 0;
         at = postings_[at].next) {
        ++others;
    }
    if (others == kMostOfOne) {
        return false;
    }
    const std::uint32_t posting = take_posting();
    Place place = known;
    if (known == kNoPlace) {
        place = table_.add(key.data());
        ++in_use_[index_of(network.address.family)][number_of_length(network)];
    }
    postings_[posting] = {name, *table_.extra(place)};
    *table_.extra(place) = posting;
    ++gains_;
    return true;
}

void Holders::remove(const Prefix& network, std::uint32_t name) {
    const Place place = table_.find(key_of(network.address, network.length).data());
    std::uint32_t* at = table_.extra(place);
    while (postings_[*at].name != name) {
        at = &postings_[*at].next;
    }
    const std::uint32_t removed = *at;
    *at = postings_[removed].next;
    postings_[removed].next = std::exchange(free_, removed);
    if (*table_.extra(place) == 0) {
        table_.remove(place);
        --in_use_[index_of(network.address.family)][number_of_length(network)];
    }
}

std::uint32_t Holders::take_posting() {
    if (free_ != 0) {
        return std::exchange(free_, postings_[free_].next);
    }
    postings_.emplace_back();
    return static_cast<std::uint32_t>(postings_.size() - 1);
}

void Holders::find(const IpAddress& address, MayHold& found) const {
    found.names.clear();
    found.any = &any_;
    const Lengths& lengths = lengths_of(address.family);
    const auto& in_use = in_use_[index_of(address.family)];
    for (std::size_t level = 0; level < lengths.size(); ++level) {
        if (in_use[level] == 0) {
            continue;
        }
        const Place place = table_.find(key_of(address, lengths[level]).data());
        for (std::uint32_t at = place == kNoPlace ? 0 : *table_.extra(place); at != 0;
             at = postings_[at].next) {
            found.names.push_back(postings_[at].name);
        }
    }
    std::sort(found.names.begin(), found.names.end());
    found.names.erase(std::unique(found.names.begin(), found.names.end()), found.names.end());
}

}  // namespace nsr::sets
