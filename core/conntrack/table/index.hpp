// Index: from the hash of a tuple to the references of records that may have it.
//
// Theory of operation
//   A line is one cache line: 12 tags (8 bits of the hash, never 0), 12 references and a count of
//   the references that went past the line because it was full. A reference lies in its home line
//   or, that being full, in the next one with room; a search ends at the first line that nothing
//   went past. The home is hash * lines >> 32 (upper hash bits), so any number of lines will do.
//   Growing and shrinking happen while in use: a second half of the new size is set up and every
//   change moves the references of one or more home lines over, as many as it takes to be done
//   before the new half is full. Until then the home in the old half says where a hash is: already
//   moved (new half) or not (old half), so that a search looks into one half only. Memory for the
//   new half that the machine has to fetch first is waited for while the lines have room. Moving
//   needs the hash of a reference; the owner knows it from the record (HashSource). The upper bit
//   of a reference tells the record's two tuples apart; searching callers match the whole record.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "core/conntrack/table/memory.hpp"

namespace nsr::conntrack {

using Reference = std::uint32_t;
inline constexpr Reference kReplyReference = 0x80000000;  // of the reply tuple
inline constexpr std::uint32_t kReferenceNumber = 0x7fffffff;

class HashSource {
  public:
    virtual std::uint64_t hash_of(Reference reference) const = 0;
    virtual void prefetch(Reference reference) const = 0;

  protected:
    ~HashSource() = default;
};

struct alignas(64) IndexLine {
    static constexpr unsigned kSlots = 12;

    std::array<std::uint8_t, kSlots> tags;  // 0: the slot is free
    std::array<Reference, kSlots> references;
    std::uint32_t went_past;

    // One bit per slot that has `tag`.
    [[nodiscard]] std::uint32_t matching(std::uint8_t tag) const;
};
static_assert(sizeof(IndexLine) == 64);

class Index {
  public:
    // At least `lines` lines at any time. `memory` must outlive the index.
    Index(const HashSource& source, Memory& memory, std::uint32_t lines);

    // Where the search for `hash` begins, to be prefetched.
    [[nodiscard]] const void* home_line(std::uint64_t hash) const {
        return &half_of(hash).home(hash);
    }
    // The first reference under `hash` for which `wanted(reference)` holds.
    template <class Wanted>
    std::optional<Reference> find(std::uint64_t hash, Wanted&& wanted) const;

    // Of the references under `hash` for which `wanted(reference)` holds, `first` is found first;
    // the others keep their order. Precondition: `first` is one of them.
    template <class Wanted>
    void put_first(std::uint64_t hash, Reference first, Wanted&& wanted);

    // False: no memory. Moves a bit of an unfinished resize along.
    bool insert(std::uint64_t hash, Reference reference);
    // Precondition: it is there.
    void erase(std::uint64_t hash, Reference reference);
    // Moves an unfinished resize along, or starts one that is due. Changes do so by themselves.
    void settle() { resize_if_needed(); }
    // The new minimum of lines.
    void set_minimum(std::uint32_t lines);

    [[nodiscard]] std::uint32_t references() const {
        return current_.references + next_.references;
    }
    [[nodiscard]] std::uint32_t lines() const { return current_.count + next_.count; }
    [[nodiscard]] bool resizing() const { return next_.count != 0; }
    [[nodiscard]] std::size_t bytes() const { return std::size_t{lines()} * sizeof(IndexLine); }

  private:
    struct Half {
        std::shared_ptr<void> block;
        IndexLine* lines = nullptr;  // in it
        std::uint32_t count = 0;
        std::uint32_t references = 0;

        static Half of(std::uint32_t count, Memory& memory);
        [[nodiscard]] std::uint32_t home_number(std::uint64_t hash) const {
            return static_cast<std::uint32_t>((hash >> 32) * count >> 32);
        }
        [[nodiscard]] IndexLine& home(std::uint64_t hash) const { return lines[home_number(hash)]; }
        [[nodiscard]] std::uint32_t after(std::uint32_t line) const {
            return line + 1 == count ? 0 : line + 1;
        }
        bool insert(std::uint64_t hash, Reference reference);
        void erase(std::uint64_t hash, Reference reference);
        void remove(std::uint32_t home, std::uint32_t line, unsigned slot);
    };

    [[nodiscard]] const Half& half_of(std::uint64_t hash) const {
        return next_.count != 0 && current_.home_number(hash) < moved_ ? next_ : current_;
    }
    [[nodiscard]] Half& half_of(std::uint64_t hash) {
        return next_.count != 0 && current_.home_number(hash) < moved_ ? next_ : current_;
    }
    void resize_if_needed();
    void start_resize(std::uint32_t lines);
    void move_some();
    void move_home(std::uint32_t home);
    void finish_resize();

    const HashSource& source_;
    Memory& memory_;
    std::uint32_t minimum_;
    Half current_;
    Half next_;                // being filled, iff count is not 0
    std::uint32_t moved_ = 0;  // home lines of current_ below this have been moved to next_
};

inline std::uint8_t tag_of(std::uint64_t hash) {
    const auto tag = static_cast<std::uint8_t>(hash);
    return tag != 0 ? tag : 1;
}

inline std::uint32_t IndexLine::matching(std::uint8_t tag) const {
    // Exact zero-byte detection in a machine word, then one bit per byte by multiplication.
    constexpr std::uint64_t kLow7 = 0x7f7f7f7f7f7f7f7f;
    const auto equal = [tag](std::uint64_t bytes) {
        const std::uint64_t x = bytes ^ (std::uint64_t{0x0101010101010101} * tag);
        const std::uint64_t zero = ~(((x & kLow7) + kLow7) | x | kLow7);
        return static_cast<std::uint32_t>((zero >> 7) * 0x0102040810204080 >> 56);
    };
    std::uint64_t first = 0;
    std::uint32_t second = 0;
    std::memcpy(&first, tags.data(), sizeof first);
    std::memcpy(&second, tags.data() + sizeof first, sizeof second);
    return equal(first) | (equal(second) & 0xf) << 8;
}

template <class Wanted>
std::optional<Reference> Index::find(std::uint64_t hash, Wanted&& wanted) const {
    const Half& half = half_of(hash);
    const std::uint8_t tag = tag_of(hash);
    std::uint32_t number = half.home_number(hash);
    for (std::uint32_t seen = 0; seen < half.count; ++seen) {
        const IndexLine& line = half.lines[number];
        for (std::uint32_t slots = line.matching(tag); slots != 0; slots &= slots - 1) {
            const Reference reference = line.references[std::countr_zero(slots)];
            if (wanted(reference)) {
                return reference;
            }
        }
        if (line.went_past == 0) {
            break;
        }
        number = half.after(number);
    }
    return std::nullopt;
}

template <class Wanted>
void Index::put_first(std::uint64_t hash, Reference first, Wanted&& wanted) {
    Half& half = half_of(hash);
    const std::uint8_t tag = tag_of(hash);
    Reference carried = first;
    for (std::uint32_t number = half.home_number(hash);; number = half.after(number)) {
        IndexLine& line = half.lines[number];
        for (std::uint32_t slots = line.matching(tag); slots != 0; slots &= slots - 1) {
            Reference& reference = line.references[std::countr_zero(slots)];
            if (!wanted(reference)) {
                continue;
            }
            std::swap(reference, carried);
            if (carried == first) {
                return;
            }
        }
    }
}

}  // namespace nsr::conntrack
