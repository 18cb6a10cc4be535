// Bytes through a window: the same ones wherever the ends of its pieces are.
#include "router/capture/byte_window.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <string>

namespace nsr::router {
namespace {

constexpr std::size_t kWindow = ByteWindow::kPieceBytes;

std::string pattern(std::size_t bytes) {
    std::string text(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i) {
        text[i] = static_cast<char>(i * 31 >> 3);
    }
    return text;
}

std::string seen_through(ByteWindow& window, std::size_t count) {
    const auto bytes = window.peek(count);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("window: every size of step shows every byte once") {
    const std::string text = pattern(3 * kWindow);
    for (const std::size_t step :
         {std::size_t{1000}, std::size_t{4093}, kWindow - 1, kWindow, kWindow + 1, 2 * kWindow}) {
        CAPTURE(step);
        std::istringstream in(text);
        ByteWindow window(in);
        std::string all;
        for (std::string some = seen_through(window, step); !some.empty();
             some = seen_through(window, step)) {
            window.advance(some.size());
            all += some;
        }
        CHECK(all == text);
    }
}

TEST_CASE("window: at the end it shows what is left, as often as it is asked") {
    std::istringstream in("abcdef");
    ByteWindow window(in);
    CHECK(seen_through(window, 2) == "ab");
    window.advance(2);
    CHECK(seen_through(window, 8) == "cdef");
    CHECK(seen_through(window, 8) == "cdef");
    window.advance(4);
    CHECK(seen_through(window, 1) == "");
}

TEST_CASE("window: steps over what it has shown, over what it has not, and not beyond the end") {
    const std::string text = pattern(2 * kWindow + 10);
    std::istringstream in(text);
    ByteWindow window(in);
    CHECK(window.skip(3));
    CHECK(seen_through(window, 4) == text.substr(3, 4));
    CHECK(window.skip(kWindow + 100));
    CHECK(seen_through(window, 4) == text.substr(kWindow + 103, 4));
    CHECK_FALSE(window.skip(2 * kWindow));
    CHECK(seen_through(window, 1) == "");
}

}  // namespace nsr::router
