// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/landlock.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "base/descriptor.hpp"
#include "base/kept_from.hpp"
#include "base/log.hpp"
#include "base/system_error.hpp"

namespace sftdyn::platform {
namespace {

namespace log = base::log;
namespace fs = std::filesystem;

// Constants of <linux/landlock.h> in later kernels. Debian 12's headers end with ABI 2.
constexpr std::uint64_t access_refer = 1ULL << 13;         // ABI 2
constexpr std::uint64_t access_truncate = 1ULL << 14;      // ABI 3
constexpr std::uint64_t access_ioctl_dev = 1ULL << 15;     // ABI 5
constexpr std::uint64_t access_resolve_unix = 1ULL << 16;  // ABI 9
constexpr std::uint64_t net_bind_tcp = 1ULL << 0;          // ABI 4
constexpr std::uint64_t scope_abstract_unix = 1ULL << 0;   // ABI 6
constexpr std::uint64_t scope_signal = 1ULL << 1;          // ABI 6

/// `struct landlock_ruleset_attr` of ABI 6. Earlier kernels accept a longer struct if the fields
/// that they don't know are 0.
struct RulesetAttributes {
    std::uint64_t handled_access_fs = 0;
    std::uint64_t handled_access_net = 0;
    std::uint64_t scoped = 0;
};

constexpr std::uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
                                  LANDLOCK_ACCESS_FS_REMOVE_FILE | access_truncate;
constexpr std::uint64_t of_files =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
    access_truncate | access_ioctl_dev |
    access_resolve_unix;  // the rights that a rule for a file may name
constexpr std::uint64_t first_access =
    reading | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

std::uint64_t every_access(int abi) {
    std::uint64_t out = first_access;
    if (abi >= 2) out |= access_refer;
    if (abi >= 3) out |= access_truncate;
    if (abi >= 5) out |= access_ioctl_dev;
    if (abi >= 9) out |= access_resolve_unix;
    return out;
}

base::Error failed(const char* what) {
    return {fmt::format("{}: {}", what, base::system_error_text(errno)), "",
            "[process] landlock = false silences it"};
}

/// The topmost folder above `path`, directly below the root. A rule for it also covers files that
/// are created or moved there later.
fs::path top_folder(const fs::path& path) {
    std::error_code error;  // without a working directory a relative path gets no rule
    auto folder = fs::absolute(path, error).lexically_normal();
    while (folder.has_relative_path() && folder.parent_path().has_relative_path())
        folder = folder.parent_path();
    return folder;
}

/// A ruleset under construction. Owns its descriptor.
class Ruleset {
public:
    explicit Ruleset(const RulesetAttributes& attributes)
        : handled_(attributes.handled_access_fs),
          descriptor_(static_cast<int>(
              syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0))) {}

    [[nodiscard]] bool made() const { return static_cast<bool>(descriptor_); }

    /// A missing path needs no rule. A rule that can't be set permits nothing.
    void allow(const fs::path& path, std::uint64_t access) {
        const base::Descriptor place(open(path.c_str(), O_PATH | O_CLOEXEC));
        if (!place) {
            if (errno != ENOENT && errno != EACCES && errno != ENOTDIR) say(path);
            return;
        }
        struct stat status {};
        const bool folder = fstat(place.get(), &status) == 0 && S_ISDIR(status.st_mode);
        landlock_path_beneath_attr rule{};
        rule.allowed_access = access & handled_ & (folder ? ~std::uint64_t(0) : of_files);
        rule.parent_fd = place.get();
        if (rule.allowed_access != 0 && syscall(SYS_landlock_add_rule, descriptor_.get(),
                                                LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
            return say(path);
        if ((rule.allowed_access & LANDLOCK_ACCESS_FS_READ_FILE) != 0)
            readable_.push_back(path.string());
    }

    [[nodiscard]] const std::vector<std::string>& readable() const { return readable_; }

    [[nodiscard]] bool restrict_self() const {
        return syscall(SYS_landlock_restrict_self, descriptor_.get(), 0) == 0;
    }

private:
    static void say(const fs::path& path) {
        log::warn("{}: Landlock keeps this process from it: {} ([process] landlock)", path.string(),
                  base::system_error_text(errno));
    }

    std::uint64_t handled_;
    base::Descriptor descriptor_;
    std::vector<std::string> readable_{};  ///< the paths that the rules make readable
};

void allow_all(Ruleset& ruleset, const LandlockRules& wanted) {
    // Folders where a system keeps what a service reads. Files below other folders must be named in
    // the configuration.
    std::set<fs::path> readable{"/etc", "/run", "/var",   "/srv", "/opt",
                                "/usr", "/lib", "/lib64", "/proc"};
    const auto add = [&readable](const fs::path& file) {
        const fs::path top = top_folder(file);
        readable.insert(top == "/dev" ? file.parent_path() : top);  // for example /dev/shm
    };
    for (const auto& file : wanted.files) {
        add(file);
        std::error_code error;  // ignored: a dangling link fails when it is read
        const auto target = fs::canonical(file, error);
        if (!error) add(target);
    }
    // Only devices without stored data: reading a disk's device would reveal every file on it.
    readable.erase("/dev");
    for (const char* device : {"/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"})
        readable.insert(device);
    for (const auto& path : readable) ruleset.allow(path, reading);
    for (const auto& folder : wanted.writable) ruleset.allow(folder, reading | writing);
    for (const auto& socket : wanted.sockets)
        ruleset.allow(fs::path(socket).parent_path(), reading | LANDLOCK_ACCESS_FS_REMOVE_FILE);
}

}  // namespace

int landlock_abi() {
    const auto version =
        syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version < 0 ? 0 : static_cast<int>(version);
}

std::string landlock_gaps(int abi) {
    std::string out;
    const auto add = [&out](const char* what) {
        out += (out.empty() ? "" : ", ") + std::string(what);
    };
    if (abi < 3) add("emptying a file that may be read");
    if (abi < 4) add("listening on further ports");
    if (abi < 6) add("signals to other processes");
    if (abi < 9) add("connecting to Unix sockets");
    return out;
}

base::Result<void> restrict_files(const LandlockRules& rules) {
    const int abi = landlock_abi();
    if (abi == 0) return failed("the kernel does not offer it");
    RulesetAttributes attributes;
    attributes.handled_access_fs = every_access(abi);
    if (abi >= 4) attributes.handled_access_net = net_bind_tcp;
    if (abi >= 6) attributes.scoped = scope_signal | scope_abstract_unix;

    Ruleset ruleset(attributes);
    if (!ruleset.made()) return failed("its rules can't be made");
    allow_all(ruleset, rules);
    if (!ruleset.restrict_self()) return failed("its rules could not be set");
    base::set_readable(ruleset.readable());
    return {};
}

base::Result<void> restrict_tracing() {
    const int abi = landlock_abi();
    if (abi == 0) return failed("the kernel does not offer it");
    RulesetAttributes attributes;
    attributes.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;
    // Any ruleset forbids moving files between folders unless a rule permits it.
    if (abi >= 2) attributes.handled_access_fs |= access_refer;
    Ruleset ruleset(attributes);
    if (!ruleset.made()) return failed("its rules can't be made");
    ruleset.allow("/", access_refer);
    if (!ruleset.restrict_self()) return failed("its rules could not be set");
    return {};
}

}  // namespace sftdyn::platform
