#include "core/conntrack/table/index.hpp"

#include <algorithm>
#include <utility>

#include "core/base/check.hpp"

namespace nsr::conntrack {
namespace {

constexpr std::uint32_t kMinLines = 4;
// References per line: where growth starts, and (a quarter more lines) what it leads to. 64 bytes /
// 8 references is what the promised memory per connection allows.
constexpr std::uint32_t kFullLine = 10;
constexpr std::uint32_t kNearlyFullLine = 11;
// Shrink when there is less than one in this many of what the lines may hold. Blocks of records
// stay as they are, so little memory comes of it; many that end together are not to pay for it
// often.
constexpr std::uint32_t kSparse = 32;
constexpr std::uint32_t kLookahead = 2;

std::uint64_t capacity(std::uint32_t lines) {
    return std::uint64_t{lines} * kFullLine;
}

}  // namespace

Index::Index(const HashSource& source, Memory& memory, std::uint32_t lines)
    : source_(source),
      memory_(memory),
      minimum_(std::max(lines, kMinLines)),
      current_(Half::of(minimum_, memory)) {
    NSR_CHECK(current_.count != 0);
}

bool Index::insert(std::uint64_t hash, Reference reference) {
    resize_if_needed();
    return half_of(hash).insert(hash, reference);
}

void Index::erase(std::uint64_t hash, Reference reference) {
    half_of(hash).erase(hash, reference);
    resize_if_needed();
}

void Index::set_minimum(std::uint32_t lines) {
    minimum_ = std::max(lines, kMinLines);
    resize_if_needed();
}

void Index::resize_if_needed() {
    if (next_.count != 0) {
        move_some();
        return;
    }
    const std::uint32_t used = current_.references;
    if (current_.count < minimum_) {
        start_resize(minimum_);
    } else if (used + 2 > capacity(current_.count)) {
        start_resize(current_.count + current_.count / 4 + 1);
    } else if (current_.count > minimum_ &&
               used < current_.count * std::uint64_t{kFullLine} / kSparse) {
        start_resize(std::max(minimum_, used / (kFullLine / 2) + 1));
    }
}

// No memory, or none yet, is no tragedy: the lines fill up further and the next change tries again.
// Who is nearly full does not wait.
void Index::start_resize(std::uint32_t lines) {
    const bool can_wait = current_.references < std::uint64_t{current_.count} * kNearlyFullLine;
    if (can_wait && !memory_.ready(std::size_t{lines} * sizeof(IndexLine))) {
        return;
    }
    next_ = Half::of(lines, memory_);
    moved_ = 0;
}

// As many as it takes to be done before the new half is full, or, of one that shrinks, before the
// last reference has gone.
void Index::move_some() {
    const std::uint64_t room =
        capacity(next_.count) - std::min<std::uint64_t>(capacity(next_.count), references() + 2);
    const bool shrinks = next_.count < current_.count;
    const std::uint64_t changes = shrinks ? std::min<std::uint64_t>(room, references()) : room;
    const std::uint32_t left = current_.count - moved_;
    const std::uint64_t steps =
        std::min<std::uint64_t>(left, 1 + left / std::max<std::uint64_t>(changes, 1));
    for (std::uint64_t i = 0; i < steps; ++i) {
        move_home(moved_);
        ++moved_;
    }
    if (moved_ == current_.count) {
        finish_resize();
    }
}

void Index::finish_resize() {
    NSR_CHECK(current_.references == 0);
    current_ = std::exchange(next_, Half{});
    moved_ = 0;
}

// Moves every reference whose home is `home` into the new half, wherever it was pushed to.
void Index::move_home(std::uint32_t home) {
    const std::uint32_t ahead = home + kLookahead;
    if (ahead < current_.count) {
        const IndexLine& line = current_.lines[ahead];
        for (unsigned slot = 0; slot < IndexLine::kSlots; ++slot) {
            if (line.tags[slot] != 0) {
                source_.prefetch(line.references[slot]);
            }
        }
    }
    std::uint32_t number = home;
    for (std::uint32_t seen = 0; seen < current_.count; ++seen) {
        IndexLine& line = current_.lines[number];
        const bool more = line.went_past != 0;
        for (unsigned slot = 0; slot < IndexLine::kSlots; ++slot) {
            if (line.tags[slot] == 0) {
                continue;
            }
            const Reference reference = line.references[slot];
            const std::uint64_t hash = source_.hash_of(reference);
            if (current_.home_number(hash) == home) {
                NSR_CHECK(next_.insert(hash, reference));
                current_.remove(home, number, slot);
            }
        }
        if (!more) {
            break;
        }
        number = current_.after(number);
    }
}

Index::Half Index::Half::of(std::uint32_t count, Memory& memory) {
    Half half;
    half.block = memory.loose(std::size_t{count} * sizeof(IndexLine));
    half.lines = static_cast<IndexLine*>(half.block.get());
    half.count = half.lines != nullptr ? count : 0;
    return half;
}

bool Index::Half::insert(std::uint64_t hash, Reference reference) {
    if (references >= std::uint64_t{count} * IndexLine::kSlots) {
        return false;
    }
    std::uint32_t number = home_number(hash);
    for (;;) {
        IndexLine& line = lines[number];
        const std::uint32_t free = line.matching(0);
        if (free != 0) {
            const int slot = std::countr_zero(free);
            line.tags[slot] = tag_of(hash);
            line.references[slot] = reference;
            ++references;
            return true;
        }
        ++line.went_past;
        number = after(number);
    }
}

void Index::Half::erase(std::uint64_t hash, Reference reference) {
    const std::uint32_t home = home_number(hash);
    std::uint32_t number = home;
    for (std::uint32_t seen = 0; seen < count; ++seen) {
        const IndexLine& line = lines[number];
        for (std::uint32_t slots = line.matching(tag_of(hash)); slots != 0; slots &= slots - 1) {
            const auto slot = static_cast<unsigned>(std::countr_zero(slots));
            if (line.references[slot] == reference) {
                remove(home, number, slot);
                return;
            }
        }
        number = after(number);
    }
    NSR_CHECK(!"a reference that is not in the index");
}

void Index::Half::remove(std::uint32_t home, std::uint32_t line, unsigned slot) {
    for (std::uint32_t passed = home; passed != line; passed = after(passed)) {
        --lines[passed].went_past;
    }
    lines[line].tags[slot] = 0;
    --references;
}

}  // namespace nsr::conntrack
