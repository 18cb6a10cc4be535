#include "router/http/sse_reader.hpp"

namespace nsr::router {

void SseReader::take(std::string_view text) {
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        rest_.append(text.substr(0, end));
        const std::string whole = std::exchange(rest_, std::string());
        text.remove_prefix(end + 1);
        line(whole);
    }
    rest_.append(text);
}

void SseReader::restart() {
    rest_.clear();
    event_ = {};
    has_data_ = false;
    id_ = last_id_;
}

void SseReader::line(std::string_view text) {
    if (text.ends_with('\r')) {
        text.remove_suffix(1);
    }
    if (text.empty()) {
        last_id_ = id_;
        if (has_data_) {
            on_event_(event_);
        }
        event_ = {};
        has_data_ = false;
        return;
    }
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? "" : text.substr(colon + 1);
    value.remove_prefix(value.starts_with(' ') ? 1 : 0);
    if (name == "id") {
        id_ = value;
    } else if (name == "event") {
        event_.name = value;
    } else if (name == "data") {
        event_.data.append(has_data_ ? "\n" : "").append(value);
        has_data_ = true;
    }
}

}  // namespace nsr::router
