#include "router/control/text_pieces.hpp"

namespace nsr::router {

TextPieces::TextPieces(const std::string& text) {
    for (std::size_t at = 0; at < text.size(); at += kPieceBytes) {
        pieces_.push_back(text.substr(at, kPieceBytes));
    }
}

http::Piece TextPieces::take(std::string& out) {
    if (!pieces_.empty()) {
        out += pieces_.front();
        pieces_.pop_front();
    }
    return pieces_.empty() ? http::Piece::Last : http::Piece::More;
}

http::Response in_pieces(const std::shared_ptr<TextPieces>& pieces, const http::Response& head,
                         const std::string& failure) {
    if (!failure.empty()) {
        return http::plain(507, failure + "\n");
    }
    http::Response response = head;
    response.stream = [pieces](std::string& out) { return pieces->take(out); };
    return response;
}

}  // namespace nsr::router
