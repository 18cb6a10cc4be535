// Runs the stages of one hook in the order of hooks.hpp. A template over the table, so that the
// compiler inlines the whole hook and drops what does not run there.
#pragma once

#include <utility>

#include "core/pipeline/pipeline.hpp"

namespace nsr::pipeline {

template <Hook kHook, const auto& kStages>
Verdict Pipeline::run_hook(Packet& packet) {
    Verdict verdict = Verdict::accept();
    const auto run = [&]<StageId kStage>() {
        verdict = run_stage<kHook>(kStage, packet);
        if (state_.observer != nullptr) {
            state_.observer->stage_done(kHook, kStage, packet, verdict);
        }
        return verdict.accepted();
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        static_cast<void>((run.template operator()<kStages[I].id>() && ...));
    }
    (std::make_index_sequence<kStages.size()>());
    return verdict;
}

template <Hook kHook>
Verdict Pipeline::run_stage(StageId stage, Packet& packet) {
    switch (stage) {
        case StageId::Defrag:
            return defragment(packet);
        case StageId::Raw:
            return filter(rules::TableId::Raw, kHook, packet);
        case StageId::Track:
            return track(packet);
        case StageId::Mangle:
            return filter(rules::TableId::Mangle, kHook, packet);
        case StageId::Filter:
            return filter(rules::TableId::Filter, kHook, packet);
        case StageId::Security:
            return filter(rules::TableId::Security, kHook, packet);
        case StageId::Dnat:
        case StageId::Snat:
            return translate(kHook, packet);
        case StageId::Confirm:
            return confirm(packet);
    }
    return Verdict::accept();
}

}  // namespace nsr::pipeline
