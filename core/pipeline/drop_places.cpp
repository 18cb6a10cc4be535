#include "core/pipeline/drop_places.hpp"

namespace nsr::pipeline {

std::size_t DropPlaces::Hash::operator()(const DropPlace& place) const {
    std::uint64_t bits = static_cast<std::uint64_t>(place.reason);
    bits = bits << 4 | static_cast<std::uint64_t>(place.family);
    bits = bits << 16 | raw(place.in);
    bits = bits << 1 | (place.in_hook ? 1 : 0);
    bits = bits << 3 | static_cast<std::uint64_t>(place.hook);
    bits = bits << 4 | static_cast<std::uint64_t>(place.stage);
    bits = bits * 0x9e3779b97f4a7c15 + raw(place.rule);
    return static_cast<std::size_t>((bits ^ bits >> 29) * 0xbf58476d1ce4e5b9);
}

// Rows stay where they are, whatever comes beside them.
void DropPlaces::look_up(const DropPlace& place) {
    auto row = rows_.find(place);
    if (row == rows_.end() && rows_.size() == kMost) {
        latest_ = nullptr;
        count_ = &others_;
        return;
    }
    if (row == rows_.end()) {
        row = rows_.emplace(place, 0).first;
    }
    latest_ = &row->first;
    count_ = &row->second;
}

}  // namespace nsr::pipeline
