#include "router/import/draft.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <utility>

namespace nsr::router {
namespace {

constexpr std::size_t kNoPiece = std::numeric_limits<std::size_t>::max();

}  // namespace

std::string toml_string(std::string_view text) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string quoted = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < ' ' || byte == 0x7f) {
            quoted += "\\u00";
            quoted += kDigits[byte >> 4];
            quoted += kDigits[byte & 0xf];
            continue;
        }
        quoted += c == '"' || c == '\\' ? "\\" : "";
        quoted += c;
    }
    return quoted + '"';
}

std::string DraftFile::text() const {
    std::string text;
    for (const std::string& line : lines) {
        text += line + "\n";
    }
    return text;
}

std::size_t Draft::count(PieceKind kind) const {
    return static_cast<std::size_t>(
        std::count_if(pieces_.begin(), pieces_.end(),
                      [&](const Piece& piece) { return piece.kind == kind && !piece.dropped; }));
}

std::vector<std::string> Draft::interface_names() const {
    std::vector<std::string> names;
    for (const Piece& piece : pieces_) {
        if (piece.kind == PieceKind::Interface && !piece.dropped) {
            names.push_back(piece.what);
        }
    }
    return names;
}

// --- the text -----------------------------------------------------------------------------------

std::string Draft::compose() {
    text_.clear();
    piece_of_line_.clear();
    put("[control]", kNoPiece);
    put("listen = \"\"", kNoPiece);
    put("", kNoPiece);
    put("[conntrack]", kNoPiece);
    put(track_ ? "mode = \"on\"" : "mode = \"auto\"", kNoPiece);
    bool sysctls = false;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        const Piece& piece = pieces_[i];
        if (piece.dropped || piece.kind == PieceKind::Address) {
            continue;
        }
        if (piece.kind == PieceKind::Interface) {
            put_interface(i);
            continue;
        }
        const bool sysctl = piece.kind == PieceKind::Sysctl;
        if (!sysctl || !std::exchange(sysctls, true)) {
            put("", kNoPiece);
        }
        if (sysctl && text_.ends_with("\n\n")) {
            put("[sysctl]", kNoPiece);
        }
        for (const std::string& line : piece.lines) {
            put(line, i);
        }
    }
    put("", kNoPiece);
    put("[rules]", kNoPiece);
    for (const DraftFile& file : files_) {
        if (!file.key.empty()) {
            put(file.key + " = " + toml_string(file.name), kNoPiece);
        }
    }
    return text_;
}

void Draft::put(const std::string& line, std::size_t piece) {
    text_ += line + "\n";
    piece_of_line_.push_back(piece);
}

void Draft::put_interface(std::size_t index) {
    put("", kNoPiece);
    for (const std::string& line : pieces_[index].lines) {
        put(line, index);
    }
    put("address = [", index);
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        const Piece& piece = pieces_[i];
        if (piece.kind == PieceKind::Address && piece.interface == index && !piece.dropped) {
            put("    " + toml_string(piece.lines.front()) + ",", i);
        }
    }
    put("]", index);
}

// --- what cannot be taken over ------------------------------------------------------------------

bool Draft::drop(const ConfigError& error, const std::string& config_name) {
    const std::string file = std::filesystem::path(error.where.file).filename().string();
    if (file == config_name) {
        return drop_piece(error.where.line, error.message);
    }
    const auto found = std::find_if(files_.begin(), files_.end(), [&](const DraftFile& candidate) {
        return candidate.name == file;
    });
    return found != files_.end() && drop_line(*found, error.where.line, error.message);
}

bool Draft::drop_piece(std::size_t line, const std::string& why) {
    if (line == 0 || line > piece_of_line_.size() || piece_of_line_[line - 1] == kNoPiece) {
        return false;
    }
    const std::size_t index = piece_of_line_[line - 1];
    Piece& dropped = pieces_[index];
    if (dropped.dropped) {
        return true;  // another of its errors has told already
    }
    dropped.dropped = true;
    left_out_.push_back({dropped.from, dropped.what + ": " + why});
    for (Piece& piece : pieces_) {
        const bool inside = piece.kind == PieceKind::Address && piece.interface == index;
        if (dropped.kind == PieceKind::Interface && inside && !piece.dropped) {
            piece.dropped = true;
            left_out_.push_back({piece.from, piece.what + ": its interface is left out"});
        }
    }
    return true;
}

// A table goes with all that is in it.
bool Draft::drop_line(DraftFile& file, std::size_t line, const std::string& why) {
    if (line == 0 || line > file.lines.size()) {
        return false;
    }
    std::size_t last = line;
    if (file.lines[line - 1].starts_with('*')) {
        while (last < file.lines.size() && file.lines[last - 1] != "COMMIT") {
            ++last;
        }
    }
    for (std::size_t i = line - 1; i < last; ++i) {
        if (file.lines[i].starts_with(kLeftOut)) {
            continue;
        }
        const std::string told = i == line - 1 ? why : "its table is left out";
        left_out_.push_back(
            {{file.dump, static_cast<std::uint32_t>(i + 1), 0}, file.lines[i] + ": " + told});
        file.lines[i].insert(0, kLeftOut);
    }
    return true;
}

}  // namespace nsr::router
