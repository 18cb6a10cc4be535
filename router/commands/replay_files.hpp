// The files that a replay writes.
#pragma once

#include <initializer_list>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "router/base/write_behind.hpp"
#include "router/capture/pcapng.hpp"
#include "router/commands/output_file.hpp"
#include "router/replay/replay.hpp"

namespace nsr::router {

// A file, standard output for "-", or nothing for "". A file that was there before stays as it was
// until it is replaced, where it can be (output_file.hpp).
class Sink {
  public:
    explicit Sink(std::string path);
    [[nodiscard]] std::ostream* stream();
    // The steps of a file, in this order. Each tells what is wrong with it, behind its name; empty:
    // nothing. Of standard output nothing is said here: main() does.
    [[nodiscard]] std::string unopened();
    [[nodiscard]] std::string unbegun();
    [[nodiscard]] std::string unwritten();
    [[nodiscard]] std::string unfinished();
    [[nodiscard]] std::string unreplaced();

  private:
    [[nodiscard]] bool is_file() const { return !path_.empty() && path_ != "-"; }
    [[nodiscard]] std::string told(int error) const;

    std::string path_;
    std::optional<OutputFile> output_;
    std::optional<WriteBehind> pieces_;
    std::ostream file_{nullptr};
};

struct ReplayFileNames {
    std::string packets;
    std::string connections;
    std::string stats;
    std::string events;
};

struct ReplayFiles {
    explicit ReplayFiles(const ReplayFileNames& names);
    // Nothing is lost of any file unless all can be written. Gives the first that cannot, and why;
    // empty: none.
    [[nodiscard]] std::string begin();
    // All is written: files that were there before are replaced, unless one of them does not take
    // what it was given. Gives that one, and why; empty: none.
    [[nodiscard]] std::string keep();

    Sink packets;
    Sink connections;
    Sink stats;
    Sink events;

  private:
    using Step = std::string (Sink::*)();
    std::string take(std::initializer_list<Step> steps);
};

class ReplayFileOutput : public ReplayOutput {
  public:
    // `files` must outlive it.
    ReplayFileOutput(ReplayFiles& files, const std::vector<std::string>& interfaces);
    void packet(std::int64_t time_ns, std::uint32_t interface, const Packet& packet,
                std::string_view comment) override;
    void connections(std::string_view text) override;
    void event(std::string_view line) override;
    void trace(std::string_view line) override;
    [[nodiscard]] bool good() const override { return !writer_ || writer_->good(); }

  private:
    std::optional<PcapngWriter> writer_;
    std::ostream* connections_;
    std::ostream* events_;
};

}  // namespace nsr::router
