#include "tests/support/story.hpp"

#include <utility>

#include "core/packet/describe.hpp"

namespace nsr::test {

void Story::step(std::string text) {
    steps_.push_back({std::move(text), {}});
}

void Story::note(std::string text) {
    if (!steps_.empty()) {
        steps_.back().notes.push_back(std::move(text));
    }
}

std::string Story::told(std::string_view what_is_wrong) const {
    constexpr std::size_t kMostSteps = 20;
    const std::size_t count = steps_.size();
    std::string text = "step " + std::to_string(count) + " is wrong: ";
    text += what_is_wrong;
    const std::size_t first = count > kMostSteps ? count - kMostSteps : 0;
    if (first > 0) {
        text += "\n      ... " + std::to_string(first) + " steps before";
    }
    for (std::size_t i = first; i < count; ++i) {
        text += i + 1 == count ? "\n  > " : "\n    ";
        text += std::to_string(i + 1) + ". " + steps_[i].text;
        for (const std::string& note : steps_[i].notes) {
            text += "\n         " + note;
        }
    }
    return text;
}

void Tracer::packet_received(const Packet&) {
    finish();
}

void Tracer::stage_done(Hook hook, pipeline::StageId stage, const Packet& packet, Verdict verdict) {
    if (stage == pipeline::StageId::Track) {
        tracked = packet.meta.ct_info;
    }
    if (hook_ != name_of(hook)) {
        finish();
        hook_ = name_of(hook);
        line_ = std::string(hook_) + ":";
    } else {
        line_ += ",";
    }
    line_ += " " + std::string(pipeline::name_of(stage));
    if (verdict.dropped()) {
        line_ += " drops for " + std::string(name_of(verdict.reason()));
    } else if (verdict.was_stolen()) {
        line_ += " keeps it for reassembly";
    }
}

void Tracer::routed(const Packet&, const routing::Decision&) {
    finish();
}

void Tracer::dropped(const Packet&, DropReason reason) {
    finish();
    story_.note("drop " + std::string(name_of(reason)));
    drops.push_back(reason);
}

void Tracer::left(const Packet& packet) {
    finish();
    story_.note("out " + describe(packet));
}

void Tracer::finish() {
    if (!line_.empty()) {
        story_.note(std::exchange(line_, {}));
    }
    hook_ = {};
}

}  // namespace nsr::test
