#include "core/defrag/runs.hpp"

#include <cstring>
#include <iterator>

namespace nsr::defrag {

namespace {

// A node of the map, its two heap blocks' headers.
constexpr std::size_t kRunOverheadBytes = 160;

}  // namespace

Runs::Insertion Runs::insert(std::uint32_t offset, wire::ConstBytes bytes) {
    const auto end_of = [](Map::const_iterator run) {
        return run->first + static_cast<std::uint32_t>(run->second.bytes.size());
    };
    const std::uint32_t end = offset + static_cast<std::uint32_t>(bytes.size());
    const auto after = runs_.upper_bound(offset);  // the first run that begins behind `offset`
    if (after != runs_.begin()) {
        const auto before = std::prev(after);
        if (end <= end_of(before)) {
            return Insertion::Duplicate;
        }
        if (offset < end_of(before)) {
            return Insertion::Overlap;
        }
        if (after == runs_.end() && offset == end_of(before)) {
            append(before->second, bytes);
            return Insertion::Done;
        }
    }
    if (after != runs_.end() && end > after->first) {
        return Insertion::Overlap;
    }
    memory_ += kRunOverheadBytes;
    append(runs_.emplace_hint(after, offset, Run{})->second, bytes);
    return Insertion::Done;
}

void Runs::append(Run& run, wire::ConstBytes bytes) {
    const auto footprint = [&run] {
        return run.bytes.capacity() + run.lengths.capacity() * sizeof(run.lengths[0]);
    };
    memory_ -= footprint();
    run.bytes.insert(run.bytes.end(), bytes.begin(), bytes.end());
    run.lengths.push_back(static_cast<std::uint16_t>(bytes.size()));
    memory_ += footprint();
    bytes_ += static_cast<std::uint32_t>(bytes.size());
    ++fragments_;
}

void Runs::clear() {
    *this = Runs{};
}

wire::ConstBytes Runs::first() const {
    const Run& run = runs_.begin()->second;
    return wire::ConstBytes(run.bytes).first(run.lengths.front());
}

void Runs::copy_to(std::uint8_t* out) const {
    for (const auto& [offset, run] : runs_) {
        std::memcpy(out + offset, run.bytes.data(), run.bytes.size());
    }
}

std::vector<std::uint16_t> Runs::lengths() const {
    std::vector<std::uint16_t> all;
    all.reserve(fragments_);
    for (const auto& [offset, run] : runs_) {
        all.insert(all.end(), run.lengths.begin(), run.lengths.end());
    }
    return all;
}

}  // namespace nsr::defrag
