#include "router/daemon/huge_memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <new>
#include <utility>

namespace nsr::router {
namespace {

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;
constexpr std::size_t kPageBytes = 4096;

}  // namespace

class HugeMemory::Piece {
  public:
    // Null: there is no more.
    static PiecePtr map(std::size_t bytes);
    Piece(void* mapping, std::size_t mapped, std::size_t bytes);
    ~Piece();
    Piece(const Piece&) = delete;
    Piece& operator=(const Piece&) = delete;

    [[nodiscard]] void* data() const { return data_; }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    [[nodiscard]] bool serves(std::size_t bytes) const {
        return bytes <= bytes_ && bytes >= bytes_ / 2;
    }
    void touch();
    [[nodiscard]] bool touched() const { return touched_.load(std::memory_order_acquire); }

  private:
    std::uint8_t* mapping_;
    std::size_t mapped_;
    std::uint8_t* data_;
    std::size_t bytes_;
    std::atomic<bool> touched_ = false;
};

HugeMemory::PiecePtr HugeMemory::Piece::map(std::size_t bytes) {
    const std::size_t mapped = bytes + kHugePageBytes;
    void* mapping =
        ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) {
        return nullptr;
    }
    try {
        return std::make_shared<Piece>(mapping, mapped, bytes);
    } catch (const std::bad_alloc&) {
        ::munmap(mapping, mapped);
        return nullptr;
    }
}

HugeMemory::Piece::Piece(void* mapping, std::size_t mapped, std::size_t bytes)
    : mapping_(static_cast<std::uint8_t*>(mapping)), mapped_(mapped), bytes_(bytes) {
    std::size_t room = mapped;
    data_ = static_cast<std::uint8_t*>(std::align(kHugePageBytes, bytes, mapping, room));
    ::madvise(data_, bytes, MADV_HUGEPAGE);  // a wish: without it all works, slower
}

// Page by page: whoever maps memory meanwhile waits for no more than one of them.
HugeMemory::Piece::~Piece() {
    std::uint8_t* const end = mapping_ + mapped_;
    for (std::uint8_t *at = mapping_, *next = data_; at != end;) {
        ::munmap(at, static_cast<std::size_t>(next - at));
        at = next;
        next += std::min<std::ptrdiff_t>(kHugePageBytes, end - next);
    }
}

void HugeMemory::Piece::touch() {
    for (std::size_t at = 0; at < bytes_; at += kPageBytes) {
        static_cast<volatile std::uint8_t*>(data_)[at] = 0;
    }
    touched_.store(true, std::memory_order_release);
}

HugeMemory::HugeMemory() = default;

HugeMemory::~HugeMemory() = default;

void HugeMemory::work_beside(Beside beside) {
    beside_ = std::move(beside);
    process_ = ::getpid();
}

void* HugeMemory::block(unsigned /*arena*/, std::size_t /*index*/, std::size_t bytes) {
    PiecePtr piece = take_or_map(next_block_, bytes);
    if (!piece) {
        return nullptr;
    }
    if (!next_block_ && works_beside()) {
        next_block_ = touched_ahead(bytes);
    }
    blocks_.push_back(std::move(piece));
    return blocks_.back()->data();
}

std::shared_ptr<void> HugeMemory::loose(std::size_t bytes) {
    PiecePtr piece = take_or_map(next_loose_, bytes);
    if (!piece) {
        return nullptr;
    }
    void* data = piece->data();
    return {data, [this, piece = std::move(piece)](void*) mutable { give_back(std::move(piece)); }};
}

bool HugeMemory::ready(std::size_t bytes) {
    if (bytes <= kHugePageBytes || !works_beside()) {
        return true;
    }
    if (!next_loose_ || !next_loose_->serves(bytes)) {
        if (next_loose_) {
            give_back(std::exchange(next_loose_, nullptr));
        }
        // What is wanted changes a little until it is taken.
        next_loose_ = touched_ahead(bytes + bytes / 16);
    }
    return !next_loose_ || next_loose_->touched();
}

bool HugeMemory::works_beside() const {
    return beside_ && ::getpid() == process_;
}

HugeMemory::PiecePtr HugeMemory::take_or_map(PiecePtr& ahead, std::size_t bytes) {
    if (ahead && ahead->serves(bytes) && ahead->touched()) {
        return std::exchange(ahead, nullptr);
    }
    return Piece::map(bytes);
}

// Null: there is no more.
HugeMemory::PiecePtr HugeMemory::touched_ahead(std::size_t bytes) {
    PiecePtr piece = Piece::map(bytes);
    if (!piece) {
        return nullptr;
    }
    try {
        beside_([piece] { piece->touch(); });
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
    return piece;
}

void HugeMemory::give_back(PiecePtr piece) {
    if (piece->bytes() <= kHugePageBytes || !works_beside()) {
        return;
    }
    try {
        beside_([piece = std::move(piece)] {});
    } catch (const std::bad_alloc&) {
        // It went with the job that could not be made.
    }
}

}  // namespace nsr::router
