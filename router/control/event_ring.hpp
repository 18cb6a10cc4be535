// EventRing: the newest events of connections and expectations, kept for those who listen; see
// sse.hpp. An event costs the packet that caused it one copy of fixed size, its text is made when
// it is read; while nobody listens nothing is kept, and tracking tells nobody.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/pipeline/router.hpp"
#include "router/http/sse.hpp"
#include "router/tools/conntrack/event_record.hpp"

namespace nsr::router {

class EventRing final : public conntrack::EventSubscriber {
  public:
    // Keeps `capacity` events, at least one. Must die before `router`.
    EventRing(Router& router, std::size_t capacity);
    ~EventRing();
    EventRing(const EventRing&) = delete;
    EventRing& operator=(const EventRing&) = delete;

    // A reader comes and goes. With the first one the ring begins to listen; its memory is taken as
    // it fills.
    void join();
    void leave();
    [[nodiscard]] std::size_t readers() const { return readers_; }
    // Forgets everything and listens no more, unless there are readers.
    void stop_if_deserted();
    [[nodiscard]] bool listening() const { return listening_; }
    [[nodiscard]] std::size_t bytes_in_use() const { return records_.size() * sizeof(EventRecord); }

    [[nodiscard]] const Held& held() const { return held_; }
    // Precondition: it is held.
    [[nodiscard]] const EventRecord& operator[](std::uint64_t number) const {
        return records_[slot_of(number)];
    }
    // on_event is called with the next event, once.
    void await_event() { awaited_ = true; }
    std::function<void()> on_event;
    std::function<void()> on_deserted;  // the last reader has left

    void conntrack_event(const conntrack::Event& event) override;
    void expectation_event(const conntrack::ExpectationEvent& event) override;

  private:
    void keep(const EventRecord& record);
    [[nodiscard]] std::size_t slot_of(std::uint64_t number) const {
        return static_cast<std::size_t>((number - base_) % capacity_);
    }

    Router& router_;
    std::size_t capacity_;
    std::vector<EventRecord> records_;  // empty unless listening
    std::uint64_t base_ = 1;            // the number of the first one since it listens
    Held held_;
    std::size_t readers_ = 0;
    bool listening_ = false;
    bool awaited_ = false;
};

// One reader's stream of it.
class EventStream {
  public:
    enum class Form : std::uint8_t { Json, Text };
    struct Wish {
        EventFilter filter;
        Form form = Form::Json;
        ConntrackOutput output;             // of Text
        std::optional<std::uint64_t> last;  // see Place
    };
    // `ring` must outlive it. It joins with the first piece.
    EventStream(EventRing& ring, Wish wish)
        : ring_(ring), wish_(std::move(wish)), place_(wish_.last) {}
    ~EventStream();
    EventStream(const EventStream&) = delete;
    EventStream& operator=(const EventStream&) = delete;

    // Appends about `bytes` of what there is to tell; looks at a bounded number of events.
    http::Piece advance(std::string& out, std::size_t bytes);

  private:
    void append(std::string& out, const EventRecord& record);

    EventRing& ring_;
    Wish wish_;
    Place place_;
    std::string line_;
    bool joined_ = false;
};

}  // namespace nsr::router
