#include "router/capture/byte_window.hpp"

#include <algorithm>
#include <cstring>

namespace nsr::router {

bool ByteWindow::skip(std::uint64_t count) {
    const std::uint64_t seen = std::min<std::uint64_t>(count, end_ - begin_);
    begin_ += static_cast<std::size_t>(seen);
    const auto unseen = static_cast<std::streamsize>(count - seen);
    return unseen == 0 || in_.ignore(unseen).gcount() == unseen;
}

void ByteWindow::fill(std::size_t count) {
    const std::size_t kept = end_ - begin_;
    if (room_ < count || bytes_ == nullptr) {
        room_ = std::max(count, kPieceBytes);
        auto larger = std::make_unique_for_overwrite<std::uint8_t[]>(room_);
        std::copy_n(bytes_.get() + begin_, kept, larger.get());
        bytes_ = std::move(larger);
    } else {
        std::memmove(bytes_.get(), bytes_.get() + begin_, kept);
    }
    begin_ = 0;
    in_.read(reinterpret_cast<char*>(bytes_.get() + kept),
             static_cast<std::streamsize>(room_ - kept));
    end_ = kept + static_cast<std::size_t>(in_.gcount());
}

}  // namespace nsr::router
