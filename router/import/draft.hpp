// A configuration in the making: pieces of what a machine says of itself, each with the place that
// it comes from.
//
// Theory of operation
//   Whether a piece can be taken over is not decided here a second time: the text that the pieces
//   make is loaded as any configuration, each error stands in the lines of one piece, and that one
//   is left out, with the loader's own words. So whatever is left loads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/config_error.hpp"

namespace nsr::router {

// Stands before a line of a dump that is left out.
inline constexpr const char* kLeftOut = "# left out: ";

// A string of TOML.
std::string toml_string(std::string_view text);

enum class PieceKind : std::uint8_t { Interface, Address, Route, Rule, Sysctl };
inline constexpr std::size_t kPieceKinds = 5;

struct Piece {
    PieceKind kind = PieceKind::Interface;
    SourceLocation from;             // in a dump
    std::string what;                // what the machine calls it: "route 10.9.0.0/16 via 10.0.0.3"
    std::vector<std::string> lines;  // of TOML; of an address the address
    std::size_t interface = 0;       // of an address: the piece that it belongs to
    bool dropped = false;
};

// A dump that the configuration names as it is: rules, sets, connections.
struct DraftFile {
    std::string name;  // beside the configuration
    std::string dump;  // where it comes from
    std::string key;   // of [rules]: "ipv4", "ipv6", "ipset"; empty: it is not named
    std::vector<std::string> lines;

    [[nodiscard]] std::string text() const;
};

class Draft {
  public:
    std::size_t add(Piece piece) {
        pieces_.push_back(std::move(piece));
        return pieces_.size() - 1;
    }
    void add_file(DraftFile file) { files_.push_back(std::move(file)); }
    // What no piece was made of.
    void leave_out(const SourceLocation& from, const std::string& why) {
        left_out_.push_back({from, why});
    }

    // What is taken over, and is not all that there is to say.
    void note(const SourceLocation& from, const std::string& what) {
        notes_.push_back({from, what});
    }

    [[nodiscard]] const std::vector<Piece>& pieces() const { return pieces_; }
    [[nodiscard]] std::size_t count(PieceKind kind) const;
    [[nodiscard]] const std::vector<DraftFile>& files() const { return files_; }
    [[nodiscard]] std::vector<std::string> interface_names() const;
    [[nodiscard]] const ConfigErrors& left_out() const { return left_out_; }
    [[nodiscard]] const ConfigErrors& notes() const { return notes_; }
    void track(bool always) { track_ = always; }

    // The configuration. Lines of it are looked up by drop().
    std::string compose();
    // Leaves out what the error is about; false: it is about nothing that could be left out.
    bool drop(const ConfigError& error, const std::string& config_name);

  private:
    void put(const std::string& line, std::size_t piece);
    void put_interface(std::size_t index);
    bool drop_piece(std::size_t line, const std::string& why);
    bool drop_line(DraftFile& file, std::size_t line, const std::string& why);

    std::vector<Piece> pieces_;
    std::vector<DraftFile> files_;
    ConfigErrors left_out_;
    ConfigErrors notes_;
    bool track_ = false;
    std::string text_;
    std::vector<std::size_t> piece_of_line_;
};

}  // namespace nsr::router
