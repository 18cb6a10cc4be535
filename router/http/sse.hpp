// Server-sent events: how what happened is numbered, kept and told.
//
// Theory of operation
//   Each thing that happens has a number; the newest of them are kept in one ring, for all readers.
//   A reader is a number: what it reads next. What is no longer kept when it gets there it is told
//   of as lost, with the numbers; so a reader that is slow costs nothing, and delays nobody. A
//   stream that broke is taken up behind the last number that was seen (Last-Event-ID).
//   Nothing is kept while nobody reads, but for a while behind the last reader: who comes back
//   later is told that what happened meanwhile was not seen by anybody. One number stands for it.
// https://html.spec.whatwg.org/multipage/server-sent-events.html
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "router/http/http.hpp"

namespace nsr::router {

// What a ring holds: the numbers from `first` up to the one before `next`. What has a number up to
// `unwatched` is from before nobody read.
struct Held {
    std::uint64_t first = 1;
    std::uint64_t next = 1;
    std::uint64_t unwatched = 0;
};

// Where a reader is: `next` is what it reads next.
class Place {
  public:
    // `last`: what it has seen already; nothing: it wants what comes from now on.
    explicit Place(std::optional<std::uint64_t> last) : last_(last) {}

    // Before each reading: says what was lost, and at the first time where the stream begins.
    void follow(const Held& held, std::string& out);
    [[nodiscard]] std::uint64_t next() const { return next_; }
    [[nodiscard]] bool begun() const { return begun_; }
    void advance() { ++next_; }
    // Of which the reader was told.
    void told() { told_ = next_; }
    // Whoever takes up the stream need not be told again of what was passed over: says so from time
    // to time.
    void tell_place(const Held& held, std::string& out);

  private:
    void begin(const Held& held, std::string& out);

    std::optional<std::uint64_t> last_;
    std::uint64_t next_ = 0;
    std::uint64_t told_ = 0;
    bool begun_ = false;
};

// "id: 17\nevent: NEW\ndata: ...\n\n"; `data` is one line.
void append_sse(std::string& out, std::uint64_t number, std::string_view name,
                std::string_view data);

// What the field Last-Event-ID or ?last_event_id= says; the refusal of what is no number.
Result<std::optional<std::uint64_t>, http::Response> last_event_of(const http::Request& request);

}  // namespace nsr::router
