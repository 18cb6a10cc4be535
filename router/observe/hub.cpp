#include "router/observe/hub.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "core/observe/watcher.hpp"
#include "router/observe/render.hpp"

namespace nsr::router {
namespace {

using observe::Observation;

constexpr Duration kSecond = std::chrono::seconds(1);
constexpr std::uint64_t kLooks = 20;  // for each packet that may be told
constexpr const char* kTooMany = "more than may be told in a second";
constexpr const char* kTooManyLooks = "more than may be looked at in a second";
constexpr const char* kTooSlow = "the listener does not read fast enough";

class TextForm : public Form {
  public:
    explicit TextForm(bool every_rule) : every_rule_(every_rule) {}
    void begin(std::string& out, std::uint64_t packets_a_second) override {
        out += "# listening: at most " + std::to_string(packets_a_second) +
               " packets a second are told\n";
    }
    void append(std::string& out, const Observation& seen) override {
        append_text(out, seen, {.every_rule = every_rule_});
    }
    void left_out(std::string& out, std::uint64_t packets, std::string_view why) override {
        out += "# left out: " + std::to_string(packets) + " packets (" + std::string(why) + ")\n";
    }
    [[nodiscard]] bool wants_every_rule() const override { return every_rule_; }

  private:
    bool every_rule_;
};

class JsonForm : public Form {
  public:
    explicit JsonForm(bool every_rule) : every_rule_(every_rule) {}
    void begin(std::string& out, std::uint64_t packets_a_second) override {
        out += "{\"listening\":true,\"rate\":" + std::to_string(packets_a_second) + "}\n";
    }
    void append(std::string& out, const Observation& seen) override {
        append_json(out, seen, {.every_rule = every_rule_});
    }
    void left_out(std::string& out, std::uint64_t packets, std::string_view why) override {
        out +=
            "{\"left_out\":" + std::to_string(packets) + ",\"why\":\"" + std::string(why) + "\"}\n";
    }
    [[nodiscard]] bool wants_every_rule() const override { return every_rule_; }

  private:
    bool every_rule_;
};

}  // namespace

std::unique_ptr<Form> text_form(bool every_rule) {
    return std::make_unique<TextForm>(every_rule);
}

std::unique_ptr<Form> json_form(bool every_rule) {
    return std::make_unique<JsonForm>(every_rule);
}

// --- one listener -------------------------------------------------------------------------------

Listener::Listener(Wish wish) : wish_(std::move(wish)) {
    wish_.form->begin(waiting_, wish_.limits.packets_a_second);
}

std::string Listener::take() {
    std::string taken = std::exchange(waiting_, {});
    if (left_out_ != 0) {
        wish_.form->left_out(taken, std::exchange(left_out_, 0), why_left_out_);
    }
    return taken;
}

bool Listener::over() const {
    return enough() && waiting_.empty();
}

bool Listener::wants(const Packet& packet, Instant now) {
    if (enough() || !wish_.filter.admits(packet.bytes())) {
        return false;
    }
    if (now - second_.begin >= kSecond) {
        second_ = {now, 0, 0};
    }
    const bool full = second_.told >= wish_.limits.packets_a_second;
    const bool outcome = wish_.filter.needs_outcome();
    if (full && !outcome) {
        leave_out(kTooMany, now);
        return false;
    }
    if (outcome && ++second_.looked > wish_.limits.packets_a_second * kLooks) {
        leave_out(kTooManyLooks, now);
        return false;
    }
    return true;
}

void Listener::tell(std::span<const Observation> seen, std::uint64_t bit, Instant now) {
    const bool fits = std::any_of(seen.begin(), seen.end(), [&](const Observation& each) {
        return (each.wanted_by & bit) != 0 && wish_.filter.fits(subject_of(each));
    });
    if (!fits || enough()) {
        return;
    }
    if (second_.told >= wish_.limits.packets_a_second) {
        return leave_out(kTooMany, now);
    }
    std::string text;
    for (const Observation& each : seen) {
        if ((each.wanted_by & bit) != 0) {
            wish_.form->append(text, each);
        }
    }
    if (text.empty()) {
        return;  // nothing of it is for this form
    }
    if (waiting_.size() + text.size() > wish_.limits.bytes) {
        return leave_out(kTooSlow, now);
    }
    ++second_.told;
    ++told_;
    if (waiting_.empty()) {
        wake();
    }
    waiting_ += text;
}

// Who is left out of a flood hears of it once in a while, not for each packet.
void Listener::leave_out(const char* why, Instant now) {
    ++left_out_;
    why_left_out_ = why;
    if (now - left_out_told_ >= kSecond) {
        left_out_told_ = now;
        wake();
    }
}

// --- all of them --------------------------------------------------------------------------------

struct Hub::State {
    State(Router& core, Hub& owner) : router(core), hub(&owner), watcher(core) {
        watcher.wanted = [this](const Packet& packet) { return wanted(packet); };
        watcher.done = [this](std::span<const Observation> seen) { tell(seen); };
    }

    std::uint64_t wanted(const Packet& packet) {
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < kMostListeners; ++i) {
            if (listeners[i] != nullptr && listeners[i]->wants(packet, watcher.time())) {
                bits |= std::uint64_t{1} << i;
            }
        }
        return bits;
    }

    void tell(std::span<const Observation> seen) {
        for (std::size_t i = 0; i < kMostListeners; ++i) {
            if (listeners[i] != nullptr) {
                listeners[i]->tell(seen, std::uint64_t{1} << i, watcher.time());
            }
        }
    }

    void remove(Listener* listener) {
        std::replace(listeners.begin(), listeners.end(), listener, static_cast<Listener*>(nullptr));
        watch();
    }

    void watch() {
        bool any = false;
        watcher.depth = {};
        for (const Listener* listener : listeners) {
            if (listener != nullptr) {
                any = true;
                watcher.depth.bytes |= listener->wish_.form->wants_bytes();
                watcher.depth.every_rule |= listener->wish_.form->wants_every_rule();
            }
        }
        if (hub != nullptr) {
            router.observe(any ? &watcher : nullptr);
        }
    }

    Router& router;
    Hub* hub;  // null: it is gone, and the router may be
    observe::Watcher watcher;
    std::array<Listener*, kMostListeners> listeners{};
};

Hub::Hub(Router& router) : state_(std::make_shared<State>(router, *this)) {
}

Hub::~Hub() {
    state_->listeners.fill(nullptr);
    state_->watch();
    state_->hub = nullptr;
}

std::shared_ptr<Listener> Hub::listen(Listener::Wish wish) {
    auto& listeners = state_->listeners;
    auto* const place = std::find(listeners.begin(), listeners.end(), nullptr);
    if (place == listeners.end()) {
        return nullptr;
    }
    auto made = std::make_unique<Listener>(std::move(wish));
    made->wake = [state = state_.get()] {
        if (state->hub != nullptr && state->hub->on_output) {
            state->hub->on_output();
        }
    };
    *place = made.get();
    state_->watch();
    return {made.release(), [state = state_](Listener* listener) {
                state->remove(listener);
                delete listener;
            }};
}

}  // namespace nsr::router
