// What the core says about each packet, as lines of text.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/pipeline/router.hpp"

namespace nsr::router {

class TraceWriter : public Observer {
  public:
    using Line = std::function<void(std::string_view)>;
    TraceWriter(const Router& router, Line line) : router_(router), line_(std::move(line)) {}

    void at(Instant now) { now_ = now; }

    void packet_received(const Packet& packet) override;
    void stage_done(Hook hook, pipeline::StageId stage, const Packet& packet,
                    Verdict verdict) override;
    void routed(const Packet& packet, const routing::Decision& decision) override;
    void dropped(const Packet& packet, DropReason reason) override;
    void left(const Packet& packet) override;
    void rule_tried(rules::TableId table, std::string_view chain, const rules::Rule& rule,
                    bool matched) override;
    void policy_applied(rules::TableId table, std::string_view chain,
                        rules::Policy policy) override;

  private:
    [[nodiscard]] std::string interface_name(IfIndex index) const;
    void heading(std::string_view where, const Packet& packet);

    const Router& router_;
    Line line_;
    Instant now_{};
};

}  // namespace nsr::router
