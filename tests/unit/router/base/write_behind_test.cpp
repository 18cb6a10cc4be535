// A file that is written behind whoever fills it: every byte, in order, and where there is no room.
#include "router/base/write_behind.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ostream>
#include <string>
#include <thread>

namespace nsr::router {
namespace {

constexpr std::size_t kPiece = WriteBehind::kPieceBytes;

class TestFile {
  public:
    explicit TestFile(int descriptor) : descriptor_(descriptor) { REQUIRE(descriptor >= 0); }
    ~TestFile() { ::close(descriptor_); }
    TestFile(const TestFile&) = delete;
    TestFile& operator=(const TestFile&) = delete;

    [[nodiscard]] int get() const { return descriptor_; }
    [[nodiscard]] std::string text() const {
        std::string all(static_cast<std::size_t>(::lseek(descriptor_, 0, SEEK_END)), '\0');
        CHECK(::pread(descriptor_, all.data(), all.size(), 0) == static_cast<ssize_t>(all.size()));
        return all;
    }

  private:
    int descriptor_;
};

TestFile memory_file() {
    return TestFile(::memfd_create("pieces", MFD_CLOEXEC));
}

std::string numbered(std::size_t bytes) {
    std::string text;
    for (std::size_t i = 0; text.size() < bytes; ++i) {
        text += std::to_string(i) + " ";
    }
    text.resize(bytes);
    return text;
}

// In parts of `part` bytes.
void put(std::ostream& out, const std::string& text, std::size_t part) {
    for (std::size_t at = 0; at < text.size(); at += part) {
        out.write(text.data() + at, static_cast<std::streamsize>(std::min(part, text.size() - at)));
    }
}

}  // namespace

TEST_CASE(
    "written behind: what is less than a piece, exactly one, and what lies across their ends") {
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, kPiece - 1, kPiece, kPiece + 1,
                                    2 * kPiece, 5 * kPiece + 77}) {
        for (const std::size_t part : {std::size_t{113}, kPiece, 3 * kPiece}) {
            CAPTURE(bytes);
            CAPTURE(part);
            const TestFile file = memory_file();
            const std::string text = numbered(bytes);
            WriteBehind pieces(file.get());
            std::ostream out(&pieces);
            put(out, text, part);
            CHECK(out.flush().good());
            CHECK(file.text() == text);
        }
    }
}

TEST_CASE("written behind: flushes in between, and the end without one") {
    const TestFile file = memory_file();
    const std::string text = numbered(3 * kPiece);
    {
        WriteBehind pieces(file.get());
        std::ostream out(&pieces);
        put(out, text, 1000);
        CHECK(out.flush().good());
        CHECK(file.text() == text);
        out << "and" << std::flush << 'x';
        CHECK(file.text() == text + "and");
    }
    CHECK(file.text() == text + "andx");
}

TEST_CASE("written behind: a file without room fails, behind the same byte every time") {
    for (int run = 0; run < 3; ++run) {
        const TestFile full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
        WriteBehind pieces(full.get());
        std::ostream out(&pieces);
        std::size_t taken = 0;
        while (out.put('x').good()) {
            ++taken;
        }
        CHECK(taken == 2 * kPiece);
        CHECK(pieces.error() == ENOSPC);
        out.clear();
        CHECK_FALSE(out.flush().good());
    }
}

TEST_CASE("written behind: a little that finds no room fails at the flush") {
    const TestFile full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    WriteBehind pieces(full.get());
    std::ostream out(&pieces);
    out << "x";
    CHECK(out.good());
    CHECK(pieces.error() == 0);
    CHECK_FALSE(out.flush().good());
    CHECK(pieces.error() == ENOSPC);
}

TEST_CASE("written behind: a pipe that takes less at a time than there is") {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    const TestFile read(ends[0]);
    const std::string text = numbered(3 * kPiece + 5);
    std::string arrived;
    std::thread reader([&] {
        std::array<char, 4096> some{};
        for (ssize_t count = 1; count > 0;) {
            count = ::read(read.get(), some.data(), some.size());
            arrived.append(some.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
        }
    });
    {
        const TestFile write(ends[1]);
        WriteBehind pieces(write.get());
        std::ostream out(&pieces);
        put(out, text, 777);
    }
    reader.join();
    CHECK(arrived == text);
}

}  // namespace nsr::router
