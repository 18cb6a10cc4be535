// Hub: tells listeners what happens to packets while they run.
//
// Theory of operation
//   While nobody listens the router has no observer, and packets cost what they always do. Each
//   Listener has a filter, a form (lines, JSON, pcapng) and limits: so many packets a second, so
//   many bytes that it has not taken yet. What is beyond is left out, counted, and told to the
//   listener in its own stream; packets wait for nobody. A packet that an expression refuses is not
//   looked at any further. What a packet causes goes with it. A listener that is destroyed is gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/pipeline/router.hpp"
#include "router/observe/filter.hpp"

namespace nsr::router {

// Makes the bytes of a stream out of observations.
class Form {
  public:
    virtual ~Form() = default;
    virtual void begin(std::string& out, std::uint64_t packets_a_second) = 0;
    virtual void append(std::string& out, const observe::Observation& seen) = 0;
    // How many packets were not told of, and why.
    virtual void left_out(std::string& out, std::uint64_t packets, std::string_view why) = 0;
    [[nodiscard]] virtual bool wants_bytes() const { return false; }
    [[nodiscard]] virtual bool wants_every_rule() const { return false; }
};
std::unique_ptr<Form> text_form(bool every_rule);
std::unique_ptr<Form> json_form(bool every_rule);

class Listener {
  public:
    struct Limits {
        std::uint64_t packets_a_second = 1000;
        std::size_t bytes = std::size_t{1} << 20;  // that wait to be taken
        std::uint64_t packets = 0;                 // in all; 0: no end
    };
    struct Wish {
        Filter filter;
        Limits limits;
        std::unique_ptr<Form> form;
    };

    explicit Listener(Wish wish);
    std::function<void()> wake;  // called when there is something to take
    // What has come since.
    std::string take();
    // It has had all it wanted, and has taken it.
    [[nodiscard]] bool over() const;

  private:
    friend class Hub;
    struct Second {
        Instant begin{};
        std::uint64_t told = 0;
        std::uint64_t looked = 0;  // at packets whose outcome the filter asks for
    };

    [[nodiscard]] bool wants(const Packet& packet, Instant now);
    void tell(std::span<const observe::Observation> seen, std::uint64_t bit, Instant now);
    void leave_out(const char* why, Instant now);
    [[nodiscard]] bool enough() const {
        return wish_.limits.packets != 0 && told_ >= wish_.limits.packets;
    }

    Wish wish_;
    std::string waiting_;
    Second second_;
    std::uint64_t told_ = 0;
    std::uint64_t left_out_ = 0;
    Instant left_out_told_{};
    const char* why_left_out_ = "";
};

class Hub {
  public:
    static constexpr std::size_t kMostListeners = 64;

    explicit Hub(Router& router);
    ~Hub();
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    // Null: there are too many already.
    std::shared_ptr<Listener> listen(Listener::Wish wish);
    // Called when a listener may have something to take.
    std::function<void()> on_output;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace nsr::router
