// Sink: where a command writes what its user asked for: a file, or standard output.
#pragma once

#include <initializer_list>
#include <optional>
#include <ostream>
#include <string>

#include "router/base/write_behind.hpp"
#include "router/commands/output_file.hpp"

namespace nsr::router {

// A file, standard output for "-", or nothing for "". A file that was there before stays as it was
// until it is replaced, where it can be (output_file.hpp).
class Sink {
  public:
    explicit Sink(std::string path, Readers readers = Readers::All);
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

using Sinks = std::initializer_list<Sink*>;

// Nothing is lost of any file unless all can be written. Gives the first that cannot, and why;
// empty: none.
[[nodiscard]] std::string begin_all(Sinks sinks);
// All is written: files that were there before are replaced, unless one of them does not take what
// it was given. Gives that one, and why; empty: none.
[[nodiscard]] std::string keep_all(Sinks sinks);

}  // namespace nsr::router
