#include "router/bundle/past_packets.hpp"

#include <algorithm>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "router/capture/pcapng.hpp"

namespace nsr::router {
namespace {

class Arrivals : public FrameSource {
  public:
    Arrivals(const std::string& pcapng, std::vector<std::string> interfaces)
        : in_(pcapng), reader_(in_), interfaces_(std::move(interfaces)) {}
    bool next(Frame& frame) override {
        while (reader_.next(frame)) {
            // "id=7 in; ..."; see capture_form
            const std::string_view comment(frame.comment);
            const std::string_view way = comment.substr(0, comment.find(';'));
            if (way.ends_with(" in") && std::find(interfaces_.begin(), interfaces_.end(),
                                                  frame.interface) != interfaces_.end()) {
                return true;
            }
        }
        return false;
    }
    [[nodiscard]] const std::string& error() const override { return reader_.error(); }

  private:
    std::istringstream in_;
    PcapngReader reader_;
    std::vector<std::string> interfaces_;
};

}  // namespace

Result<std::unique_ptr<Capture>, std::string> packets_of(const Bundle& bundle, const Config& config,
                                                         const std::string& filter) {
    const std::string* pcapng = bundle.find(bundled::kCapture);
    if (pcapng == nullptr) {
        const auto why =
            std::find_if(bundle.missing.begin(), bundle.missing.end(),
                         [](const BundleMissing& each) { return each.name == bundled::kCapture; });
        return "the bundle has no packets" +
               (why != bundle.missing.end() ? " (" + why->why + ")" : std::string());
    }
    auto capture = std::make_unique<Capture>(
        std::make_unique<Arrivals>(*pcapng, config.interface_names()), filter);
    if (const std::string wrong = capture->begin(); !wrong.empty()) {
        return "--filter: " + wrong;
    }
    return capture;
}

}  // namespace nsr::router
