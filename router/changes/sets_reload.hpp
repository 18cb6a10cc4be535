// SetsReload: what a reload does with address sets.
//
// Theory of operation
//   The sets of the new configuration are made aside, in the worker. Those that it describes as the
//   old one did stay as they are, with all that packets and commands have put into them; the others
//   get their new contents between two batches, just before the new rules. Behind the rules those
//   go that the old configuration described and the new one does not, unless something names them.
//   Sets that were made at run time are nobody's business here.
#pragma once

#include <string>
#include <vector>

#include "core/pipeline/router.hpp"
#include "core/sets/sets.hpp"
#include "router/config/config.hpp"

namespace nsr::router {

class SetsReload {
  public:
    // On the loop.
    SetsReload(sets::Sets& there, Instant now) : aside_(there.beside()), now_(now) {}

    // In the worker.
    [[nodiscard]] ConfigErrors make(const Config& next);
    // On the loop: why exchange() cannot be done. Nothing: it can, now.
    [[nodiscard]] ConfigErrors problems(const SetsConfig& before, const SetsConfig& next,
                                        const sets::Sets& sets) const;
    // On the loop, before and behind the change of rules.
    void exchange(const SetsConfig& before, const SetsConfig& next, sets::Sets& sets, Instant now);
    void remove_old(const SetsConfig& before, const SetsConfig& next, Router& router) const;

  private:
    sets::Sets aside_;
    Instant now_;
};

}  // namespace nsr::router
