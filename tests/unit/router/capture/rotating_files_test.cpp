// A capture in files that follow each other: their names are tcpdump's, and each opens alone.
#include "router/capture/rotating_files.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "router/capture/capture.hpp"

namespace nsr::router {
namespace {

namespace fs = std::filesystem;

constexpr std::time_t kNoon = 1764504000;  // 2025-11-30 12:00:00 UTC

class Folder {
  public:
    Folder() : path_(fs::temp_directory_path() / "nsr_rotating_XXXXXX") {
        std::string text = path_.string();
        REQUIRE(::mkdtemp(text.data()) != nullptr);
        path_ = text;
        ::setenv("TZ", "UTC", 1);
        ::tzset();
    }
    ~Folder() { fs::remove_all(path_); }
    [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : fs::directory_iterator(path_)) {
            found.push_back(entry.path().filename());
        }
        std::sort(found.begin(), found.end());
        return found;
    }
    // Its packets, by their first byte; the reader takes the file as a whole.
    [[nodiscard]] std::vector<int> packets(const std::string& name) const {
        std::ifstream in(path_ / name, std::ios::binary);
        PcapngReader reader(in);
        std::vector<int> found;
        for (Frame frame; reader.next(frame);) {
            CHECK(frame.interface == "lan");
            REQUIRE_FALSE(frame.bytes.empty());
            found.push_back(frame.bytes[0]);
        }
        CHECK(reader.error().empty());
        return found;
    }

  private:
    fs::path path_;
};

using Names = std::vector<std::string>;
using Packets = std::vector<int>;

// A capture of 100-byte packets, written as it comes over a socket: in pieces of any size.
class Stream {
  public:
    Stream(std::string name, const Rotation& rotation)
        : files_(std::move(name), rotation, [this] { return now; }) {
        give();
    }
    bool packet(int first, std::size_t piece = 7) {
        std::vector<std::uint8_t> bytes(100, 0);
        bytes[0] = static_cast<std::uint8_t>(first);
        writer_.packet(0, 0, bytes, "");
        return give(piece);
    }
    bool give(std::size_t piece = 7) {
        const std::string text = written_.str();
        written_.str({});
        bool more = true;
        for (std::size_t at = 0; at < text.size(); at += piece) {
            more = files_.write(std::string_view(text).substr(at, piece));
        }
        return more;
    }
    std::time_t now = kNoon;

  private:
    std::ostringstream written_;
    PcapngWriter writer_{written_, {"lan"}};
    RotatingFiles files_;
};

}  // namespace

TEST_CASE("rotating files: without rotation one file has everything") {
    const Folder folder;
    Stream stream(folder.file("all.pcapng"), {});
    for (int i = 0; i < 5; ++i) {
        CHECK(stream.packet(i));
    }
    CHECK(folder.names() == Names{"all.pcapng"});
    CHECK(folder.packets("all.pcapng") == Packets{0, 1, 2, 3, 4});
}

TEST_CASE("rotating files: -C begins another file when one is larger, with a number behind") {
    const Folder folder;
    Stream stream(folder.file("ring"), {.bytes = 300});
    for (int i = 0; i < 6; ++i) {
        CHECK(stream.packet(i, 1000));
    }
    CHECK(folder.names() == Names{"ring", "ring1", "ring2"});
    CHECK(folder.packets("ring") == Packets{0, 1});
    CHECK(folder.packets("ring1") == Packets{2, 3});
    CHECK(folder.packets("ring2") == Packets{4, 5});
}

TEST_CASE("rotating files: -C and -W go round, every name with its zeros") {
    const Folder folder;
    Stream stream(folder.file("ring"), {.bytes = 1, .files = 11});
    for (int i = 0; i < 13; ++i) {
        CHECK(stream.packet(i));
    }
    CHECK(folder.names().size() == 11);
    CHECK(folder.names().front() == "ring00");
    CHECK(folder.names().back() == "ring10");
    CHECK(folder.packets("ring00") == Packets{11});
    CHECK(folder.packets("ring01") == Packets{12});
    CHECK(folder.packets("ring02") == Packets{2});
}

