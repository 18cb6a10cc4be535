// A long text that was made beside the loop, and is sent from it piece by piece.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include "router/http/http.hpp"

namespace nsr::router {

// How much of a stream is made in one turn, about.
inline constexpr std::size_t kPieceBytes = std::size_t{16} * 1024;

class TextPieces {
  public:
    TextPieces() = default;
    // In the worker: what is long to cut is cut there.
    explicit TextPieces(const std::string& text);

    // Appends the next one.
    http::Piece take(std::string& out);

  private:
    std::deque<std::string> pieces_;
};

// `head` with that text; with a failure: 507, and what failed.
http::Response in_pieces(const std::shared_ptr<TextPieces>& pieces, const http::Response& head,
                         const std::string& failure);

}  // namespace nsr::router
