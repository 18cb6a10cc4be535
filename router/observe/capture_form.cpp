#include "router/observe/capture_form.hpp"

#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "core/base/printable.hpp"
#include "router/capture/pcapng.hpp"

namespace nsr::router {
namespace {

using namespace observe;

class CaptureForm : public Form {
  public:
    CaptureForm(const Router& router, CaptureWish wish) : wish_(std::move(wish)) {
        std::vector<std::string> names = {kOwnPackets};
        for (const routing::Interface& interface : router.interfaces().all()) {
            names.push_back(interface.name);
        }
        for (const std::string& name : names) {
            numbers_.emplace(name, static_cast<std::uint32_t>(numbers_.size()));
        }
        writer_ = std::make_unique<PcapngWriter>(written_, names);
    }

    void begin(std::string& out, std::uint64_t) override { take(out); }

    void append(std::string& out, const Observation& seen) override {
        if (wish_.drops && seen.fate != Fate::Dropped) {
            return;
        }
        const std::string comment =
            "id=" + std::to_string(wish_.numbered_from + seen.number) +
            (seen.caused_by != 0
                 ? " because of " + std::to_string(wish_.numbered_from + seen.caused_by)
                 : "") +
            " ";
        const std::string what = comment_of(seen);
        write({seen.in, seen.bytes, seen.length, PcapngWriter::Way::In}, seen,
              comment + "in; " + what);
        for (const Step& step : seen.steps) {
            if (const auto* left = std::get_if<LeftStep>(&step)) {
                write({left->interface, left->bytes, left->length, PcapngWriter::Way::Out}, seen,
                      comment + "out; " + what);
            }
        }
        take(out);
    }

    // As an empty packet whose comment says it: a capture has no other place for it.
    void left_out(std::string& out, std::uint64_t packets, std::string_view why) override {
        const std::string comment =
            "left out: " + std::to_string(packets) + " packets (" + std::string(why) + ")";
        writer_->packet(last_ns_, 0, {}, comment);
        take(out);
    }

    [[nodiscard]] bool wants_bytes() const override { return true; }

  private:
    struct Shown {
        const std::string& interface;
        const std::vector<std::uint8_t>& bytes;
        std::uint32_t length;
        PcapngWriter::Way way;
    };
    void write(const Shown& shown, const Observation& seen, const std::string& comment) {
        const std::string name = shown.interface.empty() ? kOwnPackets : shown.interface;
        if (!wish_.interface.empty() && name != wish_.interface) {
            return;
        }
        const auto [number, is_new] =
            numbers_.emplace(name, static_cast<std::uint32_t>(numbers_.size()));
        if (is_new) {
            writer_->add_interface(name);
        }
        last_ns_ = seen.at.time_since_epoch().count();
        writer_->packet(last_ns_, number->second, shown.bytes,
                        {.comment = comment,
                         .way = shown.way,
                         .id = wish_.numbered_from + seen.number,
                         .length = shown.length});
    }

    void take(std::string& out) {
        out += written_.str();
        written_.str({});
    }

    CaptureWish wish_;
    std::ostringstream written_;
    std::unique_ptr<PcapngWriter> writer_;
    std::map<std::string, std::uint32_t> numbers_;
    std::int64_t last_ns_ = 0;
};

void add(std::string& text, const std::string& more) {
    text += (text.empty() ? "" : "; ") + more;
}

}  // namespace

std::unique_ptr<Form> capture_form(const Router& router, CaptureWish wish) {
    return std::make_unique<CaptureForm>(router, std::move(wish));
}

std::string comment_of(const Observation& seen) {
    std::string text(name_of(seen.fate));
    if (const auto* dropped = find<DroppedStep>(seen)) {
        text += ": " + std::string(nsr::name_of(dropped->reason));
        if (dropped->place) {
            text += " at " + std::string(nsr::name_of(dropped->place->hook)) + " " +
                    std::string(pipeline::name_of(dropped->place->stage));
        }
    }
    if (const auto* left = find<LeftStep>(seen); left != nullptr && !left->interface.empty()) {
        text += " by " + left->interface;
    }
    if (const auto* tracked = find<TrackedStep>(seen)) {
        add(text, "state " + std::string(name_of(tracked->info)) +
                      (tracked->why.empty() ? "" : " (" + tracked->why + ")"));
    }
    for (const Step& step : seen.steps) {
        if (const auto* nat = std::get_if<TranslatedStep>(&step)) {
            add(text, std::string(nat->source ? "source " : "destination ") + nat->from + " -> " +
                          nat->to);
        } else if (const auto* rule = std::get_if<RuleStep>(&step);
                   rule != nullptr && rule->matched) {
            add(text, "rule " + to_string(rule->where) + " " + rule->text);
        }
    }
    return printable(text);
}

}  // namespace nsr::router
