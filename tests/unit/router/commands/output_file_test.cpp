// A file that is written anew: what was there until the end, and what is left where there is none.
#include "router/commands/output_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace nsr::router {
namespace {

namespace fs = std::filesystem;
using FileNames = std::vector<std::string>;

class OutputFolder {
  public:
    OutputFolder() : path_((fs::temp_directory_path() / "nsr-output-XXXXXX").string()) {
        REQUIRE(::mkdtemp(path_.data()) != nullptr);
        fs::permissions(path_, fs::perms{0755});
    }
    ~OutputFolder() { fs::remove_all(path_); }
    OutputFolder(const OutputFolder&) = delete;
    OutputFolder& operator=(const OutputFolder&) = delete;

    [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
    [[nodiscard]] std::string with(const std::string& name, std::string_view text) const {
        std::ofstream(path(name)) << text;
        return path(name);
    }
    [[nodiscard]] FileNames names() const {
        FileNames all;
        for (const auto& entry : fs::directory_iterator(path_)) {
            all.push_back(entry.path().filename());
        }
        std::sort(all.begin(), all.end());
        return all;
    }

  private:
    std::string path_;
};

std::string text_of(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

unsigned mode_of(const std::string& path) {
    struct stat facts {};
    CHECK(::stat(path.c_str(), &facts) == 0);
    return facts.st_mode & 07777;
}

// Gives the errno of what failed, or 0.
int try_write(OutputFile& file, std::string_view text) {
    return ::write(file.descriptor(), text.data(), text.size()) < 0 ? errno : 0;
}

// All steps but the last one.
void write_new(OutputFile& file) {
    REQUIRE(file.error() == 0);
    CHECK(file.begin() == 0);
    CHECK(try_write(file, "new") == 0);
    CHECK(file.finish() == 0);
}

// Files are opened as by somebody who owns nothing. Who is not root already cannot become another.
class AsNobody {
  public:
    AsNobody() { ::setfsuid(65534); }
    ~AsNobody() { ::setfsuid(::geteuid()); }
    AsNobody(const AsNobody&) = delete;
    AsNobody& operator=(const AsNobody&) = delete;
};

}  // namespace

TEST_CASE("output file: a new one is there at once, and stays when all steps are taken") {
    const OutputFolder folder;
    const std::string path = folder.path("out");
    {
        OutputFile file(path);
        REQUIRE(file.error() == 0);
        CHECK(folder.names() == FileNames{"out"});
        CHECK(file.begin() == 0);
        CHECK(try_write(file, "new") == 0);
        CHECK(text_of(path) == "new");
        CHECK(file.finish() == 0);
        CHECK(file.replace() == 0);
    }
    CHECK(text_of(path) == "new");
}

TEST_CASE("output file: a new one that is given up is gone") {
    const OutputFolder folder;
    { const OutputFile file(folder.path("not begun")); }
    {
        OutputFile file(folder.path("not replaced"));
        write_new(file);
    }
    CHECK(folder.names().empty());
}

TEST_CASE("output file: what has taken the name of a new one meanwhile stays") {
    const OutputFolder folder;
    {
        const OutputFile file(folder.path("out"));
        fs::rename(folder.with("other", "another's"), folder.path("out"));
    }
    CHECK(text_of(folder.path("out")) == "another's");
}

TEST_CASE("output file: contents are replaced in the end, by a file with the same mode") {
    const OutputFolder folder;
    const std::string path = folder.with("out", "precious");
    fs::permissions(path, fs::perms{0640});
    OutputFile file(path);
    write_new(file);
    CHECK(text_of(path) == "precious");
    CHECK(folder.names() == FileNames{"out"});
    CHECK(file.replace() == 0);
    CHECK(text_of(path) == "new");
    CHECK(mode_of(path) == 0640);
    CHECK(folder.names() == FileNames{"out"});
}

TEST_CASE("output file: given up before the end, contents are what they were") {
    const OutputFolder folder;
    const std::string path = folder.with("out", "precious");
    {
        OutputFile file(path);
        write_new(file);
    }
    CHECK(text_of(path) == "precious");
    CHECK(folder.names() == FileNames{"out"});
}

TEST_CASE("output file: who is killed leaves contents, and nothing beside them") {
    const OutputFolder folder;
    const std::string path = folder.with("out", "precious");
    const pid_t child = ::fork();
    if (child == 0) {
        OutputFile file(path);
        if (file.begin() == 0 && try_write(file, "new") == 0 && file.finish() == 0) {
            ::raise(SIGKILL);
        }
        ::_exit(1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    CHECK(text_of(path) == "precious");
    CHECK(folder.names() == FileNames{"out"});
}

TEST_CASE("output file: where a symbolic link leads is replaced, not the link") {
    const OutputFolder folder;
    const std::string path = folder.with("out", "precious");
    fs::create_symlink("out", folder.path("link"));
    OutputFile file(folder.path("link"));
    write_new(file);
    CHECK(text_of(path) == "precious");
    CHECK(file.replace() == 0);
    CHECK(fs::is_symlink(folder.path("link")));
    CHECK(text_of(path) == "new");
}

TEST_CASE("output file: one with other names keeps them, and its contents until writing begins") {
    const OutputFolder folder;
    const std::string path = folder.with("out", "precious");
    fs::create_hard_link(path, folder.path("its other name"));
    OutputFile file(path);
    CHECK(text_of(path) == "precious");
    CHECK(file.begin() == 0);
    CHECK(text_of(path).empty());
    CHECK(try_write(file, "new") == 0);
    CHECK(file.finish() == 0);
    CHECK(file.replace() == 0);
    CHECK(text_of(folder.path("its other name")) == "new");
}

TEST_CASE("output file: an empty one is written itself, and stays when it is given up") {
    const OutputFolder folder;
    const std::string path = folder.with("out", "");
    {
        OutputFile file(path);
        write_new(file);
        CHECK(text_of(path) == "new");
    }
    CHECK(folder.names() == FileNames{"out"});
}

TEST_CASE("output file: in a folder where nothing can be made, one is written itself") {
    const OutputFolder folder;
    const std::string path = folder.with("out", "precious");
    fs::permissions(path, fs::perms{0666});
    fs::permissions(folder.path(""), fs::perms{0555});
    {
        const AsNobody nobody;
        OutputFile file(path);
        CHECK(text_of(path) == "precious");
        write_new(file);
        CHECK(text_of(path) == "new");
        CHECK(file.replace() == 0);
        CHECK(OutputFile(folder.path("another")).error() == EACCES);
    }
    fs::permissions(folder.path(""), fs::perms{0755});
    CHECK(folder.names() == FileNames{"out"});
}

TEST_CASE("output file: a device takes what it takes") {
    OutputFile full("/dev/full");
    REQUIRE(full.error() == 0);
    CHECK(full.begin() == 0);
    CHECK(try_write(full, "new") == ENOSPC);
    OutputFile null("/dev/null");
    write_new(null);
    CHECK(null.replace() == 0);
}

TEST_CASE("output file: standard output goes on where it is") {
    const OutputFolder folder;
    const std::string path = folder.with("log", "before ");
    std::fflush(stdout);
    const int kept = ::dup(STDOUT_FILENO);
    const int log = ::open(path.c_str(), O_WRONLY);
    ::lseek(log, 0, SEEK_END);
    ::dup2(log, STDOUT_FILENO);
    {
        OutputFile file("/dev/stdout");
        write_new(file);
        CHECK(file.replace() == 0);
    }
    CHECK(::write(STDOUT_FILENO, " after", 6) == 6);
    ::dup2(kept, STDOUT_FILENO);
    ::close(kept);
    ::close(log);
    CHECK(text_of(path) == "before new after");
}

TEST_CASE("output file: what cannot be written says why") {
    const OutputFolder folder;
    CHECK(OutputFile(folder.path("")).error() == EISDIR);
    CHECK(OutputFile(folder.path("nowhere/out")).error() == ENOENT);
    CHECK(OutputFile("").error() == ENOENT);
}

TEST_CASE("output file: for its owner alone, new and replaced") {
    const OutputFolder folder;
    const std::string path = folder.with("out", "precious");
    fs::permissions(path, fs::perms{0644});
    for (const std::string& name : {path, folder.path("another")}) {
        OutputFile file(name, Readers::Owner);
        write_new(file);
        CHECK(file.replace() == 0);
        CHECK(mode_of(name) == 0600);
    }
}

TEST_CASE("output file: for its owner alone, once writing begins where it is written itself") {
    const OutputFolder folder;
    const std::string path = folder.with("out", "precious");
    fs::permissions(path, fs::perms{0644});
    fs::create_hard_link(path, folder.path("its other name"));
    OutputFile file(path, Readers::Owner);
    CHECK(mode_of(path) == 0644);
    CHECK(file.begin() == 0);
    CHECK(mode_of(path) == 0600);
}

TEST_CASE("output file: for its owner alone, what is no file keeps its mode") {
    const OutputFolder folder;
    const std::string path = folder.path("pipe");
    REQUIRE(::mkfifo(path.c_str(), 0644) == 0);
    const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
    OutputFile file(path, Readers::Owner);
    write_new(file);
    ::close(reader);
    CHECK(mode_of(path) == 0644);
}

TEST_CASE("output file: for its owner alone, no symbolic link is followed") {
    const OutputFolder folder;
    const std::string path = folder.with("out", "precious");
    fs::create_symlink(path, folder.path("link"));
    CHECK(OutputFile(folder.path("link"), Readers::Owner).error() == ELOOP);
}

}  // namespace nsr::router
