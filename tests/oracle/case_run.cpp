#include "tests/oracle/case_run.hpp"

#include <memory>
#include <stdexcept>
#include <utility>

#include "core/pipeline/router.hpp"
#include "router/config/load.hpp"

namespace oracle {
namespace {

namespace app = nsr::router;

class GivenFrames : public app::FrameSource {
  public:
    explicit GivenFrames(const Frames& frames) : frames_(frames) {}

    bool next(app::Frame& frame) override {
        if (next_ == frames_.size()) {
            return false;
        }
        frame = frames_[next_++].view();
        return true;
    }
    [[nodiscard]] const std::string& error() const override { return none_; }

  private:
    const Frames& frames_;
    std::size_t next_ = 0;
    std::string none_;
};

// Keeps everything that a replay gives.
class Memory : public app::ReplayOutput {
  public:
    explicit Memory(std::vector<std::string> interfaces) : interfaces_(std::move(interfaces)) {}

    void arrives(std::uint32_t index) override { latest_ = index; }
    void packet(std::int64_t time_ns, std::uint32_t interface, const nsr::Packet& packet,
                std::string_view comment) override {
        kept.left.push_back(
            {{static_cast<double>(time_ns) * 1e-9, interfaces_.at(interface),
              Bytes(packet.bytes().begin(), packet.bytes().end()), std::string(comment)},
             packet.layout,
             packet.meta,
             packet.offload});
    }
    void connections(std::string_view text) override { kept.conntrack += text; }
    void event(std::string_view line) override {
        (kept.events += line) += '\n';
        kept.eventful.insert(latest_);
    }
    void trace(std::string_view line) override { kept.trace.emplace_back(line); }
    [[nodiscard]] bool good() const override { return true; }

    Run kept;

  private:
    std::vector<std::string> interfaces_;
    std::uint32_t latest_ = 0;
};

Frames frames_of(const std::string& path, std::string& error) {
    const auto capture = app::open_capture(path, "");
    if (!capture) {
        error = capture.error();
        return {};
    }
    Frames frames;
    for (app::Frame frame; (*capture)->next(frame);) {
        if (frame.index != frames.size()) {
            throw std::runtime_error(path + " has frames that are no packets");
        }
        frames.emplace_back(frame);
    }
    error = (*capture)->error();
    return frames;
}

}  // namespace

Case open_case(const std::string& name) {
    Case one;
    one.folder = std::string(CONFORMANCE_CASES) + "/" + name;
    one.recorded = load_case(one.folder);
    auto config = app::load_config(one.folder + "/router.toml");
    if (!config) {
        one.error = to_string(config.error()[0]);
        return one;
    }
    one.config = std::move(*config);
    one.frames = frames_of(one.folder + "/in.pcapng", one.error);
    return one;
}

Run run(const Case& one, const Frames& frames, app::ReplayOptions options) {
    options.events = true;
    Memory memory(one.config.interface_names());
    options.end = [&memory](nsr::Router& router) {
        memory.kept.tally = router.shard_duties().take_tally();
    };
    app::Capture capture(std::make_unique<GivenFrames>(frames), "");
    app::ReplayResult result = app::run_replay(one.config, capture, options, memory);
    for (const std::string& complaint : result.complaints) {
        result.error += complaint;
    }
    memory.kept.stats = std::move(result.stats);
    memory.kept.error = std::move(result.error);
    return std::move(memory.kept);
}

}  // namespace oracle