TEST_CASE("rotating files: -G names files by the time, and -W ends it") {
    const Folder folder;
    Stream stream(folder.file("%H%M%S.pcapng"), {.seconds = 10, .files = 2});
    CHECK(stream.packet(0));
    stream.now += 9;
    CHECK(stream.packet(1));
    stream.now += 3;
    CHECK(stream.packet(2));
    stream.now += 10;
    CHECK_FALSE(stream.packet(3));
    CHECK_FALSE(stream.packet(4));
    CHECK(folder.names() == Names{"120000.pcapng", "120012.pcapng"});
    CHECK(folder.packets("120000.pcapng") == Packets{0, 1});
    CHECK(folder.packets("120012.pcapng") == Packets{2});
}

TEST_CASE("rotating files: -C counts anew in each period of -G") {
    const Folder folder;
    Stream stream(folder.file("%H%M%S"), {.bytes = 1, .seconds = 10});
    CHECK(stream.packet(0));
    CHECK(stream.packet(1));
    stream.now += 10;
    CHECK(stream.packet(2));
    CHECK(stream.packet(3));
    CHECK(folder.names() == Names{"120000", "1200001", "120010", "1200101"});
}

TEST_CASE("rotating files: a second section begins the files behind it") {
    const Folder folder;
    RotatingFiles files(folder.file("f"), {.bytes = 1}, [] { return kNoon; });
    for (const char* name : {"lan", "lan"}) {
        std::ostringstream text;
        PcapngWriter writer(text, {name});
        writer.packet(0, 0, std::vector<std::uint8_t>{1}, "");
        writer.packet(0, 0, std::vector<std::uint8_t>{2}, "");
        files.write(text.str());
    }
    CHECK(folder.packets("f") == Packets{1});
    CHECK(folder.packets("f1") == Packets{2});
    CHECK(folder.packets("f2") == Packets{1});
    CHECK(folder.packets("f3") == Packets{2});
}

TEST_CASE("rotating files: what does not go together is refused by name") {
    const auto wrong = [](const char* name, const Rotation& rotation) {
        return rotation_problem(name, rotation, kNoon);
    };
    CHECK(wrong("f", {}).empty());
    CHECK(wrong("f", {.bytes = 1, .files = 3}).empty());
    CHECK(wrong("%H%M%S", {.seconds = 10, .files = 3}).empty());
    CHECK(wrong("%H%M%S", {.bytes = 10, .seconds = 10}).empty());
    CHECK(wrong("-", {.bytes = 1}).find("-w - is standard output") != std::string::npos);
    CHECK(wrong("f", {.files = 3}).find("-W counts the files that -C or -G begin") == 0);
    CHECK(wrong("%S", {.bytes = 1, .seconds = 1, .files = 3}).find("leave it out") !=
          std::string::npos);
    CHECK(wrong("f", {.seconds = 10}).find("strftime(3)") != std::string::npos);
    CHECK(wrong("%H", {.seconds = 1800}).find("strftime(3)") != std::string::npos);
    CHECK(wrong("%H", {.seconds = 3600}).empty());
}

TEST_CASE("rotating files: sizes as tcpdump has them") {
    CHECK(parse_file_size("10") == 10'000'000);
    CHECK(parse_file_size("10k") == 10'240);
    CHECK(parse_file_size("10K") == 10'240);
    CHECK(parse_file_size("2M") == 2u << 20);
    CHECK(parse_file_size("1g") == 1u << 30);
    for (const char* text :
         {"", "0", "k", "-1", "1kb", "1.5", "010", "99999999999999999999", "1t"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_file_size(text).has_value());
    }
}

TEST_CASE("rotating files: a file that cannot be made is named") {
    CHECK_THROWS_WITH_AS(Stream("/nonexistent/f", {}), "/nonexistent/f: No such file or directory",
                         std::runtime_error);
}

}  // namespace nsr::router
