#include "router/control/metrics_loop.hpp"

#include "router/control/controls.hpp"
#include "router/ports/spin.hpp"

namespace nsr::router {

void read_turns(const Metrics::Source& source, Samples& samples) {
    const Turns& turns = source.controls.engine.turns();
    samples.add_histogram({{"kind", "packets"}}, turns.packets);
    samples.add_histogram({{"kind", "timers"}}, turns.timers);
    samples.add_histogram({{"kind", "control"}}, turns.control);
}

void read_turns_cpu(const Metrics::Source& source, Samples& samples) {
    const Turns& turns = source.controls.engine.turns();
    samples.add_histogram({{"kind", "timers"}}, turns.timers_cpu);
    samples.add_histogram({{"kind", "control"}}, turns.control_cpu);
}

void read_longest_turn(const Metrics::Source& source, Samples& samples) {
    const Turns& turns = source.controls.engine.turns();
    samples.add_seconds({{"kind", "packets"}}, turns.packets.worst());
    samples.add_seconds({{"kind", "timers"}}, turns.timers.worst());
    samples.add_seconds({{"kind", "control"}}, turns.control.worst());
}

void read_longest_turn_cpu(const Metrics::Source& source, Samples& samples) {
    const Turns& turns = source.controls.engine.turns();
    samples.add_seconds({{"kind", "timers"}}, turns.timers_cpu.worst());
    samples.add_seconds({{"kind", "control"}}, turns.control_cpu.worst());
}

void read_spins(const Metrics::Source& source, Samples& samples) {
    for (std::size_t end = 0; end < kSpinEnds.size(); ++end) {
        samples.add({{"end", kSpinEnds[end]}},
                    source.controls.engine.spin().ended(static_cast<SpinEnd>(end)));
    }
}

void read_ring_in_use(const Metrics::Source& source, Samples& samples) {
    samples.add({}, source.controls.engine.ring().state().in_use ? 1 : 0);
}

void read_ring_frames(const Metrics::Source& source, Samples& samples) {
    samples.add({}, source.controls.engine.ring().state().frames);
}

void read_ring_calls(const Metrics::Source& source, Samples& samples) {
    samples.add({}, source.controls.engine.ring().state().calls);
}

}  // namespace nsr::router
