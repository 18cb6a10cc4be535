// RotatingFiles: a pcapng stream written to files that follow each other, as tcpdump's -C, -G and
// -W do it.
//
// Theory of operation
//   The stream comes in pieces cut anywhere; blocks are put together again. A section header and
//   the interface descriptions behind it are kept, and begin each file, so that every file opens
//   alone. Files change before a packet: when the file at hand is larger than `bytes`, or when
//   `seconds` have passed since it was begun. Names: the first file of -C has the name as it is,
//   the next ones a number behind it from 1 on; with -W every one has a number from 0 on, with
//   leading zeros, and behind the last one comes the first one again. With -G the name is a format
//   of strftime(3), and -W ends the capture after so many files. Without any of them there is one
//   file, or standard output ("-"). A file that was there before loses its contents with the first
//   packet: a capture has no end at which another one could take its place, and is read while it
//   goes on.
#pragma once

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace nsr::router {

struct Rotation {
    std::uint64_t bytes = 0;    // -C; 0: files may grow without end
    std::uint64_t seconds = 0;  // -G; 0: they do not change with time
    std::uint64_t files = 0;    // -W; 0: any number of them
};

// "10": millions of bytes; "10k", "10m", "10g": of 1024, 1024^2, 1024^3. Nothing: none of these.
std::optional<std::uint64_t> parse_file_size(std::string_view text);

// What does not go together, and what would be right; empty: all is well.
std::string rotation_problem(const std::string& name, const Rotation& rotation, std::time_t now);

class RotatingFiles {
  public:
    // Nothing is made before there is something to write.
    RotatingFiles(std::string name, const Rotation& rotation, std::function<std::time_t()> clock);

    // What comes next of the stream. False: the last file is full, and nothing more is taken.
    // Throws std::runtime_error: which file, and why not.
    bool write(std::string_view bytes);

  private:
    void block(std::string_view block);
    void packet(std::string_view block);
    void put(std::string_view bytes);
    void open();
    [[nodiscard]] std::string name_now() const;

    struct Close {
        void operator()(std::FILE* file) const;
    };

    std::string name_;
    Rotation rotation_;
    std::function<std::time_t()> clock_;
    std::unique_ptr<std::FILE, Close> file_;
    std::string path_;     // of file_
    std::string pending_;  // the beginning of a block
    std::string head_;     // what every file begins with
    std::uint64_t written_ = 0;
    bool has_packets_ = false;   // the file at hand
    std::uint64_t number_ = 0;   // of -C
    std::uint64_t periods_ = 0;  // of -G
    std::time_t begun_ = 0;
    bool over_ = false;
};

}  // namespace nsr::router
