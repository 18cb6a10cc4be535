// The reader's end of a stream of server-sent events.
// https://html.spec.whatwg.org/multipage/server-sent-events.html, "Interpreting an event stream"
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace nsr::router {

struct SseEvent {
    std::string name;  // empty: "message"
    std::string data;
};

class SseReader {
  public:
    explicit SseReader(std::function<void(const SseEvent&)> on_event)
        : on_event_(std::move(on_event)) {}

    // The next bytes of the stream, cut anywhere.
    void take(std::string_view text);
    // The connection broke: what was begun comes again.
    void restart();
    // Behind which a new stream has to go on; empty: nothing came yet.
    [[nodiscard]] const std::string& last_id() const { return last_id_; }

  private:
    void line(std::string_view text);

    std::function<void(const SseEvent&)> on_event_;
    std::string rest_;  // of a line that has not ended
    SseEvent event_;
    bool has_data_ = false;
    std::string id_;  // of the event at hand
    std::string last_id_;
};

}  // namespace nsr::router
