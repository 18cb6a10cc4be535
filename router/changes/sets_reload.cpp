#include "router/changes/sets_reload.hpp"

#include "router/config/build.hpp"

namespace nsr::router {

namespace {

std::vector<std::string> changed_sets(const SetsConfig& before, const SetsConfig& next,
                                      const sets::Sets& sets) {
    std::vector<std::string> changed;
    for (const auto& [name, fingerprint] : next.fingerprints) {
        const auto old = before.fingerprints.find(name);
        const bool same = old != before.fingerprints.end() && old->second == fingerprint;
        if (!same || sets.find(name) == nullptr) {
            changed.push_back(name);
        }
    }
    return changed;
}

SourceLocation where_of(const SetsConfig& config) {
    return config.file ? SourceLocation{config.file->path, 1, 1} : config.commands.front().where;
}

}  // namespace

ConfigErrors SetsReload::make(const Config& next) {
    return build_sets(next, aside_, now_);
}

ConfigErrors SetsReload::problems(const SetsConfig& before, const SetsConfig& next,
                                  const sets::Sets& sets) const {
    const sets::Failure failure = sets.may_adopt(aside_, changed_sets(before, next, sets));
    if (failure == sets::Failure::None) {
        return {};
    }
    return {{where_of(next), std::string(sets::text_of(failure))}};
}

// problems() was asked just before.
void SetsReload::exchange(const SetsConfig& before, const SetsConfig& next, sets::Sets& sets,
                          Instant now) {
    static_cast<void>(sets.adopt(std::move(aside_), changed_sets(before, next, sets), now));
}

// Lists first, for what they alone name.
void SetsReload::remove_old(const SetsConfig& before, const SetsConfig& next,
                            Router& router) const {
    for (const bool lists : {true, false}) {
        for (const auto& [name, fingerprint] : before.fingerprints) {
            const sets::Set* set = router.sets().find(name);
            const bool is_list = set != nullptr && set->type().storage == sets::Storage::List;
            if (set != nullptr && is_list == lists && !next.fingerprints.contains(name)) {
                static_cast<void>(router.sets().destroy(name, router.set_references()));
            }
        }
    }
}

}  // namespace nsr::router
