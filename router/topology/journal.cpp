#include "router/topology/journal.hpp"

#include <algorithm>

#include "router/base/run_directory.hpp"
#include "router/topology/run_files.hpp"

namespace nsr::router {

Journal::Journal(const std::string& name)
    : path_(run_file(name, ".state")), entries_(parse_undos(read_run_file(path_))) {
}

bool Journal::has(const Undo& undo) const {
    return std::find(entries_.begin(), entries_.end(), undo) != entries_.end();
}

void Journal::note(const Undo& undo) {
    entries_.push_back(undo);
    write();
}

void Journal::strike(const Undo& undo) {
    const auto latest = std::find(entries_.rbegin(), entries_.rend(), undo);
    if (latest != entries_.rend()) {
        entries_.erase(std::next(latest).base());
        write();
    }
}

void Journal::write() const {
    replace_run_file(path_, to_text(entries_));
}

}  // namespace nsr::router
